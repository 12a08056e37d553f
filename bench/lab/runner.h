// Runs workloads: each run in a process of its own, strategies interleaved.
//
// A run of its own process begins with an empty heap, so that its resident memory is its own, and
// cannot take the others with it. Strategies take turns (A B C A B C, not A A B B), so that a
// machine that grows slower does so for all alike.
//
// Thread: one, which must be the process's only one (it forks).
#pragma once

#include <string>
#include <vector>

#include "bench/lab/workload.h"

namespace lapse {

struct RunPlan {
  std::vector<const Workload*> workloads;
  std::vector<std::string> strategies;  // empty: all
  std::string variant;                  // empty: all
  int64_t keys = 0;                     // 0: the workload's own
  int64_t get_rate = 0;
  int runs = 5;
  bool quick = false;
};

// Progress and violations go to stderr.
std::vector<Sample> RunAll(const RunPlan& plan);

}  // namespace lapse
