// A thread that takes a step again and again, and sleeps in between for as long as the step asked
// for, or until it is woken.
//
// Thread: Start and Stop from one owner at a time; Wake from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class StepThread {
 public:
  // Returns after how long to step again; zero: at once.
  using Step = std::function<std::chrono::microseconds()>;

  explicit StepThread(Step step) : step_(std::move(step)) {}
  ~StepThread() { Stop(); }
  StepThread(const StepThread&) = delete;
  StepThread& operator=(const StepThread&) = delete;

  // Requires: it does not run.
  void Start();
  // Waits for the end of a step in progress. Without effect when it does not run.
  void Stop();
  bool running() const { return thread_.joinable(); }
  // Ends the present sleep, or else the next one.
  void Wake();

 private:
  void Run();

  const Step step_;
  std::thread thread_;

  Mutex mu_;
  std::condition_variable_any changed_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace lapse
