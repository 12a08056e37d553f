// Finds the members of a large sorted set by name: an open-addressing table of one word a slot.
//
//   slot      | 63..56 distance from home | 55..48 tag | 47..0 pointer |      0: empty
//
// Robin Hood hashing with linear probing: a member lies at or after its home slot, and members lie
// in the order of their homes. A home is the hash's share of the capacity, so the table's order is
// the order of hashes, whatever the capacity. Hence:
//
//   - A lookup that fails ends at the first member that is nearer to its home than the sought one
//     would be; the tag saves nearly all comparisons.
//   - The capacity grows by half, not by doubling: 10 to 15 bytes a member.
//   - A scan's cursor is the hash to resume from, and stays good when the table is rebuilt: a
//     member that is there during the whole scan is returned.
//   - Removal shifts what follows back, so there are no tombstones.
//
// absl::flat_hash_set would take 10 to 21 bytes a member and has no order to resume a scan in.
//
// Invariants:
//   1. A slot's distance is its position minus its home, modulo the capacity, and at most 255.
//   2. Along a run of slots without a gap, distances rise by at most one from slot to slot.
//
// Thread: the holder of the shard's lock. The table does not own the members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/values/ranked_member.h"

namespace lapse {

class RankedTable {
 public:
  // The member of this name, or nullptr.
  RankedMember* Find(std::string_view text) const;
  // Requires: no member of the same name is there.
  void Insert(RankedMember* member);
  // Takes the member out and returns it, or returns nullptr.
  RankedMember* Remove(std::string_view text);
  // Makes room for this many members at once.
  void Reserve(size_t members);

  size_t size() const { return size_; }
  size_t allocated_bytes() const;

  // Visits about `count` members from the cursor on (0: the first) and returns the cursor to go on
  // with, 0 at the end.
  uint64_t Scan(uint64_t cursor, size_t count,
                absl::FunctionRef<void(const RankedMember&)> visit) const;

 private:
  static constexpr size_t kLeastCapacity = 16;
  static constexpr size_t kNowhere = ~size_t{0};

  size_t HomeOf(uint64_t hash) const;
  size_t After(size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }
  size_t Locate(std::string_view text) const;
  // Puts the member in; returns the one that found no place within reach, if any.
  RankedMember* Place(RankedMember* member);
  void Rebuild(size_t capacity);

  std::vector<uint64_t> slots_;
  size_t size_ = 0;
};

}  // namespace lapse
