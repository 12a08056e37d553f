// MEMORY: what the memory is used for.

#include <string>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

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
  const Item item = LookQuietly(ctx.shard(), ctx.key());
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

// Redis's doctor tells of fragmentation and of a peak long past, which its allocator causes; the
// slabs here give free memory back by themselves. What is left to say is who holds much.
constexpr int64_t kSmallBytes = int64_t{5} << 20;
constexpr int64_t kLargeClientBytes = int64_t{200} << 10;

void MemoryDoctor(CommandContext& ctx) {
  Instance& instance = ctx.instance;
  const int64_t used = instance.NotePeakMemory();
  const int64_t peak = instance.stats.peak_memory_bytes.load(std::memory_order_relaxed);
  const int64_t clients = instance.stats.connection_bytes.load(std::memory_order_relaxed);
  const auto connected = static_cast<int64_t>(instance.clients.connected());
  std::string report;
  if (used < kSmallBytes) {
    report = "So little memory is in use that there is nothing to find.";
  } else {
    if (peak > used + used / 2) {
      report += fmt::format(
          "Peak: {} bytes were in use once, {} are now. What has become free is given back to the "
          "system; MEMORY PURGE does so at once.\n",
          peak, used);
    }
    if (connected > 0 && clients / connected > kLargeClientBytes) {
      report += fmt::format(
          "Clients: {} of them hold {} bytes of buffers. One that does not read its replies, or "
          "subscribes to more than it reads, does that: see CLIENT LIST.\n",
          connected, clients);
    }
    if (report.empty()) report = "Nothing unusual was found.";
  }
  ctx.reply.Verbatim("txt", report);
}

void MemoryMallocStats(CommandContext& ctx) {
  const KeyspaceTotals totals = ctx.keyspace().Totals();
  ctx.reply.Verbatim(
      "txt", fmt::format("entries in slabs: {} bytes\ntable: {} bytes\n{}", totals.entry_bytes,
                         ctx.keyspace().table_bytes(), AllocatorReport()));
}

constexpr std::string_view kOfAllShards =
    "nondeterministic_output request_policy:all_shards response_policy:special";

constexpr CommandRow kMemorySubcommands[] = {
    {.name = "usage",
     .arity = -3,
     .flags = kReadOnly,
     .keys = kSubcommandKey,
     .access = KeyAccess::kInspect,
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
     .tips = kOfAllShards},
    {.name = "purge",
     .arity = 2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(N), N pages of free memory",
     .summary = "Give free memory back to the system",
     .handler = MemoryPurge,
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "doctor",
     .arity = 2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "What is unusual about the use of memory",
     .handler = MemoryDoctor,
     .tips = kOfAllShards},
    {.name = "malloc-stats",
     .arity = 2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(N), N shards in use, and what the allocator takes",
     .summary = "What the allocator says of itself",
     .handler = MemoryMallocStats,
     .tips = kOfAllShards},
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
    {.name = "memory",
     .arity = -2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "That of the subcommand",
     .summary = "What there is to know about memory",
     .subcommands = kMemorySubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> MemoryCommands() { return kRows; }

}  // namespace lapse
