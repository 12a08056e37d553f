// From the TTL that a client writes to the deadline that a key keeps.
//
// Clients name times in four forms: from now or since the Unix epoch, in seconds or milliseconds.
// Keys have deadlines in milliseconds since the epoch. In between lie the overflow checks, in
// Redis's words and at Redis's limits.
//
// Thread: pure functions, but for the replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/core/context.h"
#include "storage/clock.h"

namespace lapse {

// As the options name them: EX, PX, EXAT, PXAT.
enum class TtlForm : uint8_t {
  kNone,
  kSeconds,
  kMilliseconds,
  kUnixSeconds,
  kUnixMilliseconds,
};

constexpr bool IsRelative(TtlForm form) {
  return form == TtlForm::kSeconds || form == TtlForm::kMilliseconds;
}

// The last deadline that is one. The millisecond after it stands for "no deadline"; a client that
// asks for that very millisecond, 292 million years from now, gets this one.
inline constexpr int64_t kLastDeadline = kNoDeadline - 1;

// The deadline; nullopt when it cannot be told in 64 bits. Requires: form is not kNone.
std::optional<int64_t> DeadlineOf(TtlForm form, int64_t amount, int64_t now_ms);

// The deadline that the option of a SET or GETEX asks for: a positive amount. Replies with an error
// and returns nullopt when there is none. Requires: form is not kNone.
std::optional<int64_t> ParsePositiveTtl(CommandContext& ctx, TtlForm form, std::string_view text);

// "ERR invalid expire time in 'set' command", for the command that runs.
void ReplyInvalidTtl(CommandContext& ctx);

}  // namespace lapse
