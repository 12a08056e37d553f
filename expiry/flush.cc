#include "expiry/flush.h"

#include <algorithm>
#include <utility>

#include "expiry/budget.h"
#include "expiry/resident.h"

namespace lapse {

std::string_view FlushStateName(FlushState state) {
  switch (state) {
    case FlushState::kRunning:
      return "running";
    case FlushState::kSucceeded:
      return "succeeded";
    case FlushState::kCancelled:
      break;
  }
  return "cancelled";
}

std::string_view ReadingName(SweepReading reading) {
  return reading == SweepReading::kDeadlines ? "exhaustive" : "hinted";
}

// What a run is about and where its walk stands.
struct FlushRunner::Walk {
  FlushRequest request;
  size_t first_db = 0;
  size_t end_db = 0;
  size_t db = 0;
  size_t shard = 0;
  bool inside = false;  // whether `place` is in this shard, or the shard is still to be begun
  uint64_t place = 0;
  int64_t resume_ns = 0;

  bool done() const { return db >= end_db; }
  void NextShard(size_t shards) {
    inside = false;
    if (++shard < shards) return;
    NextDatabase();
  }
  void NextDatabase() {
    inside = false;
    shard = 0;
    ++db;
  }
};

FlushRunner::FlushRunner(Keyspace& keyspace, const Clock& clock, std::function<void()> wake)
    : keyspace_(keyspace), clock_(clock), wake_(std::move(wake)) {}

FlushRunner::~FlushRunner() = default;

int64_t FlushRunner::MemoryBytes() const {
  return keyspace_.Totals().entry_bytes + keyspace_.table_bytes();
}

FlushRunner::Started FlushRunner::Start(FlushRequest request) {
  Started started;
  {
    MutexGuard lock(mu_);
    if (running()) return {true, current_.run_id};
    current_ = FlushRecord{};
    current_.run_id = ++last_id_;
    current_.trigger = request.trigger;
    current_.requested_by = request.requested_by;
    current_.reading = request.reading;
    current_.dry_run = request.dry_run;
    current_.db = request.db;
    current_.max_cpu_percent = std::clamp<int64_t>(request.max_cpu_percent, 1, 100);
    limit_percent_ = current_.max_cpu_percent;
    current_.started_ms = clock_.NowMs();
    current_.memory_before = MemoryBytes();
    current_.rss_before = ResidentBytes();
    cancelled_ = false;
    started.run_id = current_.run_id;

    walk_ = std::make_unique<Walk>();
    walk_->first_db = request.db ? static_cast<size_t>(*request.db) : 0;
    walk_->end_db = request.db ? walk_->first_db + 1 : keyspace_.database_count();
    walk_->db = walk_->first_db;
    walk_->request = std::move(request);
    phase_.store(Phase::kWalking, std::memory_order_release);
  }
  if (wake_) wake_();
  return started;
}

bool FlushRunner::Cancel(uint64_t run_id) {
  {
    MutexGuard lock(mu_);
    if (phase_.load(std::memory_order_acquire) != Phase::kWalking) return false;
    if (current_.run_id != run_id) return false;
    cancelled_ = true;
  }
  if (wake_) wake_();
  return true;
}

void FlushRunner::Limit(uint64_t run_id, int64_t max_cpu_percent) {
  MutexGuard lock(mu_);
  if (current_.run_id == run_id) limit_percent_ = std::clamp<int64_t>(max_cpu_percent, 1, 100);
}

std::optional<FlushRecord> FlushRunner::Find(std::optional<uint64_t> run_id) const {
  MutexGuard lock(mu_);
  if (running() && (!run_id || *run_id == current_.run_id)) return current_;
  for (const FlushRecord& record : history_) {
    if (!run_id || *run_id == record.run_id) return record;
  }
  return std::nullopt;
}

std::vector<FlushRecord> FlushRunner::History(size_t count) const {
  MutexGuard lock(mu_);
  std::vector<FlushRecord> records;
  if (running() && count > 0) records.push_back(current_);
  for (const FlushRecord& record : history_) {
    if (records.size() >= count) break;
    records.push_back(record);
  }
  return records;
}

int64_t FlushRunner::runs() const {
  MutexGuard lock(mu_);
  return runs_;
}

double FlushRunner::Progress(const Walk& walk) const {
  if (walk.done()) return 1;
  size_t passed = 0;
  size_t in_use = 0;
  for (size_t db = walk.first_db; db < walk.end_db; ++db) {
    const bool used = keyspace_.FindDatabase(db) != nullptr;
    in_use += used ? 1 : 0;
    passed += used && db < walk.db ? 1 : 0;
  }
  const auto shards = static_cast<double>(keyspace_.shard_count());
  return (static_cast<double>(passed) * shards + static_cast<double>(walk.shard)) /
         (static_cast<double>(std::max<size_t>(in_use, 1)) * shards);
}

bool FlushRunner::WalkOn(Walk& walk, int64_t deadline_ns, SweepCount& count, int64_t& scanned) {
  const SweepOptions options{walk.request.reading, ExpiryPath::kFlush, walk.request.dry_run};
  const bool by_hints = options.reading == SweepReading::kHints;
  const int64_t now_ms = clock_.NowMs();
  const Tick now = keyspace_.ticks().NowTick(now_ms);
  const size_t shards = keyspace_.shard_count();
  for (int64_t segments = 0; !walk.done();) {
    Database* const database = keyspace_.FindDatabase(walk.db);
    if (database == nullptr) {
      walk.NextDatabase();
      continue;
    }
    Shard& shard = database->shard(walk.shard);
    if (by_hints && !walk.inside && shard.next_due() > now) {
      scanned += shard.stats().keys.get();
      walk.NextShard(shards);
      continue;
    }
    const uint64_t place = walk.inside ? walk.place : shard.first_place();
    std::optional<uint64_t> next;
    {
      LockedShard locked(keyspace_, {static_cast<uint16_t>(walk.db), false, now_ms}, shard);
      if (by_hints) {
        shard.lock().AssertHeld();
        const Segment* segment = shard.SegmentOf(place);
        scanned += segment != nullptr ? segment->live() : 0;
      }
      next = SweepSegmentAt(locked, place, options, count);
    }
    walk.inside = next.has_value();
    if (next) {
      walk.place = *next;
    } else {
      walk.NextShard(shards);
    }
    if (++segments >= kSegmentsPerSlice || clock_.MonotonicNs() >= deadline_ns) return walk.done();
  }
  return true;
}

int64_t FlushRunner::Step(int64_t slice_ns) {
  if (phase_.load(std::memory_order_acquire) != Phase::kWalking) return -1;
  Walk& walk = *walk_;
  const int64_t start_ns = clock_.MonotonicNs();
  bool cancelled;
  {
    MutexGuard lock(mu_);
    cancelled = cancelled_;
  }
  if (!cancelled && start_ns < walk.resume_ns) return (walk.resume_ns - start_ns + 999) / 1000;

  const int64_t cpu_before_ns = ThreadCpuNs();
  SweepCount count;
  int64_t scanned = 0;
  const bool done = !cancelled && WalkOn(walk, start_ns + slice_ns, count, scanned);
  const int64_t worked_ns = clock_.MonotonicNs() - start_ns;
  const int64_t cpu_ns = ThreadCpuNs() - cpu_before_ns;

  MutexGuard lock(mu_);
  current_.scanned += walk.request.reading == SweepReading::kDeadlines ? count.visited : scanned;
  current_.reclaimed += count.reclaimed;
  current_.orphans += count.orphans;
  current_.bytes_freed += count.bytes;
  current_.cpu_ns += cpu_ns;
  current_.slices += cancelled ? 0 : 1;
  current_.longest_slice_ns = std::max(current_.longest_slice_ns, worked_ns);
  current_.progress = Progress(walk);
  if (done || cancelled) {
    phase_.store(Phase::kWalked, std::memory_order_release);
    return 0;
  }
  const int64_t rest_us = RestUs(worked_ns, static_cast<double>(limit_percent_));
  walk.resume_ns = start_ns + worked_ns + rest_us * 1000;
  return rest_us;
}

FlushRunner::Walked FlushRunner::walked() const {
  if (phase_.load(std::memory_order_acquire) != Phase::kWalked) return Walked::kNo;
  return walk_->request.dry_run ? Walked::kYesNothingToGiveBack : Walked::kYes;
}

void FlushRunner::Finish(int64_t release_ns) {
  const std::unique_ptr<Walk> walk = std::move(walk_);
  int64_t memory_after;
  {
    Gate::Shared in(keyspace_.gate());
    memory_after = MemoryBytes();
  }
  const int64_t rss_after = ResidentBytes();
  FlushRecord record;
  {
    MutexGuard lock(mu_);
    current_.state = cancelled_ && !walk->done() ? FlushState::kCancelled : FlushState::kSucceeded;
    current_.finished_ms = clock_.NowMs();
    current_.memory_after = memory_after;
    current_.rss_after = rss_after;
    current_.release_ns = release_ns;
    history_.push_front(current_);
    if (history_.size() > kHistory) history_.pop_back();
    ++runs_;
    record = current_;
    phase_.store(Phase::kNone, std::memory_order_release);
  }
  if (walk->request.on_done) walk->request.on_done(record);
}

}  // namespace lapse
