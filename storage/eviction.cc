#include "storage/eviction.h"

#include <algorithm>
#include <bit>

#include "storage/shard.h"

namespace lapse {
namespace {

constexpr std::string_view kNames[] = {"volatile-lru",   "volatile-lfu", "volatile-random",
                                       "volatile-ttl",   "allkeys-lru",  "allkeys-lfu",
                                       "allkeys-random", "noeviction"};
// Segments looked at for one that has something to evict before every shard is walked.
constexpr int kTries = 8;

bool IsVolatileOnly(EvictionPolicy policy) { return policy <= EvictionPolicy::kVolatileTtl; }

uint64_t Next(uint64_t& random) {
  // Knuth's MMIX generator; the high bits are the good ones.
  random = random * 6364136223846793005u + 1442695040888963407u;
  return random >> 16;
}

// The slot whose deadline comes first by its hint, or kNotFound.
int EarliestSlot(const Segment& segment) {
  int best = Segment::kNotFound;
  SlotWord least = kEmptySlot;
  for (int slot = 0; slot < Segment::kCapacity; ++slot) {
    const SlotWord word = segment.word(slot);
    if (HintOf(word) == kNoHint || word >= least) continue;
    if (!EntryOf(word)->has_deadline()) continue;  // it is a field's
    least = word;
    best = slot;
  }
  return best;
}

// How good a victim the entry is: the more, the better.
int64_t Score(const LockedShard& shard, const Entry& entry, const EvictionSettings& settings) {
  const AccessClock& clock = shard.keyspace().access();
  if (IsLfu(settings.policy)) {
    return AccessClock::kMostCounter - clock.Counter(entry.access_clock(), settings.now_ms);
  }
  return clock.IdleSeconds(entry.access_clock(), settings.now_ms);
}

// The best of a few of the segment's entries, from a random slot on, or kNotFound.
int SampledSlot(const LockedShard& shard, const Segment& segment, const EvictionSettings& settings,
                uint64_t& random) {
  const bool any_will_do = settings.policy == EvictionPolicy::kAllRandom ||
                           settings.policy == EvictionPolicy::kVolatileRandom;
  const int64_t wanted = any_will_do ? 1 : settings.samples;
  int best = Segment::kNotFound;
  int64_t best_score = -1;
  int64_t seen = 0;
  for (int looked = 0; looked < Segment::kCapacity && seen < wanted; ++looked) {
    // Slots at random find full ones soon; a nearly empty segment is walked through.
    const int slot = looked < Segment::kCapacity / 2
                         ? static_cast<int>(Next(random) % Segment::kCapacity)
                         : (looked * 2) % Segment::kCapacity + looked / Segment::kCapacity;
    const SlotWord word = segment.word(slot);
    if (word == kEmptySlot) continue;
    const Entry& entry = *EntryOf(word);
    if (IsVolatileOnly(settings.policy) && !entry.has_deadline()) continue;
    ++seen;
    const int64_t score = any_will_do ? 0 : Score(shard, entry, settings);
    if (score > best_score) {
      best_score = score;
      best = slot;
    }
  }
  return best;
}

// Removes one key of the segment, if it has one that may go.
bool EvictFrom(LockedShard& shard, Segment& segment, const EvictionSettings& settings,
               uint64_t& random) {
  const int slot = settings.policy == EvictionPolicy::kVolatileTtl
                       ? EarliestSlot(segment)
                       : SampledSlot(shard, segment, settings, random);
  if (slot == Segment::kNotFound) return false;
  const Item item(&segment, slot);
  if (item.entry()->expired(settings.now_ms)) {
    shard.RemoveExpired(item, ExpiryPath::kLazy);
  } else {
    shard.Evict(item);
  }
  return true;
}

bool EvictInShard(Keyspace& keyspace, uint16_t db, Shard& home, const EvictionSettings& settings,
                  uint64_t& random, bool thorough) {
  LockedShard shard(keyspace, {.db = db, .touch = false, .now_ms = settings.now_ms}, home);
  home.lock().AssertHeld();
  const size_t count = home.segment_count();
  if (count == 0) return false;
  const size_t first = Next(random) % count;
  for (size_t i = 0; i < (thorough ? count : 1); ++i) {
    if (EvictFrom(shard, *home.segment((first + i) % count), settings, random)) return true;
  }
  return false;
}

}  // namespace

std::string_view EvictionPolicyName(EvictionPolicy policy) {
  return kNames[static_cast<size_t>(policy)];
}

bool IsLfu(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllLfu || policy == EvictionPolicy::kVolatileLfu;
}

bool EvictOne(Keyspace& keyspace, const EvictionSettings& settings, uint64_t random) {
  if (settings.policy == EvictionPolicy::kNone) return false;
  const size_t databases = keyspace.database_count();
  const size_t first_db = Next(random) % databases;
  for (const bool thorough : {false, true}) {
    for (size_t d = 0; d < databases; ++d) {
      const size_t db = (first_db + d) % databases;
      Database* database = keyspace.FindDatabase(db);
      if (database == nullptr) continue;
      const size_t shards = database->shard_count();
      const size_t first = Next(random) % shards;
      const size_t tries = thorough ? shards : std::min<size_t>(kTries, shards);
      for (size_t i = 0; i < tries; ++i) {
        Shard& shard = database->shard((first + i) % shards);
        if (shard.stats().keys.get() == 0) continue;
        if (EvictInShard(keyspace, static_cast<uint16_t>(db), shard, settings, random, thorough)) {
          return true;
        }
      }
    }
  }
  return false;
}

}  // namespace lapse
