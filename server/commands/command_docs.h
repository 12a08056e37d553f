// COMMAND DOCS: what commands do and how they are written. Its row is in command_command.cc.
//
// Thread: as the context's.
#pragma once

#include "server/core/context.h"

namespace lapse {

void CommandDocs(CommandContext& ctx);

}  // namespace lapse
