#include "expiry/tasks/task_file.h"

#include <algorithm>
#include <boost/json.hpp>

#include "fmt/format.h"

namespace lapse {
namespace {

namespace json = boost::json;

constexpr int64_t kVersion = 1;
constexpr size_t kMaxDepth = 8;
constexpr int64_t kMostNumber = int64_t{1} << 61;

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

// --- fields of an object, missing ones and those of another kind being 0 or empty ---

// No number of ours is negative, or so large that a sum of two would not fit.
int64_t Number(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  const int64_t* const number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? 0 : std::clamp<int64_t>(*number, 0, kMostNumber);
}

double Real(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (const double* const number = value->if_double()) return *number;
  return static_cast<double>(Number(object, name));
}

std::string Text(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  const json::string* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? "" : std::string(text->data(), text->size());
}

bool Flag(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  const bool* const flag = value == nullptr ? nullptr : value->if_bool();
  return flag != nullptr && *flag;
}

json::array Array(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  const json::array* const array = value == nullptr ? nullptr : value->if_array();
  return array == nullptr ? json::array() : *array;
}

std::vector<std::string> TextsOf(const json::array& array) {
  std::vector<std::string> texts;
  for (const json::value& value : array) {
    if (const json::string* const text = value.if_string()) {
      texts.emplace_back(text->data(), text->size());
    }
  }
  return texts;
}

std::vector<std::string_view> ViewsOf(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// --- tasks ---

json::object ObjectOf(const Task& task) {
  json::object object;
  object["name"] = task.spec.name;
  object["words"] = Texts(TaskWords(task.spec));
  object["status"] = std::string(TaskStatusName(task.status));
  object["from_config"] = task.from_config;
  object["created_by"] = task.created_by;
  object["created_at"] = task.created_ms;
  object["changed_at"] = task.changed_ms;
  object["next_run_at"] = task.next_ms;
  object["last_run_at"] = task.last_run_ms;
  object["last_status"] = task.last_status ? std::string(RunStatusName(*task.last_status)) : "";
  object["last_success_at"] = task.last_success_ms;
  object["last_end_at"] = task.last_end_ms;
  object["alarmed_at"] = task.alarmed_ms;
  object["execution_count"] = task.execution_count;
  object["reclaimed_total"] = task.reclaimed_total;
  return object;
}

absl::StatusOr<Task> TaskOf(const json::object& object) {
  Task task;
  task.spec.name = Text(object, "name");
  const std::vector<std::string> words = TextsOf(Array(object, "words"));
  absl::StatusOr<TaskSpec> spec = ParseTask(task.spec, ViewsOf(words), true);
  if (!spec.ok() || !ParseTaskStatus(Text(object, "status"), task.status)) {
    return absl::InvalidArgumentError(
        fmt::format("task '{}': {}", task.spec.name.substr(0, TaskSpec::kMaxNameBytes),
                    spec.ok() ? "no such status" : std::string(spec.status().message())));
  }
  task.spec = *std::move(spec);
  task.from_config = Flag(object, "from_config");
  task.created_by = Text(object, "created_by");
  task.created_ms = Number(object, "created_at");
  task.changed_ms = Number(object, "changed_at");
  task.next_ms = Number(object, "next_run_at");
  task.last_run_ms = Number(object, "last_run_at");
  if (RunStatus last{}; ParseRunStatus(Text(object, "last_status"), last)) task.last_status = last;
  task.last_success_ms = Number(object, "last_success_at");
  task.last_end_ms = Number(object, "last_end_at");
  task.alarmed_ms = Number(object, "alarmed_at");
  task.execution_count = Number(object, "execution_count");
  task.reclaimed_total = Number(object, "reclaimed_total");
  return task;
}

// --- executions ---

struct FigureField {
  std::string_view name;
  int64_t RunFigures::*field;
};

constexpr FigureField kFigures[] = {
    {"scanned", &RunFigures::scanned},
    {"reclaimed", &RunFigures::reclaimed},
    {"orphans", &RunFigures::orphans},
    {"bytes_freed", &RunFigures::bytes_freed},
    {"memory_before", &RunFigures::memory_before},
    {"memory_after", &RunFigures::memory_after},
    {"cpu_us", &RunFigures::cpu_us},
    {"rss_before", &RunFigures::rss_before},
    {"rss_after", &RunFigures::rss_after},
    {"longest_slice_us", &RunFigures::longest_slice_us},
};

json::object ObjectOf(const TargetRun& run) {
  json::object object;
  object["target"] = run.target;
  object["status"] = std::string(RunStatusName(run.status));
  object["reason"] = run.reason;
  object["run_id"] = static_cast<int64_t>(run.run_id);
  object["progress"] = run.progress;
  for (const FigureField& figure : kFigures) object[figure.name] = run.figures.*figure.field;
  return object;
}

TargetRun TargetOf(const json::object& object) {
  TargetRun run;
  run.target = Text(object, "target");
  ParseRunStatus(Text(object, "status"), run.status);
  run.reason = Text(object, "reason");
  run.run_id = static_cast<uint64_t>(Number(object, "run_id"));
  run.progress = Real(object, "progress");
  for (const FigureField& figure : kFigures)
    run.figures.*figure.field = Number(object, figure.name);
  return run;
}

json::object ObjectOf(const Execution& execution) {
  json::object object;
  object["id"] = static_cast<int64_t>(execution.id);
  object["task"] = execution.task;
  object["trigger"] = std::string(TriggerName(execution.trigger));
  object["requested_by"] = execution.requested_by;
  object["status"] = std::string(RunStatusName(execution.status));
  object["reason"] = execution.reason;
  object["scheduled_at"] = execution.scheduled_ms;
  object["started_at"] = execution.started_ms;
  object["finished_at"] = execution.finished_ms;
  object["memory_percent"] = execution.memory_percent;
  if (!IsOver(execution.status)) object["options"] = Texts(RunOptionWords(execution.options));
  json::array targets;
  for (const TargetRun& run : execution.targets) targets.emplace_back(ObjectOf(run));
  object["targets"] = std::move(targets);
  return object;
}

absl::StatusOr<Execution> ExecutionOf(const json::object& object) {
  Execution execution;
  execution.id = static_cast<uint64_t>(Number(object, "id"));
  execution.task = Text(object, "task");
  execution.requested_by = Text(object, "requested_by");
  execution.reason = Text(object, "reason");
  execution.scheduled_ms = Number(object, "scheduled_at");
  execution.started_ms = Number(object, "started_at");
  execution.finished_ms = Number(object, "finished_at");
  execution.memory_percent = Real(object, "memory_percent");
  const std::vector<std::string> words = TextsOf(Array(object, "options"));
  absl::StatusOr<RunOptions> options = ParseRunOptions(ViewsOf(words));
  if (execution.id == 0 || !options.ok() ||
      !ParseTrigger(Text(object, "trigger"), execution.trigger) ||
      !ParseRunStatus(Text(object, "status"), execution.status)) {
    return absl::InvalidArgumentError(fmt::format("execution {} is malformed", execution.id));
  }
  execution.options = *std::move(options);
  for (const json::value& value : Array(object, "targets")) {
    if (const json::object* const target = value.if_object()) {
      execution.targets.push_back(TargetOf(*target));
    }
  }
  return execution;
}

}  // namespace

std::string WriteTaskState(const TaskState& state) {
  json::object object;
  object["version"] = kVersion;
  object["last_execution_id"] = static_cast<int64_t>(state.last_execution_id);
  object["saved_at"] = state.saved_ms;
  json::array tasks;
  for (const Task& task : state.tasks) tasks.emplace_back(ObjectOf(task));
  object["tasks"] = std::move(tasks);
  json::array executions;
  for (const Execution& execution : state.executions) executions.emplace_back(ObjectOf(execution));
  object["executions"] = std::move(executions);
  return json::serialize(object) + '\n';
}

absl::StatusOr<TaskState> ReadTaskState(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  const json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return absl::InvalidArgumentError("no JSON: " + error.message());
  const json::object* const object = value.if_object();
  if (object == nullptr || Number(*object, "version") != kVersion) {
    return absl::InvalidArgumentError(fmt::format("no task file of version {}", kVersion));
  }
  TaskState state;
  state.last_execution_id = static_cast<uint64_t>(Number(*object, "last_execution_id"));
  state.saved_ms = Number(*object, "saved_at");
  for (const json::value& entry : Array(*object, "tasks")) {
    absl::StatusOr<Task> task = TaskOf(entry.is_object() ? entry.get_object() : json::object());
    if (!task.ok()) return task.status();
    state.tasks.push_back(*std::move(task));
  }
  for (const json::value& entry : Array(*object, "executions")) {
    absl::StatusOr<Execution> execution =
        ExecutionOf(entry.is_object() ? entry.get_object() : json::object());
    if (!execution.ok()) return execution.status();
    state.executions.push_back(*std::move(execution));
  }
  return state;
}

}  // namespace lapse
