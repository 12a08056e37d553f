#include "storage/persist/lzf.h"

#include <cstdint>

namespace lapse {
namespace {

constexpr size_t kLiterals = 32;      // controls below this are runs
constexpr size_t kLongCopy = 7;       // a further byte adds to it
constexpr size_t kMostOfAByte = 264;  // what three bytes can stand for: no packing is better

}  // namespace

bool UnpackLzf(std::string_view packed, size_t size, std::string& out) {
  out.clear();
  // A few bytes must not reserve gigabytes.
  if (size > packed.size() * kMostOfAByte) return false;
  out.reserve(size);
  const auto* at = reinterpret_cast<const uint8_t*>(packed.data());
  const uint8_t* const end = at + packed.size();
  while (at != end) {
    const size_t control = *at++;
    if (control < kLiterals) {
      const size_t count = control + 1;
      if (count > static_cast<size_t>(end - at) || count > size - out.size()) return false;
      out.append(reinterpret_cast<const char*>(at), count);
      at += count;
      continue;
    }
    size_t count = control >> 5;
    if (count == kLongCopy) {
      if (at == end) return false;
      count += *at++;
    }
    count += 2;
    if (at == end) return false;
    const size_t back = ((control & 31) << 8 | *at++) + 1;
    if (back > out.size() || count > size - out.size()) return false;
    // The copy may reach into what it writes: a run of one byte is a copy from one byte back.
    for (size_t i = 0; i < count; ++i) out += out[out.size() - back];
  }
  return out.size() == size;
}

}  // namespace lapse
