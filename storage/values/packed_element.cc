#include "storage/values/packed_element.h"

#include "protocol/number.h"

namespace lapse {
namespace packed {
namespace {

// The integer behind an opening of kInt16 and up.
int64_t LoadInteger(const uint8_t* at) {
  switch (*at) {
    case kInt16:
      return Load<int16_t>(at + 1);
    case kInt24:
      return int32_t{Load<int8_t>(at + 3)} * 65536 + Load<uint16_t>(at + 1);
    case kInt32:
      return Load<int32_t>(at + 1);
    default:
      return Load<int64_t>(at + 1);
  }
}

}  // namespace

bool ParseNumber(std::string_view text, int64_t& number) {
  if (text.empty() || text.size() > kMaxInt64Chars) return false;
  const char first = text[0];
  if (first != '-' && (first < '0' || first > '9')) return false;
  return ParseInt64(text, number);
}

Form FormOfNumber(int64_t number) {
  Form form{};
  const auto fits = [number](int bits) {
    const int64_t limit = int64_t{1} << (bits - 1);
    return number >= -limit && number < limit;
  };
  const auto fixed = [&form, number](uint8_t first, size_t bytes) {
    form.opening[0] = first;
    std::memcpy(form.opening + 1, &number, bytes);
    form.opening_size = 1 + bytes;
  };
  if (number >= 0 && number <= 127) {
    form.opening[0] = static_cast<uint8_t>(number);
    form.opening_size = 1;
  } else if (fits(13)) {
    form.opening[0] = static_cast<uint8_t>(kInt13 | ((number >> 8) & 0x1F));
    form.opening[1] = static_cast<uint8_t>(number);
    form.opening_size = 2;
  } else if (fits(16)) {
    fixed(kInt16, 2);
  } else if (fits(24)) {
    fixed(kInt24, 3);
  } else if (fits(32)) {
    fixed(kInt32, 4);
  } else {
    fixed(kInt64, 8);
  }
  return form;
}

Form FormOf(std::string_view element) {
  int64_t number;
  if (ParseNumber(element, number)) return FormOfNumber(number);
  Form form{};
  form.text = element;
  if (element.size() < 64) {
    form.opening[0] = static_cast<uint8_t>(kShortText | element.size());
    form.opening_size = 1;
  } else if (element.size() < 4096) {
    form.opening[0] = static_cast<uint8_t>(kMediumText | (element.size() >> 8));
    form.opening[1] = static_cast<uint8_t>(element.size());
    form.opening_size = 2;
  } else {
    form.opening[0] = kLongText;
    Store<uint32_t>(form.opening + 1, element.size());
    form.opening_size = 5;
  }
  return form;
}

void WriteLongTail(uint8_t* to, size_t size) {
  size_t value = size;
  for (size_t i = TailSize(size); i-- > 0; value >>= 7) {
    to[i] = static_cast<uint8_t>((value & 127) | (i == 0 ? 0 : 128));
  }
}

size_t ReadLongTail(const uint8_t* past) {
  size_t value = 0;
  for (int shift = 0; shift <= 28; shift += 7) {
    const uint8_t byte = *--past;
    value |= size_t{byte & 127u} << shift;
    if ((byte & 128) == 0) break;
  }
  return value;
}

size_t OpeningSize(uint8_t first) {
  if (first < kInt13) return 1;
  if (first < kLongText) return 2;
  switch (first) {
    case kLongText:
    case kInt32:
      return 5;
    case kInt16:
      return 3;
    case kInt24:
      return 4;
    case kInt64:
      return 9;
    default:
      return 0;
  }
}

PackedElement DecodeOther(const uint8_t* at) {
  const uint8_t first = *at;
  const auto text = [at](size_t opening, size_t size) {
    return PackedElement{{reinterpret_cast<const char*>(at + opening), size}, 0, false};
  };
  const auto number = [](int64_t value) { return PackedElement{{}, value, true}; };
  if (first < kShortText) return number(first);
  if (IsShortText(first)) return text(1, first & 0x3Fu);
  if (IsMediumText(first)) return text(2, (first & 0xFu) << 8 | at[1]);
  if (IsInt13(first)) {
    const int64_t value = (first & 0x1F) << 8 | at[1];
    return number(value < 4096 ? value : value - 8192);
  }
  if (first == kLongText) return text(5, Load<uint32_t>(at + 1));
  return number(LoadInteger(at));
}

}  // namespace packed

std::string_view PackedElement::Text(char (&digits)[24]) const {
  static_assert(sizeof(digits) >= kMaxInt64Chars);
  return is_number ? std::string_view(digits, FormatInt64(number, digits)) : text;
}

bool PackedElement::Equals(std::string_view other) const {
  if (!is_number) return text == other;
  int64_t value;
  return packed::ParseNumber(other, value) && value == number;
}

}  // namespace lapse
