// DEBUG: what tests of the server use, refused to everybody unless enable-debug-command allows it.

#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

constexpr std::string_view kDebugRefused =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can "
    "run it from a local connection, otherwise you need to set this option in the configuration "
    "file, and then restart the server.";
constexpr double kMaxSleepSeconds = 3600;

bool IsLocal(const Session& session) {
  return session.in_process || session.unix_socket || session.address.starts_with("127.") ||
         session.address.starts_with("[::1]:") || session.address.starts_with("::1:");
}

bool DebugAllowed(const CommandContext& ctx) {
  const std::string& allowed = ctx.instance.config.enable_debug_command;
  return allowed == "yes" || (allowed == "local" && IsLocal(ctx.session));
}

// The whole server stands still meanwhile, as it does in Redis: that is what the command is for.
void DebugSleep(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const double seconds = in.Float();
  if (in.ok() && (seconds < 0 || seconds > kMaxSleepSeconds)) in.Fail(errors::kOutOfRange);
  if (!in.ok()) return ctx.reply.Error(in.error());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ctx.reply.Ok();
}

void DebugSetActiveExpire(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t active = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.instance.config.expiry.active = active != 0;
  ctx.instance.expiry.Configure(ctx.instance.config.expiry);
  ctx.reply.Ok();
}

void DebugHelp(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Turn the active removal of expired keys off or on.",
      "SLEEP <seconds>",
      "    Stop the server for so long. Decimals are allowed.",
      "HELP",
      "    List the subcommands.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
}

// Not a container of subcommands, because it is none in Redis: one row, one refusal.
void Debug(CommandContext& ctx) {
  if (!DebugAllowed(ctx)) return ctx.reply.Error(kDebugRefused);
  const std::string_view what = ctx.args[1];
  if (EqualsIgnoreCase(what, "help") && ctx.args.size() == 2) return DebugHelp(ctx);
  if (EqualsIgnoreCase(what, "sleep") && ctx.args.size() == 3) return DebugSleep(ctx);
  if (EqualsIgnoreCase(what, "set-active-expire") && ctx.args.size() == 3) {
    return DebugSetActiveExpire(ctx);
  }
  ctx.reply.Error(fmt::format(
      "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.", what));
}

constexpr CommandRow kRows[] = {
    {.name = "debug",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kExclusive,
     .group = "server",
     .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Commands for tests of the server; see enable-debug-command",
     .syntax = "subcommand [argument ...]",
     .handler = Debug},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> DebugCommands() { return kRows; }

}  // namespace lapse
