// The checksum of dumps and of RDB files: CRC-64 with the polynomial that Redis took from Jones,
// reflected, starting from zero.
//
// Eight bytes are taken at a time, each through a table of its own: a checksum of a large value
// should cost less than copying it about.
//
// Thread: a pure function.
#pragma once

#include <cstdint>
#include <string_view>

namespace lapse {

// The checksum of what gave `crc` so far, followed by these bytes.
uint64_t Crc64(std::string_view bytes, uint64_t crc = 0);

}  // namespace lapse
