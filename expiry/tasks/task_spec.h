// What an operator says of a task: its name, when it fires, and how its runs are to go. Read from
// words, the same in `FLUSHTASK CREATE`, in the configuration's `flush-task` lines and in the file
// that keeps tasks:
//
//   name <CRON expression | EVERY duration | AT time | MEMORY percent [FOR duration]>
//        [TZ zone] [START time] [UNTIL time] [MAXCPU percent] [OFFPEAK CPU percent [WITHIN
//        duration]] [WINDOW hh:mmZ-hh:mmZ] [COOLDOWN duration] [SILENCE duration] [TIMEOUT
//        duration] [MISSED ONCE|SKIP] [DB index ...|ALL] [ON target ...] [CONCURRENCY n] [MAXERRORS
//        n]
//
// Times without an offset are in the task's zone, wherever TZ stands among the words. NONE takes a
// START, UNTIL, OFFPEAK or WINDOW back, which matters to UPDATE: it reads words over an existing
// spec, so that what is not said stays.
//
// Thread: plain data and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "expiry/tasks/cron.h"
#include "expiry/tasks/run_options.h"
#include "expiry/tasks/time_zone.h"

namespace lapse {

enum class TaskKind : uint8_t { kCron, kEvery, kAt, kMemory };
// "cron", "every", "at", "memory".
std::string_view TaskKindName(TaskKind kind);

// What becomes of firings whose time passed while nobody could run them.
enum class MissedPolicy : uint8_t { kOnce, kSkip };
std::string_view MissedPolicyName(MissedPolicy policy);

struct TaskSpec {
  static constexpr size_t kMaxNameBytes = 64;
  static constexpr size_t kMaxTargets = 256;
  static constexpr size_t kMaxDbs = 64;
  static constexpr int64_t kLeastEveryMs = 1000;
  static constexpr int64_t kLeastForMs = 1000;
  static constexpr int64_t kMostForMs = 3'600'000;
  static constexpr int64_t kDefaultForMs = 60'000;
  static constexpr int64_t kDefaultSilenceMs = 86'400'000;
  static constexpr int64_t kDefaultOffpeakWithinMs = 7'200'000;

  std::string name;
  TaskKind kind = TaskKind::kEvery;
  std::optional<CronExpression> cron;      // kCron
  int64_t every_ms = 0;                    // kEvery
  int64_t at_ms = 0;                       // kAt
  int64_t memory_percent = 0;              // kMemory: 1..100
  int64_t for_ms = kDefaultForMs;          // kMemory: over which memory is averaged
  int64_t silence_ms = kDefaultSilenceMs;  // kMemory: between two alerts
  TimeZone zone;
  int64_t start_ms = 0;     // no firing before; 0: none
  int64_t until_ms = 0;     // no firing from then on; 0: none
  int64_t cooldown_ms = 0;  // after an execution's end, in which the task does not fire
  MissedPolicy missed = MissedPolicy::kOnce;
  RunOptions run;

  // What follows the kind's word: "0 4,16 * * *", "6h", "2026-12-31T04:00:00Z", "90".
  std::string When() const;
};

// Letters, digits and "_.:-", up to kMaxNameBytes.
bool TaskNameIsValid(std::string_view name);

// Reads the words after the name. `base` is what holds where they say nothing: a TaskSpec with a
// name alone for a new task, for which the words must say when it fires. The error is a sentence
// for the client, without the "ERR".
absl::StatusOr<TaskSpec> ParseTask(TaskSpec base, std::span<const std::string_view> words,
                                   bool is_new);

// The words after the name from which ParseTask makes the same spec.
std::vector<std::string> TaskWords(const TaskSpec& spec);

// The same for a run without a task: the words that concern runs alone.
absl::StatusOr<RunOptions> ParseRunOptions(std::span<const std::string_view> words);
std::vector<std::string> RunOptionWords(const RunOptions& options);

}  // namespace lapse
