#include "storage/shard.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "absl/base/optimization.h"
#include "storage/entry_heap.h"
#include "storage/key.h"
#include "storage/prefetch.h"

namespace lapse {
namespace {

constexpr uint64_t kDirectoryDepthMask = 63;
constexpr uint64_t kPageMask = sizeof(Segment) - 1;
constexpr std::align_val_t kWordAlign{64};
// Two buddies merge when together they would fill less than this share of one segment: far enough
// below the split point (about 0.85) that a table which breathes does not split and merge in turn.
constexpr int kMergeBelow = Segment::kCapacity * 4 / 10;
// More common leading bits than any 43 keys can share under a secret 64-bit hash.
constexpr int kMaxDepth = 52;

template <typename Words>
Words* WordsOf(uint64_t directory) {
  return reinterpret_cast<Words*>(directory & ~kDirectoryDepthMask);
}

int DepthOf(uint64_t directory) { return static_cast<int>(directory & kDirectoryDepthMask); }

}  // namespace

Shard::Shard() = default;

void Shard::Attach(PageArena* arena, EntryHeap* heap, const KeyHasher* hasher,
                   const TickScale* ticks, int shard_bits, uint64_t number) {
  arena_ = arena;
  heap_ = heap;
  hasher_ = hasher;
  ticks_ = ticks;
  shard_bits_ = shard_bits;
  first_place_ = shard_bits == 0 ? 0 : number << (64 - shard_bits);
}

Shard::~Shard() {
  for (Segment* segment : segments_) {
    for (int slot = 0; slot < Segment::kCapacity; ++slot) {
      if (segment->word(slot) != kEmptySlot) Entry::Destroy(*heap_, EntryOf(segment->word(slot)));
    }
    arena_->Free(segment);
  }
  for (DirectoryWord* words : directories_) ::operator delete[](words, kWordAlign);
}

// --- the directory ---

inline Shard::DirectoryWord* Shard::WordOf(uint64_t directory, uint64_t place) const {
  // Two shifts, since one of 64 - depth would be undefined at depth 0.
  const uint64_t index = ((place << shard_bits_) >> 1) >> (63 - DepthOf(directory));
  return WordsOf<DirectoryWord>(directory) + index;
}

inline Shard::Target Shard::TargetOf(uint64_t place) const {
  const uint64_t directory = directory_.load(std::memory_order_acquire);
  if (ABSL_PREDICT_FALSE(directory == 0)) return {nullptr, 0};
  const uint64_t word = WordOf(directory, place)->load(std::memory_order_relaxed);
  return {reinterpret_cast<Segment*>(word & ~kPageMask), static_cast<int>(word & kPageMask)};
}

void Shard::PrefetchDirectory(uint64_t place) const {
  const uint64_t directory = directory_.load(std::memory_order_acquire);
  if (directory != 0) PrefetchLine(WordOf(directory, place));
}

void Shard::PrefetchBucket(uint64_t place) const {
  const Target target = TargetOf(place);
  if (target.segment != nullptr) target.segment->PrefetchBucket(place, target.depth);
}

void Shard::PrefetchHeader(uint64_t place) const {
  const Target target = TargetOf(place);
  if (target.segment != nullptr) target.segment->PrefetchHeader();
}

void Shard::PrefetchEntry(uint64_t place) const {
  const Target target = TargetOf(place);
  if (target.segment != nullptr) target.segment->PrefetchEntries(place, target.depth);
}

Segment* Shard::SegmentOf(uint64_t place) const { return TargetOf(place).segment; }

void Shard::MakeDirectory(int depth) {
  const size_t count = size_t{1} << depth;
  const size_t bytes = std::max<size_t>(count * sizeof(DirectoryWord), 64);
  auto* words = static_cast<DirectoryWord*>(::operator new[](bytes, kWordAlign));
  const uint64_t old = directory_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < count; ++i) {
    // Each old word is stretched over the new words that begin with its bits.
    const uint64_t word = old == 0 ? 0
                                   : WordsOf<DirectoryWord>(old)[i >> (depth - DepthOf(old))].load(
                                         std::memory_order_relaxed);
    new (&words[i]) DirectoryWord(word);
  }
  directories_.push_back(words);
  directory_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  directory_.store(reinterpret_cast<uint64_t>(words) | static_cast<uint64_t>(depth),
                   std::memory_order_release);
}

void Shard::Publish(Segment* segment) {
  const int local = segment->depth() - shard_bits_;
  uint64_t directory = directory_.load(std::memory_order_relaxed);
  if (directory == 0 || DepthOf(directory) < local) {
    MakeDirectory(local);
    directory = directory_.load(std::memory_order_relaxed);
  }
  DirectoryWord* first = WordOf(directory, segment->prefix());
  const size_t count = size_t{1} << (DepthOf(directory) - local);
  const uint64_t word =
      reinterpret_cast<uint64_t>(segment) | static_cast<uint64_t>(segment->depth());
  for (size_t i = 0; i < count; ++i) first[i].store(word, std::memory_order_relaxed);
}

// --- segments ---

Segment* Shard::NewSegment(uint64_t prefix, int depth, Tick base) {
  auto* segment = static_cast<Segment*>(arena_->Allocate());
  segment->Init(prefix, depth, base);
  segment->set_index(static_cast<uint32_t>(segments_.size()));
  segments_.push_back(segment);
  dues_.push_back(kNeverTick);
  stats_.segments.Set(static_cast<int64_t>(segments_.size()));
  return segment;
}

void Shard::DropSegment(Segment* segment) {
  const uint32_t index = segment->index();
  segments_[index] = segments_.back();
  dues_[index] = dues_.back();
  segments_[index]->set_index(index);
  segments_.pop_back();
  dues_.pop_back();
  stats_.segments.Set(static_cast<int64_t>(segments_.size()));
  arena_->Free(segment);
}

Hint Shard::HintOfEntry(const Segment& segment, const Entry* entry) const {
  return entry->has_due() ? segment.HintFor(ticks_->DueTick(entry->due())) : kNoHint;
}

// The mirror is no later than any due of the segment's groups, so that a hint which does not lead
// its group cannot lower it: most new TTLs are longer than the shortest of 400 keys, and leave the
// mirror's cache line alone.
void Shard::NoteDue(const Segment* segment, int slot) {
  if (!segment->LeadsGroup(slot)) return;
  const Tick due = ticks_->DueTick(EntryOf(segment->word(slot))->due());
  LowerDue(segment, std::min(due, segment->TickOf(HintOf(segment->word(slot)))));
}

void Shard::LowerDue(const Segment* segment, Tick due) {
  Tick& mirror = dues_[segment->index()];
  if (due >= mirror) return;
  mirror = due;
  if (due < next_due_.load(std::memory_order_relaxed)) {
    next_due_.store(due, std::memory_order_relaxed);
  }
}

Shard::Hung Shard::Find(uint64_t place, std::string_view key) const {
  const Target target = TargetOf(place);
  if (ABSL_PREDICT_FALSE(target.segment == nullptr)) return {};
  const int slot = target.segment->Find(place, target.depth, key);
  if (slot < 0) return {};
  return {target.segment, slot};
}

Shard::Hung Shard::Insert(uint64_t place, Entry* entry, Tick now) {
  if (ABSL_PREDICT_FALSE(directory_.load(std::memory_order_relaxed) == 0)) {
    Publish(NewSegment(first_place_, shard_bits_, now));
  }
  for (;;) {
    Segment* segment = SegmentOf(place);
    const Hint hint = HintOfEntry(*segment, entry);
    const int slot = segment->Insert(place, MakeSlot(entry, hint));
    if (ABSL_PREDICT_TRUE(slot >= 0)) {
      if (hint != kNoHint) NoteDue(segment, slot);
      return {segment, slot};
    }
    Split(segment, now);
  }
}

void Shard::SetEntry(Segment* segment, int slot, Entry* entry) {
  const Hint hint = HintOfEntry(*segment, entry);
  segment->SetWord(slot, MakeSlot(entry, hint));
  if (hint != kNoHint) NoteDue(segment, slot);
}

void Shard::Erase(Segment* segment, int slot) { segment->Erase(slot); }

// --- growing and shrinking ---

void Shard::Collect(const Segment& segment, std::vector<Placed>& placed) const {
  const size_t from = placed.size();
  for (int slot = 0; slot < Segment::kCapacity; ++slot) {
    const SlotWord word = segment.word(slot);
    if (word == kEmptySlot) continue;
    EntryOf(word)->Prefetch();
    placed.push_back({0, EntryOf(word)});
  }
  for (size_t i = from; i < placed.size(); ++i) {
    placed[i].place = hasher_->Place(placed[i].entry->key());
  }
}

void Shard::Split(Segment* segment, Tick now) {
  std::vector<Placed> placed;
  placed.reserve(Segment::kCapacity);
  Collect(*segment, placed);
  const uint64_t prefix = segment->prefix();
  const int depth = segment->depth() + 1;
  DropSegment(segment);
  const uint64_t half = uint64_t{1} << (64 - depth);
  const auto middle = std::partition(placed.begin(), placed.end(),
                                     [half](const Placed& p) { return (p.place & half) == 0; });
  const std::vector<Placed> upper(middle, placed.end());
  placed.erase(middle, placed.end());
  Distribute(placed, prefix, depth, now);
  Distribute(upper, prefix | half, depth, now);
  stats_.splits.Add(1);
}

// Makes one segment of these entries, or, in the rare case that they cluster too much for its probe
// sequences, several deeper ones.
void Shard::Distribute(const std::vector<Placed>& placed, uint64_t prefix, int depth, Tick now) {
  if (depth > kMaxDepth) std::abort();
  Segment* segment = NewSegment(prefix, depth, now);
  for (const Placed& p : placed) {
    const Hint hint = HintOfEntry(*segment, p.entry);
    if (ABSL_PREDICT_TRUE(segment->Insert(p.place, MakeSlot(p.entry, hint)) >= 0)) continue;
    DropSegment(segment);
    const uint64_t half = uint64_t{1} << (63 - depth);
    std::vector<Placed> halves[2];
    for (const Placed& q : placed) halves[(q.place & half) != 0 ? 1 : 0].push_back(q);
    Distribute(halves[0], prefix, depth + 1, now);
    Distribute(halves[1], prefix | half, depth + 1, now);
    return;
  }
  Publish(segment);
  LowerDue(segment, segment->EarliestDue());
}

bool Shard::MergeAround(Segment* segment, Tick now) {
  bool merged = false;
  while (segment->depth() > shard_bits_ && segment->live() < kMergeBelow) {
    const int depth = segment->depth();
    const uint64_t half = uint64_t{1} << (64 - depth);
    Segment* buddy = SegmentOf(segment->prefix() ^ half);
    if (buddy->depth() != depth || segment->live() + buddy->live() >= kMergeBelow) break;
    std::vector<Placed> placed;
    placed.reserve(kMergeBelow);
    Collect(*segment, placed);
    Collect(*buddy, placed);
    const uint64_t prefix = segment->prefix() & ~half;
    DropSegment(segment);
    DropSegment(buddy);
    Distribute(placed, prefix, depth - 1, now);
    stats_.merges.Add(1);
    merged = true;
    segment = SegmentOf(prefix);
    // They did not fit after all, or, put in in another order, not even where they were before.
    if (segment->depth() >= depth) break;
  }
  return merged;
}

// --- dues ---

int64_t Shard::LastDueBefore(size_t end, Tick now) const {
  constexpr size_t kBlock = 16;
  size_t i = std::min(end, dues_.size());
  while (i > 0) {
    const size_t from = i > kBlock ? i - kBlock : 0;
    Tick least = kNeverTick;
    for (size_t j = from; j < i; ++j) least = std::min(least, dues_[j]);
    if (least > now) {
      i = from;
      continue;
    }
    while (dues_[--i] > now) {
    }
    return static_cast<int64_t>(i);
  }
  return -1;
}

void Shard::Rebase(Segment* segment, Tick base) {
  segment->Rebase(base, *ticks_);
  LowerDue(segment, segment->EarliestDue());
}

void Shard::RefreshDue(Segment* segment) { dues_[segment->index()] = segment->EarliestDue(); }

void Shard::RefreshNextDue() {
  Tick least = kNeverTick;
  for (const Tick due : dues_) least = std::min(least, due);
  next_due_.store(least, std::memory_order_relaxed);
}

int64_t Shard::Audit() const {
  int64_t wrong = 0;
  int64_t live = 0;
  for (const Segment* segment : segments_) {
    for (int slot = 0; slot < Segment::kCapacity; ++slot) {
      const SlotWord word = segment->word(slot);
      if (word == kEmptySlot) continue;
      ++live;
      const Entry* entry = EntryOf(word);
      const Hint hint = HintOf(word);
      const Tick group = segment->GroupDue(slot / Segment::kGroupSlots);
      wrong += (hint == kNoHint) != !entry->has_due() ? 1 : 0;
      if (hint == kNoHint) continue;
      const Tick due = ticks_->DueTick(entry->due());
      wrong += segment->TickOf(hint) > std::max(due, segment->base()) ? 1 : 0;
      wrong += group > segment->TickOf(hint) ? 1 : 0;
      wrong += dues_[segment->index()] > group ? 1 : 0;
      const Hung found = Find(hasher_->Place(entry->key()), entry->key());
      wrong += found.segment != segment || found.slot != slot ? 1 : 0;
    }
    wrong += next_due() > dues_[segment->index()] ? 1 : 0;
  }
  return wrong + (live != stats_.keys.get() ? 1 : 0);
}

}  // namespace lapse
