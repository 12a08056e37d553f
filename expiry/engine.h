// The expiry engine: which strategy removes expired keys, how hard it works, who drives it, and
// what came of it.
//
// The engine has no thread. A driver calls Drive again and again: each io thread between its I/O, or a
// background thread where there is no server. A call does one slice of work at most, under the gate,
// and says when it wants to be called again. Effort follows lag, the age of the oldest due tick that
// some shard still reports: never what a sample found, and never zero while something is due.
//
// FLUSHEXPIREKEYS runs in the same slices (by driver 0), so that it neither needs a thread nor stalls
// one.
//
// Thread: Drive from one thread for each driver number; the rest from any thread inside the gate,
// Configure in its exclusive form.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "expiry/flush.h"
#include "expiry/settings.h"
#include "expiry/strategy.h"
#include "storage/clock.h"
#include "storage/keyspace.h"

namespace lapse {

// What INFO shows of expiry beside the keyspace's own counts.
struct ExpiryCounters {
  int64_t cycle_cpu_ns = 0;        // thread CPU time spent in slices
  int64_t max_slice_ns = 0;        // the longest slice
  int64_t segments_swept = 0;
  int64_t visited = 0;
  int64_t reclaimed = 0;           // by active expiry, flushes not included
  int64_t time_cap_reached = 0;    // slices that ended by their budget with work left
  double stale_percent = 0;        // Redis's expired_stale_perc; of `sampled`
  int64_t oldest_due_ms = 0;       // how late the oldest due tick is now; 0 when nothing is due
};

// How many expired keys are still held.
struct Backlog {
  int64_t keys = 0;
  int64_t bytes = 0;
  bool exact = false;  // counted, not estimated from a sample of the due segments
};

class ExpiryEngine {
 public:
  ExpiryEngine(Keyspace& keyspace, const Clock& clock, const ExpirySettings& settings);
  ~ExpiryEngine();

  const ExpirySettings& settings() const { return settings_; }
  void Configure(const ExpirySettings& settings);

  // One slice by driver `worker` of `workers`, each of which looks after its own share of the shards.
  // `idle`: the thread had nothing else to do since its last call. Enters the gate itself. Returns the
  // microseconds after which to call again (0: as soon as other work has had its turn).
  int64_t Drive(size_t worker, size_t workers, bool idle);

  FlushRunner& flush() { return flush_; }

  ExpiryCounters counters() const;
  Backlog EstimateBacklog();
  void ResetCounters();

 private:
  struct Driver;

  Keyspace& keyspace_;
  const Clock& clock_;
  ExpirySettings settings_;
  FlushRunner flush_;
  std::vector<std::unique_ptr<Driver>> drivers_;
};

}  // namespace lapse
