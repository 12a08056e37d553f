// MODULE. There are none and none can be loaded.

#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/context.h"

namespace lapse {
namespace {

void List(CommandContext& ctx) { ctx.reply.EmptyArray(); }

void RefuseToLoad(CommandContext& ctx) {
  ctx.reply.Error("ERR Error loading the extension: this server takes no modules");
}

void Unload(CommandContext& ctx) {
  ctx.reply.Error("ERR Error unloading module: no such module with that name");
}

constexpr uint32_t kLoads = kAdmin | kNoScript | kNoAsyncLoading;

constexpr CommandRow kSubcommands[] = {
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
    {.name = "list",
     .arity = 2,
     .flags = kAdmin | kNoScript,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "The modules that are loaded",
     .handler = List,
     .tips = "nondeterministic_output_order"},
    {.name = "load",
     .arity = -3,
     .flags = kLoads,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Load a module",
     .syntax = "path [arg [arg ...]]",
     .handler = RefuseToLoad},
    {.name = "loadex",
     .arity = -3,
     .flags = kLoads,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Load a module with a configuration",
     .syntax = "path [CONFIG name value [CONFIG name value ...]] [ARGS arg [ARGS arg ...]]",
     .handler = RefuseToLoad},
    {.name = "unload",
     .arity = 3,
     .flags = kLoads,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Unload a module",
     .syntax = "name",
     .handler = Unload},
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "module",
     .arity = -2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "That of the subcommand",
     .summary = "What there is to know and to do about modules",
     .subcommands = kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ModuleCommands() { return kRows; }

}  // namespace lapse
