// A database's number, as MOVE and COPY take it.
//
// Thread: pure functions, but for the replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/core/context.h"

namespace lapse {

// Replies with the error and returns nullopt when the text is not the number of a database.
std::optional<uint16_t> ParseDatabaseIndex(CommandContext& ctx, std::string_view text);

}  // namespace lapse
