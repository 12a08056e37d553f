// Ticks: the coarse time of due hints.
//
// A tick is 128 ms. Deadlines round UP to the tick at whose beginning they have surely passed, so a
// hint that is due means an expired entry, and is at most one tick later than the deadline it
// stands for. Absolute ticks count from a year before the keyspace's birth and fit 32 bits for 16
// years after it.
//
// Thread: constant after construction.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lapse {

using Tick = uint32_t;

inline constexpr int64_t kTickMs = 128;
inline constexpr Tick kNeverTick = 0xFFFFFFFF;  // nothing is ever due
inline constexpr Tick kLastTick = kNeverTick - 1;

class TickScale {
 public:
  explicit TickScale(int64_t epoch_ms) : epoch_ms_(epoch_ms) {}

  // The first tick at which an entry with this deadline is expired for sure.
  Tick DueTick(int64_t deadline_ms) const {
    if (deadline_ms < epoch_ms_) return 0;
    const uint64_t ticks = static_cast<uint64_t>(deadline_ms - epoch_ms_) / kTickMs + 1;
    return static_cast<Tick>(std::min<uint64_t>(ticks, kLastTick));
  }
  // The tick that now_ms lies in. Deadlines whose DueTick is at most this have passed.
  Tick NowTick(int64_t now_ms) const {
    if (now_ms < epoch_ms_) return 0;
    return static_cast<Tick>(
        std::min<uint64_t>(static_cast<uint64_t>(now_ms - epoch_ms_) / kTickMs, kLastTick));
  }
  int64_t StartMs(Tick tick) const { return epoch_ms_ + int64_t{tick} * kTickMs; }
  int64_t epoch_ms() const { return epoch_ms_; }

 private:
  int64_t epoch_ms_;
};

}  // namespace lapse
