// Deadlines: EXPIRE, TTL and their relatives.

#include <algorithm>

#include "fmt/format.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/option_word.h"
#include "server/commands/rows.h"
#include "server/commands/ttl.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kNxExcludesOthers =
    "ERR NX and XX, GT or LT options at the same time are not compatible";
constexpr std::string_view kGtExcludesLt =
    "ERR GT and LT options at the same time are not compatible";

// When the deadline is to be set.
struct Conditions {
  bool nx = false;  // there is none yet
  bool xx = false;  // there is one
  bool gt = false;  // the new one is later; none counts as infinitely late
  bool lt = false;  // the new one is earlier

  bool Allow(int64_t current, int64_t wanted) const {
    if (nx && current != kNoDeadline) return false;
    if (xx && current == kNoDeadline) return false;
    if (gt && wanted <= current) return false;  // kNoDeadline is the greatest there is
    return !(lt && wanted >= current);
  }
};

// False: an error has been replied.
bool ParseConditions(CommandContext& ctx, Conditions& conditions) {
  for (const std::string_view option : ctx.args.subspan(3)) {
    switch (OptionWord(option)) {
      case OptionWord("NX"):
        conditions.nx = true;
        break;
      case OptionWord("XX"):
        conditions.xx = true;
        break;
      case OptionWord("GT"):
        conditions.gt = true;
        break;
      case OptionWord("LT"):
        conditions.lt = true;
        break;
      default:
        ctx.reply.Error(fmt::format("ERR Unsupported option {}", option));
        return false;
    }
  }
  const bool others = conditions.xx || conditions.gt || conditions.lt;
  if (conditions.nx && others)
    ctx.reply.Error(kNxExcludesOthers);
  else if (conditions.gt && conditions.lt)
    ctx.reply.Error(kGtExcludesLt);
  else
    return true;
  return false;
}

// Options are checked first, then the integer, then its range, then the key: a bad request is an
// error whether or not there is a key. A deadline that is not in the future deletes, which replays
// and is reported as a deletion, not as an expiry.
void SetDeadline(CommandContext& ctx, TtlForm form) {
  Conditions conditions;
  if (ctx.args.size() > 3 && !ParseConditions(ctx, conditions)) return;
  int64_t amount = 0;
  if (!ParseInt64(ctx.args[2], amount)) return ctx.reply.Error(errors::kNotInteger);
  const auto deadline = DeadlineOf(form, amount, ctx.now_ms);
  if (!deadline) return ReplyInvalidTtl(ctx);

  Item item = ctx.shard().Find(ctx.key());
  if (!item || !conditions.Allow(item.deadline(), *deadline)) return ctx.reply.Integer(0);
  if (*deadline <= ctx.now_ms) {
    ctx.shard().Remove(item, kDelEvent);
  } else {
    ctx.shard().SetDeadline(ctx.key(), item, *deadline, kExpireEvent);
  }
  ctx.reply.Integer(1);
}

void Expire(CommandContext& ctx) { SetDeadline(ctx, TtlForm::kSeconds); }

void PExpire(CommandContext& ctx) { SetDeadline(ctx, TtlForm::kMilliseconds); }

void ExpireAt(CommandContext& ctx) { SetDeadline(ctx, TtlForm::kUnixSeconds); }

void PExpireAt(CommandContext& ctx) { SetDeadline(ctx, TtlForm::kUnixMilliseconds); }

// To the nearest second. Requires: ms >= 0.
int64_t RoundedSeconds(int64_t ms) { return ms / 1000 + (ms % 1000 >= 500 ? 1 : 0); }

// Replies with the key's time in the form that is asked for: -1 when it has no deadline, -2 when
// there is no key.
void ReplyDeadline(CommandContext& ctx, TtlForm form) {
  const Item item = ctx.shard().Peek(ctx.key());
  if (!item) return ctx.reply.Integer(-2);
  if (item.deadline() == kNoDeadline) return ctx.reply.Integer(-1);
  const int64_t ms = IsRelative(form) ? item.deadline() - ctx.now_ms : item.deadline();
  const bool seconds = form == TtlForm::kSeconds || form == TtlForm::kUnixSeconds;
  ctx.reply.Integer(seconds ? RoundedSeconds(ms) : ms);
}

void Ttl(CommandContext& ctx) { ReplyDeadline(ctx, TtlForm::kSeconds); }

void PTtl(CommandContext& ctx) { ReplyDeadline(ctx, TtlForm::kMilliseconds); }

void ExpireTime(CommandContext& ctx) { ReplyDeadline(ctx, TtlForm::kUnixSeconds); }

void PExpireTime(CommandContext& ctx) { ReplyDeadline(ctx, TtlForm::kUnixMilliseconds); }

void Persist(CommandContext& ctx) {
  Item item = ctx.shard().Find(ctx.key());
  if (!item || item.deadline() == kNoDeadline) return ctx.reply.Integer(0);
  ctx.shard().SetDeadline(ctx.key(), item, kNoDeadline, kPersistEvent);
  ctx.reply.Integer(1);
}

constexpr CommandRow kRows[] = {
    {"expire", -3, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "keyspace", "generic", "1.0.0",
     "O(1)", "Give a key so many seconds to live", "key seconds [NX | XX | GT | LT]", Expire},
    {"pexpire", -3, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "keyspace", "generic", "2.6.0",
     "O(1)", "Give a key so many milliseconds to live", "key milliseconds [NX | XX | GT | LT]",
     PExpire},
    {"expireat", -3, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "keyspace", "generic", "1.2.0",
     "O(1)", "Have a key expire at a time in seconds", "key unix-time-seconds [NX | XX | GT | LT]",
     ExpireAt},
    {"pexpireat", -3, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "keyspace", "generic", "2.6.0",
     "O(1)", "Have a key expire at a time in milliseconds",
     "key unix-time-milliseconds [NX | XX | GT | LT]", PExpireAt},
    {"ttl", 2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "keyspace", "generic", "1.0.0",
     "O(1)", "How many seconds a key has left", "key", Ttl, kNoSubcommands,
     "nondeterministic_output"},
    {"pttl", 2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "keyspace", "generic", "2.6.0",
     "O(1)", "How many milliseconds a key has left", "key", PTtl, kNoSubcommands,
     "nondeterministic_output"},
    {"expiretime", 2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "keyspace", "generic",
     "7.0.0", "O(1)", "When a key expires, in seconds since the epoch", "key", ExpireTime},
    {"pexpiretime", 2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "keyspace", "generic",
     "7.0.0", "O(1)", "When a key expires, in milliseconds since the epoch", "key", PExpireTime},
    {"persist", 2, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "keyspace", "generic", "2.2.0",
     "O(1)", "Have a key live for ever", "key", Persist},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ExpireCommands() { return kRows; }

}  // namespace lapse
