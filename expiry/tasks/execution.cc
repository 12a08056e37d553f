#include "expiry/tasks/execution.h"

#include <algorithm>

namespace lapse {
namespace {

constexpr std::string_view kTriggerNames[] = {"schedule", "alert", "manual", "api"};
constexpr std::string_view kStatusNames[] = {"Queued", "Waiting",   "Running", "Success",
                                             "Failed", "Cancelled", "Skipped"};

template <typename Enum, size_t kCount>
bool ParseName(const std::string_view (&names)[kCount], std::string_view name, Enum& value) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] != name) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

}  // namespace

std::string_view TriggerName(Trigger trigger) {
  return kTriggerNames[static_cast<size_t>(trigger)];
}

bool ParseTrigger(std::string_view name, Trigger& trigger) {
  return ParseName(kTriggerNames, name, trigger);
}

std::string_view RunStatusName(RunStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

bool ParseRunStatus(std::string_view name, RunStatus& status) {
  return ParseName(kStatusNames, name, status);
}

double Execution::Progress() const {
  if (status == RunStatus::kSuccess) return 1;
  if (targets.empty()) return 0;
  double sum = 0;
  for (const TargetRun& run : targets) {
    sum += run.status == RunStatus::kSuccess ? 1 : run.progress;
  }
  return sum / static_cast<double>(targets.size());
}

RunFigures Execution::Sum() const {
  RunFigures sum;
  for (const TargetRun& run : targets) {
    const RunFigures& one = run.figures;
    sum.scanned += one.scanned;
    sum.reclaimed += one.reclaimed;
    sum.orphans += one.orphans;
    sum.bytes_freed += one.bytes_freed;
    sum.memory_before += one.memory_before;
    sum.memory_after += one.memory_after;
    sum.cpu_us += one.cpu_us;
    sum.rss_before += one.rss_before;
    sum.rss_after += one.rss_after;
    sum.longest_slice_us = std::max(sum.longest_slice_us, one.longest_slice_us);
  }
  return sum;
}

}  // namespace lapse
