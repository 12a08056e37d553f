#include "storage/scan.h"

#include <algorithm>
#include <bit>

#include "storage/shard.h"

namespace lapse {
namespace {

constexpr int kCursorShift = 11;  // 64 - 53
// Home buckets looked through for each key wanted, at the table's usual load.
constexpr int64_t kKeysPerBucket = 4;
constexpr int64_t kBucketsPerKeyWanted = 10;
constexpr int kRandomTries = 100;

// The places [begin, end) of one segment; end is 0 when it is past the last place of all.
struct PlaceRange {
  uint64_t begin;
  uint64_t end;
  bool Contains(uint64_t place) const { return place >= begin && (end == 0 || place < end); }
};

// Visits the live entries of the segment whose places lie in the range, which covers home buckets
// [first, last), and removes the expired ones. Returns how many it visited.
int64_t VisitRange(LockedShard& shard, Segment& segment, int first, int last,
                   const PlaceRange& range, ScanVisitor visit) {
  uint16_t expired[Segment::kCapacity];
  int n = 0;
  int64_t seen = 0;
  // Entries of the last home buckets may have spilled over beyond them.
  const int buckets = std::min(last - first + Segment::kProbes - 1, Segment::kBuckets);
  for (int i = 0; i < buckets; ++i) {
    const int b = (first + i) % Segment::kBuckets;
    for (unsigned used = segment.bucket(b).used(); used != 0; used &= used - 1) {
      const int slot = b * Segment::kSlots + std::countr_zero(used);
      const Entry& entry = *EntryOf(segment.word(slot));
      if (!range.Contains(shard.keyspace().Hashed(entry.key()).place)) continue;
      if (entry.overdue(shard.view().now_ms)) {
        expired[n++] = static_cast<uint16_t>(slot);
      } else {
        visit(entry);
        ++seen;
      }
    }
  }
  for (int i = 0; i < n; ++i) {
    const Item item(&segment, expired[i]);
    if (shard.RemoveExpired(item, ExpiryPath::kLazy)) continue;
    visit(*item.entry());  // a hash that has lost some of its fields
    ++seen;
  }
  return seen;
}

// How far a scan has come.
struct Walk {
  uint64_t place;   // where to go on
  int64_t count;    // keys still wanted
  int64_t buckets;  // buckets it may still look through
  bool satisfied() const { return count <= 0 || buckets <= 0; }
};

// Scans on from walk.place within one shard. Returns false when the keyspace's last place is
// passed.
bool ScanShard(LockedShard& shard, Walk& walk, ScanVisitor visit) {
  shard.shard().lock().AssertHeld();
  const Keyspace& keyspace = shard.keyspace();
  const size_t number = keyspace.ShardOf(walk.place);
  while (!walk.satisfied()) {
    Segment* segment = shard.shard().SegmentOf(walk.place);
    if (segment == nullptr) {
      if (keyspace.shard_bits() == 0 || number + 1 == keyspace.shard_count()) return false;
      walk.place = uint64_t{number + 1} << (64 - keyspace.shard_bits());
      return true;
    }
    const int first = segment->HomeBucket(walk.place);
    const auto wanted =
        static_cast<int>(std::min<int64_t>(walk.count / kKeysPerBucket + 1, Segment::kBuckets));
    // The end is rounded down to what a cursor can say. It may thus fall into the bucket before,
    // which the next call looks through once more, for the places it is owed alone; it counts its
    // buckets from the next place that a cursor can say, so that it gets on.
    const uint64_t next_sayable = walk.place | ((uint64_t{1} << kCursorShift) - 1);
    const int last = std::min(segment->HomeBucket(next_sayable) + wanted, Segment::kBuckets);
    const uint64_t end = segment->BucketStart(last) >> kCursorShift << kCursorShift;
    walk.count -= VisitRange(shard, *segment, first, last, {walk.place, end}, visit);
    walk.buckets -= last - first;
    walk.place = end;
    if (end == 0) return false;
    if (keyspace.ShardOf(end) != number) return true;
  }
  return true;
}

}  // namespace

uint64_t ScanKeys(Keyspace& keyspace, const AccessView& view, uint64_t cursor, int64_t count,
                  ScanVisitor visit) {
  if (keyspace.FindDatabase(view.db) == nullptr || cursor >> (64 - kCursorShift) != 0) return 0;
  Walk walk{cursor << kCursorShift, count,
            std::max<int64_t>(count, 1) > INT64_MAX / kBucketsPerKeyWanted
                ? INT64_MAX
                : std::max<int64_t>(count, 1) * kBucketsPerKeyWanted};
  while (!walk.satisfied()) {
    LockedShard shard(keyspace, view, walk.place);
    if (!ScanShard(shard, walk, visit)) return 0;
  }
  return walk.place >> kCursorShift;
}

void VisitKeys(Keyspace& keyspace, const AccessView& view, ScanVisitor visit) {
  Database* database = keyspace.FindDatabase(view.db);
  if (database == nullptr) return;
  for (size_t i = 0; i < database->shard_count(); ++i) {
    LockedShard shard(keyspace, view, database->shard(i));
    database->shard(i).lock().AssertHeld();
    for (size_t s = 0; s < database->shard(i).segment_count(); ++s) {
      Segment& segment = *database->shard(i).segment(s);
      for (int slot = 0; slot < Segment::kCapacity; ++slot) {
        if (segment.word(slot) == kEmptySlot) continue;
        const Entry& entry = *EntryOf(segment.word(slot));
        if (entry.expired(view.now_ms)) continue;
        // What is left of a hash shows only once its expired fields are gone.
        const bool fields = entry.overdue(view.now_ms);
        if (fields && shard.RemoveExpired({&segment, slot}, ExpiryPath::kLazy)) continue;
        visit(entry);
      }
    }
  }
}

std::optional<std::string> RandomKey(Keyspace& keyspace, const AccessView& view, uint64_t random) {
  const Database* database = keyspace.FindDatabase(view.db);
  if (database == nullptr) return std::nullopt;
  uint64_t place = random;
  // A random place falls on a segment as often as that covers places, and segments of equal width
  // hold about equally many keys. Where nothing lives there, the walk goes on to the next one that
  // has something.
  const size_t tries = kRandomTries + 2 * keyspace.shard_count();
  for (size_t i = 0; i < tries; ++i) {
    std::optional<std::string> key;
    Walk walk{place >> kCursorShift << kCursorShift, 1, Segment::kBuckets};
    while (!walk.satisfied()) {
      LockedShard shard(keyspace, view, walk.place);
      const bool more = ScanShard(shard, walk, [&](const Entry& entry) {
        // Among the few that one step meets, each is as likely as the others.
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (!key.has_value() || (random >> 33) % 4 == 0) key = std::string(entry.key());
      });
      if (!more) {
        walk.place = 0;
        break;
      }
    }
    if (key.has_value()) return key;
    place = walk.place;
  }
  return std::nullopt;
}

}  // namespace lapse
