// The id of a stream's entry: a time in milliseconds, and a number among the entries of that
// millisecond.
//
// Ids only grow within a stream, so that they are its order, and their spelling "ms-seq" is what
// clients keep to go on from. Both halves use all 64 bits.
//
// Thread: plain data.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lapse {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  static constexpr StreamId Max() { return {UINT64_MAX, UINT64_MAX}; }
  bool IsZero() const { return ms == 0 && seq == 0; }

  // The next id there can be, or the one before. False, and wrapped around, when there is none.
  bool Increment();
  bool Decrement();

  std::string ToString() const;
  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;
};

// Room for an id's text.
inline constexpr size_t kMaxStreamIdChars = 41;

// Writes "ms-seq" and returns it. Requires: kMaxStreamIdChars of room.
std::string_view FormatStreamId(const StreamId& id, char* out);

}  // namespace lapse
