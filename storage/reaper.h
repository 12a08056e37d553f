// Destroys what nobody can see any more and what takes long to destroy, on a thread of its own:
// whole databases, and large collections (a set of a million members takes some 100 ms).
//
// Thread: any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class Reaper {
 public:
  Reaper() = default;
  // Destroys what is left first.
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  // Takes something over that counts as so many objects below.
  void Add(std::shared_ptr<void> doomed, int64_t objects);

  // Objects that wait, or are being destroyed; and those that were, in all.
  int64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  int64_t destroyed() const { return destroyed_.load(std::memory_order_relaxed); }
  void ResetDestroyed() { destroyed_.store(0, std::memory_order_relaxed); }

 private:
  struct Doomed {
    std::shared_ptr<void> what;
    int64_t objects = 0;
  };

  void Work();

  Mutex mu_;
  std::condition_variable_any has_cause_;
  std::deque<Doomed> doomed_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mu_);  // started when there is first something to do
  std::atomic<int64_t> pending_{0};
  std::atomic<int64_t> destroyed_{0};
};

}  // namespace lapse
