// Whether two short texts are the same: names of keys and commands, mostly of at most 16 bytes,
// which two overlapping loads compare in less time than a call of memcmp takes.
//
// Thread: pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace lapse {

namespace same_bytes_internal {

template <typename Word>
bool EndsAgree(const char* a, const char* b, size_t size) {
  Word words[4];
  std::memcpy(&words[0], a, sizeof(Word));
  std::memcpy(&words[1], b, sizeof(Word));
  std::memcpy(&words[2], a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&words[3], b + size - sizeof(Word), sizeof(Word));
  return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
}

}  // namespace same_bytes_internal

inline bool SameBytes(std::string_view a, std::string_view b) {
  using same_bytes_internal::EndsAgree;
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= 8) return EndsAgree<uint64_t>(a.data(), b.data(), size);
  if (size >= 4) return EndsAgree<uint32_t>(a.data(), b.data(), size);
  if (size >= 2) return EndsAgree<uint16_t>(a.data(), b.data(), size);
  return size == 0 || a[0] == b[0];
}

}  // namespace lapse
