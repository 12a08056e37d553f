// What the tests of remote flushes run against: redis-servers whose expired keys stay until
// something meets them, and servers made up on the spot that answer as they are told.
//
// Thread: one, unless said otherwise.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "remote/flush.h"
#include "remote/target.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {

// A redis-server that neither saves nor expires on its own; null where there is none. More
// directives may follow.
std::unique_ptr<ServerProcess> StartRedis(std::vector<std::string> words = {},
                                          std::optional<int> port = {});
#define SKIP_WITHOUT_REDIS() \
  if (!ReferenceServer()) GTEST_SKIP() << "redis-server is not on the PATH"

struct Keys {
  int live = 0;
  int expired = 0;
  int db = 0;
};
// Writes them, and waits until those that expire have. Keys that a cluster's node refuses are left
// out; returns how many expired ones it took.
int Fill(WireClient& client, const Keys& keys);
// With the password, if there is one.
int Fill(const ServerProcess& server, const Keys& keys, const std::string& password = "");

int64_t KeyCount(const ServerProcess& server, int db = 0);

RemoteTarget Target(const std::string& url);
std::string UrlOf(const ServerProcess& server, const std::string& user = "");

// Runs a flush in a thread of its own and lets the test wait for its progress.
class RunningFlush {
 public:
  RunningFlush(RemoteTarget target, RemoteFlushOptions options);
  ~RunningFlush();

  // Waits until it is under way, and has something left to do.
  bool WaitForProgress();
  void Stop() { stop_.request_stop(); }
  RemoteFlushResult Wait() { return result_.get(); }

 private:
  std::stop_source stop_;
  std::atomic<double> fraction_{0};
  std::future<RemoteFlushResult> result_;
};

// Answers each request with what `answer` gives: bytes, or nothing, which hangs up. An empty answer
// leaves the client waiting.
class FakeServer {
 public:
  using Answer = std::function<std::optional<std::string>(const std::vector<std::string>& words)>;
  explicit FakeServer(Answer answer);
  ~FakeServer();

  int port() const { return port_; }

 private:
  void Accept();
  void Serve(int fd) const;

  const Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<int> clients_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

std::string BulkText(const std::string& text);

}  // namespace lapse
