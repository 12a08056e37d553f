#include "storage/persist/crc64.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace lapse {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they are");

using Table = std::array<uint64_t, 256>;

// tables[n][b]: what byte b is worth with n more bytes of its word behind it.
constexpr std::array<Table, 8> MakeTables() {
  constexpr uint64_t kPolynomial = 0x95AC9329AC4BC9B5;
  std::array<Table, 8> tables = {};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    tables[0][i] = crc;
  }
  for (size_t n = 1; n < tables.size(); ++n) {
    for (size_t i = 0; i < 256; ++i) {
      const uint64_t before = tables[n - 1][i];
      tables[n][i] = tables[0][before & 0xFF] ^ before >> 8;
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = MakeTables();

}  // namespace

uint64_t Crc64(std::string_view bytes, uint64_t crc) {
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    crc ^= word;
    uint64_t next = 0;
    for (size_t n = 0; n < kTables.size(); ++n) next ^= kTables[7 - n][crc >> (8 * n) & 0xFF];
    crc = next;
  }
  for (const char c : bytes) {
    crc = kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
  }
  return crc;
}

}  // namespace lapse
