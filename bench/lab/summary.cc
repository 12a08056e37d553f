#include "bench/lab/summary.h"

#include <algorithm>
#include <limits>

namespace lapse {
namespace {

std::optional<Spread> SpreadOf(const std::vector<const Sample*>& samples, Metric metric) {
  std::vector<double> values;
  for (const Sample* sample : samples) {
    values.push_back(sample->Get(metric).value_or(std::numeric_limits<double>::infinity()));
  }
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  if (median == std::numeric_limits<double>::infinity()) return std::nullopt;
  while (values.back() == std::numeric_limits<double>::infinity()) values.pop_back();
  return Spread{median, values.front(), values.back()};
}

template <typename T, typename Name>
T& FindOrAdd(std::vector<T>& all, std::string T::*name, const Name& wanted) {
  for (T& one : all) {
    if (one.*name == wanted) return one;
  }
  T& made = all.emplace_back();
  made.*name = wanted;
  return made;
}

void AddAboveOff(VariantSummary& variant) {
  std::optional<Spread> off;
  for (const Entrant& entrant : variant.entrants) {
    if (entrant.strategy == kOffName) off = entrant.Of(Metric::kCpuPerSecond);
  }
  if (!off) return;
  for (Entrant& entrant : variant.entrants) {
    const std::optional<Spread>& own = entrant.Of(Metric::kCpuPerSecond);
    if (!own || entrant.strategy == kOffName) continue;
    entrant.spreads[static_cast<size_t>(Metric::kCpuAboveOff)] =
        Spread{std::max(own->median - off->median, 0.0), std::max(own->min - off->median, 0.0),
               std::max(own->max - off->median, 0.0)};
  }
}

}  // namespace

const Sample& Entrant::Typical() const {
  std::vector<const Sample*> sorted = samples;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Sample* a, const Sample* b) {
    return a->Get(Metric::kLingering).value_or(0) < b->Get(Metric::kLingering).value_or(0);
  });
  return *sorted[sorted.size() / 2];
}

bool Entrant::Finished() const {
  const std::optional<Spread>& left = Of(Metric::kLeft);
  const std::optional<Spread>& peak = Of(Metric::kPeakKeys);
  if (!left || !peak) return true;
  // In a steady stream something is always left: compare with what was reclaimed, too.
  const double reclaimed = Of(Metric::kReclaimed) ? Of(Metric::kReclaimed)->median : 0;
  return left->median <= 0.01 * std::max(peak->median, reclaimed);
}

bool VariantSummary::Ranks(const Entrant& entrant, Metric metric) {
  const Ranking ranking = InfoOf(metric).ranking;
  if (ranking == Ranking::kNone || entrant.strategy == kOffName) return false;
  return entrant.Of(metric).has_value() && (ranking == Ranking::kAll || entrant.Finished());
}

std::vector<const Entrant*> VariantSummary::Best(Metric metric) const {
  std::vector<const Entrant*> ranked;
  for (const Entrant& entrant : entrants) {
    if (Ranks(entrant, metric)) ranked.push_back(&entrant);
  }
  if (ranked.size() < 2) return {};
  std::sort(ranked.begin(), ranked.end(), [metric](const Entrant* a, const Entrant* b) {
    return a->Of(metric)->median < b->Of(metric)->median;
  });
  const double limit = ranked.front()->Of(metric)->max;
  std::erase_if(ranked,
                [&](const Entrant* entrant) { return entrant->Of(metric)->median > limit; });
  // All alike: nobody is better.
  size_t contenders = 0;
  for (const Entrant& entrant : entrants) contenders += entrant.strategy != kOffName;
  if (ranked.size() == contenders) return {};
  return ranked;
}

std::vector<VariantSummary> Summarise(std::span<const Sample> samples, const Workload& workload) {
  std::vector<VariantSummary> variants;
  for (const Sample& sample : samples) {
    if (sample.workload != workload.name) continue;
    VariantSummary& variant = FindOrAdd(variants, &VariantSummary::variant, sample.variant);
    FindOrAdd(variant.entrants, &Entrant::strategy, sample.strategy).samples.push_back(&sample);
  }
  for (VariantSummary& variant : variants) {
    for (Entrant& entrant : variant.entrants) {
      for (size_t i = 0; i < kMetrics; ++i) {
        entrant.spreads[i] = SpreadOf(entrant.samples, static_cast<Metric>(i));
      }
    }
    AddAboveOff(variant);
  }
  return variants;
}

void KeepTypicalCurves(std::vector<Sample>& samples, std::span<const Workload> workloads) {
  std::vector<const Sample*> typical;
  for (const Workload& workload : workloads) {
    for (const VariantSummary& variant : Summarise(samples, workload)) {
      for (const Entrant& entrant : variant.entrants) typical.push_back(&entrant.Typical());
    }
  }
  for (Sample& sample : samples) {
    if (std::find(typical.begin(), typical.end(), &sample) != typical.end()) continue;
    sample.backlog.clear();
    sample.lag.clear();
  }
}

}  // namespace lapse
