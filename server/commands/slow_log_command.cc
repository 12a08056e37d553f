// SLOWLOG: the commands that took too long.

#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr int64_t kShown = 10;

void Get(CommandContext& ctx) {
  int64_t count = kShown;
  if (ctx.args.size() > 3) {
    return ctx.reply.Error("ERR wrong number of arguments for 'slowlog|get' command");
  }
  if (ctx.args.size() == 3) {
    ArgumentReader in(ctx.args, 2);
    count = in.IntegerIn(-1, INT64_MAX, "ERR count should be greater than or equal to -1");
    if (!in.ok()) return ctx.reply.Error(in.error());
  }
  const size_t most = count < 0 ? SIZE_MAX : static_cast<size_t>(count);
  const std::vector<SlowLog::Entry> entries = Services::Of(ctx.instance).slow_log().Latest(most);
  ReplyWriter& reply = ctx.reply;
  reply.Array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    reply.Array(6);
    reply.Integer(entry.id);
    reply.Integer(entry.unix_seconds);
    reply.Integer(entry.duration_us);
    reply.Array(entry.args.size());
    for (const std::string& arg : entry.args) reply.Bulk(arg);
    reply.Bulk(entry.client_address);
    reply.Bulk(entry.client_name);
  }
}

void Len(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(Services::Of(ctx.instance).slow_log().size()));
}

void Reset(CommandContext& ctx) {
  Services::Of(ctx.instance).slow_log().Clear();
  ctx.reply.Ok();
}

constexpr uint32_t kFlags = kAdmin | kLoading | kStale;
constexpr std::string_view kTips = "request_policy:all_nodes nondeterministic_output";

constexpr CommandRow kSubcommands[] = {
    {"get", -2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.2.12",
     "O(N), N entries returned", "The commands that took long", "[count]", Get, kNoSubcommands,
     kTips},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "", "server", "6.2.0", "O(1)",
     "List the subcommands", "", ReplySubcommandHelp},
    {"len", 2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.2.12", "O(1)",
     "How many commands the slow log holds", "", Len, kNoSubcommands,
     "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {"reset", 2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.2.12",
     "O(N), N entries in the log", "Empty the slow log", "", Reset, kNoSubcommands,
     "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandRow kRows[] = {
    {"slowlog", -2, 0, kNoKeys, KeyAccess::kNone, "", "server", "2.2.12", "That of the subcommand",
     "What there is to know about slow commands", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SlowLogCommands() { return kRows; }

}  // namespace lapse
