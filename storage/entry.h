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
// Strings over kMaxInlineValue live in an allocation of their own with room to grow; vlen is then
// kExternal. Collections are objects of their own (value.h), and the value here a pointer to one.
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
#include <memory>
#include <string_view>

#include "absl/base/optimization.h"
#include "storage/clock.h"
#include "storage/prefetch.h"
#include "storage/value.h"

namespace lapse {

class EntryHeap;

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
    std::string_view value;  // copied: a string
    int64_t deadline = kNoDeadline;
    Encoding encoding = Encoding::kRaw;
    uint32_t access_clock = 0;  // 24 bits are kept
    // A collection instead of the string; the entry takes it over once Create returns.
    Value* collection = nullptr;
  };

  // Returns a new entry, to be destroyed with Destroy and the same heap.
  static Entry* Create(EntryHeap& heap, const Spec& spec);
  static void Destroy(EntryHeap& heap, Entry* entry);

  // Rewrites value, deadline and encoding within the entry's allocation and returns true, or
  // changes nothing and returns false when the size class differs or a large value or a collection
  // is involved.
  // Requires: spec.key equals key(); neither it nor spec.value points into this entry.
  bool RewriteInPlace(const Spec& spec);

  std::string_view key() const {
    if (ABSL_PREDICT_FALSE(key_length_ == kKeyEscape)) return LongKey();
    return {bytes() + prefix_size(), key_length_};
  }
  // The string. Requires: is_string().
  std::string_view value() const {
    if (ABSL_PREDICT_FALSE(is_external())) return ExternalValue();
    const std::string_view k = key();
    return {k.data() + k.size(), value_length_};
  }
  // The collection. Requires: !is_string().
  Value* collection() const;
  bool is_string() const { return type() == ValueType::kString; }
  ValueType type() const { return static_cast<ValueType>(type_encoding_ & 0xF); }
  Encoding encoding() const {
    return is_string() ? static_cast<Encoding>(type_encoding_ >> 4) : collection()->encoding();
  }
  // Requires: is_string().
  void set_encoding(Encoding encoding);
  // Parts with the collection, which the caller owns from now on; the entry is only good for
  // Destroy and key(). Requires: !is_string().
  std::unique_ptr<Value> ReleaseCollection();

  bool has_deadline() const { return (flags_ & kHasDeadline) != 0; }
  int64_t deadline() const;  // kNoDeadline when there is none
  // When there is something to remove: the deadline, or the earliest of the hash's fields.
  int64_t due() const {
    return ABSL_PREDICT_TRUE((flags_ & kHasFieldDeadlines) == 0) ? deadline() : DueWithFields();
  }
  bool has_due() const { return (flags_ & (kHasDeadline | kHasFieldDeadlines)) != 0; }
  bool has_field_deadlines() const { return (flags_ & kHasFieldDeadlines) != 0; }
  // Whether expired() holds or a field's deadline has passed.
  bool overdue(int64_t now_ms) const { return has_due() && now_ms > due(); }
  // To be called after the collection's deadlines have changed.
  void NoteFieldDeadlines();
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
  static constexpr uint8_t kHasFieldDeadlines = 2;
  static constexpr uint8_t kKeyEscape = 255;
  static constexpr uint16_t kExternal = 0xFFFF;

  struct External;  // a large value: size, capacity, bytes

  static size_t LayoutSize(const Spec& spec);
  void Fill(const Spec& spec);
  // Header and deadline: where the key's length or bytes begin.
  size_t prefix_size() const { return sizeof(Entry) + (has_deadline() ? sizeof(int64_t) : 0); }
  std::string_view LongKey() const;
  std::string_view ExternalValue() const;
  int64_t DueWithFields() const;
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
