// FLUSHEXPIREKEYS: a walk over every segment that deletes all expired keys now, in slices.
//
// One run at a time. A run is a plain state machine that a driver steps; it keeps its own position in
// hash order, so that splits and merges under it lose nothing, and its own record of what it did. It
// reads every volatile entry's deadline (or, on request, hints only), so that an exhaustive run is also
// the audit of the hints: expired entries that no due hint announced are counted as orphans.
//
// Thread: Start, Cancel and the record functions from any thread; Step from driver 0.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/clock.h"
#include "storage/keyspace.h"
#include "storage/sweep.h"

namespace lapse {

enum class FlushState : uint8_t { kRunning, kSucceeded, kCancelled };
std::string_view FlushStateName(FlushState state);

// What a run was and did. Sizes in bytes, times as their names say.
struct FlushRecord {
  uint64_t run_id = 0;
  std::string trigger;  // "command", "api", ...
  FlushState state = FlushState::kRunning;
  SweepReading reading = SweepReading::kDeadlines;
  bool dry_run = false;
  std::optional<int> db;  // one database, or all
  int64_t max_cpu_percent = 100;
  int64_t started_ms = 0;   // wall clock
  int64_t finished_ms = 0;  // 0 while it runs
  int64_t scanned = 0;      // keys passed, volatile or not
  int64_t reclaimed = 0;
  int64_t orphans = 0;
  int64_t bytes_freed = 0;
  int64_t memory_before = 0;  // entries and table
  int64_t memory_after = 0;
  int64_t rss_before = 0;
  int64_t rss_after = 0;
  int64_t cpu_ns = 0;
  int64_t slices = 0;
  int64_t longest_slice_ns = 0;
  double progress = 0;  // 0..1 of the shards
};

struct FlushRequest {
  std::string trigger = "command";
  SweepReading reading = SweepReading::kDeadlines;
  bool dry_run = false;
  std::optional<int> db;
  int64_t max_cpu_percent = 100;
  // Called once, when the run has ended, by the driver outside of the gate.
  std::function<void(const FlushRecord&)> on_done;
};

class FlushRunner {
 public:
  static constexpr size_t kHistory = 128;  // records kept

  FlushRunner(Keyspace& keyspace, const Clock& clock);

  struct Started {
    bool busy = false;      // another run is going: run_id is that one's
    uint64_t run_id = 0;
  };
  Started Start(FlushRequest request);
  // False when no run with this id is going.
  bool Cancel(uint64_t run_id);
  bool running() const;

  // The run's record, live while it runs; nullopt when the id is unknown or forgotten. No id: the
  // running one, or else the latest.
  std::optional<FlushRecord> Find(std::optional<uint64_t> run_id) const;
  // The latest `count` records, newest first.
  std::vector<FlushRecord> History(size_t count) const;
  int64_t runs() const;

  // One slice of at most slice_ns. Returns the microseconds after which to step again, or -1 when no
  // run is going. Called by driver 0, inside the gate; what must happen outside (on_done, giving
  // memory back) is left to Finish.
  int64_t Step(int64_t slice_ns);
  // To be called by the driver after Step, outside of the gate.
  void Finish();

 private:
  struct Run;
  Keyspace& keyspace_;
  const Clock& clock_;
  mutable absl::Mutex mu_;
  std::unique_ptr<Run> run_;
};

}  // namespace lapse
