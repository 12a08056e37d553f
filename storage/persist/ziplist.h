// Reads a ziplist, the packed list of Redis before 7.0, into the one of today.
//
//   | bytes (32) | offset of the last (32) | elements (16) | element | ... | 0xFF |
//   element   | size of the one before: 1 byte, or 0xFE and 4 | encoding | text or integer |
//   encoding  | 00llllll | 01llllll llllllll | 0x80 and 4 bytes, big endian |      texts
//             | 0xC0 0xD0 0xE0 0xF0 0xFE: integers of 16, 32, 64, 24, 8 bits | 0xF1 .. 0xFD: 0 ..
//             12
//
// Thread: a pure function.
#pragma once

#include <string_view>

#include "storage/values/listpack.h"

namespace lapse {

// Appends the elements. False: the bytes are no ziplist.
[[nodiscard]] bool ReadZiplist(std::string_view bytes, Listpack& out);

}  // namespace lapse
