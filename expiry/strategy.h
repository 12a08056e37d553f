// The one interface behind which expiry strategies differ: where to look, and for how long.
//
// A strategy is stepped shard by shard. It owns no lock between two steps and keeps what it must
// remember of a shard (a cursor, a moment) in itself; one strategy object belongs to one driver.
//
// Thread: its driver's.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "expiry/settings.h"
#include "storage/keyspace.h"
#include "storage/sweep.h"

namespace lapse {

// When a slice must end, on the monotonic clock; looked at once a segment.
struct StepBudget {
  const Clock* clock = nullptr;
  int64_t deadline_ns = 0;
  bool spent() const { return clock->MonotonicNs() >= deadline_ns; }
};

struct StepOutcome {
  SweepCount count;
  bool more = false;  // the strategy has work left here that it would do now, had it the budget
};

// A shard in the walk: which database and which shard of it.
struct ShardRef {
  uint16_t db = 0;
  uint32_t shard = 0;
};

class ExpiryStrategy {
 public:
  virtual ~ExpiryStrategy() = default;
  virtual std::string_view name() const = 0;
  // Removes expired keys of the shard until the budget is spent or the strategy is content with it.
  virtual StepOutcome Step(Keyspace& keyspace, ShardRef where, const StepBudget& budget,
                           int64_t now_ms) = 0;
};

std::string_view StrategyName(StrategyKind kind);
bool ParseStrategy(std::string_view name, StrategyKind& kind);

}  // namespace lapse
