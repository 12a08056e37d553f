#include "remote/scan_cursor.h"

#include <algorithm>
#include <cmath>

namespace lapse {
namespace {

constexpr int kSlotBits = 14;
constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
constexpr SlotRange kAllSlots[] = {{0, static_cast<int>(kSlotMask)}};

uint64_t Reverse(uint64_t v) {
  v = ((v >> 1) & 0x5555555555555555) | ((v & 0x5555555555555555) << 1);
  v = ((v >> 2) & 0x3333333333333333) | ((v & 0x3333333333333333) << 2);
  v = ((v >> 4) & 0x0f0f0f0f0f0f0f0f) | ((v & 0x0f0f0f0f0f0f0f0f) << 4);
  return __builtin_bswap64(v);
}

double ReversedFraction(uint64_t cursor) {
  return std::ldexp(static_cast<double>(Reverse(cursor)), -64);
}

}  // namespace

std::optional<double> ScanFraction(uint64_t cursor, CursorOrder order,
                                   std::span<const SlotRange> slots) {
  if (order == CursorOrder::kUnknown) return std::nullopt;
  if (order == CursorOrder::kReversed) return ReversedFraction(cursor);
  if (slots.empty()) slots = kAllSlots;
  const int at = static_cast<int>(cursor & kSlotMask);
  int before = 0, all = 0;
  bool inside = false;
  for (const SlotRange& range : slots) {
    all += range.last - range.first + 1;
    before += std::clamp(at - range.first, 0, range.last - range.first + 1);
    inside = inside || (at >= range.first && at <= range.last);
  }
  const double part = inside ? ReversedFraction(cursor >> kSlotBits) : 0;
  return std::min(1.0, (before + part) / std::max(all, 1));
}

}  // namespace lapse
