// A segment: one 4 KiB page of the hash table, the unit of growth, of SCAN and of expiry.
//
//   +--------------------------------------------------------------+
//   | header 64 B: prefix, base tick, 9 group dues, counts, depth  |
//   +--------------------------------------------------------------+
//   | bucket 0   7 slot words (8 B) | 7 tags (1 B) | occupancy 1 B |   one cache line
//   | ...                                                          |
//   | bucket 62                                                    |   9 groups of 7 buckets
//   +--------------------------------------------------------------+
//
//   slot word:  63      48 47                                     0
//               | due hint | entry pointer                        |    empty: all ones
//   due hint:   0..0xFFFD  ticks after the segment's base tick
//               0xFFFE     far: later than the base can express
//               0xFFFF     none: no deadline
//
// A segment holds the keys whose places begin with its prefix of `depth` bits; a key's home bucket
// is the fast range of the bits that follow. A full bucket spills into the next kProbes - 1 of the
// same page and is marked, so that a find of a key whose home never spilled reads one line.
//
// Because the hint is a word's most significant part, whole words compare as hints do: whether any
// of a bucket's seven is due is seven compares that touch no entry.
//
// Invariants (FLUSHEXPIREKEYS and Shard::Audit check them):
//   1. A word's hint is none iff its entry has no deadline, and no field with one.
//   2. A hint is never later than one tick after the deadline it stands for.
//   3. A group's due is at most every hint in the group. Far counts as base + 0xFFFE, from which on
//   the
//      segment is swept and re-encoded with a later base.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/entry.h"
#include "storage/prefetch.h"
#include "storage/tick.h"

namespace lapse {

using Hint = uint16_t;
inline constexpr Hint kFarHint = 0xFFFE;
inline constexpr Hint kNoHint = 0xFFFF;

using SlotWord = uint64_t;
inline constexpr SlotWord kEmptySlot = ~SlotWord{0};

inline SlotWord MakeSlot(const Entry* entry, Hint hint) {
  return reinterpret_cast<uintptr_t>(entry) | SlotWord{hint} << 48;
}
inline Hint HintOf(SlotWord word) { return static_cast<Hint>(word >> 48); }
inline Entry* EntryOf(SlotWord word) {
  return reinterpret_cast<Entry*>(word & ((SlotWord{1} << 48) - 1));
}

class Segment {
 public:
  static constexpr int kBuckets = 63;
  static constexpr int kSlots = 7;
  static constexpr int kBucketsPerGroup = 7;
  static constexpr int kGroups = kBuckets / kBucketsPerGroup;
  static constexpr int kGroupSlots = kBucketsPerGroup * kSlots;
  // A segment splits at a load of 0.80 with 6 probes, 0.87 with 10, 0.92 with 16; each step costs
  // the misses in homes that have spilled.
  static constexpr int kProbes = 10;
  static constexpr int kCapacity = kBuckets * kSlots;
  static constexpr int kNotFound = -1;

  struct alignas(64) Bucket {
    std::array<SlotWord, kSlots> words;
    std::array<uint8_t, kSlots> tags;
    uint8_t occupancy;  // bit i: slot i is in use; bit 7: spilled

    static constexpr uint8_t kSpilled = 0x80;
    uint8_t used() const { return occupancy & 0x7F; }
  };

  // Makes an empty segment of this page, for the places that begin with prefix's first depth bits.
  void Init(uint64_t prefix, int depth, Tick base);

  // Slots are numbered bucket * 7 + slot. Returns kNotFound when the key is not here. `depth` is
  // this segment's, which the caller knows from the directory word: a find leaves the header alone.
  int Find(uint64_t place, int depth, std::string_view key) const;
  // Puts the word into the first free slot of the place's probe sequence and returns the slot, or
  // kNotFound when there is none: then the segment must split. Counts live, not volatile keys.
  int Insert(uint64_t place, SlotWord word);
  // Empties a slot.
  void Erase(int slot);

  SlotWord word(int slot) const { return buckets_[slot / kSlots].words[slot % kSlots]; }
  // Replaces the word of a slot in use and lowers its group's due.
  void SetWord(int slot, SlotWord word);
  // Whether no slot of its group is due before this one, which has a hint.
  bool LeadsGroup(int slot) const {
    return HintOf(word(slot)) == group_due_[slot / kSlots / kBucketsPerGroup];
  }
  const Bucket& bucket(int i) const { return buckets_[i]; }

  static int HomeBucket(uint64_t place, int depth) {
    return static_cast<int>(((place << depth) >> 32) * kBuckets >> 32);
  }
  int HomeBucket(uint64_t place) const { return HomeBucket(place, depth_); }
  // The least place whose home is bucket b; b == kBuckets gives the end of the segment (0 when that
  // is past the last place of all).
  uint64_t BucketStart(int b) const;
  uint64_t prefix() const { return prefix_; }
  int depth() const { return depth_; }
  bool Contains(uint64_t place) const;

  // How a deadline is written in this segment's words.
  Hint HintFor(Tick due) const;
  Tick TickOf(Hint hint) const { return hint == kNoHint ? kNeverTick : base_ + hint; }
  Tick base() const { return base_; }
  // Moves the base. Forward: finite hints are rewritten, far ones read anew from their entries, and
  // what was due before the new base becomes due at it. Back: all hints are read anew.
  void Rebase(Tick base, const TickScale& ticks);

  // Group dues. A group is due when its earliest hint may be.
  Tick GroupDue(int group) const { return TickOf(group_due_[group]); }
  // Slots of the group whose hints are due at `now`, written to `slots` (kGroupSlots of room);
  // returns how many. Reads no entry.
  int DueSlots(int group, Tick now, uint16_t* slots) const;
  // Sets the group's due to the earliest hint that is there now.
  void RefreshGroupDue(int group);
  // The earliest of all groups' dues.
  Tick EarliestDue() const;

  int live() const { return live_; }
  uint32_t index() const { return index_; }
  void set_index(uint32_t index) { index_ = index; }

  void PrefetchBucket(uint64_t place, int depth) const {
    PrefetchLine(&buckets_[HomeBucket(place, depth)]);
  }
  void PrefetchHeader() const { PrefetchLine(this); }
  void PrefetchGroup(int group) const {
    for (int b = group * kBucketsPerGroup; b < (group + 1) * kBucketsPerGroup; ++b) {
      PrefetchLine(&buckets_[b]);
    }
  }
  // Prefetches the entries in the home bucket whose tags match. Thread: any.
  void PrefetchEntries(uint64_t place, int depth) const;

 private:
  uint64_t prefix_;
  Tick base_;
  uint32_t index_;  // in the shard's arrays of segments and dues
  std::array<Hint, kGroups> group_due_;
  uint16_t live_;
  uint8_t depth_;  // bits of the place that all keys here share, the shard's included
  alignas(64) std::array<Bucket, kBuckets> buckets_;
};

static_assert(sizeof(Segment::Bucket) == 64);
static_assert(sizeof(Segment) == 4096);

}  // namespace lapse
