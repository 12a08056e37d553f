// Appends the format's primitives to a string: lengths, texts, times, scores.
//
//   00llllll                    length below 64
//   01llllll llllllll           below 16,384
//   0x80 and 4 bytes            32 bits, big endian
//   0x81 and 8 bytes            64 bits, big endian
//   0xC0 .. 0xC2                a text that is an integer of 8, 16, 32 bits, little endian
//
// Texts are written plain: what compressing them saves on disk is paid for in time by whoever waits
// for the dump.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/persist/rdb_format.h"

namespace lapse {

class RdbWriter {
 public:
  explicit RdbWriter(std::string& out) : out_(out) {}

  void Byte(uint8_t byte) { out_ += static_cast<char>(byte); }
  void Tag(rdb::Type type) { Byte(static_cast<uint8_t>(type)); }
  void Length(uint64_t length);
  // A length and the bytes, as they are.
  void Bytes(std::string_view bytes);
  // As Bytes, but for short texts that are an integer's one spelling.
  void Text(std::string_view text);
  void Raw(std::string_view bytes) { out_ += bytes; }
  void LittleEndian(uint64_t value, size_t bytes);
  void BigEndian(uint64_t value, size_t bytes);
  void Millis(int64_t ms) { LittleEndian(static_cast<uint64_t>(ms), sizeof(ms)); }
  void Double(double value);

 private:
  std::string& out_;
};

}  // namespace lapse
