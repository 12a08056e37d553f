#include "expiry/tasks/scheduler.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace lapse {
namespace {

constexpr std::string_view kStatusNames[] = {"Active", "Paused", "Completed"};

absl::Status NoSuchTask(std::string_view name) {
  return absl::NotFoundError(fmt::format("no such task: {}", name.substr(0, 128)));
}

bool IsLocalAlone(const RunOptions& options) {
  return options.targets.size() == 1 && options.targets[0] == kLocalTarget;
}

}  // namespace

std::string_view TaskStatusName(TaskStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

bool ParseTaskStatus(std::string_view name, TaskStatus& status) {
  for (size_t i = 0; i < std::size(kStatusNames); ++i) {
    if (kStatusNames[i] != name) continue;
    status = static_cast<TaskStatus>(i);
    return true;
  }
  return false;
}

Scheduler::Scheduler(TaskRuns& runs)
    : runs_(runs), executions_(runs, [this](const Execution& over) { OnOver(over); }) {}

Task* Scheduler::FindTask(std::string_view name) {
  const auto found = tasks_.find(name);
  return found == tasks_.end() ? nullptr : &found->second;
}

const Task* Scheduler::Find(std::string_view name) const {
  const auto found = tasks_.find(name);
  return found == tasks_.end() ? nullptr : &found->second;
}

// --- tasks ---

bool Scheduler::WouldNeverRun(const Task& task, int64_t now_ms) {
  if (task.spec.until_ms != 0 && task.spec.until_ms <= now_ms) return true;
  return task.spec.kind != TaskKind::kMemory && NextFiring(task, now_ms) == 0;
}

absl::Status Scheduler::Create(TaskSpec spec, std::string_view by, int64_t now_ms) {
  if (tasks_.contains(spec.name)) {
    return absl::AlreadyExistsError(fmt::format("task '{}' exists already", spec.name));
  }
  Task task;
  task.spec = std::move(spec);
  task.created_by = by;
  task.created_ms = task.changed_ms = now_ms;
  if (WouldNeverRun(task, now_ms)) return absl::InvalidArgumentError("the task would never run");
  return Add(std::move(task), now_ms);
}

absl::Status Scheduler::Define(TaskSpec spec, std::string_view by, int64_t now_ms) {
  if (Task* const task = FindTask(spec.name); task != nullptr) {
    task->from_config = true;
    if (TaskWords(task->spec) == TaskWords(spec)) return absl::OkStatus();
    return Change(*task, std::move(spec), now_ms);
  }
  Task task;
  task.spec = std::move(spec);
  task.from_config = true;
  task.created_by = by;
  task.created_ms = task.changed_ms = now_ms;
  // The line stays in the configuration when its time is over.
  if (WouldNeverRun(task, now_ms)) task.status = TaskStatus::kCompleted;
  return Add(std::move(task), now_ms);
}

absl::Status Scheduler::Add(Task task, int64_t now_ms) {
  if (tasks_.size() >= kMaxTasks) {
    return absl::ResourceExhaustedError(fmt::format("there are {} tasks already", kMaxTasks));
  }
  const std::string name = task.spec.name;
  if (task.status == TaskStatus::kActive) task.next_ms = NextFiring(task, now_ms);
  if (task.spec.kind == TaskKind::kMemory) alarms_.insert_or_assign(name, AlarmOf(task));
  tasks_.emplace(name, std::move(task));
  ++changes_;
  return absl::OkStatus();
}

absl::Status Scheduler::Change(Task& task, TaskSpec spec, int64_t now_ms) {
  Task changed = task;
  changed.spec = std::move(spec);
  changed.changed_ms = now_ms;
  if (changed.status == TaskStatus::kCompleted) changed.status = TaskStatus::kActive;
  if (WouldNeverRun(changed, now_ms)) return absl::InvalidArgumentError("the task would never run");
  changed.next_ms = changed.status == TaskStatus::kActive ? NextFiring(changed, now_ms) : 0;
  alarms_.erase(changed.spec.name);
  if (changed.spec.kind == TaskKind::kMemory) {
    alarms_.emplace(changed.spec.name, AlarmOf(changed));
  }
  task = std::move(changed);
  ++changes_;
  return absl::OkStatus();
}

absl::Status Scheduler::Update(std::string_view name, std::span<const std::string_view> words,
                               int64_t now_ms) {
  Task* const task = FindTask(name);
  if (task == nullptr) return NoSuchTask(name);
  absl::StatusOr<TaskSpec> spec = ParseTask(task->spec, words, false);
  if (!spec.ok()) return spec.status();
  // Who edits what SHOW gave, where passwords are masked, means the target as it is.
  for (std::string& target : spec->run.targets) {
    for (const std::string& old : task->spec.run.targets) {
      if (target == MaskTarget(old)) target = old;
    }
  }
  return Change(*task, *std::move(spec), now_ms);
}

absl::Status Scheduler::Pause(std::string_view name, int64_t now_ms) {
  Task* const task = FindTask(name);
  if (task == nullptr) return NoSuchTask(name);
  if (task->status == TaskStatus::kCompleted) {
    return absl::FailedPreconditionError(fmt::format("task '{}' is completed", name));
  }
  task->status = TaskStatus::kPaused;
  task->next_ms = 0;
  task->changed_ms = now_ms;
  ++changes_;
  return absl::OkStatus();
}

absl::Status Scheduler::Resume(std::string_view name, int64_t now_ms) {
  Task* const task = FindTask(name);
  if (task == nullptr) return NoSuchTask(name);
  if (task->status == TaskStatus::kCompleted) {
    return absl::FailedPreconditionError(
        fmt::format("task '{}' is completed; UPDATE gives it a new time", name));
  }
  if (task->status == TaskStatus::kActive) return absl::OkStatus();
  task->status = TaskStatus::kActive;
  task->next_ms = NextFiring(*task, now_ms);
  task->changed_ms = now_ms;
  if (task->spec.kind == TaskKind::kMemory) {
    alarms_.insert_or_assign(std::string(name), AlarmOf(*task));
  }
  if (task->next_ms == 0 && task->spec.kind != TaskKind::kMemory) Complete(*task, now_ms);
  ++changes_;
  return absl::OkStatus();
}

absl::Status Scheduler::Delete(std::string_view name) {
  const auto found = tasks_.find(name);
  if (found == tasks_.end()) return NoSuchTask(name);
  alarms_.erase(found->first);
  skips_.erase(found->first);
  tasks_.erase(found);
  ++changes_;
  return absl::OkStatus();
}

std::vector<int64_t> Scheduler::NextFirings(const Task& task, size_t count) const {
  std::vector<int64_t> times;
  if (task.status != TaskStatus::kActive || task.next_ms == 0) return times;
  for (int64_t at = task.next_ms; at != 0 && times.size() < count; at = NextFiring(task, at)) {
    times.push_back(at);
  }
  return times;
}

int64_t Scheduler::NextFiring(const Task& task, int64_t after_ms) {
  const TaskSpec& spec = task.spec;
  const int64_t after = std::max(after_ms, spec.start_ms - 1);
  int64_t next = 0;
  switch (spec.kind) {
    case TaskKind::kCron:
      next = spec.cron->NextAfter(after, spec.zone).value_or(0);
      break;
    case TaskKind::kEvery: {
      // The first firing is at the start, where there is one, and else one period from now.
      const int64_t first = spec.start_ms != 0 ? spec.start_ms : task.created_ms + spec.every_ms;
      next = after < first ? first : first + ((after - first) / spec.every_ms + 1) * spec.every_ms;
      break;
    }
    case TaskKind::kAt:
      next = spec.at_ms > after ? spec.at_ms : 0;
      break;
    case TaskKind::kMemory:
      break;
  }
  return spec.until_ms != 0 && next >= spec.until_ms ? 0 : next;
}

MemoryAlarm Scheduler::AlarmOf(const Task& task) const {
  MemoryAlarm alarm({.percent = static_cast<double>(task.spec.memory_percent),
                     .window_ms = task.spec.for_ms,
                     .silence_ms = task.spec.silence_ms});
  alarm.set_alarmed_ms(task.alarmed_ms);
  return alarm;
}

// --- runs ---

Execution Scheduler::ExecutionOf(const Task& task, Trigger trigger, int64_t scheduled_ms) const {
  Execution execution;
  execution.task = task.spec.name;
  execution.trigger = trigger;
  execution.requested_by = task.created_by;
  execution.scheduled_ms = scheduled_ms;
  execution.options = task.spec.run;
  return execution;
}

std::string Scheduler::ReasonToSkip(const Task& task, const Execution& execution,
                                    int64_t now_ms) const {
  if (const uint64_t live = executions_.LiveOf(task.spec.name); live != 0) {
    return fmt::format("execution {} of the task is still under way", live);
  }
  if (executions_.full()) return "too many executions are under way";
  const int64_t rested_ms = task.last_end_ms + task.spec.cooldown_ms;
  if (task.last_end_ms != 0 && now_ms < rested_ms) {
    return fmt::format("in its cooldown until {}", FormatInstant(rested_ms, task.spec.zone));
  }
  if (execution.trigger == Trigger::kAlert && IsLocalAlone(execution.options) &&
      runs_.DueKeys() == 0) {
    return "nothing to do: no expired key is held, live keys use the memory";
  }
  return "";
}

uint64_t Scheduler::FireTask(Task& task, Execution execution, int64_t now_ms) {
  task.last_run_ms = now_ms;
  task.last_status = RunStatus::kQueued;
  ++task.execution_count;
  skips_.erase(task.spec.name);
  const uint64_t id = executions_.Queue(std::move(execution));
  ++changes_;
  return id;
}

void Scheduler::SkipTask(Task& task, Execution execution, const std::string& reason,
                         int64_t now_ms) {
  Skips& skips = skips_[task.spec.name];
  if (skips.reason == reason && executions_.Find(skips.id) != nullptr) {
    ++skips.count;
    executions_.SkipAgain(skips.id, fmt::format("{} ({} times)", reason, skips.count), now_ms);
    return;
  }
  task.last_run_ms = now_ms;
  ++task.execution_count;
  skips = {executions_.Skip(std::move(execution), reason, now_ms), reason, 1};
}

absl::StatusOr<uint64_t> Scheduler::Fire(std::string_view name, Trigger trigger,
                                         std::string_view by, int64_t now_ms) {
  Task* const task = FindTask(name);
  if (task == nullptr) return NoSuchTask(name);
  if (const uint64_t live = executions_.LiveOf(name); live != 0) {
    return absl::UnavailableError(
        fmt::format("execution {} of task '{}' is still under way", live, name));
  }
  if (executions_.full()) return absl::ResourceExhaustedError("too many executions are under way");
  Execution execution = ExecutionOf(*task, trigger, now_ms);
  execution.requested_by = by;
  const uint64_t id = FireTask(*task, std::move(execution), now_ms);
  executions_.Step(now_ms);
  return id;
}

absl::StatusOr<uint64_t> Scheduler::RunOnce(RunOptions options, Trigger trigger,
                                            std::string_view by, int64_t now_ms) {
  if (executions_.full()) return absl::ResourceExhaustedError("too many executions are under way");
  Execution execution;
  execution.trigger = trigger;
  execution.requested_by = by;
  execution.scheduled_ms = now_ms;
  execution.options = std::move(options);
  const uint64_t id = executions_.Queue(std::move(execution));
  executions_.Step(now_ms);
  return id;
}

absl::Status Scheduler::Cancel(uint64_t execution_id, std::string_view by, int64_t now_ms) {
  if (executions_.Cancel(execution_id, fmt::format("cancelled by {}", by), now_ms)) {
    return absl::OkStatus();
  }
  if (executions_.Find(execution_id) == nullptr) {
    return absl::NotFoundError(fmt::format("no such execution: {}", execution_id));
  }
  return absl::FailedPreconditionError(fmt::format("execution {} is over", execution_id));
}

void Scheduler::OnOver(const Execution& execution) {
  Task* const task = FindTask(execution.task);
  if (task == nullptr) return;
  task->last_status = execution.status;
  if (execution.status == RunStatus::kSuccess) task->last_success_ms = execution.finished_ms;
  if (execution.started_ms != 0) task->last_end_ms = execution.finished_ms;
  task->reclaimed_total += execution.Sum().reclaimed;
}

// --- the clock ---

void Scheduler::Step(int64_t now_ms) {
  const bool clock_was_wrong = last_step_ms_ - now_ms > kClockStepMs;
  last_step_ms_ = now_ms;
  for (auto& [name, task] : tasks_) {
    if (task.status != TaskStatus::kActive) continue;
    if (clock_was_wrong) ForgetFuture(task, now_ms);
    StepTask(task, now_ms);
  }
  executions_.Step(now_ms);
}

void Scheduler::ForgetFuture(Task& task, int64_t now_ms) {
  for (int64_t Task::*time : {&Task::created_ms, &Task::last_end_ms, &Task::alarmed_ms}) {
    if (task.*time > now_ms) task.*time = now_ms;
  }
  task.next_ms = NextFiring(task, now_ms);
  if (task.spec.kind == TaskKind::kMemory) {
    alarms_.insert_or_assign(task.spec.name, AlarmOf(task));
  }
  ++changes_;
}

void Scheduler::StepTask(Task& task, int64_t now_ms) {
  if (now_ms < task.spec.start_ms) return;
  const bool ended = task.spec.until_ms != 0 && now_ms >= task.spec.until_ms;
  if (task.spec.kind != TaskKind::kMemory) {
    StepSchedule(task, now_ms);
  } else if (!ended) {
    StepMemory(task, now_ms);
  }
  const bool nothing_left =
      task.spec.kind != TaskKind::kMemory && task.spec.until_ms == 0 && task.next_ms == 0;
  if (ended || nothing_left) Complete(task, now_ms);
}

void Scheduler::Complete(Task& task, int64_t now_ms) {
  task.status = TaskStatus::kCompleted;
  task.next_ms = 0;
  task.changed_ms = now_ms;
  ++changes_;
}

void Scheduler::StepSchedule(Task& task, int64_t now_ms) {
  if (task.next_ms == 0 || now_ms < task.next_ms) return;
  const int64_t due_ms = task.next_ms;
  if (now_ms - due_ms > kLateMs) return FireMissed(task, now_ms);
  task.next_ms = NextFiring(task, now_ms);
  ++changes_;
  Execution execution = ExecutionOf(task, Trigger::kSchedule, due_ms);
  const std::string reason = ReasonToSkip(task, execution, now_ms);
  if (reason.empty()) {
    FireTask(task, std::move(execution), now_ms);
  } else {
    SkipTask(task, std::move(execution), reason, now_ms);
  }
}

void Scheduler::FireMissed(Task& task, int64_t now_ms) {
  const int64_t first_ms = task.next_ms;
  int64_t last_ms = first_ms;
  int missed = 1;
  int64_t next_ms = NextFiring(task, first_ms);
  for (; next_ms != 0 && next_ms <= now_ms; next_ms = NextFiring(task, next_ms)) {
    last_ms = next_ms;
    if (++missed < kMaxMissed) continue;
    next_ms = NextFiring(task, now_ms);
    break;
  }
  task.next_ms = next_ms;
  ++changes_;
  Execution execution = ExecutionOf(task, Trigger::kSchedule, last_ms);
  const std::string since = FormatInstant(first_ms, task.spec.zone);
  const std::string what = missed == 1 ? fmt::format("the firing of {}", since)
                                       : fmt::format("{} firings since {}", missed, since);
  const bool ended = task.spec.until_ms != 0 && now_ms >= task.spec.until_ms;
  const bool make_up = task.spec.missed == MissedPolicy::kOnce && !ended;
  const std::string reason =
      make_up ? ReasonToSkip(task, execution, now_ms)
              : fmt::format("missed {}{}", what, ended ? "; the task has ended since" : "");
  if (!reason.empty()) return SkipTask(task, std::move(execution), reason, now_ms);
  execution.reason = fmt::format("makes up for {}", what);
  FireTask(task, std::move(execution), now_ms);
}

void Scheduler::StepMemory(Task& task, int64_t now_ms) {
  const MemoryUse use = runs_.Memory();
  const auto alarm = alarms_.find(task.spec.name);
  if (!use.known || alarm == alarms_.end()) return;
  const std::optional<double> average = alarm->second.Add(now_ms, use.percent);
  if (!average) return;
  task.alarmed_ms = now_ms;
  ++changes_;
  Execution execution = ExecutionOf(task, Trigger::kAlert, now_ms);
  execution.memory_percent = *average;
  const std::string reason = ReasonToSkip(task, execution, now_ms);
  if (reason.empty()) {
    FireTask(task, std::move(execution), now_ms);
  } else {
    SkipTask(task, std::move(execution), reason, now_ms);
  }
}

int64_t Scheduler::RestMs(int64_t now_ms, int64_t rest_ms) const {
  if (executions_.busy()) rest_ms = std::min(rest_ms, kLookMs);
  for (const auto& [name, task] : tasks_) {
    if (task.status != TaskStatus::kActive) continue;
    if (task.next_ms != 0) rest_ms = std::min(rest_ms, task.next_ms - now_ms);
    if (task.spec.until_ms != 0) rest_ms = std::min(rest_ms, task.spec.until_ms - now_ms);
  }
  return std::max<int64_t>(rest_ms, 0);
}

double Scheduler::LeastAlertPercent() const {
  constexpr double kNever = 1e9;
  double least = kNever;
  for (const auto& [name, alarm] : alarms_) {
    const Task* const task = Find(name);
    if (task == nullptr || task->status != TaskStatus::kActive) continue;
    least = std::min(least, static_cast<double>(task->spec.memory_percent));
  }
  return least;
}

// --- persistence ---

TaskState Scheduler::Save() const {
  TaskState state;
  for (const auto& [name, task] : tasks_) state.tasks.push_back(task);
  state.executions = executions_.All();
  state.last_execution_id = executions_.last_id();
  state.saved_ms = last_step_ms_;
  return state;
}

void Scheduler::Restore(TaskState state, int64_t now_ms) {
  last_step_ms_ = state.saved_ms;
  for (Task& task : state.tasks) {
    if (tasks_.size() >= kMaxTasks) break;
    if (task.spec.kind == TaskKind::kMemory) {
      alarms_.insert_or_assign(task.spec.name, AlarmOf(task));
    }
    const std::string name = task.spec.name;
    tasks_.insert_or_assign(name, std::move(task));
  }
  for (Execution& execution : state.executions) {
    // What still waits goes by its task's options as they are, zone and all.
    const Task* const task = Find(execution.task);
    if (!IsOver(execution.status) && task != nullptr) execution.options = task->spec.run;
  }
  executions_.Restore(std::move(state.executions), state.last_execution_id, now_ms);
  ++changes_;
}

}  // namespace lapse
