// The load generator: connections that each send a batch, wait for all its replies, and send the
// next, all of them on one thread with epoll.
//
// A closed loop, so that it always asks as much as the server gives: its latencies are those of a
// server that is kept busy, and grow with the number of connections. For the latency that a client
// sees at a given rate there is the open-loop probe (wire_probe.h).
//
// Latency is counted a batch: from handing it to the kernel to reading its last reply.
//
// Thread: the one that calls Run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/lab/wire_client.h"
#include "bench/lab/wire_histogram.h"
#include "bench/lab/wire_requests.h"

namespace lapse::wire {

struct LoadResult {
  int64_t commands = 0;
  int64_t errors = 0;
  std::string first_error;
  double seconds = 0;
  Histogram batch_latency;
};

class Generator {
 public:
  static constexpr int kConnections = 50;

  static absl::StatusOr<std::unique_ptr<Generator>> Open(int port);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Sends for so long, then waits for the replies that are owed: between two runs the server has
  // nothing to do, so its CPU time before and after belongs to this run's commands.
  absl::StatusOr<LoadResult> Run(RequestSource& source, double seconds);

 private:
  struct Connection {
    int fd = -1;
    int64_t owed = 0;
    int64_t sent_ns = 0;
    std::string unsent;  // what the socket did not take, normally nothing
    bool wants_room = false;
    ReplyCounter counter;
  };

  Generator() = default;
  absl::Status SendBatch(Connection& connection, RequestSource& source);
  absl::Status OnReady(Connection& connection, RequestSource& source, LoadResult& result);
  absl::Status Flush(Connection& connection, std::string_view bytes);

  static constexpr size_t kReadBytes = size_t{256} << 10;
  // A server that says nothing for so long has failed.
  static constexpr int kPatienceMs = 10'000;

  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<char> piece_ = std::vector<char>(kReadBytes);
  int64_t end_ns_ = 0;
  int busy_ = 0;  // connections that replies are owed to
};

}  // namespace lapse::wire
