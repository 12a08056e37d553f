// An entry: one key, its deadline and its value in one allocation.
//
//   0      1      2           5      6        8
//   +------+------+-----------+------+--------+----------+---------+-----+-------------------+
//   | type | flags| clock(24) | klen | vlen   | deadline | klen32  | key | value, or pointer |
//   | enc  |      |           |  8   |  16    |  8 B     |  4 B    |     | to a large value  |
//   +------+------+-----------+------+--------+----------+---------+-----+-------------------+
//                                               if it     if klen
//                                               has one   is 255
//
// A 16-byte key with a 32-byte value takes 56 bytes, 64 with a deadline: the same size class of 64,
// so that a TTL costs nothing and EXPIRE on such a key moves no memory out of its allocation.
// Values over kMaxInlineValue live in an allocation of their own with room to grow; vlen is then
// kExternal.
//
// The entry knows nothing of where it hangs. The slot word that points to it repeats its deadline
// as a due hint; LockedShard alone changes both, together.
//
// Invariants:
//   1. The size class of its layout is what the entry's allocation was made with, at all times: an
//   entry is
//      laid out anew only when the size class stays the same, else a new entry replaces it.
//   2. Only the owner of the shard's lock touches an entry, reads included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/clock.h"
#include "storage/prefetch.h"

namespace lapse {

class EntryHeap;

enum class ValueType : uint8_t { kString = 0 };

// How the value is represented, as OBJECT ENCODING names it. A string that was changed in place is
// raw, whatever its length, as in Redis.
enum class Encoding : uint8_t { kInt = 0, kEmbstr = 1, kRaw = 2 };

std::string_view TypeName(ValueType type);
std::string_view EncodingName(Encoding encoding);

// The encoding that Redis gives a string that a client sets: int for the canonical form of a 64-bit
// integer, embstr up to 44 bytes, else raw.
Encoding EncodingOfString(std::string_view value);

class Entry {
 public:
  // Values above this many bytes get an allocation of their own.
  static constexpr size_t kMaxInlineValue = 1024;
  static constexpr size_t kMaxKey = size_t{512} << 20;

  struct Spec {
    std::string_view key;
    std::string_view value;  // copied
    int64_t deadline = kNoDeadline;
    Encoding encoding = Encoding::kRaw;
    uint32_t access_clock = 0;  // 24 bits are kept
  };

  // Returns a new entry, to be destroyed with Destroy and the same heap.
  static Entry* Create(EntryHeap& heap, const Spec& spec);
  static void Destroy(EntryHeap& heap, Entry* entry);

  // Rewrites value, deadline and encoding within the entry's allocation and returns true, or
  // changes nothing and returns false when the size class differs or a large value is involved.
  // Requires: spec.key equals key(); neither it nor spec.value points into this entry.
  bool RewriteInPlace(const Spec& spec);

  std::string_view key() const;
  std::string_view value() const;
  ValueType type() const { return static_cast<ValueType>(type_encoding_ & 0xF); }
  Encoding encoding() const { return static_cast<Encoding>(type_encoding_ >> 4); }
  void set_encoding(Encoding encoding);

  bool has_deadline() const { return (flags_ & kHasDeadline) != 0; }
  int64_t deadline() const;  // kNoDeadline when there is none
  bool expired(int64_t now_ms) const { return has_deadline() && now_ms > deadline(); }
  // Changes the deadline in place. Requires: has_deadline().
  void OverwriteDeadline(int64_t deadline);
  // Adds or drops the deadline within the allocation; false (and no change) when it does not fit
  // the size class.
  bool AddDeadlineInPlace(int64_t deadline);
  bool DropDeadlineInPlace();

  // The value's bytes, to be changed in place (the length stays).
  char* mutable_value();
  // Whether the value has an allocation of its own.
  bool is_external() const { return value_length_ == kExternal; }
  // Makes the value `size` bytes long, keeping what was there and filling with zero bytes, when
  // that can be done without moving the entry; returns false when it cannot. Large values grow with
  // slack, so that appending byte by byte is amortised.
  bool ResizeValueInPlace(size_t size);

  // Bytes of all allocations that the entry owns, as heap and malloc hand them out.
  size_t allocated_bytes() const;

  uint32_t access_clock() const;
  void set_access_clock(uint32_t clock);

  // Asks the cache for what Destroy and expired() will read.
  void Prefetch() const { PrefetchLine(this); }

 private:
  static constexpr uint8_t kHasDeadline = 1;
  static constexpr uint8_t kKeyEscape = 255;
  static constexpr uint16_t kExternal = 0xFFFF;

  struct External;  // a large value: size, capacity, bytes

  static size_t LayoutSize(const Spec& spec);
  void Fill(const Spec& spec);
  size_t prefix_size() const;  // header and deadline: where the key's length or bytes begin
  size_t key_size() const;
  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  size_t value_offset() const;
  size_t layout_size() const;
  External* external() const;
  void set_external(External* value);
  bool MoveBody(bool with_deadline);

  uint8_t type_encoding_;
  uint8_t flags_;
  uint8_t access_clock_[3];
  uint8_t key_length_;
  uint16_t value_length_;
};

static_assert(sizeof(Entry) == 8);

}  // namespace lapse
