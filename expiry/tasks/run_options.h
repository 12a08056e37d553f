// How a run of a task is to go: where, when it may, and how hard. A task carries such options for
// each of its executions, and a run without a task carries its own.
//
// Thread: plain data and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "expiry/tasks/times.h"

namespace lapse {

inline constexpr std::string_view kLocalTarget = "local";

struct RunOptions {
  static constexpr int64_t kDefaultConcurrency = 10;

  int64_t max_cpu_percent = 100;  // 1..100, of one CPU, for each target
  // The run waits until the machine's CPU use is at most so many percent; 0: it does not.
  int64_t offpeak_cpu = 0;
  // For how long it waits; then it is skipped. 0: for as long as the queue lets it.
  int64_t offpeak_within_ms = 0;
  std::optional<DailyWindow> window;  // it begins and ends within
  int64_t timeout_ms = 0;             // from its start; 0: none
  std::vector<int> dbs;               // empty: all
  std::vector<std::string> targets = {std::string(kLocalTarget)};
  int64_t concurrency = kDefaultConcurrency;  // targets at once
  int64_t max_errors = 0;                     // targets that may fail in a successful execution
};

// Whether the target is kLocalTarget or a URL that remote/target.h reads.
absl::Status CheckTarget(std::string_view target);

// The target without what is secret in it: "redis://user:***@host:6379".
std::string MaskTarget(std::string_view target);

}  // namespace lapse
