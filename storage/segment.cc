#include "storage/segment.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "storage/key.h"
#include "storage/prefetch.h"
#include "storage/same_bytes.h"

namespace lapse {
namespace {

constexpr size_t kLineBytes = 64;

// Bit i is set when tag i of the bucket equals `tag` and slot i is in use.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline unsigned MatchTags(const Segment::Bucket& bucket, uint8_t tag) {
  const __m128i tags = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bucket.tags.data()));
  const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
  return static_cast<unsigned>(_mm_movemask_epi8(equal)) & bucket.occupancy &
         ~unsigned{Segment::Bucket::kSpilled};
}

// The slot of the bucket that holds the key, or kNotFound.
inline int MatchKey(const Segment::Bucket& bucket, uint8_t tag, std::string_view key) {
  for (unsigned match = MatchTags(bucket, tag); match != 0; match &= match - 1) {
    const int slot = std::countr_zero(match);
    if (SameBytes(EntryOf(bucket.words[slot])->key(), key)) return slot;
  }
  return Segment::kNotFound;
}

inline int NextBucket(int b) { return b + 1 == Segment::kBuckets ? 0 : b + 1; }

}  // namespace

void Segment::Init(uint64_t prefix, int depth, Tick base) {
  prefix_ = prefix;
  depth_ = static_cast<uint8_t>(depth);
  base_ = base;
  index_ = 0;
  live_ = 0;
  group_due_.fill(kNoHint);
  for (Bucket& bucket : buckets_) {
    bucket.words.fill(kEmptySlot);
    bucket.tags.fill(0);
    bucket.occupancy = 0;
  }
}

int Segment::Find(uint64_t place, int depth, std::string_view key) const {
  const uint8_t tag = TagOf(place);
  int b = HomeBucket(place, depth);
  const Bucket& home = buckets_[b];
  if (const int slot = MatchKey(home, tag, key); slot >= 0) return b * kSlots + slot;
  if (ABSL_PREDICT_TRUE((home.occupancy & Bucket::kSpilled) == 0)) return kNotFound;
  for (int probe = 1; probe < kProbes; ++probe) {
    b = NextBucket(b);
    if (const int slot = MatchKey(buckets_[b], tag, key); slot >= 0) return b * kSlots + slot;
  }
  return kNotFound;
}

// Races with whoever changes the bucket, or has taken the page for something else: what is read
// then is as good an address to ask for as any.
ABSL_ATTRIBUTE_NO_SANITIZE_THREAD
void Segment::PrefetchEntries(uint64_t place, int depth) const {
  const Bucket& home = buckets_[HomeBucket(place, depth)];
  for (unsigned match = MatchTags(home, TagOf(place)); match != 0; match &= match - 1) {
    const Entry* const entry = EntryOf(home.words[std::countr_zero(match)]);
    entry->Prefetch();
    // One that begins within a line most likely ends in the next; for the others this is the same.
    PrefetchLine(reinterpret_cast<const char*>(entry) + kLineBytes - 1);
  }
}

int Segment::Insert(uint64_t place, SlotWord word) {
  const int home = HomeBucket(place);
  int b = home;
  for (int probe = 0; probe < kProbes; ++probe, b = NextBucket(b)) {
    Bucket& bucket = buckets_[b];
    if (bucket.used() == 0x7F) continue;
    const int slot = std::countr_one(bucket.used());
    bucket.occupancy |= static_cast<uint8_t>(1 << slot);
    bucket.tags[slot] = TagOf(place);
    if (probe > 0) buckets_[home].occupancy |= Bucket::kSpilled;
    ++live_;
    SetWord(b * kSlots + slot, word);
    return b * kSlots + slot;
  }
  return kNotFound;
}

void Segment::Erase(int slot) {
  Bucket& bucket = buckets_[slot / kSlots];
  bucket.words[slot % kSlots] = kEmptySlot;
  bucket.occupancy &= static_cast<uint8_t>(~(1 << (slot % kSlots)));
  --live_;
}

void Segment::SetWord(int slot, SlotWord word) {
  buckets_[slot / kSlots].words[slot % kSlots] = word;
  if (HintOf(word) == kNoHint) return;  // the header's line need not be touched
  Hint& due = group_due_[slot / kSlots / kBucketsPerGroup];
  due = std::min(due, HintOf(word));
}

uint64_t Segment::BucketStart(int b) const {
  // The inverse of HomeBucket: the least 32-bit fraction f with f * 63 >> 32 == b, and the least
  // place that has it.
  const uint64_t fraction = ((static_cast<uint64_t>(b) << 32) + kBuckets - 1) / kBuckets;
  const auto scaled = static_cast<unsigned __int128>(fraction) << 32;
  const auto unit = static_cast<unsigned __int128>(1) << depth_;
  return prefix_ + static_cast<uint64_t>((scaled + unit - 1) >> depth_);
}

bool Segment::Contains(uint64_t place) const {
  return depth_ == 0 || (place ^ prefix_) >> (64 - depth_) == 0;
}

Hint Segment::HintFor(Tick due) const {
  if (due <= base_) return 0;
  return due - base_ < kFarHint ? static_cast<Hint>(due - base_) : kFarHint;
}

void Segment::Rebase(Tick base, const TickScale& ticks) {
  const bool back = base < base_;
  const Tick shift = back ? 0 : base - base_;
  base_ = base;
  group_due_.fill(kNoHint);
  for (int slot = 0; slot < kCapacity; ++slot) {
    const SlotWord old = word(slot);
    if (old == kEmptySlot || HintOf(old) == kNoHint) continue;
    Entry* entry = EntryOf(old);
    Hint hint;
    if (back || HintOf(old) == kFarHint) {
      hint = HintFor(ticks.DueTick(entry->due()));
    } else {
      hint = HintOf(old) > shift ? static_cast<Hint>(HintOf(old) - shift) : 0;
    }
    SetWord(slot, MakeSlot(entry, hint));
  }
}

int Segment::DueSlots(int group, Tick now, uint16_t* slots) const {
  if (now < base_) return 0;
  const Hint last = static_cast<Hint>(std::min<Tick>(now - base_, kFarHint));
  const SlotWord limit = MakeSlot(nullptr, last) | (kEmptySlot >> 16);
  int found = 0;
  for (int b = group * kBucketsPerGroup; b < (group + 1) * kBucketsPerGroup; ++b) {
    for (int i = 0; i < kSlots; ++i) {
      // Stores always and counts only what is due: no branch to mispredict.
      slots[found] = static_cast<uint16_t>(b * kSlots + i);
      found += buckets_[b].words[i] <= limit ? 1 : 0;
    }
  }
  return found;
}

void Segment::RefreshGroupDue(int group) {
  SlotWord least = kEmptySlot;
  for (int b = group * kBucketsPerGroup; b < (group + 1) * kBucketsPerGroup; ++b) {
    for (const SlotWord word : buckets_[b].words) least = std::min(least, word);
  }
  group_due_[group] = HintOf(least);
}

Tick Segment::EarliestDue() const {
  return TickOf(*std::min_element(group_due_.begin(), group_due_.end()));
}

}  // namespace lapse
