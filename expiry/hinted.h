// The hinted strategy: go where the due hints point, and nowhere else.
//
// A shard's next_due() is a lower bound of every deadline in it, readable without its lock. So
// looking for work is reading one number a shard, and working is SweepDue on the shards whose
// number has come: it reads the dense array of segment dues, then the due groups of the due
// segments, then the expired entries themselves. Live entries are never read, which is why 5,000
// dead keys among ten million live ones cost what 5,000 cost.
//
// Hints fall due at tick boundaries and only there, so a driver with nothing due sleeps until the
// next boundary: 7.8 looks a second, each as dear as reading its shards' numbers. A key whose
// deadline lies before that boundary cannot be announced before it either, so nothing is gained by
// looking earlier.
//
// Thread: its driver's.
#pragma once

#include "expiry/strategy.h"

namespace lapse {

class HintedStrategy final : public ExpiryStrategy {
 public:
  // A lock is given back after one well-filled segment, or some with few dead: tens of
  // microseconds.
  static constexpr int64_t kReclaimedPerLock = 64;
  static constexpr int64_t kSegmentsPerLock = 8;
  // Bounds a slice even if the clock stands still.
  static constexpr int64_t kSegmentsPerSlice = 8192;

  StrategyKind kind() const override { return StrategyKind::kHinted; }
  int64_t WaitUs(const Turn& turn) override;
  StepOutcome Step(const Turn& turn) override;

 private:
  // Whether another lock, held for as long as the last one, would overrun the slice.
  bool OutOfTime(const Turn& turn);
  bool SweepShard(const Turn& turn, uint16_t db, Shard& shard, SweepCount& count);

  int64_t lap_ns_ = 0;        // when this slice last looked at the clock
  int64_t resume_ns_ = 0;     // asked earlier, the answer is the time that is left
  Tick oldest_ = kNeverTick;  // of the share, when WaitUs last looked
  size_t cursor_ = 0;         // the pair of database and shard that the next slice begins with
};

}  // namespace lapse
