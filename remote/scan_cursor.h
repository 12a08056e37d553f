// How far a SCAN has come, told from its cursor.
//
// Redis's and Valkey's cursors count through the buckets of a hash table of 2^k with their bits
// reversed: 0, 100.., 010.., 110.., so that a table which doubles or halves meanwhile loses
// nothing. Reversed over all 64 bits, a cursor is therefore a binary fraction of the way, whatever
// k is:
//
//     cursor  ...0000 0110   reversed  0110 0000...   = 0.375 of the buckets
//
// In cluster mode, newer versions keep a table for each of the 16384 slots and walk these in order;
// the slot is in the cursor's low 14 bits, the place in its table above them. Other servers have
// cursors of their own, which say nothing to us.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace lapse {

// Slots first..last, both included.
struct SlotRange {
  int first = 0;
  int last = 0;
  friend bool operator==(const SlotRange& a, const SlotRange& b) = default;
};

enum class CursorOrder : uint8_t { kUnknown, kReversed, kReversedInSlots };

// 0..1; nullopt when the order is unknown. `slots` are those that the server holds, for
// kReversedInSlots; none: all of them.
std::optional<double> ScanFraction(uint64_t cursor, CursorOrder order,
                                   std::span<const SlotRange> slots);

}  // namespace lapse
