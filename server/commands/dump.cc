// DUMP and RESTORE: values that leave as bytes and come back, here or in another server.

#include <optional>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/hashes.h"
#include "server/commands/list_parts.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/commands/sets.h"
#include "server/commands/sorted_set_parts.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"
#include "storage/persist/dump_payload.h"
#include "storage/persist/value_reader.h"
#include "storage/persist/value_writer.h"

namespace lapse {
namespace {

constexpr Event kRestoreEvent{"restore", 'g'};

constexpr std::string_view kBusyKey = "BUSYKEY Target key name already exists.";
constexpr std::string_view kBadFooter = "ERR DUMP payload version or checksum are wrong";
constexpr std::string_view kBadFormat = "ERR Bad data format";
constexpr std::string_view kBadTtl = "ERR Invalid TTL value, must be >= 0";
constexpr std::string_view kBadIdleTime = "ERR Invalid IDLETIME value, must be >= 0";
constexpr std::string_view kBadFrequency = "ERR Invalid FREQ value, must be >= 0 and <= 255";

void Dump(CommandContext& ctx) {
  const Item item = ctx.shard().Read(ctx.key());
  if (!item) return ctx.reply.Null();
  ctx.reply.Bulk(DumpEntry(*item.entry()));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;
  std::optional<int64_t> idle_seconds;
  std::optional<int64_t> frequency;
};

RestoreOptions ReadOptions(ArgumentReader& in) {
  RestoreOptions options;
  while (in.More()) {
    if (in.Match("REPLACE")) {
      options.replace = true;
    } else if (in.Match("ABSTTL")) {
      options.absolute = true;
    } else if (in.left() >= 2 && !options.frequency && in.Match("IDLETIME")) {
      options.idle_seconds = in.Integer();
      if (*options.idle_seconds < 0) in.Fail(kBadIdleTime);
    } else if (in.left() >= 2 && !options.idle_seconds && in.Match("FREQ")) {
      options.frequency = in.Integer();
      if (*options.frequency < 0 || *options.frequency > 255) in.Fail(kBadFrequency);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  return options;
}

ValueLimits LimitsOf(const CommandContext& ctx) {
  return {.set = SetLimits(ctx),
          .hash = HashLimits(ctx),
          .sorted_set = SortedSetLimits(ctx),
          .list_node_size = ListNodeSize(ctx)};
}

// The deadline that a TTL means; beyond the end of time there is none.
int64_t DeadlineOf(const CommandContext& ctx, int64_t ttl, bool absolute) {
  if (ttl == 0 || absolute) return ttl == 0 ? kNoDeadline : ttl;
  return ttl > kNoDeadline - ctx.now_ms ? kNoDeadline : ttl + ctx.now_ms;
}

void NoteUse(CommandContext& ctx, const Item& item, const RestoreOptions& options) {
  const bool lfu = ctx.keyspace().access().lfu();
  if (lfu && options.frequency) {
    const auto counter = static_cast<uint32_t>(*options.frequency);
    ctx.shard().SetAccessClock(item, AccessClock::WithCounter(counter, ctx.now_ms));
  } else if (!lfu && options.idle_seconds) {
    ctx.shard().SetAccessClock(item, AccessClock::RestedFor(*options.idle_seconds, ctx.now_ms));
  }
}

// Stores a value in place of what there is.
void Put(CommandContext& ctx, const Item& existing, ReadResult value, int64_t deadline,
         const RestoreOptions& options) {
  LockedShard& shard = ctx.shard();
  if (existing) AnnounceNew(shard, ctx.key());
  if (value.collection != nullptr) {
    const Item item = shard.StoreCollection(ctx.key(), existing, std::move(value.collection),
                                            deadline, kRestoreEvent);
    return NoteUse(ctx, item, options);
  }
  const Item item = shard.Store(ctx.key(), existing,
                                {.value = value.text,
                                 .deadline = deadline,
                                 .encoding = EncodingOfString(value.text),
                                 .event = kRestoreEvent});
  NoteUse(ctx, item, options);
}

void Restore(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 4);
  const RestoreOptions options = ReadOptions(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  const Item existing = ctx.shard().Find(ctx.key());
  if (existing && !options.replace) return ctx.reply.Error(kBusyKey);

  ArgumentReader ttl_in(ctx.args, 2);
  const int64_t ttl = ttl_in.Integer();
  if (ttl < 0) ttl_in.Fail(kBadTtl);
  if (!ttl_in.ok()) return ctx.reply.Error(ttl_in.error());

  const auto body = OpenDump(ctx.args[3]);
  if (!body) return ctx.reply.Error(kBadFooter);
  RdbReader payload(*body);
  const uint8_t tag = payload.Byte();
  auto value = ReadValue(payload, tag, LimitsOf(ctx));
  if (!value) return ctx.reply.Error(kBadFormat);

  const int64_t deadline = DeadlineOf(ctx, ttl, options.absolute);
  if (deadline <= ctx.now_ms) {
    // It would be gone at once: all that is left of it is that it has replaced something.
    if (existing) ctx.shard().Remove(existing, kDelEvent);
  } else {
    Put(ctx, existing, std::move(*value), deadline, options);
  }
  ctx.reply.Ok();
}

constexpr std::string_view kRestoreComplexity = "O(N), N bytes given; O(N log N) for a sorted set";
constexpr std::string_view kRestoreSyntax =
    "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]";

constexpr CommandRow kRows[] = {
    {"dump", 2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "keyspace", "generic", "2.6.0",
     "O(N), N bytes of value", "The value as bytes that RESTORE takes", "key", Dump, kNoSubcommands,
     "nondeterministic_output"},
    {"restore", -4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite, "keyspace dangerous",
     "generic", "2.6.0", kRestoreComplexity, "Make a key of the bytes that DUMP gave",
     kRestoreSyntax, Restore},
    {"restore-asking", -4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite, "keyspace dangerous",
     "server", "3.0.0", kRestoreComplexity, "RESTORE for keys on their way between nodes",
     kRestoreSyntax, Restore},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> DumpCommands() { return kRows; }

}  // namespace lapse
