// A member of a large sorted set: its score and its bytes in one allocation.
//
//   0        8      12
//   +--------+------+---------------+
//   | score  | size | bytes ...     |
//   +--------+------+---------------+
//
// The table that finds members by name and the tree that ranks them both point here, so a member of
// 12 bytes takes 32 with malloc's header. That the bytes begin in the struct's tail padding saves
// the next size class for every fourth length.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "storage/allocator.h"

namespace lapse {

class RankedMember {
 public:
  static RankedMember* Create(std::string_view text, double score) {
    char* const block = static_cast<char*>(Allocate(BytesFor(text.size())));
    RankedMember* const member =
        new (block) RankedMember(score, static_cast<uint32_t>(text.size()));
    if (!text.empty()) std::memcpy(block + kHeaderBytes, text.data(), text.size());
    return member;
  }
  static void Destroy(RankedMember* member) { Free(member); }

  std::string_view text() const {
    return {reinterpret_cast<const char*>(this) + kHeaderBytes, size_};
  }
  double score() const { return score_; }
  // Requires: the member is in no tree, which orders by the score.
  void set_score(double score) { score_ = score; }
  size_t allocated_bytes() const { return AllocationSize(BytesFor(size_)); }

  RankedMember(const RankedMember&) = delete;
  RankedMember& operator=(const RankedMember&) = delete;

 private:
  static constexpr size_t kHeaderBytes = 12;

  RankedMember(double score, uint32_t size) : score_(score), size_(size) {}
  static size_t BytesFor(size_t size);

  double score_;
  uint32_t size_;
};

inline size_t RankedMember::BytesFor(size_t size) {
  return std::max(kHeaderBytes + size, sizeof(RankedMember));
}

}  // namespace lapse
