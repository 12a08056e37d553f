// OBJECT: how an entry is represented, and how long it has rested.

#include <string_view>

#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/core/context.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kNoFrequency =
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to adjust.";

constexpr std::string_view kNoIdleTime =
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust.";

void ObjectEncoding(CommandContext& ctx) {
  const Item item = LookQuietly(ctx.shard(), ctx.key());
  if (!item) return ctx.reply.Null();
  ctx.reply.Bulk(EncodingName(item.entry()->encoding()));
}

void ObjectFreq(CommandContext& ctx) {
  const Item item = LookQuietly(ctx.shard(), ctx.key());
  if (!item) return ctx.reply.Null();
  const AccessClock& access = ctx.keyspace().access();
  if (!access.lfu()) return ctx.reply.Error(kNoFrequency);
  ctx.reply.Integer(access.Counter(item.entry()->access_clock(), ctx.now_ms));
}

void ObjectIdleTime(CommandContext& ctx) {
  const Item item = LookQuietly(ctx.shard(), ctx.key());
  if (!item) return ctx.reply.Null();
  const AccessClock& access = ctx.keyspace().access();
  if (access.lfu()) return ctx.reply.Error(kNoIdleTime);
  ctx.reply.Integer(access.IdleSeconds(item.entry()->access_clock(), ctx.now_ms));
}

// An entry has its value for itself. (Redis shares the integers below 10,000.)
void ObjectRefCount(CommandContext& ctx) {
  if (!LookQuietly(ctx.shard(), ctx.key())) return ctx.reply.Null();
  ctx.reply.Integer(1);
}

constexpr CommandRow kSubcommands[] = {
    {"encoding", 3, kReadOnly, kSubcommandKey, KeyAccess::kInspect, "keyspace", "generic", "2.2.3",
     "O(1)", "The form in which a value is kept", "key", ObjectEncoding, kNoSubcommands,
     "nondeterministic_output"},
    {"freq", 3, kReadOnly, kSubcommandKey, KeyAccess::kInspect, "keyspace", "generic", "4.0.0",
     "O(1)", "How often a key is used, as a logarithmic count", "key", ObjectFreq, kNoSubcommands,
     "nondeterministic_output"},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "keyspace", "generic", "6.2.0",
     "O(1)", "List the subcommands", "", ReplySubcommandHelp},
    {"idletime", 3, kReadOnly, kSubcommandKey, KeyAccess::kInspect, "keyspace", "generic", "2.2.3",
     "O(1)", "For how many seconds a key has not been used", "key", ObjectIdleTime, kNoSubcommands,
     "nondeterministic_output"},
    {"refcount", 3, kReadOnly, kSubcommandKey, KeyAccess::kInspect, "keyspace", "generic", "2.2.3",
     "O(1)", "How many times a value is referred to", "key", ObjectRefCount, kNoSubcommands,
     "nondeterministic_output"},
};

constexpr CommandRow kRows[] = {
    {"object", -2, 0, kNoKeys, KeyAccess::kNone, "", "generic", "2.2.3", "That of the subcommand",
     "What there is to know about how a value is kept", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ObjectCommands() { return kRows; }

}  // namespace lapse
