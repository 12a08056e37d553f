// A collection: what an entry points to when its value is a list, a set, a sorted set, a hash or a
// stream. Strings live within the entry itself.
//
// The storage layer keeps, counts, moves and destroys collections without knowing what they are;
// the types themselves are in storage/values/. Whoever changes one does so between
// LockedShard::BeginEdit and EndEdit, which keep the shard's accounts, the due hint and the effects
// true.
//
// Thread: the holder of the shard's lock, reads included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/clock.h"

namespace lapse {

enum class ValueType : uint8_t { kString, kList, kSet, kSortedSet, kHash, kStream };
inline constexpr int kValueTypes = 6;

// How a value is represented, as OBJECT ENCODING names it.
enum class Encoding : uint8_t {
  kInt,
  kEmbstr,
  kRaw,
  kListpack,
  kQuicklist,
  kIntset,
  kHashtable,
  kSkiplist,
  kStream,
  kListpackEx,
};

// "string", "list", "set", "zset", "hash", "stream".
std::string_view TypeName(ValueType type);
std::string_view EncodingName(Encoding encoding);

class Value {
 public:
  virtual ~Value() = default;

  virtual ValueType type() const = 0;
  virtual Encoding encoding() const = 0;
  // Elements, fields or members.
  virtual size_t size() const = 0;
  // Bytes of all allocations, this object included, as malloc hands them out or close to it.
  // Constant time: it is asked before and after every change.
  virtual size_t allocated_bytes() const = 0;
  virtual std::unique_ptr<Value> Clone() const = 0;

  // Whether the key goes when the value is as it is now. A stream outlives its last entry.
  virtual bool vanishes() const { return size() == 0; }

  // The earliest deadline of anything within (a hash's fields), absolute ms; kNoDeadline when
  // nothing within has one. Constant time.
  virtual int64_t earliest_deadline() const { return kNoDeadline; }
  // Removes what within has a deadline before now_ms; returns how many went.
  virtual size_t RemoveExpired([[maybe_unused]] int64_t now_ms) { return 0; }

 protected:
  Value() = default;
  Value(const Value&) = default;
  Value& operator=(const Value&) = default;
};

}  // namespace lapse
