#include "server/commands/ttl.h"

#include <algorithm>
#include <limits>

#include "fmt/format.h"
#include "protocol/number.h"
#include "server/core/errors.h"

namespace lapse {

std::optional<int64_t> DeadlineOf(TtlForm form, int64_t amount, int64_t now_ms) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  int64_t ms = amount;
  if (form == TtlForm::kSeconds || form == TtlForm::kUnixSeconds) {
    if (amount > kMost / 1000 || amount < kLeast / 1000) return std::nullopt;
    ms = amount * 1000;
  }
  if (IsRelative(form)) {
    if (ms > kMost - now_ms) return std::nullopt;
    ms += now_ms;
  }
  return std::min(ms, kLastDeadline);
}

std::optional<int64_t> ParsePositiveTtl(CommandContext& ctx, TtlForm form, std::string_view text) {
  int64_t amount = 0;
  if (!ParseInt64(text, amount)) {
    ctx.reply.Error(errors::kNotInteger);
    return std::nullopt;
  }
  const std::optional<int64_t> deadline =
      amount > 0 ? DeadlineOf(form, amount, ctx.now_ms) : std::nullopt;
  if (!deadline) ReplyInvalidTtl(ctx);
  return deadline;
}

void ReplyInvalidTtl(CommandContext& ctx) {
  ctx.reply.Error(fmt::format("ERR invalid expire time in '{}' command", ctx.row.name));
}

}  // namespace lapse
