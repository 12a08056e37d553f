// Strings as a whole: SET, GET and their relatives.

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/set_options.h"
#include "server/commands/ttl.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

// Replies with the value of a read, or with nothing.
inline void ReplyValue(CommandContext& ctx, const Item& item) {
  if (!item) return ctx.reply.Null();
  if (!ExpectString(ctx, item)) return;
  ctx.reply.Bulk(item.value());
}

Item StoreString(CommandContext& ctx, size_t i, const Item& existing, std::string_view value,
                 int64_t deadline = kNoDeadline) {
  return ctx.shard(i).Store(ctx.key(i), existing,
                            {.value = value,
                             .deadline = deadline,
                             .encoding = EncodingOfString(value),
                             .event = kSetEvent});
}

// Reports the second event of a SET that names a TTL. The deadline is stored by then, together with
// the value: writing it once more serves the report alone, and is left out when nobody listens.
void ReportTtl(CommandContext& ctx, Item& item, int64_t deadline) {
  if (!ctx.keyspace().effects().listening()) return;
  ctx.shard().SetDeadline(ctx.key(), item, deadline, kExpireEvent);
}

void Get(CommandContext& ctx) { ReplyValue(ctx, ctx.shard().Read(ctx.key())); }

void Set(CommandContext& ctx) {
  SetOptions options;
  if (ctx.args.size() > 3 && !ParseSetOptions(ctx, 3, options)) return;
  int64_t deadline = kNoDeadline;
  if (options.has_ttl()) {
    const auto parsed = ParsePositiveTtl(ctx, options.ttl_form, options.ttl);
    if (!parsed) return;
    deadline = *parsed;
  }

  LockedShard& shard = ctx.shard();
  const Item existing = options.get ? shard.Read(ctx.key()) : shard.Find(ctx.key());
  if (options.get) {
    if (!ExpectString(ctx, existing)) return;
    ReplyValue(ctx, existing);
  }
  if (existing ? options.nx : options.xx) {
    if (!options.get) ctx.reply.Null();
    return;
  }
  if (options.keep_ttl && existing) deadline = existing.deadline();
  Item item = StoreString(ctx, 0, existing, ctx.args[2], deadline);
  if (options.has_ttl()) ReportTtl(ctx, item, deadline);
  if (!options.get) ctx.reply.Ok();
}

void SetNx(CommandContext& ctx) {
  const bool found = static_cast<bool>(ctx.shard().Find(ctx.key()));
  if (!found) StoreString(ctx, 0, {}, ctx.args[2]);
  ctx.reply.Integer(found ? 0 : 1);
}

void SetWithTtl(CommandContext& ctx, TtlForm form) {
  const auto deadline = ParsePositiveTtl(ctx, form, ctx.args[2]);
  if (!deadline) return;
  Item item = StoreString(ctx, 0, ctx.shard().Find(ctx.key()), ctx.args[3], *deadline);
  ReportTtl(ctx, item, *deadline);
  ctx.reply.Ok();
}

void SetEx(CommandContext& ctx) { SetWithTtl(ctx, TtlForm::kSeconds); }

void PSetEx(CommandContext& ctx) { SetWithTtl(ctx, TtlForm::kMilliseconds); }

void GetSet(CommandContext& ctx) {
  const Item existing = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, existing)) return;
  ReplyValue(ctx, existing);
  StoreString(ctx, 0, existing, ctx.args[2]);
}

void GetDel(CommandContext& ctx) {
  const Item item = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, item)) return;
  ReplyValue(ctx, item);
  if (item) ctx.shard().Remove(item, kDelEvent);
}

void GetEx(CommandContext& ctx) {
  SetOptions options;
  if (!ParseGetExOptions(ctx, 2, options)) return;
  Item item = ctx.shard().Read(ctx.key());
  if (!item) return ctx.reply.Null();
  if (!ExpectString(ctx, item)) return;
  // As in Redis, a bad TTL for a key that is not there goes unnoticed.
  int64_t deadline = kNoDeadline;
  if (options.has_ttl()) {
    const auto parsed = ParsePositiveTtl(ctx, options.ttl_form, options.ttl);
    if (!parsed) return;
    deadline = *parsed;
  }

  ReplyValue(ctx, item);
  if (options.has_ttl() && deadline <= ctx.now_ms) {
    ctx.shard().Remove(item, kDelEvent);
  } else if (options.has_ttl()) {
    ctx.shard().SetDeadline(ctx.key(), item, deadline, kExpireEvent);
  } else if (options.persist && item.deadline() != kNoDeadline) {
    ctx.shard().SetDeadline(ctx.key(), item, kNoDeadline, kPersistEvent);
  }
}

void MGet(CommandContext& ctx) {
  ctx.reply.Array(ctx.key_count());
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Read(ctx.key(i));
    // A value of another type counts as none.
    ReplyValue(ctx, item && item.is_string() ? item : Item());
  }
}

// Keys and values alternate. False: an error has been replied.
bool ArePairs(CommandContext& ctx) {
  if (ctx.args.size() % 2 == 1) return true;
  ctx.reply.Error(fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
  return false;
}

void StorePairs(CommandContext& ctx) {
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    StoreString(ctx, i, ctx.shard(i).Find(ctx.key(i)), ctx.args[2 + 2 * i]);
  }
}

void MSet(CommandContext& ctx) {
  if (!ArePairs(ctx)) return;
  StorePairs(ctx);
  ctx.reply.Ok();
}

void MSetNx(CommandContext& ctx) {
  if (!ArePairs(ctx)) return;
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    if (ctx.shard(i).Find(ctx.key(i))) return ctx.reply.Integer(0);
  }
  StorePairs(ctx);
  ctx.reply.Integer(1);
}

void StrLen(CommandContext& ctx) {
  const Item item = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, item)) return;
  ctx.reply.Integer(item ? static_cast<int64_t>(item.value().size()) : 0);
}

// Without GET the old value is nobody's to see.
KeyAccess AccessOfSet(std::span<const std::string_view> args) {
  constexpr size_t kFirstOption = 3;
  for (size_t i = kFirstOption; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "GET")) return KeyAccess::kReadWrite;
  }
  return KeyAccess::kOverwrite;
}

constexpr CommandRow kRows[] = {
    {"get", 2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "string", "string", "1.0.0",
     "O(1)", "The value of a string", "key", Get},
    WithSpecs({"set", -3, kWrite | kDenyOom, kOneKey, KeyAccess::kReadWrite, "string", "string",
               "1.0.0", "O(1)", "Set a string",
               "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | KEEPTTL]",
               Set},
              kVariableKey, AccessOfSet),
    {"setnx", 3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kCreate, "string", "string",
     "1.0.0", "O(1)", "Set a string unless the key exists", "key value", SetNx},
    {"setex", 4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite, "string", "string", "2.0.0",
     "O(1)", "Set a string that lives for so many seconds", "key seconds value", SetEx},
    {"psetex", 4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite, "string", "string", "2.6.0",
     "O(1)", "Set a string that lives for so many milliseconds", "key milliseconds value", PSetEx},
    {"getset", 3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kReadWrite, "string", "string",
     "1.0.0", "O(1)", "Replace a string and return what it was", "key value", GetSet},
    {"getdel", 2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "string", "string", "6.2.0",
     "O(1)", "Take a string: its value, and the key is deleted", "key", GetDel},
    {"getex", -2, kWrite | kFast, kOneKey, KeyAccess::kReadWrite, "string", "string", "6.2.0",
     "O(1)", "The value of a string, changing when the key expires",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
     "PERSIST]",
     GetEx},
    {"mget", -2, kReadOnly | kFast, kAllKeys, KeyAccess::kReadOnly, "string", "string", "1.0.0",
     "O(1) per key", "The values of several strings", "key [key ...]", MGet, kNoSubcommands,
     "request_policy:multi_shard"},
    {"mset", -3, kWrite | kDenyOom, kAlternateKeys, KeyAccess::kOverwrite, "string", "string",
     "1.0.1", "O(1) per key", "Set several strings", "key value [key value ...]", MSet,
     kNoSubcommands, "request_policy:multi_shard response_policy:all_succeeded"},
    {"msetnx", -3, kWrite | kDenyOom, kAlternateKeys, KeyAccess::kCreate, "string", "string",
     "1.0.1", "O(1) per key", "Set several strings unless one of the keys exists",
     "key value [key value ...]", MSetNx, kNoSubcommands,
     "request_policy:multi_shard response_policy:agg_min"},
    {"strlen", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "string", "string", "2.2.0",
     "O(1)", "How long a string is", "key", StrLen},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StringCommands() { return kRows; }

}  // namespace lapse
