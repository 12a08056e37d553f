// An option's name as a number, letter case folded, so that a handler reads its options by a
// switch:
//
//   switch (OptionWord(in.Next())) {
//     case OptionWord("NX"): ...
//
// A benchmark's `SET key value EX 10` spends its time on such comparisons, and one switch on a
// register is cheaper than a call for each option there is. Words of up to 7 bytes fit; a longer
// one (and no such option is switched on) gives 0, as does nothing else.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lapse {

inline constexpr size_t kMaxOptionWord = 7;

constexpr uint64_t OptionWord(std::string_view text) {
  if (text.size() > kMaxOptionWord) return 0;
  uint64_t word = 1;  // a leading one tells "X" from "\0X"
  for (const char c : text) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    word = word << 8 | static_cast<unsigned char>(upper);
  }
  return word;
}

}  // namespace lapse
