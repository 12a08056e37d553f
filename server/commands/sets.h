// What the files about sets share.
//
// Thread: the session's.
#pragma once

#include "absl/random/random.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/values/set.h"

namespace lapse {

inline constexpr Event kSAddEvent{"sadd", 's'};
inline constexpr Event kSRemEvent{"srem", 's'};
inline constexpr Event kSPopEvent{"spop", 's'};

inline Set::Limits SetLimits(const CommandContext& ctx) {
  const Config& config = ctx.instance.config;
  return {.intset_entries = static_cast<size_t>(config.set_max_intset_entries),
          .listpack_entries = static_cast<size_t>(config.set_max_listpack_entries),
          .listpack_value = static_cast<size_t>(config.set_max_listpack_value)};
}

}  // namespace lapse
