// What the families of hash commands share.
//
// Thread: the session's.
#pragma once

#include "server/commands/typed.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/values/hash.h"

namespace lapse {

inline constexpr Event kHSetEvent{"hset", 'h'};
inline constexpr Event kHDelEvent{"hdel", 'h'};

inline Hash::Limits HashLimits(const CommandContext& ctx) {
  const Config& config = ctx.instance.config;
  return {.fields = static_cast<size_t>(config.hash_max_listpack_entries),
          .text = static_cast<size_t>(config.hash_max_listpack_value)};
}

inline void ReplyText(ReplyWriter& reply, const Hash::Text& text) {
  if (text.is_number) {
    reply.BulkInteger(text.number);
  } else {
    reply.Bulk(text.text);
  }
}

// The field's value, or nothing.
inline void ReplyValue(ReplyWriter& reply, const std::optional<Hash::Found>& found) {
  if (found) {
    ReplyText(reply, found->value);
  } else {
    reply.Null();
  }
}

}  // namespace lapse
