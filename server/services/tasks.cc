#include "server/services/tasks.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "expiry/tasks/task_file.h"
#include "fmt/format.h"
#include "server/core/files.h"
#include "server/services/services.h"
#include "spdlog/spdlog.h"

namespace lapse {
namespace {

constexpr std::string_view kConfigUser = "default";

std::vector<std::string_view> ViewsOf(std::span<const std::string> words) {
  return {words.begin(), words.end()};
}

std::string MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// nullopt: there is no such file.
absl::StatusOr<std::optional<std::string>> ReadWhole(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return absl::UnavailableError(error.message());
  if (size > static_cast<uintmax_t>(Tasks::kMaxFileBytes)) {
    return absl::InvalidArgumentError("it is too large");
  }
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream) return absl::UnavailableError(std::strerror(errno));
  if (size > 0) text << stream.rdbuf();
  return text.str();
}

}  // namespace

Tasks::Tasks(Instance& instance)
    : instance_(instance),
      runs_(instance,
            [this] {
              const Gate::Shared inside(instance_.keyspace.gate());
              Wake();
            }),
      scheduler_(runs_) {}

Tasks::~Tasks() { Save(); }

void Tasks::Wake() { Services::Of(instance_).WakeOperations(); }

// --- start and end ---

void Tasks::Start() {
  MutexGuard guard(mu_);
  ApplyConfig();
}

void Tasks::ApplyConfig() {
  const int64_t now_ms = NowMs();
  std::set<std::string> named;
  for (const std::vector<std::string>& line : instance_.config.flush_tasks) {
    absl::StatusOr<TaskSpec> spec =
        ParseTask({.name = line[0]}, ViewsOf(std::span(line).subspan(1)), true);
    // They were checked when the configuration was read.
    if (!spec.ok()) continue;
    named.insert(line[0]);
    if (const absl::Status status = scheduler_.Define(*std::move(spec), kConfigUser, now_ms);
        !status.ok()) {
      spdlog::warn("flush-task {}: {}", line[0], MessageOf(status));
    }
  }
  std::vector<std::string> gone;
  for (const auto& [name, task] : scheduler_.tasks()) {
    if (task.from_config && !named.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone) scheduler_.Delete(name).IgnoreError();
}

void Tasks::Open(const std::string& path) {
  if (path.empty()) return;
  path_ = std::filesystem::absolute(path).lexically_normal().string();
  absl::StatusOr<std::optional<std::string>> text = ReadWhole(path_);
  if (!text.ok() && !absl::IsInvalidArgument(text.status())) {
    spdlog::error("cannot read flush tasks from {}: {}; they are not kept in this run", path_,
                  MessageOf(text.status()));
    path_.clear();
    return;
  }
  if (text.ok() && !*text) return;
  absl::StatusOr<TaskState> state =
      text.ok() ? ReadTaskState(**text) : absl::StatusOr<TaskState>(text.status());
  if (!state.ok()) return SetAside(path_, MessageOf(state.status()));
  MutexGuard guard(mu_);
  spdlog::info("{} flush tasks and {} executions from {}", state->tasks.size(),
               state->executions.size(), path_);
  scheduler_.Restore(*std::move(state), NowMs());
  ApplyConfig();
}

void Tasks::SetAside(const std::string& path, std::string_view why) {
  const std::string aside = fmt::format("{}.corrupt-{}", path, NowMs() / 1000);
  if (std::rename(path.c_str(), aside.c_str()) == 0) {
    spdlog::error("flush tasks in {} cannot be read ({}): the file is now {}, and tasks begin anew",
                  path, why, aside);
    return;
  }
  spdlog::error(
      "flush tasks in {} cannot be read ({}), nor set aside: {}; they are not kept in "
      "this run",
      path, why, std::strerror(errno));
  path_.clear();
}

void Tasks::Save() {
  if (path_.empty()) return;
  TaskState state;
  uint64_t changes = 0;
  {
    MutexGuard guard(mu_);
    changes = scheduler_.changes();
    if (changes == written_changes_) return;
    state = scheduler_.Save();
  }
  const absl::Status status = ReplaceFile(path_, WriteTaskState(state));
  written_ns_ = instance_.clock.MonotonicNs();
  if (status.ok()) {
    written_changes_ = changes;
    write_failed_ = false;
  } else if (!std::exchange(write_failed_, true)) {
    spdlog::error("flush tasks are not kept: {}", MessageOf(status));
  }
}

std::vector<std::vector<std::string>> Tasks::ConfigLines() {
  MutexGuard guard(mu_);
  std::vector<std::vector<std::string>> lines;
  for (const auto& [name, task] : scheduler_.tasks()) {
    if (!task.from_config) continue;
    std::vector<std::string>& line = lines.emplace_back(1, name);
    for (std::string& word : TaskWords(task.spec)) line.push_back(std::move(word));
  }
  return lines;
}

int64_t Tasks::Operate(int64_t rest_ms) {
  InstanceTaskRuns::Sample sample = InstanceTaskRuns::TakeSample();
  bool changed = false;
  {
    const Gate::Shared inside(instance_.keyspace.gate());
    // Who waits for mu_ may hold shards (EXEC), so that none may be waited for with mu_ held.
    InstanceTaskRuns::AddMemory(instance_, alert_percent_, sample);
    MutexGuard guard(mu_);
    const int64_t now_ms = NowMs();
    runs_.Note(sample, now_ms);
    scheduler_.Step(now_ms);
    rest_ms = scheduler_.RestMs(now_ms, rest_ms);
    alert_percent_ = scheduler_.LeastAlertPercent();
    changed = scheduler_.changes() != written_changes_;
  }
  if (path_.empty() || !changed) return rest_ms;
  const int64_t since_ms = (instance_.clock.MonotonicNs() - written_ns_) / 1'000'000;
  if (written_ns_ != 0 && since_ms < kWriteGapMs) return std::min(rest_ms, kWriteGapMs - since_ms);
  Save();
  return rest_ms;
}

// --- tasks ---

absl::Status Tasks::Create(std::string_view name, std::span<const std::string_view> words,
                           std::string_view by) {
  absl::StatusOr<TaskSpec> spec = ParseTask({.name = std::string(name)}, words, true);
  if (!spec.ok()) return spec.status();
  {
    MutexGuard guard(mu_);
    const absl::Status status = scheduler_.Create(*std::move(spec), by, NowMs());
    if (!status.ok()) return status;
  }
  Wake();
  return absl::OkStatus();
}

absl::Status Tasks::Update(std::string_view name, std::span<const std::string_view> words) {
  absl::Status status;
  {
    MutexGuard guard(mu_);
    status = scheduler_.Update(name, words, NowMs());
  }
  Wake();
  return status;
}

absl::Status Tasks::Pause(std::string_view name) {
  absl::Status status;
  {
    MutexGuard guard(mu_);
    status = scheduler_.Pause(name, NowMs());
  }
  Wake();
  return status;
}

absl::Status Tasks::Resume(std::string_view name) {
  absl::Status status;
  {
    MutexGuard guard(mu_);
    status = scheduler_.Resume(name, NowMs());
  }
  Wake();
  return status;
}

absl::Status Tasks::Delete(std::string_view name) {
  absl::Status status;
  {
    MutexGuard guard(mu_);
    status = scheduler_.Delete(name);
  }
  Wake();
  return status;
}

TaskView Tasks::ViewOf(const Task& task) {
  return {task, scheduler_.NextFirings(task, kNextRuns),
          scheduler_.executions().LiveOf(task.spec.name)};
}

std::vector<TaskView> Tasks::List() {
  MutexGuard guard(mu_);
  std::vector<TaskView> views;
  for (const auto& [name, task] : scheduler_.tasks()) views.push_back(ViewOf(task));
  return views;
}

std::vector<Task> Tasks::Snapshot() {
  MutexGuard guard(mu_);
  std::vector<Task> tasks;
  for (const auto& [name, task] : scheduler_.tasks()) tasks.push_back(task);
  return tasks;
}

std::optional<TaskView> Tasks::Show(std::string_view name) {
  MutexGuard guard(mu_);
  const Task* const task = scheduler_.Find(name);
  if (task == nullptr) return std::nullopt;
  return ViewOf(*task);
}

// --- runs ---

absl::StatusOr<uint64_t> Tasks::Trigger(std::string_view name, std::string_view by) {
  absl::StatusOr<uint64_t> id;
  {
    MutexGuard guard(mu_);
    id = scheduler_.Fire(name, lapse::Trigger::kManual, by, NowMs());
  }
  Wake();
  return id;
}

absl::StatusOr<uint64_t> Tasks::RunOnce(RunOptions options, lapse::Trigger trigger,
                                        std::string_view by) {
  absl::StatusOr<uint64_t> id;
  {
    MutexGuard guard(mu_);
    id = scheduler_.RunOnce(std::move(options), trigger, by, NowMs());
  }
  Wake();
  return id;
}

absl::Status Tasks::Cancel(uint64_t execution_id, std::string_view by) {
  absl::Status status;
  {
    MutexGuard guard(mu_);
    status = scheduler_.Cancel(execution_id, by, NowMs());
  }
  Wake();
  return status;
}

Tasks::Page Tasks::Executions(const std::optional<std::string>& task, size_t offset, size_t count) {
  MutexGuard guard(mu_);
  scheduler_.Look(NowMs());
  return {scheduler_.executions().Page(task, offset, count), scheduler_.executions().Count(task)};
}

std::optional<Execution> Tasks::FindExecution(uint64_t id) {
  MutexGuard guard(mu_);
  scheduler_.Look(NowMs());
  const Execution* const execution = scheduler_.executions().Find(id);
  if (execution == nullptr) return std::nullopt;
  return *execution;
}

Tasks::Totals Tasks::totals() {
  MutexGuard guard(mu_);
  Totals totals;
  totals.tasks = scheduler_.tasks().size();
  for (const auto& [name, task] : scheduler_.tasks()) {
    totals.active += task.status == TaskStatus::kActive ? 1 : 0;
    if (task.next_ms != 0 && (totals.next_ms == 0 || task.next_ms < totals.next_ms)) {
      totals.next_ms = task.next_ms;
    }
  }
  totals.live_executions = scheduler_.executions().live_count();
  totals.cpu = runs_.Cpu();
  return totals;
}

}  // namespace lapse
