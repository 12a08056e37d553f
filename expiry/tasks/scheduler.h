// The tasks and when they fire: a state machine that a clock drives. It has no thread, reads no
// clock and starts nothing itself: Step is told the time and asks TaskRuns for what it needs, so a
// year of a schedule is a loop in a test.
//
//            Create                       until reached, or no firing left
//              |      Pause                          |
//              v   ---------->                       v
//            Active            Paused            Completed     (kept until deleted)
//                  <----------
//                     Resume
//
// Invariants:
//   1. One execution of a task at a time: a firing while one is under way is recorded as Skipped.
//   2. A firing is made once. Its time, next_ms, is kept across restarts; a firing whose time is
//      more than kLateMs past was missed (nobody ran, or the clock jumped) and is made up for once,
//      or recorded as Skipped, as the task says. A clock that steps back makes no firing again; one
//      that steps back by more than kClockStepMs was wrong, and schedules start anew from now.
//   3. Nothing fires before its start, at or after its until, or while it is paused; what a paused
//      task would have done is not missed.
//
// Thread: one at a time; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "expiry/tasks/executions.h"
#include "expiry/tasks/memory_alarm.h"
#include "expiry/tasks/task_spec.h"

namespace lapse {

enum class TaskStatus : uint8_t { kActive, kPaused, kCompleted };
// "Active", "Paused", "Completed".
std::string_view TaskStatusName(TaskStatus status);
bool ParseTaskStatus(std::string_view name, TaskStatus& status);

// What is known of a task beside what was said of it. Times in Unix milliseconds, 0: none.
struct Task {
  TaskSpec spec;
  TaskStatus status = TaskStatus::kActive;
  bool from_config = false;  // a `flush-task` line of the configuration defines it
  std::string created_by;
  int64_t created_ms = 0;
  int64_t changed_ms = 0;
  int64_t next_ms = 0;
  int64_t last_run_ms = 0;  // the latest firing's
  std::optional<RunStatus> last_status;
  int64_t last_success_ms = 0;
  int64_t last_end_ms = 0;  // of an execution that ran
  int64_t alarmed_ms = 0;
  int64_t execution_count = 0;
  int64_t reclaimed_total = 0;
};

// Everything that outlives the process.
struct TaskState {
  std::vector<Task> tasks;
  std::vector<Execution> executions;  // oldest first
  uint64_t last_execution_id = 0;
  int64_t saved_ms = 0;  // the time of the latest step
};

class Scheduler {
 public:
  static constexpr size_t kMaxTasks = 256;
  static constexpr int64_t kLateMs = 60'000;
  static constexpr int64_t kClockStepMs = 3 * 3'600'000;
  // Firings that are counted when some were missed.
  static constexpr int kMaxMissed = 10'000;
  // How often a run that is going wants to be looked at.
  static constexpr int64_t kLookMs = 250;

  explicit Scheduler(TaskRuns& runs);

  // --- Tasks. Errors are sentences for the client, without a code: AlreadyExists, NotFound,
  // FailedPrecondition, InvalidArgument, ResourceExhausted.

  absl::Status Create(TaskSpec spec, std::string_view by, int64_t now_ms);
  // Makes the task, or an existing one of that name, as the configuration has it.
  absl::Status Define(TaskSpec spec, std::string_view by, int64_t now_ms);
  // The words say what changes.
  absl::Status Update(std::string_view name, std::span<const std::string_view> words,
                      int64_t now_ms);
  absl::Status Pause(std::string_view name, int64_t now_ms);
  absl::Status Resume(std::string_view name, int64_t now_ms);
  // What is under way goes on.
  absl::Status Delete(std::string_view name);
  const std::map<std::string, Task, std::less<>>& tasks() const { return tasks_; }
  const Task* Find(std::string_view name) const;
  // The next firings, at most `count`; none of a task that is not active.
  std::vector<int64_t> NextFirings(const Task& task, size_t count) const;

  // --- Runs ---

  // Has the task fire now. Unavailable when it is under way.
  absl::StatusOr<uint64_t> Fire(std::string_view name, Trigger trigger, std::string_view by,
                                int64_t now_ms);
  // A run without a task.
  absl::StatusOr<uint64_t> RunOnce(RunOptions options, Trigger trigger, std::string_view by,
                                   int64_t now_ms);
  absl::Status Cancel(uint64_t execution_id, std::string_view by, int64_t now_ms);
  const Executions& executions() const { return executions_; }
  // Brings the figures of what is under way up to date.
  void Look(int64_t now_ms) { executions_.Step(now_ms); }

  // --- The clock ---

  void Step(int64_t now_ms);
  // For how long nothing is due, at most `rest_ms`.
  int64_t RestMs(int64_t now_ms, int64_t rest_ms) const;

  // The lowest threshold of the memory tasks that are active; above 100 when there is none.
  double LeastAlertPercent() const;

  // --- Persistence ---

  TaskState Save() const;
  // To be called once, before anything else: what was due meanwhile is missed.
  void Restore(TaskState state, int64_t now_ms);
  // Grows with every change that is worth keeping.
  uint64_t changes() const { return changes_ + executions_.changes(); }

 private:
  Task* FindTask(std::string_view name);
  absl::Status Add(Task task, int64_t now_ms);
  // Gives the task another spec and what follows from it. Fails when it would never run.
  absl::Status Change(Task& task, TaskSpec spec, int64_t now_ms);
  static bool WouldNeverRun(const Task& task, int64_t now_ms);
  // The first firing after that time that the task makes; 0: none.
  static int64_t NextFiring(const Task& task, int64_t after_ms);
  void StepTask(Task& task, int64_t now_ms);
  void StepSchedule(Task& task, int64_t now_ms);
  void StepMemory(Task& task, int64_t now_ms);
  void FireMissed(Task& task, int64_t now_ms);
  void Complete(Task& task, int64_t now_ms);
  // Has the task begin anew after a clock that was ahead: whatever it knows of the future is void.
  void ForgetFuture(Task& task, int64_t now_ms);
  // An execution of the task, that is queued or, with a reason not to run, skipped.
  uint64_t FireTask(Task& task, Execution execution, int64_t now_ms);
  Execution ExecutionOf(const Task& task, Trigger trigger, int64_t scheduled_ms) const;
  // Why the task should not run now; empty: it should.
  std::string ReasonToSkip(const Task& task, const Execution& execution, int64_t now_ms) const;
  void SkipTask(Task& task, Execution execution, const std::string& reason, int64_t now_ms);
  void OnOver(const Execution& execution);
  MemoryAlarm AlarmOf(const Task& task) const;

  // A run of firings that were skipped for one reason is one record.
  struct Skips {
    uint64_t id = 0;
    std::string reason;
    int64_t count = 0;
  };

  TaskRuns& runs_;
  Executions executions_;
  std::map<std::string, Task, std::less<>> tasks_;
  std::map<std::string, MemoryAlarm, std::less<>> alarms_;  // of the memory tasks
  std::map<std::string, Skips, std::less<>> skips_;
  int64_t last_step_ms_ = 0;
  uint64_t changes_ = 0;
};

}  // namespace lapse
