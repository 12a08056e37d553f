// Commands about the server as a whole.

#include <chrono>
#include <optional>
#include <thread>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/allocator.h"

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

// --- DEBUG ---

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

// --- MEMORY ---

// What the key's own allocations take, and its slot in the table: a word, its tag, and its share of
// the free slots.
constexpr int64_t kSlotBytes = 16;

void MemoryUsage(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 3);
  while (in.More()) {
    if (in.Match("SAMPLES")) {
      // Values are single allocations, so there is nothing to sample.
      if (in.Integer() < 0) in.Fail(errors::kSyntax);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  const Item item = ctx.shard().Peek(ctx.key());
  if (!item) return ctx.reply.Null();
  ctx.reply.Integer(static_cast<int64_t>(item.entry()->allocated_bytes()) + kSlotBytes);
}

void MemoryPurge(CommandContext& ctx) {
  ReleaseFreeMemory();
  ctx.keyspace().ReleaseFreePages();
  ctx.reply.Ok();
}

double Percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void MemoryStats(CommandContext& ctx) {
  Instance& instance = ctx.instance;
  ReplyWriter& reply = ctx.reply;
  const KeyspaceTotals totals = instance.keyspace.Totals();
  const int64_t used = instance.NotePeakMemory();
  const int64_t peak = instance.stats.peak_memory_bytes.load(std::memory_order_relaxed);
  const int64_t clients = instance.stats.connection_bytes.load(std::memory_order_relaxed);
  const auto integer = [&reply](std::string_view name, int64_t value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  const auto percentage = [&reply](std::string_view name, double value) {
    reply.Bulk(name);
    reply.Double(value);
  };
  reply.Map(10);
  integer("peak.allocated", peak);
  integer("total.allocated", used);
  integer("clients.normal", clients);
  integer("overhead.hashtable.main", instance.keyspace.table_bytes());
  integer("overhead.total", instance.keyspace.table_bytes() + clients);
  integer("keys.count", totals.keys);
  integer(
      "keys.bytes-per-key",
      totals.keys == 0 ? 0 : (totals.entry_bytes + instance.keyspace.table_bytes()) / totals.keys);
  integer("dataset.bytes", totals.entry_bytes);
  percentage("dataset.percentage", Percent(totals.entry_bytes, used));
  percentage("peak.percentage", Percent(used, peak));
}

constexpr CommandRow kMemorySubcommands[] = {
    {.name = "usage",
     .arity = -3,
     .flags = kReadOnly,
     .keys = kSubcommandKey,
     .access = KeyAccess::kReadOnly,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Bytes that a key and its value take",
     .syntax = "key [SAMPLES count]",
     .handler = MemoryUsage},
    {.name = "stats",
     .arity = 2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "What the memory is used for",
     .handler = MemoryStats,
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "purge",
     .arity = 2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on how much memory is free",
     .summary = "Give free memory back to the system",
     .handler = MemoryPurge,
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
};
static_assert(RowsAreSound(kMemorySubcommands));

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
    {.name = "debug",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kExclusive,
     .group = "server",
     .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Commands for tests of the server; see enable-debug-command",
     .syntax = "subcommand [argument ...]",
     .handler = Debug},
    {.name = "memory",
     .arity = -2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "A container for memory diagnostics commands",
     .subcommands = kMemorySubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ServerCommands() { return kRows; }

}  // namespace lapse
