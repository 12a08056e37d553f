#include "expiry/fullscan.h"

#include <algorithm>
#include <cmath>

#include "expiry/budget.h"

namespace lapse {
namespace {

// Databases in use among the first `end`.
size_t DatabasesBefore(Keyspace& keyspace, size_t end) {
  size_t found = 0;
  for (size_t db = 0; db < end; ++db) found += keyspace.FindDatabase(db) != nullptr;
  return found;
}

double TotalShards(const Turn& turn) {
  Keyspace& keyspace = turn.share.keyspace();
  return static_cast<double>(DatabasesBefore(keyspace, keyspace.database_count()) *
                             turn.share.size());
}

}  // namespace

int64_t FullScanStrategy::WaitUs(const Turn& turn) {
  const int64_t left_ns = resume_ns_ - turn.budget.start_ns;
  return left_ns > 0 ? (left_ns + 999) / 1000 : 0;
}

double FullScanStrategy::Position(const Turn& turn) const {
  Keyspace& keyspace = turn.share.keyspace();
  const size_t shards = DatabasesBefore(keyspace, db_) * turn.share.size() + shard_;
  double within = 0;
  if (Database* database = keyspace.FindDatabase(db_); database != nullptr && inside_) {
    const uint64_t offset = place_ - turn.share.shard(*database, shard_).first_place();
    within = std::ldexp(static_cast<double>(offset), keyspace.shard_bits() - 64);
  }
  return static_cast<double>(shards) + within;
}

void FullScanStrategy::NextShard(const Turn& turn) {
  inside_ = false;
  if (++shard_ < turn.share.size()) return;
  shard_ = 0;
  ++db_;
}

// Sweeps the segment at the walk's position, or passes over a shard that has nothing volatile, or
// over a database that is not in use.
void FullScanStrategy::SweepOne(const Turn& turn, SweepCount& count) {
  Keyspace& keyspace = turn.share.keyspace();
  Database* const database = keyspace.FindDatabase(db_);
  if (database == nullptr) {
    shard_ = 0;
    inside_ = false;
    ++db_;
    return;
  }
  Shard& shard = turn.share.shard(*database, shard_);
  if (shard.stats().keys_with_deadlines() == 0) return NextShard(turn);
  std::optional<uint64_t> next;
  {
    LockedShard locked(keyspace, {static_cast<uint16_t>(db_), false, turn.now_ms()}, shard);
    next = SweepSegmentAt(locked, inside_ ? place_ : shard.first_place(),
                          {SweepReading::kDeadlines, ExpiryPath::kActive, false}, count);
  }
  if (!next) return NextShard(turn);
  place_ = *next;
  inside_ = true;
}

void FullScanStrategy::EndPass(const Turn& turn) {
  ++passes_;
  db_ = shard_ = 0;
  inside_ = false;
  // On time, the next pass begins when this one's period ends; late, it begins now.
  pass_start_ns_ =
      std::max(pass_start_ns_ + turn.settings.fullscan_period_ms * 1'000'000, turn.budget.start_ns);
}

StepOutcome FullScanStrategy::Step(const Turn& turn) {
  Keyspace& keyspace = turn.share.keyspace();
  StepOutcome outcome;
  if (pass_start_ns_ < 0) pass_start_ns_ = turn.budget.start_ns;
  // A different number of drivers makes a different share: what was position is not any more.
  if (shard_ >= turn.share.size()) shard_ = 0;
  const auto period_ns = static_cast<double>(turn.settings.fullscan_period_ms) * 1e6;
  const double total = TotalShards(turn);
  const double target =
      total * static_cast<double>(turn.budget.start_ns - pass_start_ns_) / period_ns;
  bool ended = false;
  while (total > 0 && !ended && Position(turn) < target && !outcome.capped) {
    SweepOne(turn, outcome.count);
    ended = db_ >= keyspace.database_count();
    outcome.capped = !ended && (turn.budget.spent() || outcome.count.segments >= kSegmentsPerSlice);
  }
  if (ended) EndPass(turn);
  const int64_t worked_ns = turn.budget.used_ns();
  const auto behind = static_cast<double>(turn.settings.behind_percent);
  const double share = std::max(behind, FreePercent(turn.settings, turn.client_percent));
  outcome.wait_us = RestUs(worked_ns, std::clamp(share, 1.0, 100.0));
  if (!outcome.capped) {
    const double due_ns = static_cast<double>(pass_start_ns_) +
                          (total > 0 ? Position(turn) / total * period_ns : 0) -
                          static_cast<double>(turn.budget.start_ns);
    outcome.wait_us = std::max(outcome.wait_us, std::clamp(static_cast<int64_t>(due_ns / 1000) + 1,
                                                           kShortestWaitUs, kLongestWaitUs));
  }
  resume_ns_ = turn.budget.start_ns + worked_ns + outcome.wait_us * 1000;
  return outcome;
}

}  // namespace lapse
