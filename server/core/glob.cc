#include "server/core/glob.h"

#include <cstddef>
#include <utility>

namespace lapse {
namespace {

template <bool kIgnoreCase>
signed char Fold(char c) {
  if (kIgnoreCase && c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return static_cast<signed char>(c);
}

// Whether the byte is in the set that opens at pattern[at] with '['. Moves `at` behind the set.
template <bool kIgnoreCase>
bool InSet(std::string_view pattern, size_t& at, char c) {
  ++at;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  const signed char folded = Fold<kIgnoreCase>(c);
  bool found = false;
  for (; at < pattern.size() && pattern[at] != ']'; ++at) {
    const size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      found |= pattern[++at] == c;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      signed char low = static_cast<signed char>(pattern[at]);
      signed char high = static_cast<signed char>(pattern[at + 2]);
      if (low > high) std::swap(low, high);
      low = Fold<kIgnoreCase>(static_cast<char>(low));
      high = Fold<kIgnoreCase>(static_cast<char>(high));
      found |= folded >= low && folded <= high;
      at += 2;
    } else {
      found |= Fold<kIgnoreCase>(pattern[at]) == folded;
    }
  }
  if (at < pattern.size()) ++at;
  return found != negated;
}

// Whether the element at pattern[at], which is no star, takes the byte. Moves `at` behind it.
template <bool kIgnoreCase>
bool TakesByte(std::string_view pattern, size_t& at, char c) {
  switch (pattern[at]) {
    case '?':
      ++at;
      return true;
    case '[':
      return InSet<kIgnoreCase>(pattern, at, c);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      [[fallthrough]];
    default:
      return Fold<kIgnoreCase>(pattern[at++]) == Fold<kIgnoreCase>(c);
  }
}

template <bool kIgnoreCase>
bool Match(std::string_view pattern, std::string_view text) {
  if (text.empty()) return pattern.empty();
  constexpr size_t kNone = std::string_view::npos;
  size_t after_star = kNone;  // where the pattern goes on behind the last star
  size_t star_end = 0;        // how far into the text that star reaches so far
  size_t p = 0;
  size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_end = t;
      if (p == pattern.size()) return true;
      continue;
    }
    if (p < pattern.size() && TakesByte<kIgnoreCase>(pattern, p, text[t])) {
      ++t;
      continue;
    }
    if (after_star == kNone) return false;
    p = after_star;
    t = ++star_end;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text) {
  return Match<false>(pattern, text);
}

bool GlobMatchIgnoreCase(std::string_view pattern, std::string_view text) {
  return Match<true>(pattern, text);
}

}  // namespace lapse
