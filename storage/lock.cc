#include "storage/lock.h"

#include "storage/long_wait.h"

namespace lapse {
namespace {

// About 2 us of spinning: longer than any command holds a lock, shorter than a trip to the kernel
// and back costs the two threads together.
constexpr int kSpins = 100;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void SpinLock::LockSlow() {
  for (int i = 0; i < kSpins; ++i) {
    if (state_.load(std::memory_order_relaxed) == 0 && TryLock()) return;
    Pause();
  }
  // From here on the word is set to 2, so that the holder knows to wake somebody. That may wake a
  // thread too many, never one too few.
  while (state_.exchange(2, std::memory_order_acquire) != 0) {
    LongWait::Sleep(state_, 2);
  }
}

void SpinLock::WakeOne() { LongWait::WakeOne(state_); }

}  // namespace lapse
