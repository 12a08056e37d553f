#include "storage/values/sorted_set.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/number.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

using Position = Listpack::Position;

// A packed set never comes near this: a limit of entries or bytes that would let it is cut here.
constexpr size_t kMaxPackedBytes = size_t{1} << 30;

// A score as it stands in a packed set, where a zero loses its sign, as it does in Redis.
std::string_view PackedScore(double score, char (&digits)[kMaxDoubleChars]) {
  return {digits, FormatDouble(score == 0 ? 0 : score, digits)};
}

// Whether no text at all can be at or above min and at or below max.
bool IsInverted(const SortedSet::LexRange& range) {
  using enum SortedSet::LexBound::Kind;
  const SortedSet::LexBound& min = range.min;
  const SortedSet::LexBound& max = range.max;
  if (min.kind != max.kind) return min.kind > max.kind;
  const int order = min.kind == kText ? min.text.compare(max.text) : 0;
  return order > 0 || (order == 0 && (min.open || max.open));
}

}  // namespace

bool IsAbove(std::string_view text, const SortedSet::LexBound& min) {
  using enum SortedSet::LexBound::Kind;
  if (min.kind != kText) return min.kind == kLowest;
  return min.open ? text > min.text : text >= min.text;
}

bool IsBelow(std::string_view text, const SortedSet::LexBound& max) {
  using enum SortedSet::LexBound::Kind;
  if (max.kind != kText) return max.kind == kHighest;
  return max.open ? text < max.text : text <= max.text;
}

SortedSet::~SortedSet() { DestroyMembers(); }

void SortedSet::DestroyMembers() {
  if (index_ == nullptr || index_->tree.size() == 0) return;
  for (RankedTree::Spot spot = index_->tree.First(); spot.leaf != nullptr; spot.Forward()) {
    RankedMember::Destroy(spot.member());
  }
}

size_t SortedSet::allocated_bytes() const {
  const size_t own = AllocationSize(sizeof(SortedSet));
  if (index_ == nullptr) return own + packed_.allocated_bytes();
  return own + AllocationSize(sizeof(Index)) + index_->member_bytes +
         index_->table.allocated_bytes() + index_->tree.allocated_bytes();
}

std::unique_ptr<Value> SortedSet::Clone() const {
  if (index_ == nullptr) return std::make_unique<SortedSet>(packed_);
  auto copy = std::make_unique<SortedSet>();
  copy->index_ = std::make_unique<Index>();
  copy->index_->table.Reserve(size());
  Walk([&](std::string_view member, double score) { copy->InsertIndexed(member, score); });
  return copy;
}

// --- Packed. ---

double SortedSet::ScoreAt(const Listpack& packed, Position at) {
  const Listpack::Element element = packed.Get(at);
  if (element.is_number) return static_cast<double>(element.number);
  double score = 0;
  // Cannot fail: what FormatDouble has written reads back.
  static_cast<void>(ParseDouble(element.text, score));
  return score;
}

Position SortedSet::FindPacked(std::string_view member) const {
  return packed_.Find(member, packed_.begin(), 1);
}

template <typename Before>
size_t SortedSet::CountPackedBefore(Before before) const {
  size_t rank = 0;
  char digits[24];
  for (Position at = packed_.begin(); at != packed_.end(); ++rank) {
    const Position score = packed_.Next(at);
    if (!before(packed_.Get(at).Text(digits), ScoreAt(packed_, score))) break;
    at = packed_.Next(score);
  }
  return rank;
}

void SortedSet::InsertPacked(std::string_view member, double score) {
  char digits[24];
  Position at = packed_.begin();
  while (at != packed_.end()) {
    const Position theirs = packed_.Next(at);
    const double their_score = ScoreAt(packed_, theirs);
    if (their_score > score) break;
    if (their_score == score && packed_.Get(at).Text(digits) > member) break;
    at = packed_.Next(theirs);
  }
  char text[kMaxDoubleChars];
  at = packed_.Insert(at, member);
  packed_.Insert(packed_.Next(at), PackedScore(score, text));
}

SortedSet::Outcome SortedSet::UpdatePacked(std::string_view member, Decision decide, bool fits) {
  const Position at = FindPacked(member);
  if (at == packed_.end()) {
    const std::optional<double> wanted = decide(nullptr);
    if (!wanted) return Outcome::kLeft;
    if (fits) {
      InsertPacked(member, *wanted);
    } else {
      Unpack();
      InsertIndexed(member, *wanted);
    }
    return Outcome::kAdded;
  }
  const double current = ScoreAt(packed_, packed_.Next(at));
  const std::optional<double> wanted = decide(&current);
  if (!wanted) return Outcome::kLeft;
  if (*wanted == current) return Outcome::kSame;
  packed_.EraseRange(at, 2);
  InsertPacked(member, *wanted);
  return Outcome::kMoved;
}

void SortedSet::Unpack() {
  auto index = std::make_unique<Index>();
  index->table.Reserve(size() + 1);
  const Listpack packed = std::exchange(packed_, {});
  index_ = std::move(index);
  char digits[24];
  for (Position at = packed.begin(); at != packed.end();) {
    const Position score = packed.Next(at);
    InsertIndexed(packed.Get(at).Text(digits), ScoreAt(packed, score));
    at = packed.Next(score);
  }
}

void SortedSet::Reserve(size_t members) {
  if (index_ == nullptr) Unpack();
  index_->table.Reserve(members);
}

void SortedSet::PackWithin(const Limits& limits) {
  if (index_ == nullptr || size() > limits.entries) return;
  size_t bytes = 0;
  bool fits = true;
  Walk([&](std::string_view member, double) {
    bytes += member.size() + kMaxDoubleChars;
    return fits = member.size() <= limits.value_bytes && bytes < kMaxPackedBytes;
  });
  if (!fits) return;
  Listpack packed;
  char digits[kMaxDoubleChars];
  Walk([&](std::string_view member, double score) {
    packed.Append(member);
    packed.Append(PackedScore(score, digits));
  });
  DestroyMembers();
  index_ = nullptr;
  packed_ = std::move(packed);
}

// --- Members one by one. ---

void SortedSet::InsertIndexed(std::string_view member, double score) {
  RankedMember* const made = RankedMember::Create(member, score);
  index_->table.Insert(made);
  index_->tree.Insert(made);
  index_->member_bytes += made->allocated_bytes();
}

std::optional<double> SortedSet::Score(std::string_view member) const {
  if (index_ != nullptr) {
    const RankedMember* const found = index_->table.Find(member);
    return found == nullptr ? std::nullopt : std::optional(found->score());
  }
  const Position at = FindPacked(member);
  if (at == packed_.end()) return std::nullopt;
  return ScoreAt(packed_, packed_.Next(at));
}

std::optional<size_t> SortedSet::Rank(std::string_view member) const {
  if (index_ != nullptr) {
    const RankedMember* const found = index_->table.Find(member);
    if (found == nullptr) return std::nullopt;
    return index_->tree.RankOf(*found);
  }
  size_t rank = 0;
  for (Position at = packed_.begin(); at != packed_.end(); ++rank) {
    if (packed_.Get(at).Equals(member)) return rank;
    at = packed_.Next(packed_.Next(at));
  }
  return std::nullopt;
}

SortedSet::Outcome SortedSet::Update(std::string_view member, const Limits& limits,
                                     Decision decide) {
  if (index_ == nullptr) {
    const bool fits = size() < limits.entries && member.size() <= limits.value_bytes &&
                      packed_.bytes() + member.size() < kMaxPackedBytes;
    return UpdatePacked(member, decide, fits);
  }
  RankedMember* const found = index_->table.Find(member);
  if (found == nullptr) {
    const std::optional<double> wanted = decide(nullptr);
    if (!wanted) return Outcome::kLeft;
    InsertIndexed(member, *wanted);
    return Outcome::kAdded;
  }
  const double current = found->score();
  const std::optional<double> wanted = decide(&current);
  if (!wanted) return Outcome::kLeft;
  if (*wanted == current) return Outcome::kSame;
  index_->tree.Erase(found);
  found->set_score(*wanted);
  index_->tree.Insert(found);
  return Outcome::kMoved;
}

bool SortedSet::Remove(std::string_view member) {
  if (index_ == nullptr) {
    const Position at = FindPacked(member);
    if (at == packed_.end()) return false;
    packed_.EraseRange(at, 2);
    return true;
  }
  RankedMember* const found = index_->table.Remove(member);
  if (found == nullptr) return false;
  index_->tree.Erase(found);
  index_->member_bytes -= found->allocated_bytes();
  RankedMember::Destroy(found);
  return true;
}

void SortedSet::RemoveRange(RankRange range) {
  if (range.size() == 0) return;
  if (index_ == nullptr) {
    packed_.EraseRange(packed_.Seek(static_cast<int64_t>(2 * range.from)), 2 * range.size());
    return;
  }
  if (range.size() == size()) {
    DestroyMembers();
    index_ = std::make_unique<Index>();
    return;
  }
  std::vector<RankedMember*> removed;
  removed.reserve(range.size());
  for (RankedTree::Spot spot = index_->tree.At(range.from); removed.size() < range.size();
       spot.Forward()) {
    removed.push_back(spot.member());
  }
  for (RankedMember* const member : removed) {
    index_->table.Remove(member->text());
    index_->tree.Erase(member);
    index_->member_bytes -= member->allocated_bytes();
    RankedMember::Destroy(member);
  }
}

// --- Ranges. ---

SortedSet::RankRange SortedSet::ByScore(const ScoreRange& range) const {
  const auto below = [&](double score) {
    return range.min_open ? score <= range.min : score < range.min;
  };
  const auto reaches = [&](double score) {
    return range.max_open ? score < range.max : score <= range.max;
  };
  RankRange found;
  if (index_ != nullptr) {
    found.from =
        index_->tree.CountBefore([&](double score, const RankedMember*) { return below(score); });
    found.to =
        index_->tree.CountBefore([&](double score, const RankedMember*) { return reaches(score); });
  } else {
    found.from = CountPackedBefore([&](std::string_view, double score) { return below(score); });
    found.to = CountPackedBefore([&](std::string_view, double score) { return reaches(score); });
  }
  return found;
}

SortedSet::RankRange SortedSet::ByLex(const LexRange& range, bool backward) const {
  if (size() == 0 || IsInverted(range)) return {};
  if (index_ == nullptr) return PackedByLex(range, backward);
  return {index_->tree.CountBefore([&](double, const RankedMember* member) {
            return !IsAbove(member->text(), range.min);
          }),
          index_->tree.CountBefore([&](double, const RankedMember* member) {
            return IsBelow(member->text(), range.max);
          })};
}

SortedSet::RankRange SortedSet::PackedByLex(const LexRange& range, bool backward) const {
  const size_t count = size();
  bool overlaps = true;
  WalkPacked({count - 1, count}, false, [&](std::string_view member, double) {
    return overlaps = IsAbove(member, range.min);
  });
  WalkPacked({0, 1}, false, [&](std::string_view member, double) {
    return overlaps = overlaps && IsBelow(member, range.max);
  });
  if (!overlaps) return {};
  // The first within, and how many follow it without a gap; both as seen from the end with
  // `backward`.
  size_t skipped = 0;
  size_t taken = 0;
  WalkPacked({0, count}, backward, [&](std::string_view member, double) {
    const bool reached = backward ? IsBelow(member, range.max) : IsAbove(member, range.min);
    if (taken == 0 && !reached) {
      ++skipped;
      return true;
    }
    const bool within = backward ? IsAbove(member, range.min) : IsBelow(member, range.max);
    taken += within ? 1 : 0;
    return within;
  });
  if (backward) return {count - skipped - taken, count - skipped};
  return {skipped, skipped + taken};
}

uint64_t SortedSet::Scan(uint64_t cursor, size_t count,
                         absl::FunctionRef<void(std::string_view, double)> visit) const {
  if (index_ == nullptr) {
    Walk([&](std::string_view member, double score) { visit(member, score); });
    return 0;
  }
  return index_->table.Scan(
      cursor, count, [&](const RankedMember& member) { visit(member.text(), member.score()); });
}

}  // namespace lapse
