// The one interface behind which expiry strategies differ: where to look, and for how long.
//
// Storage, due hints, lazy deletion and effects are the same under every strategy. A strategy
// decides when it wants to run (WaitUs) and spends a slice (Step); all it needs comes in with the
// call, so that tests and the comparison lab drive one with a clock of their own. It holds no lock
// and no pointer into the keyspace between two calls, since databases are replaced and segments
// split meanwhile; what it remembers is a position.
//
// One strategy object belongs to one driver, which looks after its share of the shards: those whose
// number is the driver's, modulo the number of drivers, in every database in use.
//
//   shard   0 1 2 3 4 5 6 7 ...
//   driver  0 1 2 0 1 2 0 1 ...     keys thin out evenly from shard 0 to 255, so the shares are
//   equal
//
// Thread: its driver's, inside the gate.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "expiry/settings.h"
#include "storage/clock.h"
#include "storage/keyspace.h"
#include "storage/sweep.h"

namespace lapse {

// What one driver looks after. Shards are numbered 0..size()-1 within a share.
class Share {
 public:
  Share(Keyspace& keyspace, size_t worker, size_t workers)
      : keyspace_(keyspace), worker_(worker), workers_(workers) {}

  Keyspace& keyspace() const { return keyspace_; }
  // Shards of each database.
  size_t size() const {
    const size_t all = keyspace_.shard_count();
    return worker_ < all ? (all - worker_ + workers_ - 1) / workers_ : 0;
  }
  Shard& shard(Database& database, size_t i) const {
    return database.shard(worker_ + i * workers_);
  }
  // The earliest next_due() of these shards; takes no lock.
  Tick EarliestDue() const;
  size_t worker() const { return worker_; }
  size_t workers() const { return workers_; }

 private:
  Keyspace& keyspace_;
  size_t worker_;
  size_t workers_;
};

// When a slice must end, on the monotonic clock; looked at whenever a lock has been given back.
struct StepBudget {
  const Clock* clock = nullptr;
  int64_t start_ns = 0;
  int64_t deadline_ns = 0;

  bool spent() const { return clock->MonotonicNs() >= deadline_ns; }
  int64_t used_ns() const { return clock->MonotonicNs() - start_ns; }
};

// A call's circumstances.
struct Turn {
  Share share;
  const ExpirySettings& settings;
  StepBudget budget;
  int64_t now_us = 0;           // wall clock; `now` of every deadline looked at in this slice
  bool idle = false;            // the driver's thread had nothing else to do
  double client_percent = 100;  // of the thread's time that clients take; 0 when idle

  int64_t now_ms() const { return now_us / 1000; }
};

struct StepOutcome {
  SweepCount count;
  bool capped = false;  // stopped by a limit of time, with work left
  int64_t wait_us = 0;  // when to be called again
};

class ExpiryStrategy {
 public:
  virtual ~ExpiryStrategy() = default;
  virtual StrategyKind kind() const = 0;

  // Microseconds until the strategy wants to step; 0: now. Cheap, since it is asked after every
  // batch of I/O. Requires a turn whose budget has begun.
  virtual int64_t WaitUs(const Turn& turn) = 0;
  // One slice: removes expired keys until the budget is spent or nothing is left to do now.
  virtual StepOutcome Step(const Turn& turn) = 0;

  // Redis's expired_stale_perc: the running share of expired keys among those sampled, in percent.
  // Zero for strategies that do not sample.
  virtual double stale_percent() const { return 0; }
};

std::unique_ptr<ExpiryStrategy> MakeStrategy(StrategyKind kind);

std::string_view StrategyName(StrategyKind kind);
bool ParseStrategy(std::string_view name, StrategyKind& kind);

}  // namespace lapse
