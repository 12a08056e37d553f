// One element of a packed list: how a text or an integer looks in the bytes that Redis calls a
// listpack.
//
//   +----------+-- ... --+------+      opening: says what it is and how long, or is the integer;
//   | opening  | text    | tail |      tail: the size of both, to be read backwards
//   +----------+-- ... --+------+
//
//   0nnnnnnn                  integer 0 .. 127
//   10llllll                  text of up to 63 bytes
//   110nnnnn nnnnnnnn         integer of 13 bits
//   1110llll llllllll         text of up to 4,095 bytes
//   0xF0 and 4 bytes          text of any length
//   0xF1 .. 0xF4              integer of 16, 24, 32, 64 bits
//
// A text that is the one spelling of a 64-bit integer is stored as that integer. What is in every
// loop over elements is inline; a file that walks elements includes this one, nobody else.
//
// Thread: pure functions of the bytes that they are given.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/base/optimization.h"

namespace lapse {

struct PackedElement {
  std::string_view text;  // into the list, good until its next change; empty for a number
  int64_t number = 0;
  bool is_number = false;

  // The text, of a number too, for which `digits` is used.
  std::string_view Text(char (&digits)[24]) const;
  bool Equals(std::string_view other) const;
};

namespace packed {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

inline constexpr uint8_t kShortText = 0x80;
inline constexpr uint8_t kInt13 = 0xC0;
inline constexpr uint8_t kMediumText = 0xE0;
inline constexpr uint8_t kLongText = 0xF0;
inline constexpr uint8_t kInt16 = 0xF1;
inline constexpr uint8_t kInt24 = 0xF2;
inline constexpr uint8_t kInt32 = 0xF3;
inline constexpr uint8_t kInt64 = 0xF4;

inline bool IsShortText(uint8_t first) { return (first & 0xC0) == kShortText; }
inline bool IsInt13(uint8_t first) { return (first & 0xE0) == kInt13; }
inline bool IsMediumText(uint8_t first) { return (first & 0xF0) == kMediumText; }

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <typename T>
void Store(uint8_t* at, size_t value) {
  const auto narrow = static_cast<T>(value);
  std::memcpy(at, &narrow, sizeof(T));
}

// How many bytes the size of an element takes behind it. The odd limits are the format's.
inline size_t TailSize(size_t size) {
  if (ABSL_PREDICT_TRUE(size <= 127)) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

// Seven bits a byte, to be read from the last one on: all but the first have the high bit set.
void WriteLongTail(uint8_t* to, size_t size);
inline void WriteTail(uint8_t* to, size_t size) {
  if (ABSL_PREDICT_FALSE(size > 127)) return WriteLongTail(to, size);
  *to = static_cast<uint8_t>(size);
}

size_t ReadLongTail(const uint8_t* past);
// The size that the tail in front of `past` says.
inline size_t ReadTail(const uint8_t* past) {
  const uint8_t last = past[-1];
  return ABSL_PREDICT_TRUE(last < 128) ? last : ReadLongTail(past);
}

// Whether the text is a number's one spelling.
bool ParseNumber(std::string_view text, int64_t& number);

// An element as it is going to be written: an opening (an integer is all of it) and the text.
struct Form {
  uint8_t opening[9];
  size_t opening_size;
  std::string_view text;

  size_t size() const { return opening_size + text.size(); }
  size_t whole_size() const { return size() + TailSize(size()); }
};

Form FormOfNumber(int64_t number);
Form FormOf(std::string_view element);

// Requires: room for form.whole_size() bytes.
inline void Write(uint8_t* to, const Form& form) {
  std::memcpy(to, form.opening, form.opening_size);
  if (!form.text.empty()) std::memcpy(to + form.opening_size, form.text.data(), form.text.size());
  WriteTail(to + form.size(), form.size());
}

// The opening's size, by its first byte; 0 for a byte that opens nothing.
size_t OpeningSize(uint8_t first);

// Opening and text, without the tail. Requires: a whole opening.
inline size_t ElementSize(const uint8_t* at) {
  const uint8_t first = *at;
  if (first < kShortText) return 1;
  if (IsShortText(first)) return 1 + (first & 0x3Fu);
  if (IsMediumText(first)) return 2 + ((first & 0xFu) << 8 | at[1]);
  if (first == kLongText) return 5 + size_t{Load<uint32_t>(at + 1)};
  return OpeningSize(first);
}

inline size_t WholeSize(const uint8_t* at) {
  const size_t size = ElementSize(at);
  return size + TailSize(size);
}

// Of all but short texts.
PackedElement DecodeOther(const uint8_t* at);

inline PackedElement Decode(const uint8_t* at) {
  if (IsShortText(*at)) return {{reinterpret_cast<const char*>(at + 1), *at & 0x3Fu}, 0, false};
  return DecodeOther(at);
}

// An element to look for, parsed once.
class Needle {
 public:
  explicit Needle(std::string_view text) : text_(text), is_number_(ParseNumber(text, number_)) {}

  bool Is(const uint8_t* at) const {
    if (IsShortText(*at)) return SameText(at + 1, *at & 0x3Fu);
    const PackedElement element = DecodeOther(at);
    if (element.is_number) return is_number_ && element.number == number_;
    return element.text == text_;
  }

 private:
  bool SameText(const uint8_t* bytes, size_t size) const {
    return size == text_.size() && std::memcmp(bytes, text_.data(), size) == 0;
  }

  std::string_view text_;
  int64_t number_ = 0;
  bool is_number_;
};

}  // namespace packed
}  // namespace lapse
