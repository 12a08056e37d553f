// A few threads that run the HTTP port's commands, so that one that takes long, or waits for the
// end of a CLIENT PAUSE, does not stop the thread that reads and writes.
//
// The queue needs no bound of its own: a connection has one request under way, and the connections
// are limited.
//
// Thread: Start and Stop from one owner; Post from any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class WorkerPool {
 public:
  static constexpr size_t kThreads = 2;

  WorkerPool() = default;
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Start();
  // Waits for what runs; what has not begun is dropped.
  void Stop();
  void Post(std::function<void()> work);

 private:
  void Run();

  std::vector<std::thread> threads_;
  Mutex mu_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace lapse
