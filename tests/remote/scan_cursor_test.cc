#include "remote/scan_cursor.h"

#include <gtest/gtest.h>

#include <vector>

namespace lapse {
namespace {

uint64_t ReverseBits(uint64_t v) {
  uint64_t r = 0;
  for (int i = 0; i < 64; ++i) r |= ((v >> i) & 1) << (63 - i);
  return r;
}

// The cursor after `v` in a table of 2^bits: the masked bits counted up from their top.
uint64_t Next(uint64_t v, int bits) {
  v |= ~((uint64_t{1} << bits) - 1);
  return ReverseBits(ReverseBits(v) + 1);
}

TEST(ScanCursor, IsAFractionOfTheTableWhateverItsSize) {
  for (const int bits : {2, 10}) {
    uint64_t cursor = 0;
    for (int step = 0; step < 1 << bits; ++step) {
      EXPECT_DOUBLE_EQ(*ScanFraction(cursor, CursorOrder::kReversed, {}),
                       static_cast<double>(step) / (1 << bits));
      cursor = Next(cursor, bits);
    }
    EXPECT_EQ(cursor, 0u);
  }
}

TEST(ScanCursor, GoesOnWhereItWasWhenTheTableGrows) {
  uint64_t cursor = 0;
  double last = 0;
  for (int step = 0; step < 40; ++step) {
    cursor = Next(cursor, step < 4 ? 4 : 6);
    const double now = *ScanFraction(cursor, CursorOrder::kReversed, {});
    EXPECT_GT(now, last);
    last = now;
  }
  EXPECT_DOUBLE_EQ(last, 4.0 / 16 + 36.0 / 64);
}

TEST(ScanCursor, CountsTheSlotsOfTheServer) {
  const std::vector<SlotRange> slots = {{100, 199}, {300, 399}};
  const auto fraction = [&](uint64_t slot, uint64_t place) {
    return *ScanFraction(place << 14 | slot, CursorOrder::kReversedInSlots, slots);
  };
  EXPECT_DOUBLE_EQ(fraction(100, 0), 0);
  EXPECT_DOUBLE_EQ(fraction(150, 0), 0.25);
  EXPECT_DOUBLE_EQ(fraction(150, 1), 0.2525);
  EXPECT_DOUBLE_EQ(fraction(300, 0), 0.5);
  EXPECT_DOUBLE_EQ(fraction(250, 1), 0.5);
  EXPECT_DOUBLE_EQ(fraction(400, 0), 1);
  EXPECT_DOUBLE_EQ(*ScanFraction(8192, CursorOrder::kReversedInSlots, {}), 0.5);
}

TEST(ScanCursor, SaysNothingOfCursorsItDoesNotKnow) {
  EXPECT_EQ(ScanFraction(5, CursorOrder::kUnknown, {}), std::nullopt);
}

}  // namespace
}  // namespace lapse
