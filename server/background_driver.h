// A thread that drives expiry, and the timeouts of blocked clients, for an instance without a
// server.
//
// It asks for no more than the share of a CPU that is due while clients are served: the host
// program has other work to do. The engine's waker ends its sleep early.
//
// Thread: Start and Stop from one owner at a time, outside of the gate.
#pragma once

#include <chrono>

#include "server/core/instance.h"
#include "server/step_thread.h"

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
  std::chrono::microseconds Step();

  Instance& instance_;
  StepThread thread_{[this] { return Step(); }};
};

}  // namespace lapse
