#include "storage/values/listpack.h"

#include <malloc.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/container/inlined_vector.h"
#include "protocol/number.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

constexpr size_t kCountOffset = 4;
// The count in the header when the list has this many elements or more.
constexpr size_t kUncounted = 0xFFFF;
// Blocks above this grow by an eighth more than asked, so that a long list is not moved by every
// element; smaller ones get what they need, for there are many of them.
constexpr size_t kExactBlock = 256;
// What malloc keeps beside a block.
constexpr size_t kMallocHeader = sizeof(size_t);

// Encodings, by the first byte.
//
//   0nnnnnnn                  integer 0 .. 127
//   10llllll                  text of up to 63 bytes
//   110nnnnn nnnnnnnn         integer of 13 bits
//   1110llll llllllll         text of up to 4,095 bytes
//   0xF0 and 4 bytes          text of any length
//   0xF1 .. 0xF4              integer of 16, 24, 32, 64 bits
constexpr uint8_t kShortText = 0x80;
constexpr uint8_t kInt13 = 0xC0;
constexpr uint8_t kMediumText = 0xE0;
constexpr uint8_t kLongText = 0xF0;
constexpr uint8_t kInt16 = 0xF1;
constexpr uint8_t kInt24 = 0xF2;
constexpr uint8_t kInt32 = 0xF3;
constexpr uint8_t kInt64 = 0xF4;

bool IsShortText(uint8_t first) { return (first & 0xC0) == kShortText; }
bool IsInt13(uint8_t first) { return (first & 0xE0) == kInt13; }
bool IsMediumText(uint8_t first) { return (first & 0xF0) == kMediumText; }

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

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

bool ParseNumber(std::string_view text, int64_t& number) {
  if (text.empty() || text.size() > kMaxInt64Chars) return false;
  const char first = text[0];
  if (first != '-' && (first < '0' || first > '9')) return false;
  return ParseInt64(text, number);
}

// An element as it is going to be written: an opening (an integer is all of it) and the text.
struct Form {
  uint8_t opening[9];
  size_t opening_size;
  std::string_view text;

  size_t size() const { return opening_size + text.size(); }
};

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

// How many bytes the size of an element takes behind it. The odd limits are the format's.
size_t TailSize(size_t size) {
  if (ABSL_PREDICT_TRUE(size <= 127)) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

// Seven bits a byte, to be read from the last one on: all but the first have the high bit set.
void WriteTail(uint8_t* to, size_t size) {
  size_t value = size;
  for (size_t i = TailSize(size); i-- > 0; value >>= 7) {
    to[i] = static_cast<uint8_t>((value & 127) | (i == 0 ? 0 : 128));
  }
}

void Write(uint8_t* to, const Form& form) {
  std::memcpy(to, form.opening, form.opening_size);
  if (!form.text.empty()) std::memcpy(to + form.opening_size, form.text.data(), form.text.size());
  WriteTail(to + form.size(), form.size());
}

size_t ReadTail(const uint8_t* past) {
  size_t value = 0;
  for (int shift = 0; shift <= 28; shift += 7) {
    const uint8_t byte = *--past;
    value |= size_t{byte & 127u} << shift;
    if ((byte & 128) == 0) break;
  }
  return value;
}

// The opening's size, by its first byte; 0 for a byte that opens nothing.
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

// Opening and text, without the tail. Requires: a whole opening.
size_t ElementSize(const uint8_t* at) {
  const uint8_t first = *at;
  if (first < kShortText) return 1;
  if (IsShortText(first)) return 1 + (first & 0x3Fu);
  if (IsMediumText(first)) return 2 + ((first & 0xFu) << 8 | at[1]);
  if (first == kLongText) return 5 + size_t{Load<uint32_t>(at + 1)};
  return OpeningSize(first);
}

size_t WholeSize(const uint8_t* at) {
  const size_t size = ElementSize(at);
  return size + TailSize(size);
}

Listpack::Element Decode(const uint8_t* at) {
  const uint8_t first = *at;
  const auto text = [at](size_t opening, size_t size) {
    return Listpack::Element{{reinterpret_cast<const char*>(at + opening), size}, 0, false};
  };
  const auto number = [](int64_t value) { return Listpack::Element{{}, value, true}; };
  if (IsShortText(first)) return text(1, first & 0x3Fu);
  if (first < kShortText) return number(first);
  if (IsMediumText(first)) return text(2, (first & 0xFu) << 8 | at[1]);
  if (IsInt13(first)) {
    const int64_t value = (first & 0x1F) << 8 | at[1];
    return number(value < 4096 ? value : value - 8192);
  }
  if (first == kLongText) return text(5, Load<uint32_t>(at + 1));
  return number(LoadInteger(at));
}

// An element to look for, parsed once.
class Needle {
 public:
  explicit Needle(std::string_view text) : text_(text), is_number_(ParseNumber(text, number_)) {}

  bool Is(const uint8_t* at) const {
    if (IsShortText(*at)) return SameText(at + 1, *at & 0x3Fu);
    const Listpack::Element element = Decode(at);
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

constexpr uint8_t kEmptyList[] = {7, 0, 0, 0, 0, 0, 0xFF};

// Never written to: a list that owns nothing is copied before its first change.
uint8_t* EmptyBlock() { return const_cast<uint8_t*>(kEmptyList); }

}  // namespace

std::string_view Listpack::Element::Text(char (&digits)[24]) const {
  static_assert(sizeof(digits) >= kMaxInt64Chars);
  return is_number ? std::string_view(digits, FormatInt64(number, digits)) : text;
}

bool Listpack::Element::Equals(std::string_view other) const {
  if (!is_number) return text == other;
  int64_t value;
  return ParseNumber(other, value) && value == number;
}

Listpack::Listpack() noexcept : data_(EmptyBlock()) {}

Listpack::Listpack(std::string_view serialized) : data_(EmptyBlock()) {
  // The count need not be right where it says "unknown".
  const auto* bytes = reinterpret_cast<const uint8_t*>(serialized.data());
  size_t count = Load<uint16_t>(bytes + kCountOffset);
  if (count == kUncounted) {
    count = 0;
    for (size_t at = kHeaderBytes; bytes[at] != kTerminator; at += WholeSize(bytes + at)) ++count;
  }
  if (count == 0) return;
  data_ = static_cast<uint8_t*>(Allocate(BlockSize(serialized.size(), count)));
  std::memcpy(data_, serialized.data(), serialized.size());
  SetSizes(serialized.size(), count);
}

Listpack::Listpack(const Listpack& other) : data_(EmptyBlock()) {
  if (other.empty()) return;
  const size_t block = BlockSize(other.bytes(), other.size());
  data_ = static_cast<uint8_t*>(Allocate(block));
  std::memcpy(data_, other.data_, block);
}

Listpack::Listpack(Listpack&& other) noexcept : data_(std::exchange(other.data_, EmptyBlock())) {}

Listpack& Listpack::operator=(const Listpack& other) {
  if (this != &other) *this = Listpack(other);
  return *this;
}

Listpack& Listpack::operator=(Listpack&& other) noexcept {
  std::swap(data_, other.data_);
  return *this;
}

Listpack::~Listpack() {
  if (owns()) Free(data_);
}

bool Listpack::Validate(std::string_view bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() <= kHeaderBytes || bytes.size() > kMaxBytes) return false;
  const size_t end = bytes.size() - 1;
  if (Load<uint32_t>(data) != bytes.size() || data[end] != kTerminator) return false;
  size_t count = 0;
  for (size_t at = kHeaderBytes; at < end; ++count) {
    const size_t opening = OpeningSize(data[at]);
    if (opening == 0 || opening > end - at) return false;
    const size_t size = ElementSize(data + at);
    if (size > end - at || TailSize(size) > end - at - size) return false;
    uint8_t tail[5];
    WriteTail(tail, size);
    if (std::memcmp(data + at + size, tail, TailSize(size)) != 0) return false;
    at += size + TailSize(size);
  }
  const size_t counted = Load<uint16_t>(data + kCountOffset);
  return counted == kUncounted || counted == count;
}

size_t Listpack::LoadBytes() const { return Load<uint32_t>(data_); }

size_t Listpack::size() const {
  const size_t count = Load<uint16_t>(data_ + kCountOffset);
  if (ABSL_PREDICT_TRUE(count != kUncounted)) return count;
  return Load<uint32_t>(data_ + bytes());
}

bool Listpack::owns() const { return data_ != kEmptyList; }

size_t Listpack::allocated_bytes() const {
  return owns() ? malloc_usable_size(data_) + kMallocHeader : 0;
}

size_t Listpack::BlockSize(size_t bytes, size_t count) {
  return count < kUncounted ? bytes : bytes + sizeof(uint32_t);
}

void Listpack::Reserve(size_t block_bytes) {
  if (ABSL_PREDICT_FALSE(block_bytes > kMaxBytes)) std::abort();
  if (!owns()) {
    data_ = static_cast<uint8_t*>(Allocate(block_bytes));
    std::memcpy(data_, kEmptyList, sizeof(kEmptyList));
    return;
  }
  if (malloc_usable_size(data_) >= block_bytes) return;
  const size_t wanted = block_bytes <= kExactBlock ? block_bytes : block_bytes + block_bytes / 8;
  void* grown = std::realloc(data_, wanted);
  if (ABSL_PREDICT_FALSE(grown == nullptr)) std::abort();
  data_ = static_cast<uint8_t*>(grown);
}

// Gives memory back once half of it is spare.
void Listpack::Trim(size_t block_bytes) {
  if (malloc_usable_size(data_) / 2 < block_bytes + kExactBlock / 8) return;
  if (void* trimmed = std::realloc(data_, block_bytes); trimmed != nullptr) {
    data_ = static_cast<uint8_t*>(trimmed);
  }
}

void Listpack::SetSizes(size_t bytes, size_t count) {
  Store<uint32_t>(data_, bytes);
  Store<uint16_t>(data_ + kCountOffset, std::min(count, kUncounted));
  if (ABSL_PREDICT_FALSE(count >= kUncounted)) Store<uint32_t>(data_ + bytes, count);
}

uint8_t* Listpack::Splice(Position at, size_t removed, size_t added, ptrdiff_t elements) {
  const size_t old_bytes = bytes();
  const size_t new_bytes = old_bytes - removed + added;
  const size_t count = size() + static_cast<size_t>(elements);
  if (added > removed) Reserve(BlockSize(new_bytes, count));
  if (added != removed) {
    std::memmove(data_ + at + added, data_ + at + removed, old_bytes - at - removed);
  }
  SetSizes(new_bytes, count);
  if (added < removed) Trim(BlockSize(new_bytes, count));
  return data_ + at;
}

Listpack::Position Listpack::Next(Position at) const {
  return at + static_cast<Position>(WholeSize(data_ + at));
}

Listpack::Position Listpack::Prev(Position at) const {
  const size_t size = ReadTail(data_ + at);
  return at - static_cast<Position>(size + TailSize(size));
}

Listpack::Position Listpack::Last() const { return empty() ? end() : Prev(end()); }

Listpack::Element Listpack::Get(Position at) const { return Decode(data_ + at); }

Listpack::Position Listpack::Seek(int64_t index) const {
  const auto count = static_cast<int64_t>(size());
  const int64_t wanted = index < 0 ? index + count : index;
  if (wanted < 0 || wanted >= count) return end();
  if (wanted <= count / 2) {
    Position at = begin();
    for (int64_t i = 0; i < wanted; ++i) at = Next(at);
    return at;
  }
  Position at = end();
  for (int64_t i = count; i > wanted; --i) at = Prev(at);
  return at;
}

Listpack::Position Listpack::Find(std::string_view element, Position from, size_t skip) const {
  const Needle needle(element);
  const uint8_t* at = data_ + from;
  while (*at != kTerminator) {
    if (needle.Is(at)) return static_cast<Position>(at - data_);
    for (size_t i = 0; i <= skip && *at != kTerminator; ++i) at += WholeSize(at);
  }
  return static_cast<Position>(at - data_);
}

Listpack::Position Listpack::Insert(Position before, std::string_view element) {
  const Form form = FormOf(element);
  uint8_t* to = Splice(before, 0, form.size() + TailSize(form.size()), +1);
  Write(to, form);
  return before;
}

Listpack::Position Listpack::Replace(Position at, std::string_view element) {
  const Form form = FormOf(element);
  uint8_t* to = Splice(at, WholeSize(data_ + at), form.size() + TailSize(form.size()), 0);
  Write(to, form);
  return at;
}

void Listpack::AppendNumber(int64_t number) {
  const Form form = FormOfNumber(number);
  Write(Splice(end(), 0, form.size() + TailSize(form.size()), +1), form);
}

void Listpack::AppendAll(std::span<const Element> elements) {
  absl::InlinedVector<Form, 16> forms;
  size_t added = 0;
  for (const Element& element : elements) {
    forms.push_back(element.is_number ? FormOfNumber(element.number) : FormOf(element.text));
    added += forms.back().size() + TailSize(forms.back().size());
  }
  uint8_t* to = Splice(end(), 0, added, static_cast<ptrdiff_t>(elements.size()));
  for (const Form& form : forms) {
    Write(to, form);
    to += form.size() + TailSize(form.size());
  }
}

Listpack::Position Listpack::ReplaceNumber(Position at, int64_t number) {
  const Form form = FormOfNumber(number);
  Write(Splice(at, WholeSize(data_ + at), form.size() + TailSize(form.size()), 0), form);
  return at;
}

Listpack::Position Listpack::EraseRange(Position from, size_t count) {
  Position to = from;
  size_t erased = 0;
  for (; erased < count && data_[to] != kTerminator; ++erased) to = Next(to);
  if (erased > 0) Splice(from, to - from, 0, -static_cast<ptrdiff_t>(erased));
  return from;
}

size_t Listpack::EncodedSize(std::string_view element) {
  const size_t size = FormOf(element).size();
  return size + TailSize(size);
}

}  // namespace lapse
