#include "storage/persist/rdb_writer.h"

#include <bit>
#include <limits>

#include "protocol/number.h"

namespace lapse {
namespace {

// Longer than any integer of 32 bits.
constexpr size_t kMaxIntegerText = 11;

template <typename T>
bool FitsInto(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

}  // namespace

void RdbWriter::LittleEndian(uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) Byte(static_cast<uint8_t>(value >> (8 * i)));
}

void RdbWriter::BigEndian(uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) Byte(static_cast<uint8_t>(value >> (8 * i)));
}

void RdbWriter::Double(double value) {
  LittleEndian(std::bit_cast<uint64_t>(value), sizeof(value));
}

void RdbWriter::Length(uint64_t length) {
  if (length < 1u << 6) {
    Byte(static_cast<uint8_t>(length));
  } else if (length < 1u << 14) {
    Byte(static_cast<uint8_t>(0x40 | length >> 8));
    Byte(static_cast<uint8_t>(length));
  } else if (length <= UINT32_MAX) {
    Byte(0x80);
    BigEndian(length, 4);
  } else {
    Byte(0x81);
    BigEndian(length, 8);
  }
}

void RdbWriter::Bytes(std::string_view bytes) {
  Length(bytes.size());
  Raw(bytes);
}

void RdbWriter::Text(std::string_view text) {
  int64_t number;
  if (text.size() > kMaxIntegerText || !ParseInt64(text, number) || !FitsInto<int32_t>(number)) {
    return Bytes(text);
  }
  const auto bits = static_cast<uint64_t>(number);
  if (FitsInto<int8_t>(number)) {
    Byte(rdb::kInt8Text);
    LittleEndian(bits, 1);
  } else if (FitsInto<int16_t>(number)) {
    Byte(rdb::kInt16Text);
    LittleEndian(bits, 2);
  } else {
    Byte(rdb::kInt32Text);
    LittleEndian(bits, 4);
  }
}

}  // namespace lapse
