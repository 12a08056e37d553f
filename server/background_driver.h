// A thread that drives expiry, and the timeouts of blocked clients, for an instance without a
// server.
//
// It asks for no more than the share of a CPU that is due while clients are served: the host
// program has other work to do. The engine's waker ends its sleep early.
//
// Thread: Start and Stop from one owner at a time, outside of the gate.
#pragma once

#include <condition_variable>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/core/instance.h"
#include "storage/lock.h"

namespace lapse {

class BackgroundDriver {
 public:
  // The instance outlives it.
  explicit BackgroundDriver(Instance& instance) : instance_(instance) {}
  ~BackgroundDriver() { Stop(); }
  BackgroundDriver(const BackgroundDriver&) = delete;
  BackgroundDriver& operator=(const BackgroundDriver&) = delete;

  // Requires: nobody drives the instance's expiry.
  void Start();
  void Stop();

 private:
  void Run();
  void Wake();

  Instance& instance_;
  std::thread thread_;

  Mutex mu_;
  std::condition_variable_any changed_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace lapse
