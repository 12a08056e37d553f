// HELP of the commands that contain subcommands.
//
// Thread: as the context's.
#pragma once

#include "server/core/context.h"

namespace lapse {

// The handler of every container's HELP: lists the subcommands, their syntax and their summaries as
// their rows have them, in the form of Redis's help.
void ReplySubcommandHelp(CommandContext& ctx);

}  // namespace lapse
