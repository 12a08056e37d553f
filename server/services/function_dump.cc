#include "server/services/function_dump.h"

#include <array>
#include <cstdint>
#include <optional>

namespace lapse {
namespace {

constexpr unsigned char kFunctionTag = 0xF5;
constexpr uint16_t kVersion = 10;  // Redis 7.0's
constexpr uint16_t kNewestVersion = 12;
constexpr size_t kFooterBytes = 2 + 8;
constexpr size_t kMaxCodeBytes = size_t{512} << 20;

// Reflected, as the polynomial is.
constexpr std::array<uint64_t, 256> CrcTable() {
  constexpr uint64_t kPolynomial = 0x95AC9329AC4BC9B5;
  std::array<uint64_t, 256> table = {};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    table[i] = crc;
  }
  return table;
}

uint64_t Crc64(std::string_view bytes) {
  static constexpr std::array<uint64_t, 256> kTable = CrcTable();
  uint64_t crc = 0;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
  return crc;
}

void AppendLittleEndian(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

uint64_t ReadLittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// 6 bits, 14 bits or 32 bits, told apart by the first byte's two highest.
void AppendLength(std::string& out, size_t length) {
  if (length < 64) {
    out += static_cast<char>(length);
  } else if (length < 16384) {
    out += static_cast<char>(0x40 | length >> 8);
    out += static_cast<char>(length);
  } else {
    out += '\x80';
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  }
}

class DumpReader {
 public:
  explicit DumpReader(std::string_view bytes) : left_(bytes) {}

  bool done() const { return left_.empty(); }

  std::optional<unsigned char> Byte() {
    if (left_.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }

  std::optional<std::string> Text() {
    constexpr unsigned char kCompressed = 0xC3;
    if (left_.empty()) return std::nullopt;
    if (static_cast<unsigned char>(left_.front()) == kCompressed) {
      left_.remove_prefix(1);
      return CompressedText();
    }
    const auto length = Length();
    if (!length || *length > left_.size()) return std::nullopt;
    std::string text(left_.substr(0, *length));
    left_.remove_prefix(*length);
    return text;
  }

 private:
  std::optional<size_t> Length() {
    const auto first = Byte();
    if (!first) return std::nullopt;
    switch (*first >> 6) {
      case 0:
        return *first;
      case 1: {
        const auto second = Byte();
        if (!second) return std::nullopt;
        return size_t{*first & 0x3Fu} << 8 | *second;
      }
      default:
        return *first == 0x80 ? BigEndian(4) : *first == 0x81 ? BigEndian(8) : std::nullopt;
    }
  }

  std::optional<size_t> BigEndian(size_t bytes) {
    if (left_.size() < bytes) return std::nullopt;
    size_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(left_[i]);
    left_.remove_prefix(bytes);
    return value;
  }

  // LZF: runs of literals, and copies of what was written before.
  std::optional<std::string> CompressedText() {
    const auto packed = Length();
    const auto length = Length();
    if (!packed || !length || *packed > left_.size() || *length > kMaxCodeBytes) {
      return std::nullopt;
    }
    DumpReader in(left_.substr(0, *packed));
    left_.remove_prefix(*packed);
    std::string out;
    while (!in.done()) {
      if (!in.Unpack(out) || out.size() > *length) return std::nullopt;
    }
    if (out.size() != *length) return std::nullopt;
    return out;
  }

  // One run or copy.
  bool Unpack(std::string& out) {
    constexpr size_t kLongest = 7;  // a further byte adds to it
    const unsigned char control = *Byte();
    if (control < 32) {
      const size_t count = size_t{control} + 1;
      if (left_.size() < count) return false;
      out += left_.substr(0, count);
      left_.remove_prefix(count);
      return true;
    }
    size_t count = size_t{control} >> 5;
    if (count == kLongest) {
      const auto more = Byte();
      if (!more) return false;
      count += *more;
    }
    const auto low = Byte();
    if (!low) return false;
    const size_t back = (size_t{control & 31u} << 8 | *low) + 1;
    if (back > out.size()) return false;
    for (size_t i = 0; i < count + 2; ++i) out += out[out.size() - back];
    return true;
  }

  std::string_view left_;
};

}  // namespace

std::string DumpFunctions(std::span<const std::string_view> codes) {
  std::string out;
  for (const std::string_view code : codes) {
    out += static_cast<char>(kFunctionTag);
    AppendLength(out, code.size());
    out += code;
  }
  AppendLittleEndian(out, kVersion, 2);
  AppendLittleEndian(out, Crc64(out), 8);
  return out;
}

DumpFault ReadFunctionDump(std::string_view bytes, std::vector<std::string>& codes) {
  if (bytes.size() < kFooterBytes) return DumpFault::kFooter;
  const std::string_view body = bytes.substr(0, bytes.size() - kFooterBytes);
  const std::string_view footer = bytes.substr(body.size());
  if (ReadLittleEndian(footer.substr(0, 2)) > kNewestVersion ||
      ReadLittleEndian(footer.substr(2)) != Crc64(bytes.substr(0, bytes.size() - 8))) {
    return DumpFault::kFooter;
  }
  DumpReader in(body);
  while (!in.done()) {
    if (*in.Byte() != kFunctionTag) return DumpFault::kPayload;
    auto code = in.Text();
    if (!code) return DumpFault::kPayload;
    codes.push_back(std::move(*code));
  }
  return DumpFault::kNone;
}

}  // namespace lapse
