// Keys, whatever they hold: DEL, EXISTS, RENAME and their relatives.

#include "absl/container/inlined_vector.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr Event kRenameFromEvent{"rename_from", 'g'};
constexpr Event kRenameToEvent{"rename_to", 'g'};

// UNLINK, too: entries are always destroyed after their shard is unlocked.
void Del(CommandContext& ctx) {
  int64_t removed = 0;
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Find(ctx.key(i));
    if (!item) continue;
    ctx.shard(i).Remove(item, kDelEvent);
    ++removed;
  }
  ctx.reply.Integer(removed);
}

void Exists(CommandContext& ctx) {
  int64_t found = 0;
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    if (ctx.shard(i).Peek(ctx.key(i))) ++found;
  }
  ctx.reply.Integer(found);
}

void Type(CommandContext& ctx) {
  const Item item = ctx.shard().Peek(ctx.key());
  ctx.reply.Simple(item ? TypeName(item.entry()->type()) : "none");
}

// Locks for itself, since it touches even for a client that has asked for CLIENT NO-TOUCH.
void Touch(CommandContext& ctx) {
  AccessView view = ctx.view();
  view.touch = true;
  absl::InlinedVector<KeyLocks::Want, 8> wanted;
  for (const Key& key : ctx.keys) wanted.push_back({view.db, key.place});
  KeyLocks locks(ctx.keyspace(), view, wanted);
  int64_t found = 0;
  for (const Key& key : ctx.keys) {
    if (locks.For(view.db, key.place).Read(key)) ++found;
  }
  ctx.reply.Integer(found);
}

// Moves the value and the deadline of key 0 to key 1.
void MoveValue(CommandContext& ctx, const Item& source) {
  LockedShard& target = ctx.shard(1);
  AnnounceNew(target, ctx.key(1));
  ctx.shard(0).Remove(source, kRenameFromEvent);
  target.StoreMoved(ctx.key(1), target.Find(ctx.key(1)), source, kRenameToEvent);
}

void Rename(CommandContext& ctx) {
  const Item source = ctx.shard(0).Find(ctx.key(0));
  if (!source) return ctx.reply.Error(errors::kNoSuchKey);
  if (ctx.key(0).name != ctx.key(1).name) MoveValue(ctx, source);
  ctx.reply.Ok();
}

void RenameNx(CommandContext& ctx) {
  if (!ctx.shard(0).Find(ctx.key(0))) return ctx.reply.Error(errors::kNoSuchKey);
  if (ctx.shard(1).Find(ctx.key(1))) return ctx.reply.Integer(0);
  // Found anew: the second lookup may have removed an expired key, which moves others.
  MoveValue(ctx, ctx.shard(0).Find(ctx.key(0)));
  ctx.reply.Integer(1);
}

constexpr std::string_view kPerRemoval =
    "O(1) per key; values are freed after the lock is released";

constexpr CommandRow kRows[] = {
    {"del", -2, kWrite, kAllKeys, KeyAccess::kRemove, "keyspace", "generic", "1.0.0", kPerRemoval,
     "Delete keys", "key [key ...]", Del, kNoSubcommands,
     "request_policy:multi_shard response_policy:agg_sum"},
    {"unlink", -2, kWrite | kFast, kAllKeys, KeyAccess::kRemove, "keyspace", "generic", "4.0.0",
     kPerRemoval, "Delete a key, reclaiming its memory without making others wait", "key [key ...]",
     Del, kNoSubcommands, "request_policy:multi_shard response_policy:agg_sum"},
    {"exists", -2, kReadOnly | kFast, kAllKeys, KeyAccess::kInspect, "keyspace", "generic", "1.0.0",
     "O(1) per key", "How many of the keys there are", "key [key ...]", Exists, kNoSubcommands,
     "request_policy:multi_shard response_policy:agg_sum"},
    {"type", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "keyspace", "generic", "1.0.0",
     "O(1)", "What kind of value a key has", "key", Type},
    {"touch", -2, kReadOnly | kFast | kLocksItself, kAllKeys, KeyAccess::kInspect, "keyspace",
     "generic", "3.2.1", "O(1) per key",
     "Set the last access time of keys to now, and count those that exist", "key [key ...]", Touch,
     kNoSubcommands, "request_policy:multi_shard response_policy:agg_sum"},
    WithSpecs({"rename", 3, kWrite, kTwoKeys, KeyAccess::kReadDelete, "keyspace", "generic",
               "1.0.0", "O(1)", "Give a key another name", "key newkey", Rename},
              kRenameSpecs),
    WithSpecs(
        {"renamenx", 3, kWrite | kFast, kTwoKeys, KeyAccess::kReadDelete, "keyspace", "generic",
         "1.0.0", "O(1)", "Give a key another name that is free", "key newkey", RenameNx},
        kRenameNewSpecs),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> KeyCommands() { return kRows; }

}  // namespace lapse
