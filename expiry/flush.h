// FLUSHEXPIREKEYS: a walk over every segment that deletes all expired keys now, in slices.
//
// One run at a time. A run is a plain state machine that a driver steps; it keeps its own position
// in hash order, so that splits and merges under it lose nothing, and its own record of what it
// did. It reads every volatile entry's deadline (or, on request, hints only), so that an exhaustive
// run is also the audit of the hints: expired entries that no due hint announced are counted as
// orphans.
//
//   Start --> walking --(last segment, or Cancel)--> walked --(memory given back)--> ended
//             Step, inside the gate                  outside the gate: Finish
//
// Between "walked" and Finish the drivers give memory back to the system, each what its own
// thread's heap holds free, so that memory_after and rss_after say what the run achieved. A run's
// result is known when all of them have (see ExpiryEngine): some hundred milliseconds later at
// most.
//
// Thread: Start, Cancel and the record functions from any thread, Start inside the gate; Step,
// walked and Finish from driver 0.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/clock.h"
#include "storage/keyspace.h"
#include "storage/lock.h"
#include "storage/sweep.h"

namespace lapse {

enum class FlushState : uint8_t { kRunning, kSucceeded, kCancelled };
std::string_view FlushStateName(FlushState state);
// "exhaustive" for deadlines, "hinted" for hints.
std::string_view ReadingName(SweepReading reading);

// What a run was and did. Sizes in bytes, times as their names say.
struct FlushRecord {
  uint64_t run_id = 0;
  std::string trigger;       // "command", "api", "schedule", ...
  std::string requested_by;  // the user who asked
  FlushState state = FlushState::kRunning;
  SweepReading reading = SweepReading::kDeadlines;
  bool dry_run = false;
  std::optional<int> db;  // one database, or all
  int64_t max_cpu_percent = 100;
  int64_t started_ms = 0;   // wall clock
  int64_t finished_ms = 0;  // 0 while it runs
  int64_t scanned = 0;    // keys passed, volatile or not; those of merging segments may count twice
  int64_t reclaimed = 0;  // expired keys deleted, or, in a dry run, found
  int64_t orphans = 0;    // of these, those that the hints would not have led to; always 0
  int64_t bytes_freed = 0;    // that the entries held, as the allocator hands them out
  int64_t memory_before = 0;  // entries and table
  int64_t memory_after = 0;
  int64_t rss_before = 0;  // of the process
  int64_t rss_after = 0;
  int64_t cpu_ns = 0;  // of the walk
  int64_t slices = 0;
  int64_t longest_slice_ns = 0;
  int64_t release_ns = 0;  // the longest that one driver took to give memory back
  double progress = 0;     // 0..1 of the shards of databases in use
};

struct FlushRequest {
  std::string trigger = "command";
  std::string requested_by;
  SweepReading reading = SweepReading::kDeadlines;
  bool dry_run = false;
  std::optional<int> db;
  int64_t max_cpu_percent = 100;  // 1..100
  // Called once, when the run has ended, by driver 0 outside of the gate; not at all when the
  // instance ends first.
  std::function<void(const FlushRecord&)> on_done;
};

class FlushRunner {
 public:
  static constexpr size_t kHistory = 128;  // records kept
  // Bounds a slice even if the clock stands still.
  static constexpr int64_t kSegmentsPerSlice = 8192;

  // `wake` is called when there is something to step, so that driver 0 need not sleep out its time.
  FlushRunner(Keyspace& keyspace, const Clock& clock, std::function<void()> wake = {});
  ~FlushRunner();
  FlushRunner(const FlushRunner&) = delete;
  FlushRunner& operator=(const FlushRunner&) = delete;

  struct Started {
    bool busy = false;  // another run is going: run_id is that one's
    uint64_t run_id = 0;
  };
  Started Start(FlushRequest request);
  // Asks the run to stop where it is. False when no run with this id is walking.
  bool Cancel(uint64_t run_id);
  // Has the run use no more than so many percent of a CPU from now on; its record keeps what was
  // asked for.
  void Limit(uint64_t run_id, int64_t max_cpu_percent);
  bool running() const { return phase_.load(std::memory_order_acquire) != Phase::kNone; }

  // The run's record, live while it runs; nullopt when the id is unknown or forgotten. No id: the
  // running one, or else the latest.
  std::optional<FlushRecord> Find(std::optional<uint64_t> run_id) const;
  // The latest `count` records, newest first; the running one included.
  std::vector<FlushRecord> History(size_t count) const;
  // Runs that have ended.
  int64_t runs() const;

  // One slice of at most slice_ns. Returns the microseconds after which to step again, or -1 when
  // nothing is walking. Requires: inside the gate.
  int64_t Step(int64_t slice_ns);

  // Whether a run has walked and waits for Finish; of a dry run there is nothing to give back.
  enum class Walked : uint8_t { kNo, kYes, kYesNothingToGiveBack };
  Walked walked() const;
  // Ends the run: takes the sizes, files the record, calls on_done. Requires: walked(), outside of
  // the gate. `release_ns` is for the record.
  void Finish(int64_t release_ns);

 private:
  enum class Phase : uint8_t { kNone, kWalking, kWalked };
  struct Walk;

  // Walks until the budget ends (false) or the last segment is done.
  bool WalkOn(Walk& walk, int64_t deadline_ns, SweepCount& count, int64_t& scanned);
  int64_t MemoryBytes() const;
  // 0..1 of the shards of the databases in use.
  double Progress(const Walk& walk) const;

  // Constant after construction.
  Keyspace& keyspace_;
  const Clock& clock_;
  const std::function<void()> wake_;

  // Driver 0's while phase_ is not kNone; handed over by phase_.
  std::unique_ptr<Walk> walk_;
  std::atomic<Phase> phase_{Phase::kNone};

  mutable Mutex mu_;
  FlushRecord current_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  int64_t limit_percent_ ABSL_GUARDED_BY(mu_) = 100;
  std::deque<FlushRecord> history_ ABSL_GUARDED_BY(mu_);  // newest first
  uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t runs_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace lapse
