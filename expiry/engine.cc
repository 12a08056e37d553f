#include "expiry/engine.h"

#include <algorithm>
#include <vector>

#include "expiry/budget.h"
#include "storage/allocator.h"

namespace lapse {

// One driver's state. Its counters are written by its thread inside the gate and read by anybody.
struct ExpiryEngine::Driver {
  // The thread's own.
  std::unique_ptr<ExpiryStrategy> strategy;
  bool flush_first = false;
  std::atomic<bool> asleep{false};  // read by driver 0

  OwnedCounter cycle_cpu_ns;
  OwnedCounter slices;
  OwnedCounter max_slice_ns;
  OwnedCounter max_slice_cpu_ns;
  OwnedCounter segments;
  OwnedCounter visited;
  OwnedCounter reclaimed;
  OwnedCounter capped;
  std::atomic<double> stale_percent{0};

  std::atomic<uint64_t> released_epoch{0};
  std::atomic<int64_t> release_ns{0};  // what giving memory back took last time

  void Count(const StepOutcome& outcome, int64_t wall_ns, int64_t cpu_ns) {
    cycle_cpu_ns.Add(cpu_ns);
    slices.Add(1);
    max_slice_ns.Set(std::max(max_slice_ns.get(), wall_ns));
    max_slice_cpu_ns.Set(std::max(max_slice_cpu_ns.get(), cpu_ns));
    segments.Add(outcome.count.segments);
    visited.Add(outcome.count.visited);
    reclaimed.Add(outcome.count.reclaimed);
    capped.Add(outcome.capped ? 1 : 0);
    stale_percent.store(strategy->stale_percent(), std::memory_order_relaxed);
  }
};

ExpiryEngine::ExpiryEngine(Keyspace& keyspace, const Clock& clock, const ExpirySettings& settings)
    : keyspace_(keyspace), clock_(clock), settings_(settings), flush_(keyspace, clock, [this] {
        if (wake_) wake_(0);
      }) {}

ExpiryEngine::~ExpiryEngine() {
  for (auto& driver : drivers_) delete driver.load(std::memory_order_acquire);
}

ExpiryEngine::Driver& ExpiryEngine::DriverOf(size_t worker) {
  Driver* driver = drivers_[worker].load(std::memory_order_relaxed);
  if (driver == nullptr) {
    driver = new Driver;
    // A run that ended before this driver existed asks nothing of it.
    driver->released_epoch.store(release_epoch_.load(std::memory_order_acquire),
                                 std::memory_order_relaxed);
    drivers_[worker].store(driver, std::memory_order_release);
  }
  return *driver;
}

int64_t ExpiryEngine::Drive(size_t worker, size_t workers, bool idle, double client_percent) {
  workers = std::clamp<size_t>(workers, 1, kMaxDrivers);
  if (worker >= workers) return kLongestWaitUs;
  Driver& driver = DriverOf(worker);
  ReleaseIfAsked(driver);
  int64_t wait_us = kLongestWaitUs;
  {
    Gate::Shared in(keyspace_.gate());
    const int64_t start_ns = clock_.MonotonicNs();
    const StepBudget budget{&clock_, start_ns, start_ns + settings_.slice_us * 1000};
    const auto flush = [&] {
      const int64_t left_ns = budget.deadline_ns - clock_.MonotonicNs();
      if (left_ns <= 0) return int64_t{0};
      const int64_t wait = flush_.Step(left_ns);
      return wait < 0 ? kLongestWaitUs : wait;
    };
    // While both have work, each has the slice to itself or first in turn.
    const bool flushing = worker == 0 && flush_.running();
    driver.flush_first = flushing && !driver.flush_first;
    if (driver.flush_first) wait_us = flush();
    if (settings_.active) {
      const Turn turn{Share(keyspace_, worker, workers), settings_, budget, clock_.NowUs(), idle,
                      idle ? 0 : client_percent};
      wait_us = std::min(wait_us, StepStrategy(driver, turn));
      const bool sleep = wait_us > 0 && MaySleep(driver, turn);
      driver.asleep.store(sleep, std::memory_order_relaxed);
      if (sleep) wait_us = kLongestSleepUs;
      if (worker == 0) WakeSleepers(turn);
    }
    if (flushing && !driver.flush_first) wait_us = std::min(wait_us, flush());
  }
  if (worker == 0) wait_us = std::min(wait_us, SettleFlush(workers));
  return wait_us;
}

bool ExpiryEngine::MaySleep(const Driver& driver, const Turn& turn) const {
  if (turn.share.worker() == 0 || !wake_ || driver.strategy->kind() != StrategyKind::kHinted) {
    return false;
  }
  return turn.share.EarliestDue() > keyspace_.ticks().NowTick(turn.now_ms());
}

void ExpiryEngine::WakeSleepers(const Turn& turn) const {
  const size_t workers = turn.share.workers();
  for (size_t worker = 1; worker < workers && wake_; ++worker) {
    const Driver* const driver = drivers_[worker].load(std::memory_order_acquire);
    if (driver == nullptr || !driver->asleep.load(std::memory_order_relaxed)) continue;
    const Tick due = Share(keyspace_, worker, workers).EarliestDue();
    if (due <= keyspace_.ticks().NowTick(turn.now_ms())) wake_(worker);
  }
}

void ExpiryEngine::Configure(const ExpirySettings& settings) {
  settings_ = settings;
  for (size_t worker = 0; worker < kMaxDrivers && wake_; ++worker) {
    if (drivers_[worker].load(std::memory_order_acquire) != nullptr) wake_(worker);
  }
}

int64_t ExpiryEngine::StepStrategy(Driver& driver, const Turn& turn) {
  if (driver.strategy == nullptr || driver.strategy->kind() != settings_.strategy) {
    driver.strategy = MakeStrategy(settings_.strategy);
    driver.stale_percent.store(0, std::memory_order_relaxed);
  }
  const int64_t wait_us = driver.strategy->WaitUs(turn);
  if (wait_us > 0) return std::min(wait_us, kLongestWaitUs);
  if (driver.flush_first && turn.budget.spent()) return 0;
  // Asked for only now: reading the thread's CPU time is a system call.
  const int64_t cpu_before_ns = ThreadCpuNs();
  const StepOutcome outcome = driver.strategy->Step(turn);
  driver.Count(outcome, turn.budget.used_ns(), ThreadCpuNs() - cpu_before_ns);
  return std::min(outcome.wait_us, kLongestWaitUs);
}

// --- giving memory back after a flush ---

void ExpiryEngine::ReleaseIfAsked(Driver& driver) {
  const uint64_t epoch = release_epoch_.load(std::memory_order_acquire);
  if (driver.released_epoch.load(std::memory_order_relaxed) == epoch) return;
  const int64_t start_ns = clock_.MonotonicNs();
  ReleaseFreeMemory();
  driver.release_ns.store(clock_.MonotonicNs() - start_ns, std::memory_order_relaxed);
  driver.released_epoch.store(epoch, std::memory_order_release);
}

bool ExpiryEngine::AllReleased(size_t workers) const {
  const uint64_t epoch = release_epoch_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < workers; ++i) {
    const Driver* const driver = drivers_[i].load(std::memory_order_acquire);
    if (driver != nullptr && driver->released_epoch.load(std::memory_order_acquire) != epoch) {
      return false;
    }
  }
  return true;
}

int64_t ExpiryEngine::SettleFlush(size_t workers) {
  const FlushRunner::Walked walked = flush_.walked();
  if (walked == FlushRunner::Walked::kNo) return kLongestWaitUs;
  int64_t release_ns = 0;
  if (walked == FlushRunner::Walked::kYes) {
    const auto waited_ms = [this] {
      return (clock_.MonotonicNs() - settling_since_ns_) / 1'000'000;
    };
    if (settling_ == Settling::kNo) {
      settling_ = Settling::kReaping;
      settling_since_ns_ = clock_.MonotonicNs();
    }
    if (settling_ == Settling::kReaping) {
      if (keyspace_.reaper().pending() > 0 && waited_ms() < kReaperWaitMs) return kReleasePollUs;
      settling_ = Settling::kReleasing;
      settling_since_ns_ = clock_.MonotonicNs();
      release_epoch_.fetch_add(1, std::memory_order_acq_rel);
      for (size_t i = 1; i < workers && wake_; ++i) wake_(i);
      keyspace_.ReleaseFreePages();
      ReleaseIfAsked(DriverOf(0));
    }
    if (!AllReleased(workers) && waited_ms() < kReleaseWaitMs) return kReleasePollUs;
    for (const auto& slot : drivers_) {
      const Driver* const driver = slot.load(std::memory_order_acquire);
      if (driver == nullptr) continue;
      release_ns = std::max(release_ns, driver->release_ns.load(std::memory_order_relaxed));
    }
  }
  settling_ = Settling::kNo;
  flush_.Finish(release_ns);
  return 0;
}

// --- what came of it ---

ExpiryCounters ExpiryEngine::counters() const {
  ExpiryCounters sum;
  double stale = 0;
  int64_t drivers = 0;
  for (const auto& slot : drivers_) {
    const Driver* const driver = slot.load(std::memory_order_acquire);
    if (driver == nullptr) continue;
    sum.cycle_cpu_ns += driver->cycle_cpu_ns.get();
    sum.slices += driver->slices.get();
    sum.max_slice_ns = std::max(sum.max_slice_ns, driver->max_slice_ns.get());
    sum.max_slice_cpu_ns = std::max(sum.max_slice_cpu_ns, driver->max_slice_cpu_ns.get());
    sum.segments_swept += driver->segments.get();
    sum.visited += driver->visited.get();
    sum.reclaimed += driver->reclaimed.get();
    sum.time_cap_reached += driver->capped.get();
    stale += driver->stale_percent.load(std::memory_order_relaxed);
    ++drivers;
  }
  if (drivers > 0) sum.stale_percent = stale / static_cast<double>(drivers);
  Tick oldest = kNeverTick;
  for (size_t db = 0; db < keyspace_.database_count(); ++db) {
    const Database* const database = keyspace_.FindDatabase(db);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      oldest = std::min(oldest, database->shard(i).next_due());
    }
  }
  sum.oldest_due_ms = LagMs(keyspace_.ticks(), oldest, clock_.NowMs());
  return sum;
}

namespace {

struct DueShard {
  uint16_t db = 0;
  Shard* shard = nullptr;
};

// Neither of the two waits for a shard: whoever asks for an estimate may hold it already (INFO
// within a transaction or a script).

// -1: somebody has the shard.
int64_t CountDueSegments(Shard& shard, Tick now) {
  if (!shard.lock().TryLock()) return -1;
  int64_t segments = 0;
  int64_t i = shard.LastDueBefore(shard.segment_count(), now);
  for (; i >= 0; i = shard.LastDueBefore(static_cast<size_t>(i), now)) ++segments;
  shard.lock().Unlock();
  return segments;
}

// Counts every stride-th due segment of the shard; `seen` goes on from shard to shard.
struct Sampled {
  int64_t seen = 0;
  int64_t counted = 0;
  int64_t keys = 0;
  int64_t bytes = 0;
};
// Returns false when somebody has the shard.
bool SampleDueSegments(Keyspace& keyspace, const DueShard& where, int64_t now_ms, int64_t stride,
                       Sampled& sampled) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Shard& shard = *where.shard;
  if (!shard.lock().TryLock()) return false;
  LockedShard locked(keyspace, {where.db, false, now_ms}, shard, LockedShard::Adopt{});
  const Tick now = keyspace.ticks().NowTick(now_ms);
  int64_t keys = 0;
  int64_t i = shard.LastDueBefore(shard.segment_count(), now);
  for (; i >= 0; i = shard.LastDueBefore(static_cast<size_t>(i), now)) {
    if (sampled.seen++ % stride != 0) continue;
    keys += CountDueAt(locked, shard.segment(static_cast<size_t>(i))->prefix()).due;
    ++sampled.counted;
  }
  if (stride == 1) shard.RefreshNextDue();
  sampled.keys += keys;
  const ShardStats& stats = shard.stats();
  sampled.bytes += keys * stats.entry_bytes.get() / std::max<int64_t>(stats.keys.get(), 1);
  return true;
}

}  // namespace

Backlog ExpiryEngine::EstimateBacklog() {
  const int64_t now_ms = clock_.NowMs();
  const Tick now = keyspace_.ticks().NowTick(now_ms);
  std::vector<DueShard> due;
  int64_t segments = 0;
  bool all = true;
  for (size_t db = 0; db < keyspace_.database_count(); ++db) {
    Database* const database = keyspace_.FindDatabase(db);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      if (database->shard(i).next_due() > now) continue;
      const int64_t here = CountDueSegments(database->shard(i), now);
      all &= here >= 0;
      if (here < 0) continue;
      due.push_back({static_cast<uint16_t>(db), &database->shard(i)});
      segments += here;
    }
  }
  const int64_t stride = std::max<int64_t>((segments + kBacklogSegments - 1) / kBacklogSegments, 1);
  Sampled sampled;
  for (const DueShard& where : due) {
    all &= SampleDueSegments(keyspace_, where, now_ms, stride, sampled);
  }
  const double scale = sampled.counted == 0 ? 0.0
                                            : static_cast<double>(sampled.seen) /
                                                  static_cast<double>(sampled.counted);
  return {static_cast<int64_t>(static_cast<double>(sampled.keys) * scale),
          static_cast<int64_t>(static_cast<double>(sampled.bytes) * scale), all && stride == 1};
}

void ExpiryEngine::ResetCounters() {
  for (auto& slot : drivers_) {
    Driver* const driver = slot.load(std::memory_order_acquire);
    if (driver == nullptr) continue;
    for (OwnedCounter* counter :
         {&driver->cycle_cpu_ns, &driver->slices, &driver->max_slice_ns, &driver->max_slice_cpu_ns,
          &driver->segments, &driver->visited, &driver->reclaimed, &driver->capped}) {
      counter->Set(0);
    }
  }
}

}  // namespace lapse
