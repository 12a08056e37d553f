// Workloads in which clients go on working, in virtual time.
//
// Thread: one for each run.
#include <algorithm>
#include <random>

#include "bench/lab/runs.h"
#include "bench/lab/stage.h"
#include "fmt/format.h"

namespace lapse {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDrainMs = 120 * kSecond;

std::mt19937_64 RandomOf(const RunSpec& spec) {
  return std::mt19937_64(static_cast<uint64_t>(spec.run) + 199);
}

int64_t Between(std::mt19937_64& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

double Megabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

// A tenth of spec.keys are written each second, with TTLs that keep about half of spec.keys alive.
void RunChurn(const RunSpec& spec, Sample& sample) {
  const int64_t horizon_ms = spec.quick ? 15 * kSecond : 40 * kSecond;
  const int64_t writes_a_ms = std::max<int64_t>(spec.keys / 10'000, 1);
  Stage stage(spec, {.horizon_ms = horizon_ms,
                     .keys = static_cast<size_t>(writes_a_ms * horizon_ms),
                     .idle = false});
  std::mt19937_64 random = RandomOf(spec);
  size_t next = 0;
  stage.Live(horizon_ms, [&]() -> int64_t {
    for (int64_t i = 0; i < writes_a_ms && next < stage.bed().size(); ++i) {
      stage.bed().Put(next++, stage.now_ms() + Between(random, kSecond, 10 * kSecond));
    }
    return writes_a_ms;
  });
  stage.Finish(sample);
}

// Each key's TTL of 30 s is renewed every 10 s for 20 s; then, within a second, every key is given
// one second more.
void RunRefresh(const RunSpec& spec, Sample& sample) {
  constexpr int64_t kRenewMs = 20 * kSecond;
  constexpr int64_t kTtlMs = 30 * kSecond;
  const auto keys = static_cast<size_t>(spec.keys);
  Stage stage(spec, {.horizon_ms = kRenewMs + kDrainMs, .keys = keys, .idle = false});
  Bed& bed = stage.bed();
  for (size_t i = 0; i < keys; ++i) bed.Put(i, stage.now_ms() + kTtlMs);
  stage.Filled();
  size_t next = 0;
  const size_t renewals_a_ms = std::max<size_t>(keys / 10'000, 1);
  stage.Live(kRenewMs, [&]() -> int64_t {
    for (size_t i = 0; i < renewals_a_ms; ++i, next = (next + 1) % keys) {
      bed.Expire(next, stage.now_ms() + kTtlMs);
    }
    return static_cast<int64_t>(renewals_a_ms);
  });
  const int64_t last = stage.now_ms() + 2 * kSecond;
  stage.probe().SetBatch(last, spec.keys, Probe::Batch::kSpread);
  next = 0;
  const size_t a_ms = (keys + 999) / 1000;
  stage.LiveUntilDrained(kDrainMs, [&]() -> int64_t {
    const size_t end = std::min(next + a_ms, keys);
    const auto done = static_cast<int64_t>(end - next);
    for (; next < end; ++next) bed.Expire(next, std::min(stage.now_ms() + kSecond, last));
    return done;
  });
  stage.Finish(sample);
}

// A thousand locks a millisecond, each given back within the next one.
void RunLocks(const RunSpec& spec, Sample& sample) {
  constexpr size_t kLocksAMs = 1000;
  constexpr int64_t kLockTtlMs = 3600 * kSecond;
  const auto locks = static_cast<size_t>(spec.keys);
  const auto horizon_ms = static_cast<int64_t>(locks / kLocksAMs + 2);
  Stage stage(spec, {.horizon_ms = horizon_ms + kSecond, .keys = locks, .idle = false});
  Bed& bed = stage.bed();
  sample.Set(Metric::kStartMegabytes, Megabytes(bed.AccountedBytes()));
  size_t next = 0;
  size_t held = 0;
  stage.Live(horizon_ms, [&]() -> int64_t {
    const size_t first = held;
    for (; held < next; ++held) bed.Delete(held);
    const size_t end = std::min(next + kLocksAMs, locks);
    const auto done = static_cast<int64_t>(held - first + end - next);
    for (; next < end; ++next) bed.Put(next, stage.now_ms() + kLockTtlMs);
    return done;
  });
  stage.Live(kSecond);
  sample.Set(Metric::kEndMegabytes, Megabytes(bed.AccountedBytes()));
  sample.keys = spec.keys;
  stage.Finish(sample);
}

// One client scans all of the keyspace again and again while half of it expires. Whatever lives
// through a whole pass must be returned by it.
void RunScan(const RunSpec& spec, Sample& sample) {
  constexpr int64_t kScanCount = 1000;
  const int64_t horizon_ms = 12 * kSecond;
  const auto keys = static_cast<size_t>(spec.keys);
  Stage stage(spec, {.horizon_ms = horizon_ms, .keys = keys, .idle = false});
  Bed& bed = stage.bed();
  std::mt19937_64 random = RandomOf(spec);
  for (size_t i = 0; i < keys; ++i) {
    bed.Put(i, i % 2 == 0 ? kNoDeadline : stage.now_ms() + Between(random, kSecond, 10 * kSecond));
  }
  stage.Filled();
  std::vector<bool> seen(keys);
  uint64_t cursor = 0;
  int64_t missed = 0;
  stage.Live(horizon_ms, [&]() -> int64_t {
    cursor = bed.Scan(cursor, kScanCount, seen);
    if (cursor != 0) return 1;
    for (size_t i = 0; i < keys; i += 2) missed += !seen[i];
    seen.assign(keys, false);
    return 1;
  });
  if (missed > 0) {
    sample.violations.push_back(fmt::format("SCAN did not return {} keys that lived", missed));
  }
  stage.Finish(sample);
}

// Half of the keys are expired, and no strategy is at work.
void RunFlush(const RunSpec& spec, Sample& sample) {
  constexpr int64_t kScanCount = 1000;
  const FlushWay way = spec.contestant->flush;
  Stage stage(spec, {.horizon_ms = kDrainMs, .keys = static_cast<size_t>(spec.keys)});
  Bed& bed = stage.bed();
  const int64_t due = stage.now_ms() + kSecond;
  for (size_t i = 0; i < bed.size(); ++i) bed.Put(i, i % 2 == 0 ? due : due + kHour);
  stage.Filled();
  sample.Set(Metric::kStartMegabytes, Megabytes(bed.AccountedBytes()));
  // Until every hint is due, so that both readings find the same.
  stage.Live(due + 2 * kTickMs - stage.now_ms());
  stage.probe().SetBatch(stage.now_ms() - 1, (spec.keys + 1) / 2);
  if (way == FlushWay::kScanLoop) {
    std::vector<bool> seen(bed.size());
    uint64_t cursor = 0;
    bool done = false;
    stage.LiveUntil(
        kDrainMs, [&] { return done; },
        [&]() -> int64_t {
          if (!done) cursor = bed.Scan(cursor, kScanCount, seen);
          done = cursor == 0;
          return 1;
        });
  } else {
    FlushRequest request;
    request.reading =
        way == FlushWay::kExhaustive ? SweepReading::kDeadlines : SweepReading::kHints;
    {
      const Gate::Shared in(bed.keyspace().gate());
      bed.engine().flush().Start(request);
    }
    stage.LiveUntil(kDrainMs, [&] { return !bed.engine().flush().running(); });
  }
  sample.Set(Metric::kEndMegabytes, Megabytes(bed.AccountedBytes()));
  stage.Finish(sample);
  const KeyspaceTotals totals = bed.keyspace().Totals();
  const int64_t gone = totals.expired_flushed + totals.expired_lazy;
  const auto record = bed.engine().flush().Find(std::nullopt);
  const int64_t cpu_ns = record ? record->cpu_ns : stage.clients_ns();
  if (gone > 0) {
    sample.Set(Metric::kCpuPerKey, static_cast<double>(cpu_ns) / static_cast<double>(gone));
  }
  // A client's SCAN has no slices.
  sample.values[static_cast<size_t>(Metric::kLongestSlice)].reset();
  if (record) {
    sample.Set(Metric::kLongestSlice, static_cast<double>(record->longest_slice_ns) / 1e3);
  }
}

}  // namespace lapse
