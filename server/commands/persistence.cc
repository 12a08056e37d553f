// SAVE and its relatives. This server keeps nothing on disk, and says so: unlike Redis, which would
// answer OK, for a client that asks for its data to be saved must not be told that they are.

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

constexpr std::string_view kNotAvailable =
    "ERR persistence is not available: this server keeps its data in memory alone";

// What is in memory was last the same as on disk when the server started, with nothing in either.
void LastSave(CommandContext& ctx) { ctx.reply.Integer(ctx.instance.start_ms / 1000); }

void Save(CommandContext& ctx) { ctx.reply.Error(kNotAvailable); }

void BackgroundSave(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  if (in.More() && !in.Match("SCHEDULE")) in.Fail(errors::kSyntax);
  if (in.More()) in.Fail(errors::kSyntax);
  ctx.reply.Error(in.ok() ? kNotAvailable : in.error());
}

constexpr uint32_t kSaves = kAdmin | kNoScript | kNoAsyncLoading;

constexpr CommandRow kRows[] = {
    {.name = "lastsave",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .categories = "admin dangerous",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "When the data were last saved, in seconds since the epoch",
     .handler = LastSave,
     .tips = "nondeterministic_output"},
    {.name = "save",
     .arity = 1,
     .flags = kSaves | kNoMulti,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Write the data to disk and wait for it",
     .handler = Save},
    {.name = "bgsave",
     .arity = -1,
     .flags = kSaves,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Write the data to disk in the background",
     .syntax = "[SCHEDULE]",
     .handler = BackgroundSave},
    {.name = "bgrewriteaof",
     .arity = 1,
     .flags = kSaves,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Write the append-only file anew in the background",
     .handler = Save},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> PersistenceCommands() { return kRows; }

}  // namespace lapse
