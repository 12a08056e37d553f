// Texts that arrive from other servers and from command lines, taken apart without copies.
//
// Debian's Abseil has a string_view of its own, which std::string_view does not turn into; numbers
// have the rules of protocol/number.h.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lapse {

// The parts between separators: one more than there are separators.
std::vector<std::string_view> Split(std::string_view text, char separator);
// The same without the empty parts.
std::vector<std::string_view> SplitWords(std::string_view text, char separator);

// What is before the first separator, and what is after it: nothing if there is none.
struct Halves {
  std::string_view before;
  std::string_view after;
};
Halves SplitOnce(std::string_view text, char separator);

// Decimal digits alone, within the type. False and untouched otherwise.
[[nodiscard]] bool ParseUint64(std::string_view text, uint64_t& value);
[[nodiscard]] bool ParseNatural(std::string_view text, int& value);

// Of letters of ASCII.
bool SameIgnoringCase(std::string_view a, std::string_view b);

}  // namespace lapse
