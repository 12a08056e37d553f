#include "expiry/hinted.h"

#include <algorithm>

#include "expiry/budget.h"

namespace lapse {
namespace {

int64_t UntilNextTickUs(const TickScale& ticks, int64_t now_us) {
  const Tick next = ticks.NowTick(now_us / 1000) + 1;
  return std::clamp<int64_t>(ticks.StartMs(next) * 1000 - now_us, 1, kTickMs * 1000);
}

}  // namespace

int64_t HintedStrategy::WaitUs(const Turn& turn) {
  const int64_t left_ns = resume_ns_ - turn.budget.start_ns;
  if (left_ns > 0) return (left_ns + 999) / 1000;
  oldest_ = turn.share.EarliestDue();
  const TickScale& ticks = turn.share.keyspace().ticks();
  if (oldest_ <= ticks.NowTick(turn.now_ms())) return 0;
  const int64_t wait_us = UntilNextTickUs(ticks, turn.now_us);
  resume_ns_ = turn.budget.start_ns + wait_us * 1000;
  return wait_us;
}

bool HintedStrategy::OutOfTime(const Turn& turn) {
  const int64_t now_ns = turn.budget.clock->MonotonicNs();
  const int64_t lap_ns = now_ns - lap_ns_;
  lap_ns_ = now_ns;
  return now_ns + lap_ns >= turn.budget.deadline_ns;
}

// Sweeps the shard's due segments; false when the slice ended before that was done.
bool HintedStrategy::SweepShard(const Turn& turn, uint16_t db, Shard& shard, SweepCount& count) {
  Keyspace& keyspace = turn.share.keyspace();
  const AccessView view{db, false, turn.now_ms()};
  const Tick now = keyspace.ticks().NowTick(turn.now_ms());
  for (;;) {
    const int64_t reclaimed = count.reclaimed;
    bool more;
    {
      LockedShard locked(keyspace, view, shard);
      more = SweepDue(locked, kReclaimedPerLock, kSegmentsPerLock, count);
    }
    // A merge may have put entries that are due where the sweep had already been.
    if (!more && (shard.next_due() > now || count.reclaimed == reclaimed)) return true;
    if (OutOfTime(turn) || count.segments >= kSegmentsPerSlice) return false;
  }
}

StepOutcome HintedStrategy::Step(const Turn& turn) {
  Keyspace& keyspace = turn.share.keyspace();
  const Tick now = keyspace.ticks().NowTick(turn.now_ms());
  const size_t shards = turn.share.size();
  const size_t pairs = shards * keyspace.database_count();
  StepOutcome outcome;
  lap_ns_ = turn.budget.start_ns;
  // Where the last slice stopped goes first, so that every shard has its turn in a long backlog.
  for (size_t step = 0; step < pairs;) {
    cursor_ %= pairs;
    Database* const database = keyspace.FindDatabase(cursor_ / shards);
    if (database == nullptr) {
      const size_t skipped = shards - cursor_ % shards;
      step += skipped;
      cursor_ += skipped;
      continue;
    }
    Shard& shard = turn.share.shard(*database, cursor_ % shards);
    if (shard.next_due() <= now) {
      // Every slice handles one shard's worth at least: the effort is never zero.
      outcome.capped = outcome.count.segments > 0 && OutOfTime(turn);
      if (outcome.capped) break;
      outcome.capped =
          !SweepShard(turn, static_cast<uint16_t>(cursor_ / shards), shard, outcome.count);
      if (outcome.capped) break;
    }
    ++step;
    ++cursor_;
  }
  const int64_t worked_ns = turn.budget.used_ns();
  const int64_t lag_ms = LagMs(keyspace.ticks(), oldest_, turn.now_ms());
  outcome.wait_us = RestUs(worked_ns, SharePercent(turn.settings, lag_ms, turn.client_percent));
  if (!outcome.capped) {
    outcome.wait_us = std::max(outcome.wait_us,
                               UntilNextTickUs(keyspace.ticks(), turn.now_us + worked_ns / 1000));
  }
  resume_ns_ = turn.budget.start_ns + worked_ns + outcome.wait_us * 1000;
  return outcome;
}

}  // namespace lapse
