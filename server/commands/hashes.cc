// Hashes: fields and their values. What picks fields at random is in hash_random.cc, what gives
// them deadlines in hash_expiry.cc.

#include "server/commands/hashes.h"

#include <cmath>
#include <string>

#include "fmt/format.h"
#include "protocol/buffer.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/commands/scan_options.h"

namespace lapse {
namespace {

constexpr Event kHIncrByEvent{"hincrby", 'h'};
constexpr Event kHIncrByFloatEvent{"hincrbyfloat", 'h'};

constexpr std::string_view kNotIntegerValue = "ERR hash value is not an integer";
constexpr std::string_view kNotFloatValue = "ERR hash value is not a float";
constexpr std::string_view kWouldOverflow = "ERR increment or decrement would overflow";
constexpr std::string_view kWouldBeInfinite = "ERR increment would produce NaN or Infinity";
constexpr std::string_view kInfinite = "ERR value is NaN or Infinity";

// Sets the fields from args[2] on, and drops their deadlines. Returns how many are new, nullopt
// when an error has been replied.
std::optional<int64_t> SetFields(CommandContext& ctx) {
  if (ctx.args.size() % 2 != 0) {
    ctx.reply.Error(fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
    return std::nullopt;
  }
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return std::nullopt;
  const Hash::Limits limits = HashLimits(ctx);
  Edit<Hash> edit(ctx, 0, hash);
  int64_t added = 0;
  for (size_t i = 2; i < ctx.args.size(); i += 2) {
    added += edit->Set(ctx.args[i], ctx.args[i + 1], kNoDeadline, limits) ? 1 : 0;
  }
  edit.Commit(kHSetEvent);
  return added;
}

void HSet(CommandContext& ctx) {
  if (const auto added = SetFields(ctx)) ctx.reply.Integer(*added);
}

void HMSet(CommandContext& ctx) {
  if (SetFields(ctx)) ctx.reply.Ok();
}

void HSetNx(CommandContext& ctx) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  if (hash && hash->Contains(ctx.args[2])) return ctx.reply.Integer(0);
  Edit<Hash> edit(ctx, 0, hash);
  edit->Set(ctx.args[2], ctx.args[3], kNoDeadline, HashLimits(ctx));
  edit.Commit(kHSetEvent);
  ctx.reply.Integer(1);
}

void HGet(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ReplyValue(ctx.reply, hash ? hash->Find(ctx.args[2]) : std::nullopt);
}

void HMGet(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view name : ctx.args.subspan(2)) {
    ReplyValue(ctx.reply, hash ? hash->Find(name) : std::nullopt);
  }
}

void HGetAll(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Map(hash ? hash->size() : 0);
  if (!hash) return;
  hash->Visit([&ctx](const Hash::Text& name, const Hash::Text& value, int64_t) {
    ReplyText(ctx.reply, name);
    ReplyText(ctx.reply, value);
  });
}

void HKeys(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Array(hash ? hash->size() : 0);
  if (!hash) return;
  hash->Visit(
      [&ctx](const Hash::Text& name, const Hash::Text&, int64_t) { ReplyText(ctx.reply, name); });
}

void HVals(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Array(hash ? hash->size() : 0);
  if (!hash) return;
  hash->Visit(
      [&ctx](const Hash::Text&, const Hash::Text& value, int64_t) { ReplyText(ctx.reply, value); });
}

void HDel(CommandContext& ctx) {
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  if (!hash) return ctx.reply.Integer(0);
  Edit<Hash> edit(ctx, 0, hash);
  int64_t deleted = 0;
  for (const std::string_view name : ctx.args.subspan(2)) deleted += edit->Erase(name) ? 1 : 0;
  edit.Commit(deleted > 0 ? kHDelEvent : Event{});
  ctx.reply.Integer(deleted);
}

void HExists(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Integer(hash && hash->Contains(ctx.args[2]) ? 1 : 0);
}

void HLen(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ctx.reply.Integer(hash ? static_cast<int64_t>(hash->size()) : 0);
}

void HStrLen(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto found = hash ? hash->Find(ctx.args[2]) : std::nullopt;
  char digits[24];
  ctx.reply.Integer(found ? static_cast<int64_t>(found->value.Text(digits).size()) : 0);
}

// Sets a field to what has been computed from it; its deadline stays.
void ReplaceValue(CommandContext& ctx, const Typed<Hash>& hash,
                  const std::optional<Hash::Found>& found, std::string_view value, Event event) {
  const int64_t deadline = found ? found->deadline : kNoDeadline;
  Edit<Hash> edit(ctx, 0, hash);
  edit->Set(ctx.args[2], value, deadline, HashLimits(ctx));
  edit.Commit(event);
}

void HIncrBy(CommandContext& ctx) {
  int64_t amount = 0;
  if (!ParseInt64(ctx.args[3], amount)) return ctx.reply.Error(errors::kNotInteger);
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto found = hash ? hash->Find(ctx.args[2]) : std::nullopt;
  int64_t number = found ? found->value.number : 0;
  if (found && !found->value.is_number && !ParseInt64(found->value.text, number)) {
    return ctx.reply.Error(kNotIntegerValue);
  }
  if (__builtin_add_overflow(number, amount, &number)) return ctx.reply.Error(kWouldOverflow);
  char digits[kMaxInt64Chars];
  ReplaceValue(ctx, hash, found, {digits, FormatInt64(number, digits)}, kHIncrByEvent);
  ctx.reply.Integer(number);
}

void HIncrByFloat(CommandContext& ctx) {
  long double amount = 0;
  if (!ParseLongDouble(ctx.args[3], amount)) return ctx.reply.Error(errors::kNotFloat);
  if (!std::isfinite(amount)) return ctx.reply.Error(kInfinite);
  const auto hash = FindAs<Hash>(ctx);
  if (hash.wrong()) return;
  const auto found = hash ? hash->Find(ctx.args[2]) : std::nullopt;
  long double number = found ? static_cast<long double>(found->value.number) : 0;
  if (found && !found->value.is_number && !ParseLongDouble(found->value.text, number)) {
    return ctx.reply.Error(kNotFloatValue);
  }
  number += amount;
  if (!std::isfinite(number)) return ctx.reply.Error(kWouldBeInfinite);
  const std::string text = FormatLongDoubleHuman(number);
  ReplaceValue(ctx, hash, found, text, kHIncrByFloatEvent);
  ctx.reply.Bulk(text);
}

void HScan(CommandContext& ctx) {
  const auto cursor = ParseCursor(ctx, ctx.args[2]);
  if (!cursor) return;
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  ScanOptions options;
  // As in Redis, the options of a scan over nothing are not looked at.
  if (hash && !ParseScanOptions(ctx, 3, ScanOf::kFields, options)) return;

  // The next cursor, which is known only then, comes before the fields.
  Buffer found;
  ReplyWriter fields(found);
  size_t count = 0;
  uint64_t next = 0;
  if (hash) {
    next = hash->Scan(*cursor, static_cast<size_t>(options.count),
                      [&](const Hash::Text& name, const Hash::Text& value, int64_t) {
                        char digits[24];
                        if (!options.Shows(name.Text(digits))) return;
                        ReplyText(fields, name);
                        if (!options.no_values) ReplyText(fields, value);
                        count += options.no_values ? 1 : 2;
                      });
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(next));
  ctx.reply.Array(count);
  ctx.reply.Raw(found.view());
}

constexpr uint32_t kAdds = kWrite | kDenyOom | kFast;
constexpr std::string_view kPerHash = "O(N), N fields in the hash";

constexpr CommandRow kRows[] = {
    {"hset", -4, kAdds, kOneKey, KeyAccess::kUpdate, "hash", "hash", "2.0.0", "O(1) per field",
     "Set fields of a hash", "key field value [field value ...]", HSet},
    {"hsetnx", 4, kAdds, kOneKey, KeyAccess::kInsert, "hash", "hash", "2.0.0", "O(1)",
     "Set a field unless the hash has it", "key field value", HSetNx},
    {"hmset", -4, kAdds, kOneKey, KeyAccess::kUpdate, "hash", "hash", "2.0.0", "O(1) per field",
     "Set several fields", "key field value [field value ...]", HMSet},
    {"hget", 3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.0.0", "O(1)",
     "The value of a field", "key field", HGet},
    {"hmget", -3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.0.0",
     "O(1) per field", "The values of several fields", "key field [field ...]", HMGet},
    {"hgetall", 2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.0.0", kPerHash,
     "All fields of a hash with their values", "key", HGetAll, kNoSubcommands,
     "nondeterministic_output_order"},
    {"hkeys", 2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.0.0", kPerHash,
     "The names of all fields of a hash", "key", HKeys, kNoSubcommands,
     "nondeterministic_output_order"},
    {"hvals", 2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.0.0", kPerHash,
     "The values of all fields of a hash", "key", HVals, kNoSubcommands,
     "nondeterministic_output_order"},
    {"hdel", -3, kWrite | kFast, kOneKey, KeyAccess::kDelete, "hash", "hash", "2.0.0",
     "O(1) per field", "Delete fields of a hash", "key field [field ...]", HDel},
    {"hexists", 3, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "hash", "hash", "2.0.0", "O(1)",
     "Whether a hash has the field", "key field", HExists},
    {"hlen", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "hash", "hash", "2.0.0", "O(1)",
     "How many fields a hash has", "key", HLen},
    {"hstrlen", 3, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "hash", "hash", "3.2.0", "O(1)",
     "How long the value of a field is", "key field", HStrLen},
    {"hincrby", 4, kAdds, kOneKey, KeyAccess::kReadWrite, "hash", "hash", "2.0.0", "O(1)",
     "Add to the integer in a field", "key field increment", HIncrBy},
    {"hincrbyfloat", 4, kAdds, kOneKey, KeyAccess::kReadWrite, "hash", "hash", "2.6.0", "O(1)",
     "Add to the number in a field", "key field increment", HIncrByFloat},
    {"hscan", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "2.8.0",
     "O(COUNT) per call, O(N) for the whole walk, N fields in the hash",
     "Walk over the fields of a hash, some at a time",
     "key cursor [MATCH pattern] [COUNT count] [NOVALUES]", HScan, kNoSubcommands,
     "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> HashCommands() { return kRows; }

}  // namespace lapse
