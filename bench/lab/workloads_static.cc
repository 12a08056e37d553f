// Workloads in which keys are set, and then time passes.
//
// Thread: one for each run.
#include <cmath>
#include <random>

#include "bench/lab/runs.h"
#include "bench/lab/stage.h"

namespace lapse {
namespace {

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// How long a batch may take to go.
constexpr int64_t kDrainMs = 2 * kMinute;

// Between setting the keys and the deadline of a batch.
constexpr int64_t kCliffAfterMs = kSecond;

std::mt19937_64 RandomOf(const RunSpec& spec) {
  return std::mt19937_64(static_cast<uint64_t>(spec.run) + 99);
}

int64_t Between(std::mt19937_64& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

}  // namespace

void RunNothing(const RunSpec& spec, Sample& sample) {
  const int64_t horizon_ms = spec.quick ? 20 * kSecond : 2 * kMinute;
  Stage stage(spec, {.horizon_ms = horizon_ms, .keys = static_cast<size_t>(spec.keys)});
  std::mt19937_64 random = RandomOf(spec);
  const double share = spec.variant->parameter;
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    const bool has_ttl = static_cast<double>(i % 100) < share;
    stage.bed().Put(i, has_ttl ? stage.now_ms() + Between(random, 2 * kHour, kDay) : kNoDeadline);
  }
  stage.Filled();
  stage.Live(horizon_ms);
  stage.Finish(sample);
}

void RunNeedle(const RunSpec& spec, Sample& sample) {
  constexpr size_t kNeedles = 5000;
  const auto others = static_cast<size_t>(static_cast<double>(spec.keys) * spec.variant->parameter);
  Stage stage(spec, {.horizon_ms = kDrainMs + 2 * kSecond, .keys = kNeedles + others});
  std::mt19937_64 random = RandomOf(spec);
  const int64_t due = stage.now_ms() + kCliffAfterMs;
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    stage.bed().Put(i, i < kNeedles ? due : due + Between(random, kHour, kDay));
  }
  stage.Filled();
  stage.probe().SetBatch(due, kNeedles);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

void RunFlood(const RunSpec& spec, Sample& sample) {
  const auto keys = static_cast<size_t>(spec.keys);
  Stage stage(spec, {.horizon_ms = kDrainMs + 10 * kSecond, .keys = keys, .idle = false});
  std::mt19937_64 random = RandomOf(spec);
  size_t next = 0;
  for (; next < keys / 2; ++next) {
    stage.bed().Put(next, stage.now_ms() + Between(random, kHour, kDay));
  }
  stage.Filled();
  const int64_t last = stage.now_ms() + 6 * kSecond;
  stage.probe().SetBatch(last, static_cast<int64_t>(keys - next), Probe::Batch::kSpread);
  const size_t a_ms = std::max<size_t>((keys - next) / 1000, 1);
  stage.LiveUntilDrained(kDrainMs, [&]() -> int64_t {
    const size_t end = std::min(next + a_ms, keys);
    const size_t begin = next;
    for (; next < end; ++next) {
      const int64_t ttl = Between(random, kSecond, 5 * kSecond - 1);
      stage.bed().Put(next, std::min(stage.now_ms() + ttl, last));
    }
    return static_cast<int64_t>(end - begin);
  });
  stage.Finish(sample);
}

void RunCliff(const RunSpec& spec, Sample& sample) {
  const bool idle = spec.variant->parameter == 0;
  Stage stage(
      spec,
      {.horizon_ms = kDrainMs + 2 * kSecond, .keys = static_cast<size_t>(spec.keys), .idle = idle});
  const int64_t due = stage.now_ms() + kCliffAfterMs;
  for (size_t i = 0; i < stage.bed().size(); ++i) stage.bed().Put(i, due);
  stage.Filled();
  stage.probe().SetBatch(due, spec.keys);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

void RunWide(const RunSpec& spec, Sample& sample) {
  const int64_t horizon_ms = spec.quick ? 5 * kMinute : 30 * kMinute;
  Stage stage(spec, {.horizon_ms = horizon_ms, .keys = static_cast<size_t>(spec.keys)});
  std::mt19937_64 random = RandomOf(spec);
  std::uniform_real_distribution<double> exponent(std::log(20.0 * kSecond), std::log(30.0 * kDay));
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    stage.bed().Put(i, stage.now_ms() + static_cast<int64_t>(std::exp(exponent(random))));
  }
  stage.Filled();
  stage.Live(horizon_ms);
  stage.Finish(sample);
}

void RunLarge(const RunSpec& spec, Sample& sample) {
  Stage stage(spec, {.horizon_ms = kDrainMs + 2 * kSecond,
                     .keys = static_cast<size_t>(spec.keys),
                     .value_bytes = size_t{1} << 20});
  const int64_t due = stage.now_ms() + kCliffAfterMs;
  for (size_t i = 0; i < stage.bed().size(); ++i) stage.bed().Put(i, due);
  stage.Filled();
  stage.probe().SetBatch(due, spec.keys);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

void RunDatabases(const RunSpec& spec, Sample& sample) {
  constexpr size_t kDatabases = 16;
  constexpr size_t kVolatile = 7;
  Stage stage(spec, {.horizon_ms = kDrainMs + 2 * kSecond,
                     .keys = static_cast<size_t>(spec.keys),
                     .databases = kDatabases});
  std::mt19937_64 random = RandomOf(spec);
  const int64_t due = stage.now_ms() + kCliffAfterMs;
  int64_t batch = 0;
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    int64_t deadline = kNoDeadline;
    if (i % kDatabases == kVolatile) {
      const bool soon = i / kDatabases % 2 == 0;
      deadline = soon ? due : due + Between(random, kHour, kDay);
      batch += soon ? 1 : 0;
    }
    stage.bed().Put(i, deadline);
  }
  stage.Filled();
  stage.probe().SetBatch(due, batch);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

void RunEmptyTable(const RunSpec& spec, Sample& sample) {
  const auto keys = static_cast<size_t>(spec.keys);
  const size_t left = keys / 100;
  Stage stage(spec, {.horizon_ms = kDrainMs + 10 * kSecond, .keys = keys + left});
  Bed& bed = stage.bed();
  std::mt19937_64 random = RandomOf(spec);
  for (size_t i = 0; i < keys; ++i) bed.Put(i, kNoDeadline);
  stage.Filled();
  sample.Set(Metric::kStartMegabytes, static_cast<double>(bed.AccountedBytes()) / 1e6);
  for (size_t i = 0; i < keys; ++i) bed.Delete(i);
  const int64_t last = stage.now_ms() + 10 * kSecond;
  for (size_t i = keys; i < keys + left; ++i) {
    bed.Put(i, stage.now_ms() + Between(random, kSecond, 10 * kSecond));
  }
  stage.probe().SetBatch(last, static_cast<int64_t>(left), Probe::Batch::kSpread);
  stage.LiveUntilDrained(kDrainMs);
  sample.Set(Metric::kEndMegabytes, static_cast<double>(bed.AccountedBytes()) / 1e6);
  stage.Finish(sample);
}

namespace {

// Starts with keys that expired while the server was away.
void RunBornExpired(const RunSpec& spec, Sample& sample) {
  Stage stage(spec, {.horizon_ms = kDrainMs, .keys = static_cast<size_t>(spec.keys)});
  std::mt19937_64 random = RandomOf(spec);
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    stage.bed().Put(i, stage.now_ms() - Between(random, 1, kHour));
  }
  stage.Filled();
  stage.probe().SetBatch(stage.now_ms() - 1, spec.keys);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

// Half of the keys fall due as the clock is put forward by an hour.
void RunStepForward(const RunSpec& spec, Sample& sample) {
  Stage stage(spec, {.horizon_ms = kDrainMs + 6 * kSecond,
                     .until_ms = kHour + kDrainMs + 6 * kSecond,
                     .keys = static_cast<size_t>(spec.keys)});
  std::mt19937_64 random = RandomOf(spec);
  for (size_t i = 0; i < stage.bed().size(); ++i) {
    const int64_t ttl = i % 2 == 0 ? Between(random, kHour / 2, kHour - kMinute)
                                   : Between(random, 2 * kHour, 3 * kHour);
    stage.bed().Put(i, stage.now_ms() + ttl);
  }
  stage.Filled();
  stage.Live(5 * kSecond);
  stage.StepWallMs(kHour);
  stage.probe().SetBatch(stage.now_ms() - 1, (spec.keys + 1) / 2);
  stage.LiveUntilDrained(kDrainMs);
  stage.Finish(sample);
}

// The clock is put back by an hour; what is set afterwards must go in time, what was about to
// expire must stay.
void RunStepBack(const RunSpec& spec, Sample& sample) {
  const auto keys = static_cast<size_t>(spec.keys);
  const size_t later = keys / 10;
  Stage stage(spec,
              {.horizon_ms = kDrainMs + 20 * kSecond, .from_ms = -kHour, .keys = keys + later});
  std::mt19937_64 random = RandomOf(spec);
  for (size_t i = 0; i < keys; ++i) {
    stage.bed().Put(i, stage.now_ms() + (i % 2 == 0 ? 10 * kSecond : Between(random, kHour, kDay)));
  }
  stage.Filled();
  stage.Live(5 * kSecond);
  stage.StepWallMs(-kHour);
  const int64_t last = stage.now_ms() + 5 * kSecond;
  for (size_t i = keys; i < keys + later; ++i) {
    stage.bed().Put(i, stage.now_ms() + Between(random, kSecond, 5 * kSecond));
  }
  stage.probe().SetBatch(last, static_cast<int64_t>(later), Probe::Batch::kSpread);
  stage.LiveUntilDrained(kDrainMs);
  stage.Live(10 * kSecond);
  stage.Finish(sample);
}

}  // namespace

void RunClock(const RunSpec& spec, Sample& sample) {
  if (spec.variant->parameter == 0) return RunBornExpired(spec, sample);
  if (spec.variant->parameter > 0) return RunStepForward(spec, sample);
  RunStepBack(spec, sample);
}

}  // namespace lapse
