// The sampled strategy: Redis 7's active expire cycle, as its documentation and its observable
// behaviour describe it. It is the baseline that the others are measured against, so it copies the
// original's virtues and faults alike.
//
// A slow turn runs hz times a second. With e = effort - 1 it goes through the databases, and in
// each
//   - samples 20 + 5e volatile keys in hash order, going on where it last stopped, and passing at
//   most
//     20 buckets for each key wanted;
//   - removes the expired ones among them;
//   - repeats while more than 10 - e percent of the sample were expired;
//   - looks at the clock every 16 loops, and ends the turn after (25 + 2e) percent of a CPU / hz.
// A fast turn of 1 ms + 250 us * e may follow when the last one ran out of time or when the running
// share of expired keys (5 % of the latest turn, 95 % of what was) is above 10 - e percent; two
// fast turns begin at least twice that time apart. Redis makes them before it sleeps, here they
// come between a driver's other work.
//
// Where it differs from Redis, it is the surroundings that do:
//   - Redis samples an index of volatile keys; here they are found by walking the table itself, at
//   20
//     buckets of up to seven slots a key, and shards without any are passed over.
//   - Turns are cut into slices, so that one of 25 ms does not stall clients for 25 ms.
//   - Of several drivers each makes every n-th turn, over its own shards: together hz a second.
//   - Redis skips a table that is less than 1 % full until it is resized; segments merge as they
//     empty, so there is nothing to wait for.
//
// Thread: its driver's.
#pragma once

#include <vector>

#include "expiry/strategy.h"

namespace lapse {

class SampledStrategy final : public ExpiryStrategy {
 public:
  static constexpr int64_t kKeysPerLoop = 20;
  static constexpr int64_t kBucketsPerKey = 20;
  static constexpr int64_t kLoopsPerTimeCheck = 16;
  static constexpr int64_t kSlowPercent = 25;
  static constexpr int64_t kFastNs = 1'000'000;
  static constexpr int64_t kAcceptableStalePercent = 10;
  static constexpr size_t kDatabasesPerTurn = 16;

  StrategyKind kind() const override { return StrategyKind::kSampled; }
  int64_t WaitUs(const Turn& turn) override;
  StepOutcome Step(const Turn& turn) override;
  double stale_percent() const override { return stale_percent_; }

 private:
  // How far the sampling of one database has come.
  struct Cursor {
    size_t shard = 0;  // within the share
    bool inside = false;
    uint64_t place = 0;
  };
  // A turn in progress; it outlives slices.
  struct Cycle {
    bool going = false;
    bool fast = false;
    int64_t limit_ns = 0;
    int64_t used_ns = 0;  // in slices that have ended
    size_t databases_left = 0;
    bool entered = false;  // whether `db` is a database in progress
    size_t db = 0;
    int64_t volatile_keys = 0;  // of its share, counted when it was entered
    int64_t loops = 0;
    int64_t sampled = 0;
    int64_t expired = 0;
  };

  static int64_t PeriodNs(const Turn& turn);
  static int64_t FastLimitNs(const Turn& turn);
  // When the next turn may begin, on the monotonic clock.
  int64_t NextTurnNs(const Turn& turn) const;
  void Begin(const Turn& turn);
  void End(const Turn& turn, bool out_of_time);
  // One loop on the present database. Returns whether to repeat it.
  bool Loop(const Turn& turn, SweepCount& count);
  SweepCount Sample(const Turn& turn, Database& database, int64_t keys);
  void Enter(const Turn& turn);
  void NextShard(const Turn& turn, Cursor& cursor);

  bool started_ = false;
  int64_t next_slow_ns_ = 0;
  int64_t last_fast_ns_ = 0;
  bool fast_owed_ = false;    // whether no fast turn has followed the last slow one yet
  bool out_of_time_ = false;  // whether the last turn ended by its limit
  double stale_percent_ = 0;
  size_t next_db_ = 0;
  std::vector<Cursor> cursors_;  // one a database
  Cycle cycle_;
};

}  // namespace lapse
