// The file's text: what is written comes back, and what is not ours is refused.

#include "expiry/tasks/task_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace lapse {
namespace {

using ::testing::HasSubstr;

TaskState Example() {
  TaskState state;
  state.last_execution_id = 9;
  Task task;
  const std::string_view words[] = {"CRON", "0 4 * * *", "ON", "redis://u:p%20w@h"};
  task.spec = ParseTask({.name = "nightly"}, words, true).value();
  task.created_by = "al\"ice\\";
  task.last_status = RunStatus::kFailed;
  task.reclaimed_total = int64_t{1} << 60;
  state.tasks.push_back(task);
  Execution execution;
  execution.id = 9;
  execution.task = "nightly";
  execution.status = RunStatus::kFailed;
  execution.reason = "line\nbreak \xc3\xa9";
  execution.memory_percent = 90.5;
  execution.targets = {
      {.target = "local", .status = RunStatus::kFailed, .figures = {.scanned = 7}}};
  state.executions.push_back(execution);
  return state;
}

TEST(TaskFile, ComesBack) {
  const std::string text = WriteTaskState(Example());
  const TaskState state = ReadTaskState(text).value();
  EXPECT_EQ(WriteTaskState(state), text);
  EXPECT_EQ(state.tasks[0].spec.run.targets[0], "redis://u:p%20w@h");
  EXPECT_EQ(state.tasks[0].reclaimed_total, int64_t{1} << 60);
  EXPECT_EQ(state.executions[0].reason, "line\nbreak \xc3\xa9");
  EXPECT_EQ(state.executions[0].targets[0].figures.scanned, 7);
}

TEST(TaskFile, SaysWhatIsWrongWithIt) {
  const auto error_of = [](std::string_view text) {
    const auto state = ReadTaskState(text);
    return state.ok() ? "" : std::string(state.status().message());
  };
  EXPECT_THAT(error_of(""), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("{\"version\":1"), HasSubstr("no JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("version 1"));
  EXPECT_THAT(error_of("{\"version\":2}"), HasSubstr("version 1"));
  EXPECT_THAT(error_of(R"({"version":1,"tasks":[{"name":"x","words":["EVERY"]}]})"),
              HasSubstr("task 'x': EVERY needs a value"));
  EXPECT_THAT(error_of(R"({"version":1,"tasks":[7]})"), HasSubstr("task ''"));
  EXPECT_THAT(error_of(R"({"version":1,"executions":[{"id":1,"status":"Odd"}]})"),
              HasSubstr("execution 1 is malformed"));
  EXPECT_EQ(error_of(R"({"version":1})"), "");
}

// No text, however damaged, does more than be refused.
TEST(TaskFile, SurvivesDamage) {
  const std::string text = WriteTaskState(Example());
  std::mt19937 dice(11);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = text.substr(0, dice() % text.size() + 1);
    for (int flips = static_cast<int>(dice() % 4); flips > 0; --flips) {
      damaged[dice() % damaged.size()] = static_cast<char>(dice());
    }
    const auto state = ReadTaskState(damaged);
    if (state.ok()) {
      EXPECT_FALSE(WriteTaskState(*state).empty());
    }
  }
}

}  // namespace
}  // namespace lapse
