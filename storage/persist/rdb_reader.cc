#include "storage/persist/rdb_reader.h"

#include <bit>
#include <cmath>
#include <limits>

#include "protocol/number.h"
#include "storage/persist/lzf.h"

namespace lapse {

std::string_view RdbReader::Raw(size_t bytes) {
  if (bytes > left_.size()) {
    Fail();
    return {};
  }
  const std::string_view taken = left_.substr(0, bytes);
  left_.remove_prefix(bytes);
  return taken;
}

uint8_t RdbReader::Byte() {
  const std::string_view byte = Raw(1);
  return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
}

uint64_t RdbReader::LittleEndian(size_t bytes) {
  const std::string_view raw = Raw(bytes);
  uint64_t value = 0;
  for (size_t i = raw.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(raw[i]);
  return value;
}

uint64_t RdbReader::BigEndian(size_t bytes) {
  uint64_t value = 0;
  for (const char c : Raw(bytes)) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

double RdbReader::Double() { return std::bit_cast<double>(LittleEndian(sizeof(double))); }

double RdbReader::DecimalDouble() {
  constexpr uint8_t kNan = 253;
  constexpr uint8_t kInfinite = 254;
  constexpr uint8_t kMinusInfinite = 255;
  const uint8_t length = Byte();
  if (length == kInfinite) return std::numeric_limits<double>::infinity();
  if (length == kMinusInfinite) return -std::numeric_limits<double>::infinity();
  double value = 0;
  if (length == kNan || !ParseDouble(Raw(length), value)) Fail();
  return value;
}

uint64_t RdbReader::Length() {
  const uint8_t first = Byte();
  switch (first >> 6) {
    case 0:
      return first;
    case 1:
      return uint64_t{first & 0x3Fu} << 8 | Byte();
    default:
      if (first == 0x80) return BigEndian(4);
      if (first == 0x81) return BigEndian(8);
      Fail();
      return 0;
  }
}

uint64_t RdbReader::Count(size_t least_bytes) {
  const uint64_t count = Length();
  if (count > 0 && count <= left_.size() / least_bytes) return count;
  Fail();
  return 0;
}

std::string_view RdbReader::Text() {
  if (left_.empty()) {
    Fail();
    return {};
  }
  switch (static_cast<uint8_t>(left_.front())) {
    case rdb::kInt8Text:
      return Integer(1);
    case rdb::kInt16Text:
      return Integer(2);
    case rdb::kInt32Text:
      return Integer(4);
    case rdb::kLzfText:
      return Compressed();
    default:
      return Raw(Length());
  }
}

std::string_view RdbReader::Integer(size_t bytes) {
  Byte();
  const uint64_t bits = LittleEndian(bytes);
  const int unused = static_cast<int>(64 - 8 * bytes);
  unpacked_ = FormatInt64(static_cast<int64_t>(bits << unused) >> unused);
  return unpacked_;
}

std::string_view RdbReader::Compressed() {
  Byte();
  const uint64_t packed = Length();
  const uint64_t size = Length();
  const std::string_view bytes = Raw(packed);
  if (!ok() || size > kMaxText || !UnpackLzf(bytes, size, unpacked_)) {
    Fail();
    return {};
  }
  return unpacked_;
}

}  // namespace lapse
