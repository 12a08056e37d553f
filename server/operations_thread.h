// The thread of what a server does for its operator by the clock: tasks, samples, history. It runs
// beside the threads that serve clients, so that a file written or a slow look at the machine
// delays nobody, and sleeps until something is due (Services::Operate).
//
// Thread: Start and Stop from one owner at a time, outside of the gate.
#pragma once

#include <condition_variable>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/core/instance.h"
#include "storage/lock.h"

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
