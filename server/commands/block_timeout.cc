#include "server/commands/block_timeout.h"

#include <cmath>
#include <limits>

#include "protocol/number.h"

namespace lapse {
namespace {

constexpr std::string_view kNotFloat = "ERR timeout is not a float or out of range";
constexpr std::string_view kNotInteger = "ERR timeout is not an integer or out of range";
constexpr std::string_view kNegative = "ERR timeout is negative";

std::optional<int64_t> Refuse(CommandContext& ctx, std::string_view error) {
  ctx.reply.Error(error);
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseTimeoutSeconds(CommandContext& ctx, std::string_view text) {
  long double seconds = 0;
  if (!ParseLongDouble(text, seconds)) return Refuse(ctx, kNotFloat);
  const long double ms = std::ceil(seconds * 1000);
  // Redis 7.0 calls one that is too long negative, for that is what its overflow makes of it.
  constexpr auto kMost = static_cast<long double>(std::numeric_limits<int64_t>::max());
  if (ms < 0 || ms > kMost) return Refuse(ctx, kNegative);
  return static_cast<int64_t>(ms);
}

std::optional<int64_t> ParseTimeoutMs(CommandContext& ctx, std::string_view text) {
  int64_t ms = 0;
  if (!ParseInt64(text, ms)) return Refuse(ctx, kNotInteger);
  if (ms < 0) return Refuse(ctx, kNegative);
  return ms;
}

}  // namespace lapse
