// COPY and MOVE: values that go from key to key and from database to database.
//
// The destination's database stands in the options, so these lock for themselves.

#include "server/commands/database_index.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr Event kCopyToEvent{"copy_to", 'g'};
constexpr Event kMoveFromEvent{"move_from", 'g'};
constexpr Event kMoveToEvent{"move_to", 'g'};

constexpr std::string_view kSameObject = "ERR source and destination objects are the same";

struct CopyOptions {
  uint16_t db = 0;
  bool replace = false;
};

// False: an error has been replied.
bool ParseCopyOptions(CommandContext& ctx, CopyOptions& options) {
  ArgumentReader in(ctx.args, 3);
  while (in.More()) {
    if (in.Match("REPLACE")) {
      options.replace = true;
    } else if (in.left() >= 2 && in.Match("DB")) {
      const auto db = ParseDatabaseIndex(ctx, in.Next());
      if (!db) return false;
      options.db = *db;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

void Copy(CommandContext& ctx) {
  const uint16_t source_db = ctx.view().db;
  CopyOptions options{.db = source_db};
  if (!ParseCopyOptions(ctx, options)) return;
  if (options.db == source_db && ctx.args[1] == ctx.args[2]) return ctx.reply.Error(kSameObject);

  const Key& from = ctx.key(0);
  const Key& to = ctx.key(1);
  KeyLocks locks(ctx.keyspace(), ctx.view(), {{source_db, from.place}, {options.db, to.place}});
  const Item source = locks.For(source_db, from.place).Read(from);
  if (!source) return ctx.reply.Integer(0);
  // Unlike the item, the entry stays where it is when others come and go.
  const Entry& copied = *source.entry();
  LockedShard& target = locks.For(options.db, to.place);
  const Item existing = target.Find(to);
  if (!options.replace && existing) return ctx.reply.Integer(0);
  if (existing) AnnounceNew(target, to);
  target.StoreCopy(to, existing, copied, kCopyToEvent);
  ctx.reply.Integer(1);
}

void Move(CommandContext& ctx) {
  const uint16_t source_db = ctx.view().db;
  const auto target_db = ParseDatabaseIndex(ctx, ctx.args[2]);
  if (!target_db) return;
  if (*target_db == source_db) return ctx.reply.Error(kSameObject);

  const Key& key = ctx.key();
  KeyLocks locks(ctx.keyspace(), ctx.view(), {{source_db, key.place}, {*target_db, key.place}});
  LockedShard& from = locks.For(source_db, key.place);
  LockedShard& to = locks.For(*target_db, key.place);
  const Item source = from.Find(key);
  if (!source || to.Find(key)) return ctx.reply.Integer(0);
  AnnounceNew(to, key);
  from.Remove(source, kMoveFromEvent);
  to.StoreMoved(key, {}, source, kMoveToEvent);
  ctx.reply.Integer(1);
}

constexpr CommandRow kRows[] = {
    WithSpecs(
        {"copy", -3, kWrite | kDenyOom | kLocksItself, kTwoKeys, KeyAccess::kReadOnly, "keyspace",
         "generic", "6.2.0", "O(N), N bytes of value", "Make another key of the same value",
         "source destination [DB destination-db] [REPLACE]", Copy},
        kSourceThenTarget),
    {"move", 3, kWrite | kFast | kLocksItself, kOneKey, KeyAccess::kReadWrite, "keyspace",
     "generic", "1.0.0", "O(1)", "Move a key to another database", "key db", Move},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> CopyCommands() { return kRows; }

}  // namespace lapse
