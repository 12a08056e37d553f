// How long a command that blocks is willing to wait.
//
// Thread: pure functions of the context's arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/core/context.h"

namespace lapse {

// Seconds with decimals, as BLPOP and its like take them. Returns milliseconds, rounded up; 0 means
// for ever. nullopt: an error has been replied.
std::optional<int64_t> ParseTimeoutSeconds(CommandContext& ctx, std::string_view text);
// Whole milliseconds, as XREAD takes them.
std::optional<int64_t> ParseTimeoutMs(CommandContext& ctx, std::string_view text);

}  // namespace lapse
