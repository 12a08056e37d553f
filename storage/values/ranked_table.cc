#include "storage/values/ranked_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <random>
#include <utility>

#include "storage/prefetch.h"

namespace lapse {
namespace {

constexpr int kPointerBits = 48;
constexpr int kDistanceShift = 56;
constexpr uint64_t kPointerMask = (uint64_t{1} << kPointerBits) - 1;
constexpr uint64_t kOneFurther = uint64_t{1} << kDistanceShift;
constexpr uint64_t kMaxDistance = 255;
// Homes depend on the upper 53 bits of a hash alone, so that a cursor is safe in a double.
constexpr int kUnusedHashBits = 11;
constexpr size_t kPrefetchAhead = 8;
// A scan that meets nothing but empty slots ends its call after this many for each member asked
// for.
constexpr size_t kSlotsPerMember = 10;

RankedMember* MemberOf(uint64_t slot) {
  return reinterpret_cast<RankedMember*>(slot & kPointerMask);
}

uint64_t DistanceOf(uint64_t slot) { return slot >> kDistanceShift; }

// Nobody outside can aim names at one slot: the seed is drawn at start.
uint64_t HashOf(std::string_view text) {
  static const uint64_t seed = [] {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }();
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

uint64_t TagOf(uint64_t hash) { return hash & 0xFF; }

// At most four of five slots are taken.
bool IsCrowded(size_t members, size_t capacity) { return members * 5 > capacity * 4; }

}  // namespace

size_t RankedTable::HomeOf(uint64_t hash) const {
  const uint64_t used = hash >> kUnusedHashBits << kUnusedHashBits;
  return static_cast<size_t>((static_cast<unsigned __int128>(used) * slots_.size()) >> 64);
}

size_t RankedTable::Locate(std::string_view text) const {
  if (size_ == 0) return kNowhere;
  const uint64_t hash = HashOf(text);
  size_t at = HomeOf(hash);
  // What the slot's upper bits are if it holds the member.
  uint64_t mark = TagOf(hash);
  for (uint64_t distance = 0; distance <= kMaxDistance; ++distance) {
    const uint64_t slot = slots_[at];
    if (slot == 0 || DistanceOf(slot) < distance) return kNowhere;
    if (slot >> kPointerBits == mark && MemberOf(slot)->text() == text) return at;
    at = After(at);
    mark += 1 << 8;
  }
  return kNowhere;
}

RankedMember* RankedTable::Find(std::string_view text) const {
  const size_t at = Locate(text);
  return at == kNowhere ? nullptr : MemberOf(slots_[at]);
}

RankedMember* RankedTable::Place(RankedMember* member) {
  const uint64_t hash = HashOf(member->text());
  uint64_t carried = reinterpret_cast<uint64_t>(member) | TagOf(hash) << kPointerBits;
  size_t at = HomeOf(hash);
  for (;;) {
    const uint64_t slot = slots_[at];
    if (slot == 0) {
      slots_[at] = carried;
      return nullptr;
    }
    // The one that is nearer to its home moves on.
    if (DistanceOf(slot) < DistanceOf(carried)) std::swap(slots_[at], carried);
    if (DistanceOf(carried) == kMaxDistance) return MemberOf(carried);
    carried += kOneFurther;
    at = After(at);
  }
}

void RankedTable::Insert(RankedMember* member) {
  if (IsCrowded(size_ + 1, slots_.size())) {
    Rebuild(std::max(kLeastCapacity, slots_.size() + slots_.size() / 2));
  }
  ++size_;
  while ((member = Place(member)) != nullptr) Rebuild(slots_.size() * 2);
}

RankedMember* RankedTable::Remove(std::string_view text) {
  size_t at = Locate(text);
  if (at == kNowhere) return nullptr;
  RankedMember* const member = MemberOf(slots_[at]);
  for (size_t next = After(at); DistanceOf(slots_[next]) > 0; next = After(next)) {
    slots_[at] = slots_[next] - kOneFurther;
    at = next;
  }
  slots_[at] = 0;
  --size_;
  if (slots_.size() > kLeastCapacity && size_ * 4 < slots_.size()) {
    Rebuild(std::max(kLeastCapacity, slots_.size() / 2));
  }
  return member;
}

void RankedTable::Reserve(size_t members) {
  const size_t capacity = std::max(kLeastCapacity, members + members / 3);
  if (capacity > slots_.size()) Rebuild(capacity);
}

// The old slots are in the order of hashes, and so the new ones are filled from front to back.
void RankedTable::Rebuild(size_t capacity) {
  const std::vector<uint64_t> old = std::exchange(slots_, std::vector<uint64_t>(capacity));
  for (size_t i = 0; i < old.size(); ++i) {
    if (i + kPrefetchAhead < old.size()) PrefetchLine(MemberOf(old[i + kPrefetchAhead]));
    RankedMember* left = old[i] == 0 ? nullptr : MemberOf(old[i]);
    while (left != nullptr && (left = Place(left)) != nullptr) {
      // Out of reach: make more room for those that are here, then try again.
      Rebuild(slots_.size() * 2);
    }
  }
}

size_t RankedTable::allocated_bytes() const {
  return slots_.empty() ? 0 : AllocationSize(slots_.size() * sizeof(uint64_t));
}

uint64_t RankedTable::Scan(uint64_t cursor, size_t count,
                           absl::FunctionRef<void(const RankedMember&)> visit) const {
  const size_t capacity = slots_.size();
  if (size_ == 0 || cursor >> (64 - kUnusedHashBits) != 0) return 0;
  size_t home = HomeOf(cursor << kUnusedHashBits);
  size_t visited = 0;
  const size_t most_slots = count > capacity / kSlotsPerMember ? capacity : count * kSlotsPerMember;
  for (size_t looked = 0; home < capacity && visited < count && looked < most_slots;
       ++looked, ++home) {
    // Those of one home lie side by side, after those of the homes before it.
    uint64_t distance = 0;
    for (size_t at = home; slots_[at] != 0 && DistanceOf(slots_[at]) >= distance;
         at = After(at), ++distance) {
      if (DistanceOf(slots_[at]) > distance) continue;
      visit(*MemberOf(slots_[at]));
      ++visited;
    }
  }
  if (home == capacity) return 0;
  // The least hash whose home this is.
  const unsigned __int128 scaled = static_cast<unsigned __int128>(home) << 64;
  const auto least = static_cast<uint64_t>((scaled + capacity - 1) / capacity);
  return (least >> kUnusedHashBits) + ((least & ((1 << kUnusedHashBits) - 1)) != 0 ? 1 : 0);
}

}  // namespace lapse
