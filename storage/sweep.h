// Sweeps: walking a locked shard, a segment at a time, to remove what has expired.
//
// The expiry strategies and FLUSHEXPIREKEYS decide where to look, how long and under which budget;
// these functions do the looking. Each works on one shard whose lock the caller holds, for as long
// as one segment takes (at most kCapacity entries), so that the caller can give the lock back,
// destroy the removed entries (they are in the LockedShard's bin) and look at its budget.
//
// Thread: the holder of the LockedShard.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/locked_shard.h"

namespace lapse {

struct SweepCount {
  int64_t segments = 0;   // looked into
  int64_t buckets = 0;    // passed by SampleAt
  int64_t visited = 0;    // entries whose deadline was read
  int64_t reclaimed = 0;  // expired entries removed (or, in a dry run, found)
  int64_t bytes = 0;      // that those held
  int64_t orphans = 0;    // expired entries that their hints would not have led to; always 0

  void Add(const SweepCount& other) {
    segments += other.segments;
    buckets += other.buckets;
    visited += other.visited;
    reclaimed += other.reclaimed;
    bytes += other.bytes;
    orphans += other.orphans;
  }
};

// Removes what is due, by the hints, in the shard's due segments, until about max_reclaimed entries
// or max_segments segments have been handled. Returns true when due segments are left.
bool SweepDue(LockedShard& shard, int64_t max_reclaimed, int64_t max_segments, SweepCount& count);

enum class SweepReading : uint8_t {
  kDeadlines,  // every volatile entry's own deadline: finds orphans
  kHints,      // only entries whose hint is due
};

struct SweepOptions {
  SweepReading reading = SweepReading::kDeadlines;
  ExpiryPath path = ExpiryPath::kActive;
  bool dry_run = false;  // count, remove nothing
};

// Sweeps the segment that holds `place` and returns the place where the next one begins, or nullopt
// when that was the shard's last. A walk that starts at shard.shard().first_place() and follows
// meets every entry that is present for the whole walk, however segments split and merge meanwhile.
std::optional<uint64_t> SweepSegmentAt(LockedShard& shard, uint64_t place,
                                       const SweepOptions& options, SweepCount& count);

// Examines volatile entries in hash order from `place` on until max_keys of them have been read or
// max_buckets buckets passed, removes the expired ones, and returns where to go on, or nullopt at
// the shard's end. What sampling does.
std::optional<uint64_t> SampleAt(LockedShard& shard, uint64_t place, int64_t max_keys,
                                 int64_t max_buckets, SweepCount& count);

// Entries of the segment at `place` whose hints are due, and all of its entries. Reads no entry,
// but for far hints that have come within reach. Brings the segment's dues up to date, since nobody
// else does under a strategy that goes without them.
struct DueCount {
  int64_t due = 0;
  int64_t live = 0;
};
DueCount CountDueAt(LockedShard& shard, uint64_t place);

}  // namespace lapse
