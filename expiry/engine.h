// The expiry engine: which strategy removes expired keys, how hard it works, who drives it, and
// what came of it.
//
// The engine has no thread. Drivers call Drive again and again: each io thread between its I/O, or
// a background thread where there is no server. A call does one slice of work at most, under the
// gate, and says when it wants to be called again. Driver w of n looks after the shards s with s %
// n == w of every database, so drivers never wait for each other.
//
// FLUSHEXPIREKEYS runs in the same slices (by driver 0), so that it neither needs a thread nor
// stalls one. When a run has walked, every driver gives back to the system what its own thread's
// heap holds free, for an allocator keeps a heap for each thread and collects the caller's only:
//
//   driver 0:   walk walk walk | give back | .. poll .. | Finish
//   driver 1:        (sleeps)    wake, give back
//
// Driver 0 waits for the others for at most kReleaseWaitMs, then ends the run without them. Before
// that it waits, for at most kReaperWaitMs, until large collections have been destroyed, since what
// they held cannot be given back before.
//
// Calling Drive too often is cheap: it looks at a clock and returns. Calling it too seldom delays
// expiry and nothing else.
//
// Thread: Drive from one thread for each driver number, outside of the gate; SetWaker before any
// driver runs; Configure and ResetCounters in the gate's exclusive form; the rest from any thread
// inside the gate.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "expiry/flush.h"
#include "expiry/settings.h"
#include "expiry/strategy.h"
#include "storage/clock.h"
#include "storage/keyspace.h"

namespace lapse {

// What INFO shows of expiry beside the keyspace's own counts. FLUSHEXPIREKEYS has its own record
// and is not in here.
struct ExpiryCounters {
  int64_t cycle_cpu_ns = 0;      // thread CPU time spent in slices
  int64_t slices = 0;            // that did something
  int64_t max_slice_ns = 0;      // the longest slice, by the clock: preemption by others included
  int64_t max_slice_cpu_ns = 0;  // the longest slice, in CPU time
  int64_t segments_swept = 0;
  int64_t visited = 0;
  int64_t reclaimed = 0;
  int64_t time_cap_reached =
      0;                      // slices (of `sampled`: turns) that a time limit ended with work left
  double stale_percent = 0;   // Redis's expired_stale_perc; of `sampled`
  int64_t oldest_due_ms = 0;  // how late the latest expired key is, at most; 0 when nothing is due
};

// How many expired keys are still held: those that their due ticks have announced, so that keys
// which expired within the last tick may be missing.
struct Backlog {
  int64_t keys = 0;
  int64_t bytes = 0;   // keys times the mean size of their shards' entries
  bool exact = false;  // keys were counted, not extrapolated from a part of the due segments
};

class ExpiryEngine {
 public:
  static constexpr size_t kMaxDrivers = 256;  // more would find no shard of their own
  // The longest that Drive asks to be left alone: a tick.
  static constexpr int64_t kLongestWaitUs = kTickMs * 1000;
  static constexpr int64_t kLongestSleepUs = 1'000'000;
  static constexpr int64_t kReaperWaitMs = 10'000;
  static constexpr int64_t kReleaseWaitMs = 300;
  static constexpr int64_t kReleasePollUs = 2'000;
  // Due segments that EstimateBacklog counts at most: about half a millisecond.
  static constexpr int64_t kBacklogSegments = 512;

  ExpiryEngine(Keyspace& keyspace, const Clock& clock, const ExpirySettings& settings);
  ~ExpiryEngine();
  ExpiryEngine(const ExpiryEngine&) = delete;
  ExpiryEngine& operator=(const ExpiryEngine&) = delete;

  const ExpirySettings& settings() const { return settings_; }
  void Configure(const ExpirySettings& settings);
  // `wake(w)` makes driver w call Drive soon, and may be called by any thread. Without it, a run of
  // FLUSHEXPIREKEYS begins and ends up to a tick later.
  void SetWaker(std::function<void(size_t worker)> wake) { wake_ = std::move(wake); }

  // One slice by driver `worker` of `workers`. `idle`: the thread had nothing else to do since its
  // last call; if it had, `client_percent` says how much of its time that takes. Enters the gate
  // itself. Returns the microseconds after which to call again (0: as soon as other work has had
  // its turn), at most kLongestWaitUs; kLongestSleepUs for drivers that have nothing to do and that
  // driver 0 can wake.
  int64_t Drive(size_t worker, size_t workers, bool idle, double client_percent = 100);

  FlushRunner& flush() { return flush_; }

  ExpiryCounters counters() const;
  Backlog EstimateBacklog();
  void ResetCounters();

 private:
  struct Driver;

  Driver& DriverOf(size_t worker);
  int64_t StepStrategy(Driver& driver, const Turn& turn);
  // With nothing due, driver 0 alone looks at every tick, at everybody's shards, and wakes whose
  // are due; the others sleep. A wake-up costs 40-80 us of CPU on a virtual machine, far more than
  // looking does.
  bool MaySleep(const Driver& driver, const Turn& turn) const;
  void WakeSleepers(const Turn& turn) const;
  // Gives memory back when a flush asks for it and this driver has not yet.
  void ReleaseIfAsked(Driver& driver);
  // What driver 0 does between a flush's walk and its end.
  int64_t SettleFlush(size_t workers);
  bool AllReleased(size_t workers) const;

  // Constant after construction.
  Keyspace& keyspace_;
  const Clock& clock_;
  std::function<void(size_t)> wake_;

  // Changes in the gate's exclusive form.
  ExpirySettings settings_;

  // Self-synchronised.
  FlushRunner flush_;
  std::array<std::atomic<Driver*>, kMaxDrivers> drivers_{};  // made by their threads
  std::atomic<uint64_t> release_epoch_{0};                   // raised by each run that has walked

  // Driver 0's.
  enum class Settling : uint8_t { kNo, kReaping, kReleasing };
  Settling settling_ = Settling::kNo;
  int64_t settling_since_ns_ = 0;
};

}  // namespace lapse
