// Samples put together: medians with their ranges, by workload, variant and strategy.
//
// A metric that some runs lack (99 % was never reached) counts as infinite there, so that a median
// exists only where most runs had it.
//
// Thread: none; plain functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/lab/metrics.h"
#include "bench/lab/workload.h"

namespace lapse {

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;  // of the runs that had it
};

// The runs of one strategy in one variant.
struct Entrant {
  std::string strategy;
  std::vector<const Sample*> samples;
  std::array<std::optional<Spread>, kMetrics> spreads;

  const std::optional<Spread>& Of(Metric metric) const {
    return spreads[static_cast<size_t>(metric)];
  }
  // The run in the middle by lingering-key-seconds: whose curves are drawn.
  const Sample& Typical() const;
  // Whether it removed what there was to remove: all but a hundredth. Who leaves the work undone is
  // not the best at it.
  bool Finished() const;
};

struct VariantSummary {
  std::string variant;
  std::vector<Entrant> entrants;

  // Whether the entrant takes part in the comparison by this metric. `off` never does.
  static bool Ranks(const Entrant& entrant, Metric metric);
  // Who is best, and those whose median lies within the best one's range. Empty when nobody or only
  // one takes part, and when all are alike.
  std::vector<const Entrant*> Best(Metric metric) const;
};

// Drops the curves of all runs but the typical ones, which nobody draws.
void KeepTypicalCurves(std::vector<Sample>& samples, std::span<const Workload> workloads);

// Of one workload; variants and strategies in the order in which they ran.
std::vector<VariantSummary> Summarise(std::span<const Sample> samples, const Workload& workload);

}  // namespace lapse
