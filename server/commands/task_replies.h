// Tasks and executions as replies: maps whose names and order are the same wherever they are shown.
//
// Passwords of targets are masked; everything else is as it is kept.
//
// Thread: as the writer's.
#pragma once

#include "expiry/tasks/execution.h"
#include "protocol/reply_writer.h"
#include "server/services/tasks.h"

namespace lapse {

void WriteTask(ReplyWriter& reply, const TaskView& view);
void WriteExecution(ReplyWriter& reply, const Execution& execution);

}  // namespace lapse
