// An execution: one firing of a task, or one run that was asked for without a task, and what came
// of it on each of its targets.
//
//   schedule, alert, manual, api
//        |
//      Queued ----> Waiting ----> Running ----> Success | Failed | Cancelled
//        |        (window, off-peak, a free runner)
//        `--> Skipped (overlap, missed, nothing due, in its cooldown)
//
// A target is the local keyspace or another server. An execution's figures are the sums over its
// targets; it succeeds when no more of them failed than its task allows.
//
// Thread: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expiry/tasks/run_options.h"

namespace lapse {

enum class Trigger : uint8_t { kSchedule, kAlert, kManual, kApi };
enum class RunStatus : uint8_t {
  kQueued,
  kWaiting,
  kRunning,
  kSuccess,
  kFailed,
  kCancelled,
  kSkipped,
};

// "schedule", "alert", "manual", "api".
std::string_view TriggerName(Trigger trigger);
bool ParseTrigger(std::string_view name, Trigger& trigger);
// "Queued", "Success", ...
std::string_view RunStatusName(RunStatus status);
bool ParseRunStatus(std::string_view name, RunStatus& status);
// Whether nothing more will come of it.
constexpr bool IsOver(RunStatus status) { return status >= RunStatus::kSuccess; }

// Sizes in bytes, times as their names say. The fields from rss_before on are known of the local
// target alone, and 0 otherwise.
struct RunFigures {
  int64_t scanned = 0;
  int64_t reclaimed = 0;
  int64_t orphans = 0;
  int64_t bytes_freed = 0;
  int64_t memory_before = 0;
  int64_t memory_after = 0;
  int64_t cpu_us = 0;
  int64_t rss_before = 0;
  int64_t rss_after = 0;
  int64_t longest_slice_us = 0;
};

struct TargetRun {
  std::string target;  // kLocalTarget or a URL, with its password
  RunStatus status = RunStatus::kQueued;
  std::string reason;
  uint64_t run_id = 0;  // the latest flush run's, where local
  double progress = 0;  // 0..1
  RunFigures figures;
};

struct Execution {
  uint64_t id = 0;
  std::string task;  // empty when it has no parent
  Trigger trigger = Trigger::kSchedule;
  std::string requested_by;  // the user who asked, or who created the task
  RunStatus status = RunStatus::kQueued;
  std::string reason;
  int64_t scheduled_ms = 0;
  int64_t started_ms = 0;     // 0: not yet, or never
  int64_t finished_ms = 0;    // 0: it is not over
  double memory_percent = 0;  // at the alert; else 0
  RunOptions options;
  std::vector<TargetRun> targets;

  double Progress() const;
  // Sums; rss and the longest slice are the local target's.
  RunFigures Sum() const;
};

}  // namespace lapse
