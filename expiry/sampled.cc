#include "expiry/sampled.h"

#include <algorithm>

namespace lapse {
namespace {

int64_t Effort(const Turn& turn) { return std::clamp<int64_t>(turn.settings.effort, 1, 10) - 1; }

int64_t AcceptableStalePercent(const Turn& turn) {
  return SampledStrategy::kAcceptableStalePercent - Effort(turn);
}

int64_t VolatileKeys(const Turn& turn, Database& database) {
  int64_t keys = 0;
  for (size_t i = 0; i < turn.share.size(); ++i) {
    keys += turn.share.shard(database, i).stats().keys_with_deadlines();
  }
  return keys;
}

}  // namespace

int64_t SampledStrategy::PeriodNs(const Turn& turn) {
  const int64_t hz = std::clamp<int64_t>(turn.settings.hz, 1, 500);
  return 1'000'000'000 / hz * static_cast<int64_t>(turn.share.workers());
}

int64_t SampledStrategy::FastLimitNs(const Turn& turn) {
  return kFastNs + kFastNs / 4 * Effort(turn);
}

int64_t SampledStrategy::NextTurnNs(const Turn& turn) const {
  const bool justified =
      out_of_time_ || stale_percent_ >= static_cast<double>(AcceptableStalePercent(turn));
  // An idle Redis sleeps until its next slow turn, with one fast turn before it falls asleep.
  if (!justified || (turn.idle && !fast_owed_)) return next_slow_ns_;
  const int64_t apart_ns = 2 * FastLimitNs(turn) * static_cast<int64_t>(turn.share.workers());
  return std::min(next_slow_ns_, last_fast_ns_ + apart_ns);
}

int64_t SampledStrategy::WaitUs(const Turn& turn) {
  if (!started_) {
    // Drivers take turns: each begins a part of the period later than the one before.
    started_ = true;
    const auto workers = static_cast<int64_t>(turn.share.workers());
    next_slow_ns_ =
        turn.budget.start_ns + PeriodNs(turn) / workers * static_cast<int64_t>(turn.share.worker());
  }
  if (cycle_.going) return 0;
  return std::max<int64_t>(NextTurnNs(turn) - turn.budget.start_ns + 999, 0) / 1000;
}

void SampledStrategy::Begin(const Turn& turn) {
  const size_t databases = turn.share.keyspace().database_count();
  cycle_ = Cycle{};
  cycle_.going = true;
  cycle_.fast = turn.budget.start_ns < next_slow_ns_;
  cycle_.limit_ns = cycle_.fast ? FastLimitNs(turn)
                                : (kSlowPercent + 2 * Effort(turn)) * 10'000'000 /
                                      std::clamp<int64_t>(turn.settings.hz, 1, 500);
  cycle_.databases_left = out_of_time_ ? databases : std::min(databases, kDatabasesPerTurn);
  if (cycle_.fast) last_fast_ns_ = turn.budget.start_ns;
  out_of_time_ = false;
  cursors_.resize(databases);
}

void SampledStrategy::End(const Turn& turn, bool out_of_time) {
  const double stale = cycle_.sampled == 0 ? 0.0
                                           : 100.0 * static_cast<double>(cycle_.expired) /
                                                 static_cast<double>(cycle_.sampled);
  stale_percent_ = stale * 0.05 + stale_percent_ * 0.95;
  out_of_time_ = out_of_time;
  cycle_.going = false;
  // As Redis's timers: the pause is counted from the end of the work.
  if (!cycle_.fast) next_slow_ns_ = turn.budget.clock->MonotonicNs() + PeriodNs(turn);
  fast_owed_ = !cycle_.fast;
}

void SampledStrategy::NextShard(const Turn& turn, Cursor& cursor) {
  cursor.inside = false;
  cursor.shard = cursor.shard + 1 < turn.share.size() ? cursor.shard + 1 : 0;
}

SweepCount SampledStrategy::Sample(const Turn& turn, Database& database, int64_t keys) {
  Keyspace& keyspace = turn.share.keyspace();
  Cursor& cursor = cursors_[cycle_.db];
  if (cursor.shard >= turn.share.size()) cursor = Cursor{};
  const int64_t max_buckets = keys * kBucketsPerKey;
  SweepCount count;
  // Once around the share at most; an empty shard costs a read.
  for (size_t hops = 0;
       hops <= turn.share.size() && count.visited < keys && count.buckets < max_buckets;) {
    Shard& shard = turn.share.shard(database, cursor.shard);
    if (shard.stats().keys_with_deadlines() == 0) {
      NextShard(turn, cursor);
      ++hops;
      continue;
    }
    std::optional<uint64_t> next;
    {
      LockedShard locked(keyspace, {static_cast<uint16_t>(cycle_.db), false, turn.now_ms()}, shard);
      next = SampleAt(locked, cursor.inside ? cursor.place : shard.first_place(),
                      keys - count.visited, max_buckets - count.buckets, count);
    }
    if (next) {
      cursor.inside = true;
      cursor.place = *next;
    } else {
      NextShard(turn, cursor);
      ++hops;
    }
  }
  return count;
}

void SampledStrategy::Enter(const Turn& turn) {
  Keyspace& keyspace = turn.share.keyspace();
  cycle_.entered = true;
  cycle_.db = next_db_ % keyspace.database_count();
  next_db_ = cycle_.db + 1;
  Database* const database = keyspace.FindDatabase(cycle_.db);
  cycle_.volatile_keys = database != nullptr ? VolatileKeys(turn, *database) : 0;
}

bool SampledStrategy::Loop(const Turn& turn, SweepCount& count) {
  if (!cycle_.entered) Enter(turn);
  Database* const database = turn.share.keyspace().FindDatabase(cycle_.db);
  if (database == nullptr || cycle_.volatile_keys <= 0) return false;
  const int64_t keys =
      std::min(cycle_.volatile_keys, kKeysPerLoop + kKeysPerLoop / 4 * Effort(turn));
  const SweepCount sample = Sample(turn, *database, keys);
  count.Add(sample);
  cycle_.sampled += sample.visited;
  cycle_.expired += sample.reclaimed;
  cycle_.volatile_keys -= sample.reclaimed;
  return sample.visited == 0 ||
         sample.reclaimed * 100 / sample.visited > AcceptableStalePercent(turn);
}

StepOutcome SampledStrategy::Step(const Turn& turn) {
  StepOutcome outcome;
  if (!cycle_.going) Begin(turn);
  while (cycle_.databases_left > 0) {
    ++cycle_.loops;
    const bool repeat = Loop(turn, outcome.count);
    const int64_t used_ns = turn.budget.used_ns();
    if (cycle_.loops % kLoopsPerTimeCheck == 0 && cycle_.used_ns + used_ns > cycle_.limit_ns) {
      outcome.capped = true;
      break;
    }
    if (!repeat) {
      cycle_.entered = false;
      --cycle_.databases_left;
    }
    if (cycle_.databases_left > 0 && turn.budget.start_ns + used_ns >= turn.budget.deadline_ns) {
      cycle_.used_ns += used_ns;
      return outcome;  // the turn goes on in the next slice
    }
  }
  End(turn, outcome.capped);
  const int64_t now_ns = turn.budget.clock->MonotonicNs();
  outcome.wait_us = std::max<int64_t>(NextTurnNs(turn) - now_ns + 999, 0) / 1000;
  return outcome;
}

}  // namespace lapse
