// Locks that carry thread-safety annotations: SpinLock for data, Mutex for everything else.
//
// SpinLock is a one-word lock for critical sections of tens of nanoseconds.
//
// An uncontended acquire and release cost 1-2 ns, where std::mutex takes 6 and Debian's absl::Mutex
// 21. Under contention it spins for a while on a plain load (test and test-and-set, so that waiters
// share the line), then sleeps in the kernel: the holder may have been preempted, or may be
// sweeping a segment, and burning a core beside it would help nobody.
//
//   state: 0 free, 1 held, 2 held and somebody may be asleep
//
// Thread: any. Not recursive, not fair.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace lapse {

class ABSL_LOCKABLE SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  // Tells the thread-safety analysis what a caller knows.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

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
  void LockSlow() ABSL_NO_THREAD_SAFETY_ANALYSIS;
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

// A std::mutex that the thread-safety analysis knows: for sections that are rare or may be long.
// (absl::Mutex has the annotations, too, but Debian's build hides its synchronisation from
// ThreadSanitizer.) The lower-case names are for std::condition_variable_any.
class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexGuard {
 public:
  explicit MutexGuard(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexGuard() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace lapse
