// Tasks and their history as JSON, the form in which they outlive the process. Small, and readable
// by the operator who finds it set aside:
//
//   {"version": 1, "last_execution_id": 7,
//    "tasks": [{"name": "nightly", "words": ["CRON", "0 4 * * *"], "status": "Active", ...}],
//    "executions": [{"id": 7, "task": "nightly", "status": "Success", "targets": [...], ...}]}
//
// A definition is kept as its words, so that what reads it is what reads a client's, and a file
// written by hand is checked like a command. Amounts and times are plain integers; a field that is
// missing is 0 or empty. The text holds the passwords of targets: the file is for its owner alone.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "expiry/tasks/scheduler.h"

namespace lapse {

std::string WriteTaskState(const TaskState& state);
// All or nothing; the error says what is wrong and, where it can, with which task.
absl::StatusOr<TaskState> ReadTaskState(std::string_view text);

}  // namespace lapse
