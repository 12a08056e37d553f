#include "storage/values/listpack.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/container/inlined_vector.h"
#include "protocol/number.h"
#include "storage/allocator.h"
#include "storage/values/packed_element.h"

namespace lapse {
namespace {

using packed::Decode;
using packed::ElementSize;
using packed::Form;
using packed::FormOf;
using packed::FormOfNumber;
using packed::Load;
using packed::Needle;
using packed::OpeningSize;
using packed::ReadTail;
using packed::Store;
using packed::TailSize;
using packed::WholeSize;
using packed::Write;
using packed::WriteTail;

constexpr size_t kCountOffset = 4;
// The count in the header when the list has this many elements or more.
constexpr size_t kUncounted = 0xFFFF;
// Blocks above this grow by an eighth more than asked, so that a long list is not moved by every
// element; smaller ones get what they need, for there are many of them.
constexpr size_t kExactBlock = 256;
// What malloc keeps beside a block.
constexpr size_t kMallocHeader = sizeof(size_t);

constexpr uint8_t kEmptyList[] = {7, 0, 0, 0, 0, 0, 0xFF};

// Never written to: a list that owns nothing is copied before its first change.
uint8_t* EmptyBlock() { return const_cast<uint8_t*>(kEmptyList); }

}  // namespace

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
  uint8_t* to = Splice(before, 0, form.whole_size(), +1);
  Write(to, form);
  return before;
}

Listpack::Position Listpack::Replace(Position at, std::string_view element) {
  const Form form = FormOf(element);
  uint8_t* to = Splice(at, WholeSize(data_ + at), form.whole_size(), 0);
  Write(to, form);
  return at;
}

void Listpack::AppendNumber(int64_t number) {
  const Form form = FormOfNumber(number);
  Write(Splice(end(), 0, form.whole_size(), +1), form);
}

void Listpack::AppendAll(std::span<const Element> elements) {
  absl::InlinedVector<Form, 16> forms;
  size_t added = 0;
  for (const Element& element : elements) {
    forms.push_back(element.is_number ? FormOfNumber(element.number) : FormOf(element.text));
    added += forms.back().whole_size();
  }
  uint8_t* to = Splice(end(), 0, added, static_cast<ptrdiff_t>(elements.size()));
  for (const Form& form : forms) {
    Write(to, form);
    to += form.whole_size();
  }
}

Listpack::Position Listpack::ReplaceNumber(Position at, int64_t number) {
  const Form form = FormOfNumber(number);
  Write(Splice(at, WholeSize(data_ + at), form.whole_size(), 0), form);
  return at;
}

Listpack::Position Listpack::EraseRange(Position from, size_t count) {
  Position to = from;
  size_t erased = 0;
  for (; erased < count && data_[to] != kTerminator; ++erased) to = Next(to);
  if (erased > 0) Splice(from, to - from, 0, -static_cast<ptrdiff_t>(erased));
  return from;
}

size_t Listpack::EncodedSize(std::string_view element) { return FormOf(element).whole_size(); }

}  // namespace lapse
