// How a server feels to a client while something else goes on: GETs on a fixed schedule, a thousand
// a second, whether or not the earlier ones were answered.
//
//   scheduled   |....|....|....|....|....|....|        every millisecond from the start
//   answered    .|...|....|...............||||.|       a stall of three milliseconds
//   latency      1    1    1            3 2 1  1       each from its scheduled time
//
// A closed loop would have sent one request into that stall and called the others punctual
// (coordinated omission). Here every request that the stall made wait counts with the time that it
// waited, a late wake-up of this thread included: the quiet period before shows how much that is.
//
// Thread: Start, Stop and Between belong to one thread; the probe runs on its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/lab/wire_histogram.h"
#include "bench/lab/wire_report.h"

namespace lapse::wire {

class OpenLoopProbe {
 public:
  static constexpr int64_t kPeriodNs = 1'000'000;
  // An hour of samples; then it stops by itself.
  static constexpr size_t kMaxSamples = 3'600'000;

  static absl::StatusOr<std::unique_ptr<OpenLoopProbe>> Start(int port);
  ~OpenLoopProbe() { Stop(); }
  OpenLoopProbe(const OpenLoopProbe&) = delete;
  OpenLoopProbe& operator=(const OpenLoopProbe&) = delete;

  // Sends no more, and waits for the answers that are owed, but not for ever.
  void Stop();

  // Latencies of requests scheduled in [from, to). Requires: stopped.
  Histogram Between(int64_t from_ns, int64_t to_ns) const;

 private:
  explicit OpenLoopProbe(int fd) : fd_(fd) {}
  void Run();
  bool SendDue(int64_t now_ns);
  bool ReadReplies(int64_t patience_ns);

  static constexpr int64_t kLastPatienceNs = 10'000'000'000;

  const int fd_;
  std::atomic<bool> stop_{false};

  // The probe's thread's, then, once that has ended, the owner's.
  int64_t start_ns_ = 0;
  size_t sent_ = 0;
  std::vector<int64_t> latencies_ns_;  // of request i, scheduled at start_ns_ + i * kPeriodNs

  std::thread thread_;
};

// "<prefix> ms:p50" and so on.
void AppendLatencies(const Histogram& latencies, std::string_view prefix, Row& row);

}  // namespace lapse::wire
