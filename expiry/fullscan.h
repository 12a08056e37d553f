// The full-scan strategy: a steady walk over everything.
//
// Every segment of the share is visited once in fullscan_period_ms and every volatile entry's own
// deadline is read, whether anything is due or not. It is what a store without an index can do that
// does not want to guess: lag is bounded by the period, and cost is proportional to what is held,
// not to what expires. Kept as a yardstick, and for those who prefer a flat load to a low one.
//
// The walk is spread by position, not by count: after half the period it stands in the middle of
// hash order. When a pass cannot be done in its period at behind_percent (idle_percent) of a CPU,
// it takes longer, and the next one begins at once.
//
// Thread: its driver's.
#pragma once

#include "expiry/strategy.h"

namespace lapse {

class FullScanStrategy final : public ExpiryStrategy {
 public:
  // Between two wake-ups; what lies between is walked in one go.
  static constexpr int64_t kShortestWaitUs = 10'000;
  static constexpr int64_t kLongestWaitUs = 100'000;
  // Bounds a slice even if the clock stands still.
  static constexpr int64_t kSegmentsPerSlice = 8192;

  StrategyKind kind() const override { return StrategyKind::kFullScan; }
  int64_t WaitUs(const Turn& turn) override;
  StepOutcome Step(const Turn& turn) override;

  // Passes that have been completed.
  int64_t passes() const { return passes_; }

 private:
  // Where the walk stands, in shards from the pass's beginning: 3.5 is the middle of the fourth.
  double Position(const Turn& turn) const;
  void SweepOne(const Turn& turn, SweepCount& count);
  void NextShard(const Turn& turn);
  void EndPass(const Turn& turn);

  int64_t resume_ns_ = 0;
  int64_t pass_start_ns_ = -1;  // -1: the first pass is still to begin
  int64_t passes_ = 0;
  size_t db_ = 0;
  size_t shard_ = 0;     // within the share
  bool inside_ = false;  // whether place_ is in this shard, or the shard is still to be begun
  uint64_t place_ = 0;
};

}  // namespace lapse
