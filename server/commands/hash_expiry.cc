// Deadlines of a hash's fields: HEXPIRE, HTTL and their relatives, and the commands that read or
// set fields together with them (HGETEX, HSETEX, HGETDEL).
//
// A field that is overdue is gone before any command sees its hash: LockedShard removes it with the
// lookup. What is given a deadline that is not in the future is deleted at once, which is reported
// as a deletion and not as an expiry, as with keys.

#include <optional>
#include <span>

#include "fmt/format.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/hashes.h"
#include "server/commands/option_word.h"
#include "server/commands/rows.h"
#include "server/commands/set_options.h"
#include "server/commands/ttl.h"

namespace lapse {
namespace {

constexpr Event kHExpireEvent{"hexpire", 'h'};
constexpr Event kHPersistEvent{"hpersist", 'h'};

// The greatest deadline of a field, as in Redis: 46 bits, the year 4199.
constexpr int64_t kLastFieldDeadline = (int64_t{1} << 46) - 1;

constexpr std::string_view kNegativeTtl = "ERR invalid expire time, must be >= 0";
constexpr std::string_view kFieldsMissing =
    "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr std::string_view kNumFieldsNotPositive =
    "ERR Number of fields must be a positive integer";
constexpr std::string_view kParameterNotPositive =
    "ERR Parameter `numFields` should be greater than 0";
constexpr std::string_view kNumFieldsMismatch =
    "ERR The `numfields` parameter must match the number of arguments";
constexpr std::string_view kInvalidNumFields = "ERR invalid number of fields";

// What the commands reply for each field.
constexpr int64_t kNoField = -2;
constexpr int64_t kNoTtl = -1;
constexpr int64_t kNotMet = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kDeleted = 2;

using Names = std::span<const std::string_view>;

// "FIELDS numfields field [field ...]" from args[at] to the end. nullopt: an error has been
// replied.
std::optional<Names> ParseFields(CommandContext& ctx, size_t at,
                                 std::string_view not_positive = kNumFieldsNotPositive) {
  if (at >= ctx.args.size() || OptionWord(ctx.args[at]) != OptionWord("FIELDS")) {
    ctx.reply.Error(kFieldsMissing);
    return std::nullopt;
  }
  int64_t count = 0;
  if (at + 1 >= ctx.args.size() || !ParseInt64(ctx.args[at + 1], count) || count < 1) {
    ctx.reply.Error(not_positive);
    return std::nullopt;
  }
  const Names names = ctx.args.subspan(at + 2);
  if (static_cast<uint64_t>(count) != names.size()) {
    ctx.reply.Error(kNumFieldsMismatch);
    return std::nullopt;
  }
  return names;
}

// The deadline that a TTL means. nullopt: an error has been replied.
std::optional<int64_t> ParseFieldTtl(CommandContext& ctx, TtlForm form, std::string_view text) {
  int64_t amount = 0;
  if (!ParseInt64(text, amount)) {
    ctx.reply.Error(errors::kNotInteger);
    return std::nullopt;
  }
  if (amount < 0) {
    ctx.reply.Error(kNegativeTtl);
    return std::nullopt;
  }
  const auto deadline = DeadlineOf(form, amount, ctx.now_ms);
  if (!deadline || *deadline > kLastFieldDeadline) {
    ReplyInvalidTtl(ctx);
    return std::nullopt;
  }
  return deadline;
}

// --- HEXPIRE and its relatives ---

enum class Condition : uint8_t { kNone, kNx, kXx, kGt, kLt };

Condition ConditionNamed(std::string_view option) {
  switch (OptionWord(option)) {
    case OptionWord("NX"):
      return Condition::kNx;
    case OptionWord("XX"):
      return Condition::kXx;
    case OptionWord("GT"):
      return Condition::kGt;
    case OptionWord("LT"):
      return Condition::kLt;
    default:
      return Condition::kNone;
  }
}

// A field without a deadline counts as one that never expires.
bool Allows(Condition condition, int64_t current, int64_t wanted) {
  switch (condition) {
    case Condition::kNx:
      return current == kNoDeadline;
    case Condition::kXx:
      return current != kNoDeadline;
    case Condition::kGt:
      return wanted > current;
    case Condition::kLt:
      return wanted < current;
    default:
      return true;
  }
}

int64_t ExpireField(CommandContext& ctx, Hash& hash, std::string_view name, int64_t deadline,
                    Condition condition) {
  const auto found = hash.Find(name);
  if (!found) return kNoField;
  if (!Allows(condition, found->deadline, deadline)) return kNotMet;
  if (deadline <= ctx.now_ms) {
    hash.Erase(name);
    return kDeleted;
  }
  hash.SetDeadline(name, deadline);
  return kDone;
}

// "No such field" for each.
void ReplyNoFields(CommandContext& ctx, Names names) {
  ctx.reply.Array(names.size());
  for (size_t i = 0; i < names.size(); ++i) ctx.reply.Integer(kNoField);
}

void ExpireFields(CommandContext& ctx, TtlForm form) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto deadline = ParseFieldTtl(ctx, form, ctx.args[2]);
  if (!deadline) return;
  const Condition condition = ConditionNamed(ctx.args[3]);
  const auto names = ParseFields(ctx, condition == Condition::kNone ? 3 : 4, kParameterNotPositive);
  if (!names) return;
  if (!hash) return ReplyNoFields(ctx, *names);

  Edit<Hash> edit(ctx, 0, hash);
  bool deleted = false;
  bool changed = false;
  ctx.reply.Array(names->size());
  for (const std::string_view name : *names) {
    const int64_t result = ExpireField(ctx, *edit, name, *deadline, condition);
    deleted |= result == kDeleted;
    changed |= result == kDone;
    ctx.reply.Integer(result);
  }
  edit.Commit(deleted ? kHDelEvent : changed ? kHExpireEvent : Event{});
}

void HExpire(CommandContext& ctx) { ExpireFields(ctx, TtlForm::kSeconds); }
void HPExpire(CommandContext& ctx) { ExpireFields(ctx, TtlForm::kMilliseconds); }
void HExpireAt(CommandContext& ctx) { ExpireFields(ctx, TtlForm::kUnixSeconds); }
void HPExpireAt(CommandContext& ctx) { ExpireFields(ctx, TtlForm::kUnixMilliseconds); }

// --- HTTL and its relatives ---

// In the form that is asked for; seconds are rounded up.
int64_t TimeOf(int64_t deadline, TtlForm form, int64_t now_ms) {
  const int64_t ms = IsRelative(form) ? deadline - now_ms : deadline;
  const bool seconds = form == TtlForm::kSeconds || form == TtlForm::kUnixSeconds;
  return seconds ? (ms + 999) / 1000 : ms;
}

void ReplyTimes(CommandContext& ctx, TtlForm form) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto names = ParseFields(ctx, 2);
  if (!names) return;
  if (!hash) return ReplyNoFields(ctx, *names);
  ctx.reply.Array(names->size());
  for (const std::string_view name : *names) {
    const auto found = hash->Find(name);
    if (!found) {
      ctx.reply.Integer(kNoField);
    } else if (found->deadline == kNoDeadline) {
      ctx.reply.Integer(kNoTtl);
    } else {
      ctx.reply.Integer(TimeOf(found->deadline, form, ctx.now_ms));
    }
  }
}

void HTtl(CommandContext& ctx) { ReplyTimes(ctx, TtlForm::kSeconds); }
void HPTtl(CommandContext& ctx) { ReplyTimes(ctx, TtlForm::kMilliseconds); }
void HExpireTime(CommandContext& ctx) { ReplyTimes(ctx, TtlForm::kUnixSeconds); }
void HPExpireTime(CommandContext& ctx) { ReplyTimes(ctx, TtlForm::kUnixMilliseconds); }

int64_t PersistField(Hash& hash, std::string_view name) {
  const auto found = hash.Find(name);
  if (!found) return kNoField;
  if (found->deadline == kNoDeadline) return kNoTtl;
  hash.SetDeadline(name, kNoDeadline);
  return kDone;
}

void HPersist(CommandContext& ctx) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto names = ParseFields(ctx, 2);
  if (!names) return;
  if (!hash) return ReplyNoFields(ctx, *names);
  Edit<Hash> edit(ctx, 0, hash);
  bool changed = false;
  ctx.reply.Array(names->size());
  for (const std::string_view name : *names) {
    const int64_t result = PersistField(*edit, name);
    changed |= result == kDone;
    ctx.reply.Integer(result);
  }
  edit.Commit(changed ? kHPersistEvent : Event{});
}

// --- HGETDEL, HGETEX, HSETEX ---

void ReplyNulls(CommandContext& ctx, size_t count) {
  ctx.reply.Array(count);
  for (size_t i = 0; i < count; ++i) ctx.reply.Null();
}

void HGetDel(CommandContext& ctx) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto names = ParseFields(ctx, 2);
  if (!names) return;
  if (!hash) return ReplyNulls(ctx, names->size());
  Edit<Hash> edit(ctx, 0, hash);
  bool deleted = false;
  ctx.reply.Array(names->size());
  for (const std::string_view name : *names) {
    ReplyValue(ctx.reply, edit->Find(name));
    deleted |= edit->Erase(name);
  }
  edit.Commit(deleted ? kHDelEvent : Event{});
}

void HGetEx(CommandContext& ctx) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const TtlForm form = TtlFormOf(OptionWord(ctx.args[2]));
  const bool persist = OptionWord(ctx.args[2]) == OptionWord("PERSIST");
  int64_t deadline = kNoDeadline;
  if (form != TtlForm::kNone) {
    const auto parsed = ParseFieldTtl(ctx, form, ctx.args[3]);
    if (!parsed) return;
    deadline = *parsed;
  }
  const auto names = ParseFields(ctx, form != TtlForm::kNone ? 4 : persist ? 3 : 2);
  if (!names) return;
  if (!hash) return ReplyNulls(ctx, names->size());

  Edit<Hash> edit(ctx, 0, hash);
  bool deleted = false;
  bool changed = false;
  ctx.reply.Array(names->size());
  for (const std::string_view name : *names) {
    ReplyValue(ctx.reply, edit->Find(name));
    int64_t result = kNotMet;
    if (persist) result = PersistField(*edit, name);
    if (form != TtlForm::kNone) {
      result = ExpireField(ctx, *edit, name, deadline, Condition::kNone);
    }
    deleted |= result == kDeleted;
    changed |= result == kDone;
  }
  const Event kept = persist ? kHPersistEvent : kHExpireEvent;
  edit.Commit(changed ? kept : deleted ? kHDelEvent : Event{});
}

struct HSetExOptions {
  bool fnx = false;
  bool fxx = false;
  bool keep_ttl = false;
  std::optional<int64_t> deadline;
  Names pairs;
};

void ReplyWrongNumber(CommandContext& ctx) {
  ctx.reply.Error(fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
}

// The end of a HSETEX, from FIELDS on. False: an error has been replied.
bool ParsePairs(CommandContext& ctx, size_t at, HSetExOptions& options) {
  int64_t count = 0;
  if (at + 3 >= ctx.args.size()) return ReplyWrongNumber(ctx), false;
  if (!ParseInt64(ctx.args[at + 1], count) || count < 1 ||
      count > std::numeric_limits<int32_t>::max()) {
    return ctx.reply.Error(kInvalidNumFields), false;
  }
  options.pairs = ctx.args.subspan(at + 2);
  if (options.pairs.size() != 2 * static_cast<uint64_t>(count)) return ReplyWrongNumber(ctx), false;
  return true;
}

// False: an error has been replied.
bool ParseHSetEx(CommandContext& ctx, HSetExOptions& options) {
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    const std::string_view word = ctx.args[i];
    const bool timed = options.deadline.has_value() || options.keep_ttl;
    const TtlForm form = TtlFormOf(OptionWord(word));
    const bool keep_ttl = OptionWord(word) == OptionWord("KEEPTTL");
    const bool fnx = OptionWord(word) == OptionWord("FNX");
    const bool fxx = OptionWord(word) == OptionWord("FXX");
    if (OptionWord(word) == OptionWord("FIELDS")) return ParsePairs(ctx, i, options);
    if ((form != TtlForm::kNone || keep_ttl) && timed) {
      ctx.reply.Error("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
      return false;
    }
    if ((fnx || fxx) && (options.fnx || options.fxx)) {
      ctx.reply.Error("ERR Only one of FXX or FNX arguments can be specified");
      return false;
    }
    if (form != TtlForm::kNone) {
      if (++i == ctx.args.size()) return ctx.reply.Error("ERR missing expire time"), false;
      options.deadline = ParseFieldTtl(ctx, form, ctx.args[i]);
      if (!options.deadline) return false;
    } else if (!keep_ttl && !fnx && !fxx) {
      return ctx.reply.Error(fmt::format("ERR unknown argument: {}", word)), false;
    }
    options.keep_ttl |= keep_ttl;
    options.fnx |= fnx;
    options.fxx |= fxx;
  }
  return ctx.reply.Error(kFieldsMissing), false;
}

// Whether FNX (none of the fields is there) or FXX (all are) holds.
bool MeetsConditions(const Typed<Hash>& hash, const HSetExOptions& options) {
  for (size_t i = 0; i < options.pairs.size(); i += 2) {
    const bool exists = hash && hash->Contains(options.pairs[i]);
    if (exists ? options.fnx : options.fxx) return false;
  }
  return true;
}

void HSetEx(CommandContext& ctx) {
  HSetExOptions options;
  if (!ParseHSetEx(ctx, options)) return;
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  if (!MeetsConditions(hash, options)) return ctx.reply.Integer(0);

  const bool dead = options.deadline && *options.deadline <= ctx.now_ms;
  Edit<Hash> edit(ctx, 0, hash);
  for (size_t i = 0; i < options.pairs.size(); i += 2) {
    int64_t deadline = dead ? kNoDeadline : options.deadline.value_or(kNoDeadline);
    if (options.keep_ttl) {
      const auto found = edit->Find(options.pairs[i]);
      if (found) deadline = found->deadline;
    }
    edit->Set(options.pairs[i], options.pairs[i + 1], deadline, HashLimits(ctx));
  }
  edit.Commit(kHSetEvent);
  if (dead) {
    // Set and deleted at once: both are reported.
    Edit<Hash> end(ctx, 0, FindAs<Hash>(ctx));
    for (size_t i = 0; i < options.pairs.size(); i += 2) end->Erase(options.pairs[i]);
    end.Commit(kHDelEvent);
  } else if (options.deadline) {
    ctx.shard().Report(ctx.key().name, ctx.shard().Find(ctx.key()).deadline(), kHExpireEvent);
  }
  ctx.reply.Integer(1);
}

constexpr uint32_t kFlags = kWrite | kFast;
constexpr std::string_view kPerField = "O(1) per field";
// Deadlines are kept in order.
constexpr std::string_view kPerDeadline = "O(log N) per field, N fields in the hash";

constexpr CommandRow kRows[] = {
    {"hexpire", -6, kFlags | kDenyOom, kOneKey, KeyAccess::kUpdate, "hash", "hash", "7.4.0",
     kPerDeadline, "Give fields so many seconds to live",
     "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", HExpire},
    {"hpexpire", -6, kFlags | kDenyOom, kOneKey, KeyAccess::kUpdate, "hash", "hash", "7.4.0",
     kPerDeadline, "Give fields so many milliseconds to live",
     "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", HPExpire},
    {"hexpireat", -6, kFlags | kDenyOom, kOneKey, KeyAccess::kUpdate, "hash", "hash", "7.4.0",
     kPerDeadline, "Have fields expire at a time in seconds",
     "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", HExpireAt},
    {"hpexpireat", -6, kFlags | kDenyOom, kOneKey, KeyAccess::kUpdate, "hash", "hash", "7.4.0",
     kPerDeadline, "Have fields expire at a time in milliseconds",
     "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     HPExpireAt},
    {"httl", -5, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "7.4.0",
     kPerField, "How many seconds fields have left", "key FIELDS numfields field [field ...]", HTtl,
     kNoSubcommands, "nondeterministic_output"},
    {"hpttl", -5, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "7.4.0",
     kPerField, "How many milliseconds fields have left", "key FIELDS numfields field [field ...]",
     HPTtl, kNoSubcommands, "nondeterministic_output"},
    {"hexpiretime", -5, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "7.4.0",
     kPerField, "When fields expire, in seconds since the epoch",
     "key FIELDS numfields field [field ...]", HExpireTime},
    {"hpexpiretime", -5, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "7.4.0",
     kPerField, "When fields expire, in milliseconds since the epoch",
     "key FIELDS numfields field [field ...]", HPExpireTime},
    {"hpersist", -5, kFlags, kOneKey, KeyAccess::kUpdate, "hash", "hash", "7.4.0", kPerDeadline,
     "Have fields live for ever", "key FIELDS numfields field [field ...]", HPersist},
    {"hgetdel", -5, kFlags, kOneKey, KeyAccess::kReadDelete, "hash", "hash", "8.0.0", kPerDeadline,
     "Take fields: their values, and the fields are deleted",
     "key FIELDS numfields field [field ...]", HGetDel},
    {"hgetex", -5, kFlags, kOneKey, KeyAccess::kReadWrite, "hash", "hash", "8.0.0", kPerDeadline,
     "The values of fields, changing when the fields expire",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
     "PERSIST] FIELDS numfields field [field ...]",
     HGetEx},
    {"hsetex", -6, kFlags | kDenyOom, kOneKey, KeyAccess::kUpdate, "hash", "hash", "8.0.0",
     kPerDeadline, "Set fields of a hash, and when they expire",
     "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
     "PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
     HSetEx},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> HashExpiryCommands() { return kRows; }

}  // namespace lapse
