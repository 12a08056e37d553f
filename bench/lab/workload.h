// A workload: a name, what it shows, its cases and sizes, and the function that runs it once.
//
// Thread: constant tables; a run belongs to the thread that calls it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/lab/contestants.h"
#include "bench/lab/metrics.h"

namespace lapse {

// One variant of a workload; what `parameter` means is the workload's affair.
struct Variant {
  std::string_view name;
  double parameter = 0;
};

struct Workload;

// Everything that one run is given.
struct RunSpec {
  const Workload* workload = nullptr;
  const Variant* variant = nullptr;
  const Contestant* contestant = nullptr;
  int64_t keys = 0;
  int64_t get_rate = 0;  // GETs a second, where there is a foreground
  bool quick = false;
  int run = 0;  // 0, 1, ...: seeds what is random
};

using RunFunction = void (*)(const RunSpec& spec, Sample& sample);

struct Workload {
  std::string_view name;
  int number = 0;  // in the project's list of workloads
  std::string_view shows;
  std::span<const Variant> variants;
  int64_t keys = 0;
  int64_t quick_keys = 0;
  bool scales = true;  // whether --keys applies
  RunFunction run = nullptr;
  std::span<const Metric> columns;    // of the report's table
  std::span<const Metric> headlines;  // of the line below it
  std::span<const Contestant> contestants = kStrategyContestants;
};

// All of them, in order.
std::span<const Workload> Workloads();
const Workload* FindWorkload(std::string_view name);
// What the project lists and the lab cannot run yet, for `list`.
std::string_view AbsentWorkloads();

}  // namespace lapse
