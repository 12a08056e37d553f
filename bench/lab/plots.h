// Which charts the lab draws of a workload, and from what.
//
// Thread: plain functions.
#pragma once

#include <string>
#include <vector>

#include "bench/lab/summary.h"

namespace lapse {

struct Plot {
  std::string file;   // without a folder
  std::string title;  // for who cannot see it
  std::string svg;
};

// Backlog over time and lag of each variant; CPU a reclaimed key and latencies where there are any.
std::vector<Plot> DrawPlots(const Workload& workload, const std::vector<VariantSummary>& variants);

}  // namespace lapse
