// TIME and SHUTDOWN.

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

void Time(CommandContext& ctx) {
  const int64_t now_us = ctx.instance.clock.NowUs();
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(now_us / 1'000'000);
  ctx.reply.BulkInteger(now_us % 1'000'000);
}

// --- SHUTDOWN ---

struct ShutdownOptions {
  bool save = false;
  bool no_save = false;
  bool now = false;
  bool force = false;
  bool abort = false;
};

ShutdownOptions ReadShutdown(ArgumentReader& in) {
  ShutdownOptions options;
  while (in.More()) {
    if (in.Match("NOSAVE")) {
      options.no_save = true;
    } else if (in.Match("SAVE")) {
      options.save = true;
    } else if (in.Match("NOW")) {
      options.now = true;
    } else if (in.Match("FORCE")) {
      options.force = true;
    } else if (in.Match("ABORT")) {
      options.abort = true;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  const bool others = options.save || options.no_save || options.now || options.force;
  if ((options.save && options.no_save) || (options.abort && others)) in.Fail(errors::kSyntax);
  return options;
}

void Shutdown(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  const ShutdownOptions options = ReadShutdown(in);
  // A shutdown waits for nothing here, so there is never one to abort.
  if (options.abort) in.Fail("ERR No shutdown in progress.");
  if (options.save) in.Fail("ERR persistence is not available yet: use SHUTDOWN NOSAVE");
  if (!ctx.instance.request_shutdown) {
    in.Fail("ERR SHUTDOWN is for servers; this one belongs to its host program");
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.session.close_after_reply = true;  // and the reply is that the connection closes
  ctx.instance.request_shutdown();
}

constexpr CommandRow kRows[] = {
    {.name = "time",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .group = "server",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "The server's time: seconds since the epoch, and microseconds",
     .handler = Time,
     .tips = "nondeterministic_output"},
    {.name = "shutdown",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "End the server",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
     .handler = Shutdown},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ServerCommands() { return kRows; }

}  // namespace lapse
