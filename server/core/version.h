// Which version this is, in one place.
//
// Clients choose features by Redis's version (HELLO's `version`, INFO's `redis_version`), so Lapse
// answers with that of the Redis whose commands and replies it follows, beside its own.
//
// Thread: constants.
#pragma once

#include <string_view>

namespace lapse {

inline constexpr std::string_view kVersion = "0.1.0";  // CMakeLists.txt's; a test compares them
inline constexpr std::string_view kRedisVersion = "7.2.0";

}  // namespace lapse
