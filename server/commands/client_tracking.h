// CLIENT's subcommands about client-side caching, MONITOR aside what a client asks to be told.
// Their rows are in client.cc.
//
// Thread: as the context's.
#pragma once

#include "server/core/context.h"

namespace lapse {

void ClientTracking(CommandContext& ctx);
void ClientCaching(CommandContext& ctx);
void ClientTrackingInfo(CommandContext& ctx);
void ClientGetRedir(CommandContext& ctx);

}  // namespace lapse
