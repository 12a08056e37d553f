#include "storage/persist/ziplist.h"

#include "storage/persist/rdb_reader.h"

namespace lapse {
namespace {

constexpr uint8_t kEnd = 0xFF;

int64_t SignedOf(RdbReader& in, size_t bytes) {
  const int unused = static_cast<int>(64 - 8 * bytes);
  return static_cast<int64_t>(in.LittleEndian(bytes) << unused) >> unused;
}

void ReadNumber(RdbReader& in, uint8_t encoding, Listpack& out) {
  constexpr uint8_t kSmallest = 0xF1;
  constexpr uint8_t kLargest = 0xFD;
  switch (encoding) {
    case 0xC0:
      return out.AppendNumber(SignedOf(in, 2));
    case 0xD0:
      return out.AppendNumber(SignedOf(in, 4));
    case 0xE0:
      return out.AppendNumber(SignedOf(in, 8));
    case 0xF0:
      return out.AppendNumber(SignedOf(in, 3));
    case 0xFE:
      return out.AppendNumber(SignedOf(in, 1));
    default:
      if (encoding < kSmallest || encoding > kLargest) return in.Fail();
      return out.AppendNumber(encoding - kSmallest);
  }
}

void ReadElement(RdbReader& in, Listpack& out) {
  const uint8_t encoding = in.Byte();
  switch (encoding >> 6) {
    case 0:
      return out.Append(in.Raw(encoding));
    case 1: {
      const size_t high = encoding & 0x3Fu;
      return out.Append(in.Raw(high << 8 | in.Byte()));
    }
    case 2:
      return out.Append(in.Raw(in.BigEndian(4)));
    default:
      return ReadNumber(in, encoding, out);
  }
}

}  // namespace

bool ReadZiplist(std::string_view bytes, Listpack& out) {
  constexpr uint8_t kLongPrevious = 0xFE;
  constexpr uint64_t kUncounted = UINT16_MAX;
  RdbReader in(bytes);
  in.Require(in.LittleEndian(4) == bytes.size());
  in.LittleEndian(4);
  const uint64_t counted = in.LittleEndian(2);
  for (;;) {
    const uint8_t previous = in.Byte();
    if (!in.ok()) return false;
    if (previous == kEnd) break;
    if (previous == kLongPrevious) in.LittleEndian(4);
    ReadElement(in, out);
  }
  return in.done() && (counted == kUncounted || counted == out.size());
}

}  // namespace lapse
