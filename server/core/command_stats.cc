#include "server/core/command_stats.h"

#include <cmath>

namespace lapse {

CycleScale::CycleScale() : start_cycles_(CycleCount()), start_(std::chrono::steady_clock::now()) {}

double CycleScale::NsPerCycle() const {
  const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - start_;
  const uint64_t cycles = CycleCount() - start_cycles_;
  return cycles == 0 ? 0 : passed.count() / static_cast<double>(cycles);
}

void CommandTotals::Add(const CommandTotals& other) {
  calls += other.calls;
  cycles += other.cycles;
  rejected += other.rejected;
  failed += other.failed;
  for (size_t b = 0; b < kBuckets; ++b) histogram[b] += other.histogram[b];
}

double CommandTotals::Percentile(double q) const {
  int64_t counted = 0;
  for (const int64_t count : histogram) counted += count;
  const double wanted = q * static_cast<double>(counted);
  int64_t seen = 0;
  for (size_t b = 0; b < kBuckets; ++b) {
    seen += histogram[b];
    // Nobody knows where in its bucket a call was: the middle is at most a third off.
    if (seen > 0 && static_cast<double>(seen) >= wanted) {
      return 0.75 * std::ldexp(1.0, static_cast<int>(b));
    }
  }
  return 0;
}

CommandStats::Histogram* CommandStats::MakeHistogram(Counters& counters) {
  auto* made = new Histogram();
  counters.histogram.store(made, std::memory_order_release);
  return made;
}

CommandTotals CommandStats::Totals(size_t id) const {
  const Counters& counters = counters_[id];
  CommandTotals totals;
  totals.calls = counters.calls.get();
  totals.cycles = counters.cycles.get();
  totals.rejected = counters.rejected.get();
  totals.failed = counters.failed.get();
  if (const Histogram* histogram = counters.histogram.load(std::memory_order_acquire)) {
    for (size_t b = 0; b < CommandTotals::kBuckets; ++b) {
      totals.histogram[b] = (*histogram)[b].get();
    }
  }
  return totals;
}

void CommandStats::Clear() {
  for (Counters& counters : counters_) {
    for (OwnedCounter* counter :
         {&counters.calls, &counters.cycles, &counters.rejected, &counters.failed}) {
      counter->Set(0);
    }
    if (Histogram* histogram = counters.histogram.load(std::memory_order_relaxed)) {
      for (OwnedCounter& bucket : *histogram) bucket.Set(0);
    }
  }
}

std::shared_ptr<CommandStats> CommandStatsBook::Open() {
  auto stats = std::make_shared<CommandStats>(retired_.size());
  MutexGuard guard(mu_);
  open_.push_back(stats);
  return stats;
}

void CommandStatsBook::Close(const std::shared_ptr<CommandStats>& stats) {
  MutexGuard guard(mu_);
  for (size_t id = 0; id < retired_.size(); ++id) retired_[id].Add(stats->Totals(id));
  std::erase(open_, stats);
}

CommandTotals CommandStatsBook::Totals(size_t id) {
  MutexGuard guard(mu_);
  CommandTotals totals = retired_[id];
  for (const auto& stats : open_) totals.Add(stats->Totals(id));
  return totals;
}

void CommandStatsBook::Clear() {
  MutexGuard guard(mu_);
  for (CommandTotals& totals : retired_) totals = {};
  for (const auto& stats : open_) stats->Clear();
}

}  // namespace lapse
