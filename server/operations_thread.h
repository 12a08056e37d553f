// The thread of what a server does for its operator by the clock: tasks, samples, history. It runs
// beside the threads that serve clients, so that a file written or a slow look at the machine
// delays nobody, and sleeps until something is due (Services::Operate).
//
// Thread: Start and Stop from one owner at a time, outside of the gate.
#pragma once

#include <chrono>

#include "server/core/instance.h"
#include "server/step_thread.h"

namespace lapse {

class OperationsThread {
 public:
  // The instance outlives it.
  explicit OperationsThread(Instance& instance) : instance_(instance) {}
  ~OperationsThread() { Stop(); }
  OperationsThread(const OperationsThread&) = delete;
  OperationsThread& operator=(const OperationsThread&) = delete;

  // Requires: nobody else calls Services::Operate.
  void Start();
  void Stop();

 private:
  std::chrono::microseconds Step();

  Instance& instance_;
  StepThread thread_{[this] { return Step(); }};
};

}  // namespace lapse
