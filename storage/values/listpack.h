// A packed list: a short sequence of strings and integers in one block of memory, in the bytes that
// Redis calls a listpack.
//
//   +------------+----------+----------+-- ... --+------+
//   | bytes (32) | elements | element  |         | 0xFF |       both numbers little endian
//   +------------+----------+----------+-- ... --+------+
//                  16 bits     |
//                              +--> encoding, and length or integer | text | size of both,
//                              backwards
//
// Small lists, sets, sorted sets and hashes are one of these, and the nodes of large lists and of
// streams are. The format is Redis's to the byte because DUMP and RDB carry it as it is. A text
// that is the one spelling of a 64-bit integer is stored as that integer, in 1 to 9 bytes.
//
// Finding an element is a walk. That is meant for some hundreds of elements; who keeps more
// converts to something else. A position is an offset: it stays good until the next change, which
// says where to go on.
//
// Above 65,534 elements the format's own count says "unknown". So that size() stays constant time
// the block then holds 4 more bytes behind the terminator, with the count; they are not part of
// view().
//
// Invariants:
//   1. view() passes Validate() at all times.
//   2. An empty list that was never written to shares one constant block and owns none.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/values/packed_element.h"

namespace lapse {

class Listpack {
 public:
  // The byte offset of an element.
  using Position = uint32_t;

  using Element = PackedElement;

  // The longest that a list may get. Callers convert or split long before.
  static constexpr size_t kMaxBytes = UINT32_MAX - 16;

  Listpack() noexcept;
  // Requires: Validate(serialized).
  explicit Listpack(std::string_view serialized);
  Listpack(const Listpack& other);
  Listpack(Listpack&& other) noexcept;
  Listpack& operator=(const Listpack& other);
  Listpack& operator=(Listpack&& other) noexcept;
  ~Listpack();

  // Whether the bytes are a whole list, whoever they come from.
  static bool Validate(std::string_view bytes);

  size_t size() const;  // elements
  bool empty() const { return data_[kHeaderBytes] == kTerminator; }
  size_t bytes() const { return LoadBytes(); }
  // The serialized list.
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), bytes()}; }
  // Of the block, as malloc hands it out; this object is not counted.
  size_t allocated_bytes() const;

  Position begin() const { return kHeaderBytes; }
  Position end() const { return static_cast<Position>(bytes() - 1); }
  Position Next(Position at) const;  // requires: at != end()
  Position Prev(Position at) const;  // requires: at != begin()
  Position Last() const;             // end() when empty
  Element Get(Position at) const;    // requires: at != end()

  // The index-th element, counted from the end when negative: -1 is the last. end() when there is
  // none. Walks from the nearer side.
  Position Seek(int64_t index) const;
  // The first element equal to this one among `from`, the one after the next `skip`, and so on (a
  // hash of fields and values is searched with skip 1). end() when there is none.
  Position Find(std::string_view element, Position from, size_t skip = 0) const;

  // Each of these invalidates all positions but the one that it returns. What is given must not
  // point into the list.

  // Puts the element before that position (end() to append) and returns the new one's.
  Position Insert(Position before, std::string_view element);
  // Returns the position of the element, which is the same.
  Position Replace(Position at, std::string_view element);
  // Return the position of what follows.
  Position Erase(Position at) { return EraseRange(at, 1); }
  Position EraseRange(Position from, size_t count);  // fewer where the end comes first
  void Append(std::string_view element) { Insert(end(), element); }
  void Prepend(std::string_view element) { Insert(begin(), element); }
  // As Append and Replace, of an integer's one spelling.
  void AppendNumber(int64_t number);
  Position ReplaceNumber(Position at, int64_t number);
  // As so many Appends, with room for all of them made at once.
  void AppendAll(std::span<const Element> elements);

  // How many bytes the element adds.
  static size_t EncodedSize(std::string_view element);

 private:
  static constexpr size_t kHeaderBytes = 6;
  static constexpr uint8_t kTerminator = 0xFF;

  size_t LoadBytes() const;
  bool owns() const;
  // Bytes of the block that a list of such a size needs.
  static size_t BlockSize(size_t bytes, size_t count);
  void Reserve(size_t block_bytes);
  void Trim(size_t block_bytes);
  void SetSizes(size_t bytes, size_t count);
  // Makes the `removed` bytes at `at` `added` ones, moving what follows, for a change by so many
  // elements.
  uint8_t* Splice(Position at, size_t removed, size_t added, ptrdiff_t elements);

  uint8_t* data_;
};

static_assert(sizeof(Listpack) == sizeof(void*));

}  // namespace lapse
