#include "bench/lab/stage.h"

#include <algorithm>
#include <cmath>

namespace lapse {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr double kMegabyte = 1'000'000;
// Of the calendar, for the run's phase.
constexpr int64_t kMarginMs = 1000;

// Multiples of these, modulo 1, spread evenly however many there are, and not alike.
constexpr double kGolden = 0.618034;
constexpr double kSilver = 0.414214;
constexpr int64_t kTurnMs = 100;  // of `sampled`

// Where in a period a run begins; the first run in its middle.
int64_t PhaseMs(int run, double step, int64_t period_ms) {
  const double phase = 0.5 + step * run;
  return static_cast<int64_t>((phase - std::floor(phase)) * static_cast<double>(period_ms));
}

Bed::Plan BedPlan(const RunSpec& spec, const StagePlan& plan) {
  Bed::Plan bed;
  bed.keys = plan.keys;
  bed.databases = plan.databases;
  bed.from_ms = VirtualClock::kBirthMs + plan.from_ms;
  bed.until_ms =
      VirtualClock::kBirthMs + kMarginMs + (plan.until_ms > 0 ? plan.until_ms : plan.horizon_ms);
  bed.value_bytes = plan.value_bytes;
  bed.seed = static_cast<uint64_t>(spec.run) + 1;
  return bed;
}

}  // namespace

Stage::Stage(const RunSpec& spec, const StagePlan& plan)
    : plan_(plan),
      bed_(clock_, spec.contestant->Settings(), BedPlan(spec, plan)),
      probe_(bed_, clock_, plan.horizon_ms),
      start_ns_(clock_.MonotonicNs()),
      next_slice_ns_(start_ns_) {
  bed_.engine().SetWaker([this](size_t) { next_slice_ns_ = clock_.MonotonicNs(); });
  clock_.AdvanceTo(start_ns_ + PhaseMs(spec.run, kGolden, kTickMs) * kNsPerMs);
  start_ns_ = clock_.MonotonicNs();
  next_slice_ns_ = start_ns_ + PhaseMs(spec.run, kSilver, kTurnMs) * kNsPerMs;
  probe_.Begin();
}

void Stage::Filled() {
  const auto keys = static_cast<double>(bed_.Held());
  bytes_per_key_ = static_cast<double>(bed_.AccountedBytes()) / keys;
  rss_per_key_ = static_cast<double>(bed_.RssBytes()) / keys;
  entry_bytes_ = static_cast<double>(bed_.keyspace().Totals().entry_bytes) / keys;
  probe_.Look();
}

void Stage::RunClients(const Clients& clients) {
  const int64_t before_ns = ThreadCpuNs();
  operations_ += clients();
  clients_ns_ += ThreadCpuNs() - before_ns;
  probe_.Look();
}

void Stage::Slice() {
  clock_.BeginSlice();
  const int64_t wait_us = bed_.engine().Drive(0, 1, plan_.idle);
  cpu_ns_ += clock_.EndSlice();
  // A thread that goes round its loop takes a microsecond.
  next_slice_ns_ = clock_.MonotonicNs() + std::max<int64_t>(wait_us, 1) * 1000;
  probe_.Look();
}

void Stage::LiveUntil(int64_t ms, const std::function<bool()>& done, const Clients& clients) {
  const int64_t end_ns = clock_.MonotonicNs() + ms * kNsPerMs;
  int64_t next_clients_ns = clients ? clock_.MonotonicNs() : end_ns;
  while (clock_.MonotonicNs() < end_ns) {
    if (clock_.MonotonicNs() >= next_clients_ns) {
      RunClients(clients);
      next_clients_ns += kNsPerMs;
    }
    if (clock_.MonotonicNs() >= next_slice_ns_) {
      Slice();
      if (done()) return;
    }
    clock_.AdvanceTo(std::min({next_slice_ns_, next_clients_ns, end_ns}));
    probe_.Look();
  }
}

void Stage::Live(int64_t ms, const Clients& clients) {
  LiveUntil(
      ms, [] { return false; }, clients);
}

void Stage::LiveUntilDrained(int64_t ms, const Clients& clients) {
  LiveUntil(
      ms, [this] { return probe_.Drained(); }, clients);
}

void Stage::StepWallMs(int64_t ms) {
  probe_.Look();
  clock_.StepWallMs(ms);
  probe_.ClockStepped();
  probe_.Look();
}

void Stage::Finish(Sample& sample) {
  probe_.Look();
  probe_.Report(sample);
  const int64_t reclaimed = bed_.keyspace().Totals().expired_active;
  const auto cpu_ns = static_cast<double>(cpu_ns_);
  const auto lived_s = static_cast<double>(clock_.MonotonicNs() - start_ns_) / 1e9;
  if (reclaimed > 0) sample.Set(Metric::kCpuPerKey, cpu_ns / static_cast<double>(reclaimed));
  if (lived_s > 0) sample.Set(Metric::kCpuPerSecond, cpu_ns / 1e6 / lived_s);
  if (bytes_per_key_ > 0) sample.Set(Metric::kBytesPerKey, bytes_per_key_);
  if (rss_per_key_ > 0) sample.Set(Metric::kRssPerKey, rss_per_key_);
  if (entry_bytes_ > 0) {
    sample.Set(Metric::kPeakMegabytes,
               sample.Get(Metric::kPeakKeys).value_or(0) * entry_bytes_ / kMegabyte);
  }
  if (operations_ > 0) {
    sample.Set(Metric::kOperationNs,
               static_cast<double>(clients_ns_) / static_cast<double>(operations_));
  }
  ReportEngine(bed_, sample);
}

void ReportEngine(Bed& bed, Sample& sample) {
  const LagHistogram& lag = bed.keyspace().lag();
  if (lag.count() > 0) {
    sample.Set(Metric::kLagP50, lag.Percentile(0.5));
    sample.Set(Metric::kLagP99, lag.Percentile(0.99));
    sample.Set(Metric::kLagMax, lag.max_ms());
    constexpr int kSteps = 200;
    for (int i = 0; i <= kSteps; ++i) {
      const double q = static_cast<double>(i) / kSteps;
      sample.lag.push_back({static_cast<double>(lag.Percentile(q)), q * 100});
    }
  }
  const ExpiryCounters counters = bed.engine().counters();
  sample.Set(Metric::kLongestSlice, static_cast<double>(counters.max_slice_cpu_ns) / 1e3);
  sample.Set(Metric::kReclaimed, bed.keyspace().Totals().expired_active);
  const Findings findings = bed.Verify();
  sample.Set(Metric::kEarly, findings.early);
  sample.Set(Metric::kOrphans, findings.orphans);
  sample.violations.insert(sample.violations.end(), findings.violations.begin(),
                           findings.violations.end());
}

}  // namespace lapse
