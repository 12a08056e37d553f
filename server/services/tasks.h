// Tasks: flush runs that happen by themselves, at times and on alerts, with a history that outlives
// the process. The scheduler (expiry/tasks) decides; here it meets the instance: its clock, its
// memory, its FlushRunner, the file.
//
//   FLUSHTASK, HTTP --->  Tasks  <--- Operate, about once a second (the operations thread)
//                           |
//        scheduler_ ------ mu_ ------ runs_ ---> FlushRunner, threads of remote flushes
//                           |
//                     flush-tasks.json          written by Operate, outside of the gate
//
// A task of a `flush-task` line belongs to the configuration: at a start the line decides what it
// is, and the file what has become of it. Changed or deleted by command, it is so until the next
// start, unless CONFIG REWRITE brings the lines up to date.
//
// Thread: Start and Open before any command runs; Operate and Save by one thread at a time, outside
// of the gate; everything else from any thread inside the gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "expiry/tasks/scheduler.h"
#include "server/core/instance.h"
#include "server/services/task_runs.h"
#include "storage/lock.h"

namespace lapse {

// A task as it is shown.
struct TaskView {
  Task task;
  std::vector<int64_t> next_runs;  // the next five at most
  uint64_t running = 0;            // the execution that is under way; 0: none
};

class Tasks {
 public:
  static constexpr size_t kNextRuns = 5;
  // The file is written this long after a change at the latest, and no more often.
  static constexpr int64_t kWriteGapMs = 1000;
  static constexpr int64_t kMaxFileBytes = int64_t{64} << 20;

  explicit Tasks(Instance& instance);
  ~Tasks();
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  // --- Start and end ---

  // Makes the tasks of the configuration.
  void Start();
  // Takes tasks and history over from the file, which is kept up to date from now on. One that
  // cannot be read is set aside; the log says so. An empty path: nothing is kept.
  void Open(const std::string& path);
  // Writes the file, if there is one and something has changed.
  void Save();
  // The words of the configuration's tasks as they are now, names first: for CONFIG REWRITE.
  std::vector<std::vector<std::string>> ConfigLines();

  // One step by the clock. Returns after how many milliseconds to call again, at most rest_ms.
  int64_t Operate(int64_t rest_ms);

  // --- Tasks. `words` follow the name, `by` is the user who asks. ---

  absl::Status Create(std::string_view name, std::span<const std::string_view> words,
                      std::string_view by);
  absl::Status Update(std::string_view name, std::span<const std::string_view> words);
  absl::Status Pause(std::string_view name);
  absl::Status Resume(std::string_view name);
  absl::Status Delete(std::string_view name);
  std::vector<TaskView> List();
  std::optional<TaskView> Show(std::string_view name);
  // All tasks, without what takes a look at the calendar.
  std::vector<Task> Snapshot();

  // --- Runs ---

  // Has the task fire now. The execution's id.
  absl::StatusOr<uint64_t> Trigger(std::string_view name, std::string_view by);
  // A run without a task: at once, or when the options' window opens.
  absl::StatusOr<uint64_t> RunOnce(RunOptions options, lapse::Trigger trigger, std::string_view by);
  absl::Status Cancel(uint64_t execution_id, std::string_view by);

  // --- History, with figures of what is going on as they are now ---

  struct Page {
    std::vector<Execution> executions;  // newest first
    size_t total = 0;
  };
  // Of one task ("": of none), or of all (nullopt).
  Page Executions(const std::optional<std::string>& task, size_t offset, size_t count);
  std::optional<Execution> FindExecution(uint64_t id);

  // What INFO shows.
  struct Totals {
    size_t tasks = 0;
    size_t active = 0;
    size_t live_executions = 0;
    int64_t next_ms = 0;  // the earliest of all; 0: none
    std::optional<CpuUse> cpu;
  };
  Totals totals();

 private:
  TaskView ViewOf(const Task& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Brings the configuration's tasks in line with its lines.
  void ApplyConfig() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetAside(const std::string& path, std::string_view why);
  // Has Operate called soon: something was changed. The lock must not be held.
  void Wake();
  int64_t NowMs() const { return instance_.clock.NowMs(); }

  Instance& instance_;

  Mutex mu_;
  InstanceTaskRuns runs_ ABSL_GUARDED_BY(mu_);
  Scheduler scheduler_ ABSL_GUARDED_BY(mu_);

  // Operate's and Save's.
  double alert_percent_ = 0;  // of the task that alerts first
  std::string path_;
  uint64_t written_changes_ = 0;
  int64_t written_ns_ = 0;
  bool write_failed_ = false;
};

}  // namespace lapse
