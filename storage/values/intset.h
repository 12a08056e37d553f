// A sorted array of integers in one block of memory, in the bytes that Redis calls an intset.
//
//   | width (32): 2, 4 or 8 | elements (32) | element | element | ...     all little endian
//
// All elements take the width that the farthest from zero needs; one that needs more widens all.
// The format is Redis's to the byte because DUMP and RDB carry it as it is. Meant for some hundreds
// of elements: an insertion moves what lies behind it.
//
// Invariants:
//   1. view() passes Validate() at all times: elements ascend, none is twice there.
//   2. An empty one that was never written to owns no memory.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lapse {

class Intset {
 public:
  Intset() = default;
  // Requires: Validate(serialized).
  explicit Intset(std::string_view serialized);
  Intset(const Intset& other) : Intset(other.view()) {}
  Intset(Intset&& other) noexcept;
  Intset& operator=(Intset other) noexcept;
  ~Intset();

  // Whether the bytes are a whole one, whoever they come from.
  static bool Validate(std::string_view bytes);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The i-th smallest. Requires: i < size().
  int64_t at(size_t i) const;
  bool Contains(int64_t number) const;
  // False: it was there already, or was not there.
  bool Insert(int64_t number);
  bool Erase(int64_t number);
  void EraseAt(size_t i);

  std::string_view view() const;
  // Of the block, as malloc hands it out; this object is not counted.
  size_t allocated_bytes() const;

 private:
  static constexpr size_t kHeaderBytes = 8;

  // Where the number is, or where it belongs.
  size_t LowerBound(int64_t number) const;
  void Put(size_t i, int64_t number);
  void Resize(size_t width, size_t size);
  void Widen(size_t width);
  void StoreHeader();

  uint8_t* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t width_ = sizeof(int16_t);
};

}  // namespace lapse
