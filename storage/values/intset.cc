#include "storage/values/intset.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "storage/allocator.h"

namespace lapse {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr char kEmpty[] = "\x02\0\0\0\0\0\0";  // eight bytes, with the string's own zero

template <typename T>
T Load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

int64_t LoadNumber(const uint8_t* numbers, size_t i, size_t width) {
  switch (width) {
    case sizeof(int16_t):
      return Load<int16_t>(numbers + i * width);
    case sizeof(int32_t):
      return Load<int32_t>(numbers + i * width);
    default:
      return Load<int64_t>(numbers + i * width);
  }
}

size_t WidthOf(int64_t number) {
  if (number == static_cast<int16_t>(number)) return sizeof(int16_t);
  if (number == static_cast<int32_t>(number)) return sizeof(int32_t);
  return sizeof(int64_t);
}

template <typename T>
size_t LowerBoundOf(const uint8_t* numbers, size_t size, int64_t number) {
  size_t first = 0;
  while (size > 0) {
    const size_t half = size / 2;
    const bool right = Load<T>(numbers + (first + half) * sizeof(T)) < number;
    first = right ? first + half + 1 : first;
    size = right ? size - half - 1 : half;
  }
  return first;
}

}  // namespace

Intset::Intset(std::string_view serialized) {
  const auto size = Load<uint32_t>(serialized.data() + sizeof(uint32_t));
  if (size == 0) return;
  Resize(Load<uint32_t>(serialized.data()), size);
  std::memcpy(data_, serialized.data(), serialized.size());
}

Intset::Intset(Intset&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      width_(std::exchange(other.width_, sizeof(int16_t))) {}

Intset& Intset::operator=(Intset other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(width_, other.width_);
  return *this;
}

Intset::~Intset() { Free(data_); }

bool Intset::Validate(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return false;
  const auto width = Load<uint32_t>(bytes.data());
  const auto size = Load<uint32_t>(bytes.data() + sizeof(uint32_t));
  if (width != sizeof(int16_t) && width != sizeof(int32_t) && width != sizeof(int64_t)) {
    return false;
  }
  if (bytes.size() != kHeaderBytes + uint64_t{width} * size) return false;
  const auto* const numbers = reinterpret_cast<const uint8_t*>(bytes.data()) + kHeaderBytes;
  for (size_t i = 1; i < size; ++i) {
    if (LoadNumber(numbers, i - 1, width) >= LoadNumber(numbers, i, width)) return false;
  }
  return true;
}

int64_t Intset::at(size_t i) const { return LoadNumber(data_ + kHeaderBytes, i, width_); }

size_t Intset::LowerBound(int64_t number) const {
  const uint8_t* const numbers = data_ + kHeaderBytes;
  switch (width_) {
    case sizeof(int16_t):
      return LowerBoundOf<int16_t>(numbers, size_, number);
    case sizeof(int32_t):
      return LowerBoundOf<int32_t>(numbers, size_, number);
    default:
      return LowerBoundOf<int64_t>(numbers, size_, number);
  }
}

bool Intset::Contains(int64_t number) const {
  if (size_ == 0) return false;
  const size_t i = LowerBound(number);
  return i < size_ && at(i) == number;
}

bool Intset::Insert(int64_t number) {
  const size_t width = WidthOf(number);
  if (width > width_) Widen(width);
  const size_t i = size_ == 0 ? 0 : LowerBound(number);
  if (i < size_ && at(i) == number) return false;
  Resize(width_, size_ + size_t{1});
  uint8_t* const place = data_ + kHeaderBytes + i * width_;
  std::memmove(place + width_, place, (size_ - 1 - i) * width_);
  Put(i, number);
  StoreHeader();
  return true;
}

bool Intset::Erase(int64_t number) {
  if (size_ == 0) return false;
  const size_t i = LowerBound(number);
  if (i >= size_ || at(i) != number) return false;
  EraseAt(i);
  return true;
}

void Intset::EraseAt(size_t i) {
  uint8_t* const place = data_ + kHeaderBytes + i * width_;
  std::memmove(place, place + width_, (size_ - 1 - i) * width_);
  Resize(width_, size_ - size_t{1});
  StoreHeader();
}

std::string_view Intset::view() const {
  if (data_ == nullptr) return {kEmpty, kHeaderBytes};
  return {reinterpret_cast<const char*>(data_), kHeaderBytes + size_t{size_} * width_};
}

size_t Intset::allocated_bytes() const {
  return data_ == nullptr ? 0 : AllocationSize(kHeaderBytes + size_t{size_} * width_);
}

void Intset::Put(size_t i, int64_t number) {
  std::memcpy(data_ + kHeaderBytes + i * width_, &number, width_);
}

// Keeps the bytes that are there, as far as they go.
void Intset::Resize(size_t width, size_t size) {
  const size_t bytes = kHeaderBytes + size * width;
  // All that malloc sets aside is asked for, so that it may be grown into.
  const size_t room = AllocationSize(bytes);
  if (data_ == nullptr || room != allocated_bytes()) {
    auto* const moved = static_cast<uint8_t*>(std::realloc(data_, room));
    if (moved == nullptr) std::abort();
    data_ = moved;
  }
  width_ = static_cast<uint32_t>(width);
  size_ = static_cast<uint32_t>(size);
}

void Intset::Widen(size_t width) {
  if (data_ == nullptr) {
    width_ = static_cast<uint32_t>(width);
    return;
  }
  const size_t before = width_;
  Resize(width, size_);
  // From the end on, so that nothing is overwritten before it has moved.
  for (size_t i = size_; i > 0; --i) {
    Put(i - 1, LoadNumber(data_ + kHeaderBytes, i - 1, before));
  }
  StoreHeader();
}

void Intset::StoreHeader() {
  std::memcpy(data_, &width_, sizeof(width_));
  std::memcpy(data_ + sizeof(width_), &size_, sizeof(size_));
}

}  // namespace lapse
