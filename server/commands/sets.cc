// Sets: their members, one set at a time. What combines sets is in set_operations.cc.

#include "server/commands/sets.h"

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "protocol/buffer.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/scan_options.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/dispatcher.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kCountOutOfRange =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
// Elements that one request may draw with repetition: more would not fit a reply.
constexpr int64_t kMostDraws = int64_t{1} << 26;

void SAdd(CommandContext& ctx) {
  const auto found = FindAs<Set>(ctx);
  if (found.wrong()) return;
  const Set::Limits limits = SetLimits(ctx);
  const auto members = ctx.args.subspan(2);
  Edit<Set> set(ctx, 0, found);
  if (set.is_new() || members.size() > 1) set->Expect(members[0], members.size(), limits);
  int64_t added = 0;
  for (const std::string_view member : members) added += set->Add(member, limits) ? 1 : 0;
  set.Commit(added > 0 ? kSAddEvent : Event{});
  ctx.reply.Integer(added);
}

void SRem(CommandContext& ctx) {
  const auto found = FindAs<Set>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Integer(0);
  Edit<Set> set(ctx, 0, found);
  int64_t removed = 0;
  for (const std::string_view member : ctx.args.subspan(2)) removed += set->Remove(member) ? 1 : 0;
  set.Commit(removed > 0 ? kSRemEvent : Event{});
  ctx.reply.Integer(removed);
}

void SIsMember(CommandContext& ctx) {
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  ctx.reply.Integer(set && set->Contains(ctx.args[2]) ? 1 : 0);
}

void SMIsMember(CommandContext& ctx) {
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  const auto members = ctx.args.subspan(2);
  ctx.reply.Array(members.size());
  for (const std::string_view member : members) {
    ctx.reply.Integer(set && set->Contains(member) ? 1 : 0);
  }
}

void SCard(CommandContext& ctx) {
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  ctx.reply.Integer(set ? static_cast<int64_t>(set->size()) : 0);
}

void SMembers(CommandContext& ctx) {
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  ctx.reply.Set(set ? set->size() : 0);
  if (set) set->ForEach([&](std::string_view member) { ctx.reply.Bulk(member); });
}

void SMove(CommandContext& ctx) {
  const std::string_view member = ctx.args[3];
  const bool same = ctx.key(0).name == ctx.key(1).name;
  const Item from_item = ctx.shard(0).Find(ctx.key(0));
  // Looked at in any case, which its access time shows.
  const Item target = ctx.shard(1).Find(ctx.key(1));
  const Typed<Set> source(ctx, from_item);
  if (source.wrong()) return;
  if (!source) return ctx.reply.Integer(0);
  if (Typed<Set>(ctx, target).wrong()) return;
  if (same) return ctx.reply.Integer(source->Contains(member) ? 1 : 0);
  if (!source->Contains(member)) return ctx.reply.Integer(0);
  {
    Edit<Set> from(ctx, 0, source);
    from->Remove(member);
    from.Commit(kSRemEvent);
  }
  // Looked up anew: the source's key may have gone, and the shard may be the same.
  const auto destination = FindAs<Set>(ctx, 1);
  Edit<Set> to(ctx, 1, destination);
  const bool added = to->Add(member, SetLimits(ctx));
  to.Commit(added ? kSAddEvent : Event{});
  ctx.reply.Integer(1);
}

// Takes all members, leaving nothing.
void PopAll(CommandContext& ctx, const Typed<Set>& set) {
  ctx.reply.Set(set->size());
  set->ForEach([&](std::string_view member) { ctx.reply.Bulk(member); });
  ctx.shard().ReportWritten(set.item(), kSPopEvent);
  ctx.shard().Remove(set.item(), kDelEvent);
}

void PopSome(CommandContext& ctx) {
  int64_t count = 0;
  if (!ParseInt64(ctx.args[2], count) || count < 0) return ctx.reply.Error(errors::kNotPositive);
  const auto found = FindAs<Set>(ctx);
  if (found.wrong()) return;
  if (!found || count == 0) return ctx.reply.Set(0);
  const auto wanted = static_cast<size_t>(count);
  if (wanted >= found->size()) return PopAll(ctx, found);
  Edit<Set> set(ctx, 0, found);
  ctx.reply.Set(wanted);
  for (size_t i = 0; i < wanted; ++i) ctx.reply.Bulk(set->Pop(ctx.dispatcher.random()));
  set.Commit(kSPopEvent);
}

void SPop(CommandContext& ctx) {
  if (ctx.args.size() > 3) return ctx.reply.Error(errors::kSyntax);
  if (ctx.args.size() == 3) return PopSome(ctx);
  const auto found = FindAs<Set>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Null();
  Edit<Set> set(ctx, 0, found);
  ctx.reply.Bulk(set->Pop(ctx.dispatcher.random()));
  set.Commit(kSPopEvent);
}

// Distinct members. Requires: fewer than there are.
void DrawDistinct(CommandContext& ctx, const Set& set, size_t count) {
  ctx.reply.Array(count);
  if (count <= set.size() / 3) {
    // Drawn again where a member was drawn before, which two in three times it was not.
    absl::flat_hash_set<std::string> drawn;
    while (drawn.size() < count) {
      set.VisitRandom(ctx.dispatcher.random(), [&](std::string_view member) {
        if (drawn.emplace(member).second) ctx.reply.Bulk(member);
      });
    }
    return;
  }
  // Every member in turn, with the chance that so many of those left are still wanted.
  size_t left = set.size();
  set.VisitWhile([&](std::string_view member) {
    if (absl::Uniform<size_t>(ctx.dispatcher.random(), 0, left--) < count) {
      ctx.reply.Bulk(member);
      --count;
    }
    return count > 0;
  });
}

void RandomMembers(CommandContext& ctx) {
  int64_t count = 0;
  if (!ParseInt64(ctx.args[2], count)) return ctx.reply.Error(errors::kNotInteger);
  if (count == INT64_MIN) return ctx.reply.Error(kCountOutOfRange);
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  if (!set || count == 0) return ctx.reply.EmptyArray();
  if (count < 0) {
    if (-count > kMostDraws) return ctx.reply.Error(errors::kOutOfRange);
    ctx.reply.Array(static_cast<size_t>(-count));
    for (; count < 0; ++count) {
      set->VisitRandom(ctx.dispatcher.random(),
                       [&](std::string_view member) { ctx.reply.Bulk(member); });
    }
    return;
  }
  const auto wanted = static_cast<size_t>(count);
  if (wanted < set->size()) return DrawDistinct(ctx, *set, wanted);
  ctx.reply.Array(set->size());
  set->ForEach([&](std::string_view member) { ctx.reply.Bulk(member); });
}

void SRandMember(CommandContext& ctx) {
  if (ctx.args.size() > 3) return ctx.reply.Error(errors::kSyntax);
  if (ctx.args.size() == 3) return RandomMembers(ctx);
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  if (!set) return ctx.reply.Null();
  set->VisitRandom(ctx.dispatcher.random(),
                   [&](std::string_view member) { ctx.reply.Bulk(member); });
}

void SScan(CommandContext& ctx) {
  const auto cursor = ParseCursor(ctx, ctx.args[2]);
  if (!cursor) return;
  const auto set = ReadAs<Set>(ctx);
  if (set.wrong()) return;
  // The options for a key that is not there go unread, as in Redis.
  ScanOptions options;
  if (set && !ParseScanOptions(ctx, 3, ScanOf::kMembers, options)) return;
  Buffer found;
  ReplyWriter members(found);
  size_t count = 0;
  uint64_t next = 0;
  if (set) {
    next = set->Scan(*cursor, static_cast<size_t>(options.count), [&](std::string_view member) {
      if (!options.Shows(member)) return;
      members.Bulk(member);
      ++count;
    });
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(next));
  ctx.reply.Array(count);
  ctx.reply.Raw(found.view());
}

constexpr CommandRow kRows[] = {
    {"sadd", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "set", "set", "1.0.0",
     "O(1) per member", "Add members to a set", "key member [member ...]", SAdd},
    {"srem", -3, kWrite | kFast, kOneKey, KeyAccess::kDelete, "set", "set", "1.0.0",
     "O(1) per member", "Remove members of a set", "key member [member ...]", SRem},
    {"sismember", 3, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "set", "set", "1.0.0", "O(1)",
     "Whether a set has the member", "key member", SIsMember},
    {"smismember", -3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "set", "set", "6.2.0",
     "O(1) per member", "Which of several members a set has", "key member [member ...]",
     SMIsMember},
    {"scard", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "set", "set", "1.0.0", "O(1)",
     "How many members a set has", "key", SCard},
    {"smembers", 2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "set", "set", "1.0.0",
     "O(N), N members in the set", "All members of a set", "key", SMembers, kNoSubcommands,
     "nondeterministic_output_order"},
    WithSpecs({"smove", 4, kWrite | kFast, kTwoKeys, KeyAccess::kReadDelete, "set", "set", "1.0.0",
               "O(1)", "Move a member from one set to another", "source destination member", SMove},
              kMoveSpecs),
    {"spop", -2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "set", "set", "1.0.0",
     "O(1) per member", "Take members of a set at random", "key [count]", SPop, kNoSubcommands,
     "nondeterministic_output"},
    {"srandmember", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "set", "set", "1.0.0",
     "O(1) per member", "Members of a set at random", "key [count]", SRandMember, kNoSubcommands,
     "nondeterministic_output"},
    {"sscan", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "set", "set", "2.8.0",
     "O(COUNT) per call, O(N) for the whole walk, N members in the set",
     "Walk over the members of a set, some at a time", "key cursor [MATCH pattern] [COUNT count]",
     SScan, kNoSubcommands, "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SetCommands() { return kRows; }

}  // namespace lapse
