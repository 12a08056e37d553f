// A one-word lock for critical sections of tens of nanoseconds.
//
// An uncontended acquire and release cost 1-2 ns, where std::mutex takes 6 and Debian's absl::Mutex
// 21. Under contention it spins for a while on a plain load (test and test-and-set, so that waiters
// share the line), then sleeps in the kernel: the holder may have been preempted, or may be sweeping
// a segment, and burning a core beside it would help nobody.
//
//   state: 0 free, 1 held, 2 held and somebody may be asleep
//
// Thread: any. Not recursive, not fair.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"

namespace lapse {

class ABSL_LOCKABLE SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    uint32_t free = 0;
    if (!state_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      LockSlow();
    }
  }

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    uint32_t free = 0;
    return state_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (state_.exchange(0, std::memory_order_release) == 2) WakeOne();
  }

 private:
  void LockSlow();
  void WakeOne();

  std::atomic<uint32_t> state_{0};
};

// Holds a SpinLock for a scope.
class ABSL_SCOPED_LOCKABLE SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock) : lock_(lock) {
    lock_.Lock();
  }
  ~SpinGuard() ABSL_UNLOCK_FUNCTION() { lock_.Unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinGuard& operator=(const SpinGuard&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace lapse
