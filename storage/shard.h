// A shard: one 256th of a database, with its lock, its directory and its segments.
//
//   directory (2^global depth words)      segments_ / dues_ (dense, same index)
//   +---------------------------+
//   | page address | depth (12) | ----->  segment pages
//   | page address | depth (12) | --+
//   | page address | depth (12) | --+     dues_[i] <= every group due of segments_[i], absolute
//   ticks
//   +---------------------------+
//
// Extendible hashing: the directory is indexed by the place's bits below the shard's; a segment of
// local depth d is shared by 2^(global - d) neighbouring words. A word carries its segment's depth
// in the low 12 bits of the page's address, because reading it from the page's header would cost a
// find another cache miss. A full segment splits in two (about 400 entries, tens of microseconds);
// two buddies that have become nearly empty merge. Nothing ever touches the whole table.
//
// dues_ mirrors each segment's earliest due, so that a tick reads 4 bytes a segment to know where
// to look, and next_due() is a lower bound of them all, so that most ticks read nothing else.
//
// Invariant (with those of segment.h):
//   4. dues_[s.index()] <= every group due of s, and next_due() <= every dues_[i].
//
// Thread: the methods below "locked" need the lock; the Prefetch functions and the counters do not.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/arena.h"
#include "storage/lock.h"
#include "storage/segment.h"
#include "storage/shard_stats.h"
#include "storage/tick.h"

namespace lapse {

class EntryHeap;
class KeyHasher;

class alignas(64) Shard {
 public:
  Shard();
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // What a shard needs of its keyspace; to be called once, before use.
  void Attach(PageArena* arena, EntryHeap* heap, const KeyHasher* hasher, const TickScale* ticks,
              int shard_bits, uint64_t number);

  SpinLock& lock() ABSL_LOCK_RETURNED(lock_) { return lock_; }
  ShardStats& stats() { return stats_; }
  const ShardStats& stats() const { return stats_; }
  // A lower bound of the tick at which something here is due. Thread: any.
  Tick next_due() const { return next_due_.load(std::memory_order_relaxed); }
  uint64_t first_place() const { return first_place_; }

  // --- Prefetching a place in three steps, each reading what the one before fetched. They need no
  // --- lock: directory words are published atomically and never unmapped while the shard lives,
  // --- and what is read of a segment (which may be changing, or gone, but stays mapped) is asked
  // --- for, and used for nothing else.
  void PrefetchDirectory(uint64_t place) const;
  void PrefetchBucket(uint64_t place) const;
  // Of the segment: what counts its keys and says when it is due, which only changes touch.
  void PrefetchHeader(uint64_t place) const;
  void PrefetchEntry(uint64_t place) const;

  // --- locked ---

  // The segment whose places include this one; nullptr while the shard is empty.
  Segment* SegmentOf(uint64_t place) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  struct Hung {
    Segment* segment = nullptr;
    int slot = Segment::kNotFound;
  };
  // Where the key hangs; no segment when it is not here.
  Hung Find(uint64_t place, std::string_view key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // Hangs the entry up, splitting segments as needed. Requires: its key is not here. `now` is the
  // base of segments that are made.
  Hung Insert(uint64_t place, Entry* entry, Tick now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // Replaces the entry of a slot, or just re-encodes its hint after a change of deadline.
  void SetEntry(Segment* segment, int slot, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // Empties the slot. Merging is left to MergeAround, since callers may be walking.
  void Erase(Segment* segment, int slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // Merges the segment with its buddy, and the result with its buddy, as long as they are nearly
  // empty. Invalidates: segment, when it returns true.
  bool MergeAround(Segment* segment, Tick now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  size_t segment_count() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) { return segments_.size(); }
  Segment* segment(size_t i) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) { return segments_[i]; }
  Tick due(size_t i) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_) { return dues_[i]; }
  // The number of the last segment before `end` that is due at `now`, or -1. Walking downwards lets
  // the caller merge as it goes.
  int64_t LastDueBefore(size_t end, Tick now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // Moves the segment's base, either way, and its dues with it.
  void Rebase(Segment* segment, Tick base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // After a sweep: takes the segment's earliest due over from its groups.
  void RefreshDue(Segment* segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // After a pass over all due segments: recomputes next_due().
  void RefreshNextDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  size_t directory_bytes() const { return directory_bytes_.load(std::memory_order_relaxed); }
  // Counts violations of the invariants that segment.h and this file number.
  int64_t Audit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

 private:
  using DirectoryWord = std::atomic<uint64_t>;
  struct Placed {
    uint64_t place;
    Entry* entry;
  };
  // The directory word for a place, taken apart.
  struct Target {
    Segment* segment;
    int depth;
  };

  DirectoryWord* WordOf(uint64_t directory, uint64_t place) const;
  Target TargetOf(uint64_t place) const;
  Segment* NewSegment(uint64_t prefix, int depth, Tick base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void DropSegment(Segment* segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Publish(Segment* segment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void MakeDirectory(int depth) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Split(Segment* segment, Tick now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Distribute(const std::vector<Placed>& placed, uint64_t prefix, int depth, Tick now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void Collect(const Segment& segment, std::vector<Placed>& placed) const;
  Hint HintOfEntry(const Segment& segment, const Entry* entry) const;
  // Lowers the segment's due for the sake of the entry in this slot, which has a hint: to the
  // hint's tick, or, after a step back of the clock has left the base in the future, an earlier
  // one.
  void NoteDue(const Segment* segment, int slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void LowerDue(const Segment* segment, Tick due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  SpinLock lock_;
  std::atomic<Tick> next_due_{kNeverTick};
  // The address of the directory's words, 64-byte aligned, with its depth in the low 6 bits, so
  // that both come in one load; 0 while the shard is empty.
  std::atomic<uint64_t> directory_{0};
  uint64_t first_place_ = 0;  // constant after Attach, as are the next five
  int shard_bits_ = 0;
  PageArena* arena_ = nullptr;
  EntryHeap* heap_ = nullptr;
  const KeyHasher* hasher_ = nullptr;
  const TickScale* ticks_ = nullptr;
  std::vector<Segment*> segments_ ABSL_GUARDED_BY(lock_);
  std::vector<Tick> dues_ ABSL_GUARDED_BY(lock_);
  // Outgrown directories, kept because a prefetch may still read one; together smaller than the
  // present one.
  std::vector<DirectoryWord*> directories_ ABSL_GUARDED_BY(lock_);
  std::atomic<size_t> directory_bytes_{0};
  ShardStats stats_;
};

}  // namespace lapse
