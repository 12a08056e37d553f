#include "storage/sweep.h"

#include <algorithm>
#include <bit>

#include "storage/keyspace.h"
#include "storage/shard.h"

namespace lapse {
namespace {

Tick NowTick(LockedShard& shard) { return shard.keyspace().ticks().NowTick(shard.view().now_ms); }

// Brings a segment up to date whose far hints have come within reach, or whose base lies in the
// future because the clock was stepped back: hints cannot say "before the base".
void RebaseIfOff(LockedShard& shard, Segment& segment, Tick now) {
  shard.shard().lock().AssertHeld();
  if (now >= segment.base() && now - segment.base() < kFarHint) return;
  shard.shard().Rebase(&segment, now);
}

// Entries asked for ahead of the one at hand: about as many cache misses as a core keeps in flight;
// asking for a whole page's at once loses most of them.
constexpr int kPrefetchAhead = 16;

// Removes the expired entries among these slots. An entry that is not expired (the clock stepped
// back since its hint was read) gets its hint anew.
void Reap(LockedShard& shard, Segment& segment, const uint16_t* slots, int n, ExpiryPath path,
          SweepCount& count) {
  Shard& home = shard.shard();
  home.lock().AssertHeld();
  const int64_t now_ms = shard.view().now_ms;
  const int64_t bytes_before = home.stats().entry_bytes.get();
  for (int i = 0; i < std::min(n, kPrefetchAhead); ++i) {
    const Entry* const entry = EntryOf(segment.word(slots[i]));
    entry->Prefetch();
    // Where it will be freed to; within a full page's dead, the same few slabs come again and
    // again.
    EntryHeap::PrefetchFor(entry);
  }
  for (int i = 0; i < n; ++i) {
    if (i + kPrefetchAhead < n) EntryOf(segment.word(slots[i + kPrefetchAhead]))->Prefetch();
    const Item item{&segment, slots[i]};
    if (item.entry()->overdue(now_ms)) {
      count.reclaimed += shard.RemoveExpired(item, path) ? 1 : 0;
    } else {
      home.SetEntry(&segment, slots[i], EntryOf(segment.word(slots[i])));
    }
  }
  count.visited += n;
  count.bytes += bytes_before - home.stats().entry_bytes.get();
}

// Sweeps the due groups of one segment by their hints.
void SweepHints(LockedShard& shard, Segment& segment, ExpiryPath path, SweepCount& count) {
  shard.shard().lock().AssertHeld();
  const Tick now = NowTick(shard);
  RebaseIfOff(shard, segment, now);
  uint16_t slots[Segment::kCapacity + 1];
  int n = 0;
  uint32_t groups = 0;
  // A lone due key costs little but cache misses: all lines of the due groups are asked for at
  // once.
  for (int group = 0; group < Segment::kGroups; ++group) {
    if (segment.GroupDue(group) > now) continue;
    groups |= 1u << group;
    segment.PrefetchGroup(group);
  }
  for (int group = 0; group < Segment::kGroups; ++group) {
    if ((groups >> group & 1) != 0) n += segment.DueSlots(group, now, slots + n);
  }
  Reap(shard, segment, slots, n, path, count);
  for (int group = 0; group < Segment::kGroups; ++group) {
    if ((groups >> group & 1) != 0) segment.RefreshGroupDue(group);
  }
  shard.shard().RefreshDue(&segment);
  ++count.segments;
}

// Whether the hints would have led a sweep to this expired entry by one tick after its deadline.
bool IsOrphan(LockedShard& shard, const Segment& segment, int slot, const Entry& entry) {
  shard.shard().lock().AssertHeld();
  const Hint hint = HintOf(segment.word(slot));
  if (hint == kNoHint) return true;
  const Tick due = std::max(shard.keyspace().ticks().DueTick(entry.due()), segment.base());
  const Tick group = segment.GroupDue(slot / Segment::kGroupSlots);
  return segment.TickOf(hint) > due || group > segment.TickOf(hint) ||
         shard.shard().due(segment.index()) > group;
}

// The numbers of the slots in use; returns how many.
int OccupiedSlots(const Segment& segment, uint16_t* slots) {
  int n = 0;
  for (int b = 0; b < Segment::kBuckets; ++b) {
    for (unsigned used = segment.bucket(b).used(); used != 0; used &= used - 1) {
      slots[n++] = static_cast<uint16_t>(b * Segment::kSlots + std::countr_zero(used));
    }
  }
  return n;
}

// Sweeps a segment by its entries' own deadlines.
void SweepDeadlines(LockedShard& shard, Segment& segment, const SweepOptions& options,
                    SweepCount& count) {
  shard.shard().lock().AssertHeld();
  const int64_t now_ms = shard.view().now_ms;
  uint16_t slots[Segment::kCapacity];
  const int live = OccupiedSlots(segment, slots);
  for (int i = 0; i < std::min(live, kPrefetchAhead); ++i) {
    EntryOf(segment.word(slots[i]))->Prefetch();
  }
  uint16_t expired[Segment::kCapacity];
  int n = 0;
  for (int i = 0; i < live; ++i) {
    if (i + kPrefetchAhead < live) EntryOf(segment.word(slots[i + kPrefetchAhead]))->Prefetch();
    const Entry& entry = *EntryOf(segment.word(slots[i]));
    if (!entry.overdue(now_ms)) continue;
    if (IsOrphan(shard, segment, slots[i], entry)) ++count.orphans;
    expired[n++] = slots[i];
  }
  count.visited += live;
  ++count.segments;
  if (options.dry_run) {
    count.reclaimed += n;
    for (int i = 0; i < n; ++i) {
      count.bytes += static_cast<int64_t>(EntryOf(segment.word(expired[i]))->allocated_bytes());
    }
    return;
  }
  RebaseIfOff(shard, segment, NowTick(shard));
  if (n == 0) return;
  const int64_t visited = count.visited;
  Reap(shard, segment, expired, n, options.path, count);
  count.visited = visited;
  for (int group = 0; group < Segment::kGroups; ++group) segment.RefreshGroupDue(group);
  shard.shard().RefreshDue(&segment);
}

// Counts what a sweep by hints would remove.
void CountHints(LockedShard& shard, const Segment& segment, SweepCount& count) {
  const Tick now = NowTick(shard);
  uint16_t slots[Segment::kGroupSlots + 1];
  for (int group = 0; group < Segment::kGroups; ++group) {
    if (segment.GroupDue(group) > now) continue;
    const int found = segment.DueSlots(group, now, slots);
    for (int i = 0; i < found; ++i) {
      const Entry* entry = EntryOf(segment.word(slots[i]));
      ++count.visited;
      if (!entry->overdue(shard.view().now_ms)) continue;
      ++count.reclaimed;
      count.bytes += static_cast<int64_t>(entry->allocated_bytes());
    }
  }
  ++count.segments;
}

// Where the segment ends, or nullopt when the shard ends there, too.
std::optional<uint64_t> NextPlace(LockedShard& shard, const Segment& segment) {
  const uint64_t end = segment.BucketStart(Segment::kBuckets);
  const Keyspace& keyspace = shard.keyspace();
  if (end == 0 || keyspace.ShardOf(end) != keyspace.ShardOf(segment.prefix())) return std::nullopt;
  return end;
}

}  // namespace

bool SweepDue(LockedShard& shard, int64_t max_reclaimed, int64_t max_segments, SweepCount& count) {
  Shard& home = shard.shard();
  home.lock().AssertHeld();
  const Tick now = NowTick(shard);
  const int64_t reclaimed_before = count.reclaimed;
  const int64_t segments_before = count.segments;
  // Downwards, because a merge moves the last segment into the place of one that goes.
  int64_t i = home.LastDueBefore(home.segment_count(), now);
  for (; i >= 0; i = home.LastDueBefore(static_cast<size_t>(i), now)) {
    if (count.reclaimed - reclaimed_before >= max_reclaimed ||
        count.segments - segments_before >= max_segments) {
      return true;
    }
    Segment* segment = home.segment(static_cast<size_t>(i));
    SweepHints(shard, *segment, ExpiryPath::kActive, count);
    home.MergeAround(segment, now);
  }
  home.RefreshNextDue();
  return false;
}

std::optional<uint64_t> SweepSegmentAt(LockedShard& shard, uint64_t place,
                                       const SweepOptions& options, SweepCount& count) {
  Shard& home = shard.shard();
  home.lock().AssertHeld();
  Segment* segment = home.SegmentOf(place);
  if (segment == nullptr) return std::nullopt;
  const std::optional<uint64_t> next = NextPlace(shard, *segment);
  if (options.reading == SweepReading::kDeadlines) {
    SweepDeadlines(shard, *segment, options, count);
  } else if (home.due(segment->index()) <= NowTick(shard)) {
    if (options.dry_run) {
      CountHints(shard, *segment, count);
    } else {
      SweepHints(shard, *segment, options.path, count);
    }
  }
  if (!options.dry_run) {
    home.MergeAround(segment, NowTick(shard));
    if (!next.has_value()) home.RefreshNextDue();
  }
  return next;
}

std::optional<uint64_t> SampleAt(LockedShard& shard, uint64_t place, int64_t max_keys,
                                 int64_t max_buckets, SweepCount& count) {
  Shard& home = shard.shard();
  home.lock().AssertHeld();
  Segment* segment = home.SegmentOf(place);
  if (segment == nullptr) return std::nullopt;
  int b = segment->HomeBucket(place);
  uint16_t expired[Segment::kCapacity];
  int n = 0;
  const int64_t visited_before = count.visited;
  const int64_t bytes_before = home.stats().entry_bytes.get();
  for (; b < Segment::kBuckets && max_buckets > 0; ++b, --max_buckets) {
    if (count.visited - visited_before >= max_keys) break;
    ++count.buckets;
    for (int slot = b * Segment::kSlots; slot < (b + 1) * Segment::kSlots; ++slot) {
      const SlotWord word = segment->word(slot);
      if (HintOf(word) == kNoHint) continue;  // empty, or not volatile
      ++count.visited;
      if (EntryOf(word)->overdue(shard.view().now_ms)) expired[n++] = static_cast<uint16_t>(slot);
    }
  }
  const std::optional<uint64_t> next =
      b < Segment::kBuckets ? segment->BucketStart(b) : NextPlace(shard, *segment);
  for (int i = 0; i < n; ++i) {
    count.reclaimed += shard.RemoveExpired({segment, expired[i]}, ExpiryPath::kActive) ? 1 : 0;
  }
  count.bytes += bytes_before - home.stats().entry_bytes.get();
  ++count.segments;
  if (n > 0) home.MergeAround(segment, NowTick(shard));
  return next;
}

DueCount CountDueAt(LockedShard& shard, uint64_t place) {
  shard.shard().lock().AssertHeld();
  Segment* segment = shard.shard().SegmentOf(place);
  if (segment == nullptr) return {};
  const Tick now = NowTick(shard);
  RebaseIfOff(shard, *segment, now);
  uint16_t slots[Segment::kGroupSlots + 1];
  DueCount count{0, segment->live()};
  for (int group = 0; group < Segment::kGroups; ++group) {
    if (segment->GroupDue(group) > now) continue;
    count.due += segment->DueSlots(group, now, slots);
    segment->RefreshGroupDue(group);
  }
  shard.shard().RefreshDue(segment);
  return count;
}

}  // namespace lapse
