#include "server/commands/bit_offset.h"

#include <algorithm>

#include "protocol/number.h"
#include "server/commands/typed.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

constexpr Event kSetBitEvent{"setbit", '$'};
constexpr std::string_view kBadOffset = "ERR bit offset is not an integer or out of range";

}  // namespace

bool ParseBitOffset(CommandContext& ctx, std::string_view text, int bits, uint64_t& offset) {
  int64_t scale = 1;
  if (bits > 0 && text.starts_with('#')) {
    text.remove_prefix(1);
    scale = bits;
  }
  int64_t value = 0;
  const bool sound = ParseInt64(text, value) && !__builtin_mul_overflow(value, scale, &value) &&
                     value >= 0 && (value >> 3) < ctx.instance.config.proto_max_bulk_len;
  if (!sound) ctx.reply.Error(kBadOffset);
  offset = static_cast<uint64_t>(value);
  return sound;
}

bool BitString::Open(uint64_t last_bit) {
  item_ = ctx_.shard().Find(ctx_.key());
  if (!ExpectString(ctx_, item_)) return false;
  const size_t least = static_cast<size_t>(last_bit >> 3) + 1;
  if (!item_) {
    made_.assign(least, '\0');
    bytes_ = made_.data();
    size_ = least;
    grown_ = true;
    return true;
  }
  const size_t before = item_.value().size();
  size_ = std::max(before, least);
  grown_ = size_ > before;
  bytes_ = ctx_.shard().ResizeString(ctx_.key(), item_, size_);
  return true;
}

void BitString::Commit(bool changed) {
  if (item_) {
    if (changed) ctx_.shard().ReportWritten(item_, kSetBitEvent);
    return;
  }
  ctx_.shard().Store(ctx_.key(), {}, {.value = made_, .event = changed ? kSetBitEvent : Event{}});
}

}  // namespace lapse
