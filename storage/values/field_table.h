// The fields of a hash that is too large for one packed list.
//
// A table of buckets by linear hashing. A bucket is one block that holds its fields side by side,
// eight on average, so that a field costs its bytes and few more: there is no node, no pointer and
// no malloc header for each.
//
//   buckets_ -> | block | block | nullptr | block | ...
//                   |
//                   v
//   block   | used (32) | count (32) | record | record | ...
//   record  | tag | flags | name size | value size | deadline, if any | name | value |
//              8      8         8           8           64
//
// A record whose texts are long is a pointer to a block of its own instead. The tag is 8 bits of
// the name's hash, so that hardly a name is compared in vain.
//
// Linear hashing splits one bucket at a time, whichever is next, when the table fills up, and
// merges one as it empties: no change ever waits for a rehash of everything. A walk goes in the
// order of the bits that tell buckets apart, the lowest first. Splits and merges move nothing
// across a position in that order, so a cursor that is such a position misses no field that stays.
//
// Deadlines stand in the records. Besides, the buckets that have any are kept sorted by their
// earliest one, in a tree that is made with the first deadline. So removing what has expired visits
// buckets with something to remove alone, at 2 bytes a field for the tree.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/clock.h"

namespace lapse {

class FieldTable {
 public:
  struct Field {
    std::string_view name;  // both into the table, good until its next change
    std::string_view value;
    int64_t deadline = kNoDeadline;
  };
  using Visitor = absl::FunctionRef<void(const Field&)>;

  // The seed keeps names from being aimed at one bucket.
  explicit FieldTable(uint64_t seed);
  FieldTable(const FieldTable& other);
  FieldTable& operator=(const FieldTable&) = delete;
  ~FieldTable();

  size_t size() const { return size_; }
  // Constant time.
  size_t allocated_bytes() const;

  std::optional<Field> Find(std::string_view name) const;
  // Sets value and deadline; returns whether the field is new. The texts must not point into the
  // table.
  bool Set(const Field& field);
  bool Erase(std::string_view name);
  // Returns whether there is such a field.
  bool SetDeadline(std::string_view name, int64_t deadline);

  int64_t earliest_deadline() const;
  size_t RemoveExpired(int64_t now_ms);

  void Visit(Visitor visit) const;
  // Visits fields from the cursor on, whole buckets, until `count` have been visited or 10 times as
  // many buckets; returns the next cursor, 0 at the end.
  uint64_t Scan(uint64_t cursor, size_t count, Visitor visit) const;
  // Any field with equal probability. Requires: size() > 0.
  Field Random(absl::BitGenRef random) const;

 private:
  struct Block;
  struct Long;
  struct Record;
  struct Place;

  uint64_t Hash(std::string_view name) const;
  size_t IndexOf(uint64_t hash) const;
  int DepthOf(size_t bucket) const;
  Place Locate(std::string_view name) const;
  static Record* FindIn(const Block* block, uint8_t tag, std::string_view name);
  static void VisitBucket(const Block* block, Visitor visit);

  Block* Resize(Block* block, size_t bytes);
  void FreeBlock(Block* block);
  Record* Splice(size_t bucket, size_t offset, size_t removed, size_t added);
  void AppendCopy(size_t bucket, const Record& record);
  void Write(Record* record, uint8_t tag, const Field& field);
  void EraseRecord(size_t bucket, Record* record);
  void ReleaseLong(Record* record);

  void Grow();
  void Shrink();
  void Trim(size_t bucket);
  static int64_t EarliestIn(const Block* block);
  void NoteEarliest(size_t bucket, int64_t before, int64_t after);
  // What EarliestIn says, when there are deadlines at all.
  int64_t EarliestOf(size_t bucket) const;

  using DueBuckets = absl::btree_set<std::pair<int64_t, uint32_t>>;

  const uint64_t seed_;
  size_t size_ = 0;
  size_t bytes_ = 0;  // of blocks and long records
  size_t mask_ = 0;   // the least power of two that is not below the number of buckets, less 1
  std::vector<Block*> buckets_;
  std::unique_ptr<DueBuckets> due_;
};

}  // namespace lapse
