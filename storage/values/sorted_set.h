// A sorted set: members, each with a score, in the order of scores and then of bytes.
//
// A small one is a packed list of member, score, member, score, ... in that order, in Redis's bytes
// (encoding "listpack"). One that has outgrown its limits has a table that finds members by name
// and a tree that ranks them (encoding "skiplist", as Redis calls it), which share one allocation
// for each member. It does not go back by itself.
//
// Every range that a command can ask for, by rank, score or bytes, comes down to a range of ranks;
// what is done with it (reply, remove, store, count) needs to know nothing else.
//
// Invariants:
//   1. Either there is an index, and the packed list is empty, or there is none.
//   2. No score is a NaN.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "storage/value.h"
#include "storage/values/listpack.h"
#include "storage/values/ranked_table.h"
#include "storage/values/ranked_tree.h"

namespace lapse {

class SortedSet final : public Value {
 public:
  static constexpr ValueType kType = ValueType::kSortedSet;

  // Up to where a set stays packed: zset-max-listpack-entries and -value.
  struct Limits {
    size_t entries = 128;
    size_t value_bytes = 64;
  };

  // Ranks from `from` on and before `to`; empty where to <= from.
  struct RankRange {
    size_t from = 0;
    size_t to = 0;

    size_t size() const { return to > from ? to - from : 0; }
  };
  struct ScoreRange {
    double min = 0;
    double max = 0;
    bool min_open = false;  // without the bound itself
    bool max_open = false;
  };
  // One end of a range by bytes.
  struct LexBound {
    enum class Kind : uint8_t { kLowest, kText, kHighest };
    Kind kind = Kind::kText;
    bool open = false;
    std::string_view text;
  };
  struct LexRange {
    LexBound min;
    LexBound max;
  };

  SortedSet() = default;
  // Requires: packed holds pairs of member and score, in order.
  explicit SortedSet(Listpack packed) : packed_(std::move(packed)) {}
  ~SortedSet() override;

  ValueType type() const override { return kType; }
  Encoding encoding() const override {
    return index_ == nullptr ? Encoding::kListpack : Encoding::kSkiplist;
  }
  size_t size() const override {
    return index_ == nullptr ? packed_.size() / 2 : index_->tree.size();
  }
  size_t allocated_bytes() const override;
  std::unique_ptr<Value> Clone() const override;

  std::optional<double> Score(std::string_view member) const;
  std::optional<size_t> Rank(std::string_view member) const;

  // What a change of one member is to be: gets its score, nullptr when it is not there, and returns
  // the one that it shall have, or nothing to leave it.
  using Decision = absl::FunctionRef<std::optional<double>(const double* current)>;
  enum class Outcome : uint8_t { kLeft, kAdded, kMoved, kSame };  // kSame: set to what it was
  // The member must not point into the set.
  Outcome Update(std::string_view member, const Limits& limits, Decision decide);
  Outcome Set(std::string_view member, double score, const Limits& limits) {
    return Update(member, limits, [score](const double*) { return std::optional(score); });
  }
  bool Remove(std::string_view member);
  // Requires: range.to <= size().
  void RemoveRange(RankRange range);

  RankRange ByScore(const ScoreRange& range) const;
  // Meant for members of one score, and as Redis has it for others where the set is packed:
  // `backward` then says which end the range is looked for from.
  RankRange ByLex(const LexRange& range, bool backward = false) const;

  // Calls visit(member, score) for each member of the range, from its end with `backward`. Stops
  // where visit returns a bool and that is false. Requires: range.to <= size(). What is passed is
  // good during the call.
  template <typename Visit>
  void Walk(RankRange range, bool backward, Visit visit) const;
  template <typename Visit>
  void Walk(Visit visit) const {
    Walk({0, size()}, false, visit);
  }
  // Visits about `count` members from the cursor on, all of a packed set; returns the cursor to go
  // on with, 0 at the end. One that is there all the while is visited.
  uint64_t Scan(uint64_t cursor, size_t count,
                absl::FunctionRef<void(std::string_view member, double score)> visit) const;

  // The list of a small set, nullptr for a large one.
  const Listpack* packed() const { return index_ == nullptr ? &packed_ : nullptr; }
  // Has a set that is about to get so many members hold them in an index from the start; for what
  // is computed, and packed in the end if it fits.
  void Reserve(size_t members);
  // The way back to a list, for a set whose members are all within the limits; else nothing.
  void PackWithin(const Limits& limits);

 private:
  struct Index {
    RankedTable table;
    RankedTree tree;
    size_t member_bytes = 0;
  };

  static double ScoreAt(const Listpack& packed, Listpack::Position at);
  Listpack::Position FindPacked(std::string_view member) const;
  void InsertPacked(std::string_view member, double score);
  Outcome UpdatePacked(std::string_view member, Decision decide, bool fits);
  void InsertIndexed(std::string_view member, double score);
  void Unpack();
  void DestroyMembers();
  RankRange PackedByLex(const LexRange& range, bool backward) const;
  // The rank of the first packed pair for which before(member, score) is false.
  template <typename Before>
  size_t CountPackedBefore(Before before) const;
  template <typename Visit>
  void WalkPacked(RankRange range, bool backward, Visit visit) const;

  Listpack packed_;
  std::unique_ptr<Index> index_;
};

// Whether the bytes are at or above the lower end, at or below the upper one.
bool IsAbove(std::string_view text, const SortedSet::LexBound& min);
bool IsBelow(std::string_view text, const SortedSet::LexBound& max);

template <typename Visit>
void SortedSet::WalkPacked(RankRange range, bool backward, Visit visit) const {
  using Position = Listpack::Position;
  Position at = packed_.Seek(static_cast<int64_t>(2 * (backward ? range.to - 1 : range.from)));
  char digits[24];
  for (size_t left = range.size(); left > 0; --left) {
    const Position score = packed_.Next(at);
    const std::string_view member = packed_.Get(at).Text(digits);
    if (!visit(member, ScoreAt(packed_, score))) return;
    if (left == 1) return;
    at = backward ? packed_.Prev(packed_.Prev(at)) : packed_.Next(score);
  }
}

template <typename Visit>
void SortedSet::Walk(RankRange range, bool backward, Visit visit) const {
  if (range.size() == 0) return;
  const auto go_on = [&](std::string_view member, double score) {
    if constexpr (std::is_same_v<decltype(visit(member, score)), bool>) {
      return visit(member, score);
    } else {
      visit(member, score);
      return true;
    }
  };
  if (index_ == nullptr) return WalkPacked(range, backward, go_on);
  RankedTree::Spot spot = index_->tree.At(backward ? range.to - 1 : range.from);
  for (size_t left = range.size(); left > 0; --left) {
    if (!go_on(spot.member()->text(), spot.score())) return;
    backward ? spot.Backward() : spot.Forward();
  }
}

}  // namespace lapse
