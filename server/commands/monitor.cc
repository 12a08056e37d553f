// MONITOR: see services/monitors.h.

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/context.h"
#include "server/services/services.h"

namespace lapse {
namespace {

void Monitor(CommandContext& ctx) {
  if (ctx.nested()) {
    return ctx.reply.Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  Services::Of(ctx.instance).monitors().Add(ctx.session);
  ctx.reply.Ok();
}

constexpr CommandRow kRows[] = {
    {.name = "monitor",
     .arity = 1,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1), and as much for each command that runs",
     .summary = "Be shown every command that the server runs",
     .handler = Monitor},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> MonitorCommands() { return kRows; }

}  // namespace lapse
