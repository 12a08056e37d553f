// Strings that hold numbers: INCR and its relatives.

#include <cmath>
#include <limits>
#include <string>

#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr Event kIncrByEvent{"incrby", '$'};
constexpr Event kIncrByFloatEvent{"incrbyfloat", '$'};

constexpr std::string_view kWouldOverflow = "ERR increment or decrement would overflow";
constexpr std::string_view kDecrementWouldOverflow = "ERR decrement would overflow";
constexpr std::string_view kWouldBeInfinite = "ERR increment would produce NaN or Infinity";

// A missing key counts as 0; a deadline is kept.
void Add(CommandContext& ctx, int64_t amount) {
  const Item existing = ctx.shard().Find(ctx.key());
  if (!ExpectString(ctx, existing)) return;
  int64_t number = 0;
  if (existing && !ParseInt64(existing.value(), number)) {
    return ctx.reply.Error(errors::kNotInteger);
  }
  if (__builtin_add_overflow(number, amount, &number)) return ctx.reply.Error(kWouldOverflow);

  char digits[kMaxInt64Chars];
  const size_t length = FormatInt64(number, digits);
  ctx.shard().Store(ctx.key(), existing,
                    {.value = {digits, length},
                     .deadline = existing ? existing.deadline() : kNoDeadline,
                     .encoding = Encoding::kInt,
                     .event = kIncrByEvent});
  ctx.reply.Integer(number);
}

void Incr(CommandContext& ctx) { Add(ctx, 1); }

void Decr(CommandContext& ctx) { Add(ctx, -1); }

void IncrBy(CommandContext& ctx) {
  int64_t amount = 0;
  if (!ParseInt64(ctx.args[2], amount)) return ctx.reply.Error(errors::kNotInteger);
  Add(ctx, amount);
}

void DecrBy(CommandContext& ctx) {
  int64_t amount = 0;
  if (!ParseInt64(ctx.args[2], amount)) return ctx.reply.Error(errors::kNotInteger);
  if (amount == std::numeric_limits<int64_t>::min()) {
    return ctx.reply.Error(kDecrementWouldOverflow);
  }
  Add(ctx, -amount);
}

void IncrByFloat(CommandContext& ctx) {
  const Item existing = ctx.shard().Find(ctx.key());
  if (!ExpectString(ctx, existing)) return;
  long double number = 0;
  long double amount = 0;
  if ((existing && !ParseLongDouble(existing.value(), number)) ||
      !ParseLongDouble(ctx.args[2], amount)) {
    return ctx.reply.Error(errors::kNotFloat);
  }
  number += amount;
  if (!std::isfinite(number)) return ctx.reply.Error(kWouldBeInfinite);

  const std::string text = FormatLongDoubleHuman(number);
  const Encoding encoding = EncodingOfString(text);
  ctx.shard().Store(ctx.key(), existing,
                    {.value = text,
                     .deadline = existing ? existing.deadline() : kNoDeadline,
                     // Redis does not look whether the sum came out whole.
                     .encoding = encoding == Encoding::kInt ? Encoding::kEmbstr : encoding,
                     .event = kIncrByFloatEvent});
  ctx.reply.Bulk(text);
}

constexpr uint32_t kFlags = kWrite | kDenyOom | kFast;

constexpr CommandRow kRows[] = {
    {"incr", 2, kFlags, kOneKey, KeyAccess::kReadWrite, "string", "string", "1.0.0", "O(1)",
     "Add one to an integer", "key", Incr},
    {"decr", 2, kFlags, kOneKey, KeyAccess::kReadWrite, "string", "string", "1.0.0", "O(1)",
     "Subtract one from an integer", "key", Decr},
    {"incrby", 3, kFlags, kOneKey, KeyAccess::kReadWrite, "string", "string", "1.0.0", "O(1)",
     "Add a number to an integer", "key increment", IncrBy},
    {"decrby", 3, kFlags, kOneKey, KeyAccess::kReadWrite, "string", "string", "1.0.0", "O(1)",
     "Subtract a number from an integer", "key decrement", DecrBy},
    {"incrbyfloat", 3, kFlags, kOneKey, KeyAccess::kReadWrite, "string", "string", "2.6.0", "O(1)",
     "Add a number with a fraction to a number", "key increment", IncrByFloat},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StringCounterCommands() { return kRows; }

}  // namespace lapse
