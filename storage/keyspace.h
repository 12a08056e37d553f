// The keyspace: 16 databases of 256 shards each.
//
//   Keyspace -> database (made on first use) -> shard (top 8 bits of the place, own lock)
//            -> directory -> segment (4 KiB) -> bucket -> slot word -> entry
//
// Commands reach data through LockedShard and KeyLocks; expiry strategies, FLUSHEXPIREKEYS and SCAN
// walk shards one at a time. Whoever is inside the gate may do either. What needs the whole
// keyspace to hold still (replacing or exchanging databases, adding an EffectSink) is done inside
// the gate's exclusive form.
//
// Thread: any, under the rules above.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/access_clock.h"
#include "storage/arena.h"
#include "storage/clock.h"
#include "storage/effect.h"
#include "storage/entry_heap.h"
#include "storage/gate.h"
#include "storage/key.h"
#include "storage/reaper.h"
#include "storage/shard.h"
#include "storage/shard_stats.h"
#include "storage/tick.h"

namespace lapse {

class Keyspace;

// One numbered database: its shards. Destroying it frees every entry, which takes a while for large
// ones: do it outside of the gate.
class Database {
 public:
  Database(Keyspace& keyspace, int shards);
  ~Database();

  Shard& shard(size_t i) { return shards_[i]; }
  const Shard& shard(size_t i) const { return shards_[i]; }
  size_t shard_count() const { return count_; }
  int64_t key_count() const;

 private:
  std::unique_ptr<Shard[]> shards_;
  size_t count_;
};

// Sums over shards, for INFO and monitoring.
struct KeyspaceTotals {
  int64_t keys = 0;
  int64_t volatile_keys = 0;
  int64_t field_volatile_keys = 0;
  int64_t deadline_ms_sum = 0;  // after the epoch
  int64_t entry_bytes = 0;
  int64_t segments = 0;
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t expired_lazy = 0;
  int64_t expired_active = 0;
  int64_t expired_flushed = 0;
  int64_t expired_fields = 0;
  int64_t evicted = 0;
  int64_t splits = 0;
  int64_t merges = 0;

  int64_t expired() const { return expired_lazy + expired_active + expired_flushed; }
  void Add(const ShardStats& stats);
  void Add(const KeyspaceTotals& other);
};

class Keyspace {
 public:
  struct Options {
    int databases = 16;
    int shard_bits = 8;      // 2^bits shards a database
    uint64_t hash_seed = 0;  // 0: a random secret
  };

  // Reads the clock once, for the epoch of ticks.
  Keyspace(const Options& options, const Clock& clock);
  ~Keyspace();
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  Key Hashed(std::string_view name) const { return hasher_.Hashed(name); }
  size_t database_count() const { return databases_.size(); }
  size_t shard_count() const { return size_t{1} << shard_bits_; }
  size_t ShardOf(uint64_t place) const {
    return shard_bits_ == 0 ? 0 : place >> (64 - shard_bits_);
  }
  int shard_bits() const { return shard_bits_; }

  // The database, made when it is touched for the first time.
  Database& database(size_t db) {
    Database* made = databases_[db].load(std::memory_order_acquire);
    return made != nullptr ? *made : *MakeDatabase(db);
  }
  // nullptr when it was never touched.
  Database* FindDatabase(size_t db) const { return databases_[db].load(std::memory_order_acquire); }

  // Requires the gate's exclusive form. Detach leaves the database empty and gives its content to
  // the caller to destroy at leisure (nullptr when it was never touched).
  std::unique_ptr<Database> Detach(size_t db);
  void Swap(size_t a, size_t b);

  KeyspaceTotals Totals(size_t db) const;  // of one database
  KeyspaceTotals Totals() const;           // of all, with what destroyed databases had counted
  LagHistogram& lag() { return lag_; }
  // Requires the gate's exclusive form.
  void ResetStats();

  // Bytes of table pages and directories, beside the entries'.
  int64_t table_bytes() const;
  // Gives free table pages and slabs back to the system.
  void ReleaseFreePages() {
    arena_.Release();
    heap_.Release();
  }

  Gate& gate() { return gate_; }
  EffectHub& effects() { return effects_; }
  EntryHeap& heap() { return heap_; }
  Reaper& reaper() { return reaper_; }
  const Reaper& reaper() const { return reaper_; }
  // How the entries' access clocks are kept; changes in the gate's exclusive form.
  AccessClock& access() { return access_; }
  const AccessClock& access() const { return access_; }
  const TickScale& ticks() const { return ticks_; }
  const Clock& clock() const { return clock_; }

 private:
  friend class Database;

  Database* MakeDatabase(size_t db);
  void Attach(Shard& shard, size_t number);

  const Clock& clock_;
  const int shard_bits_;
  const TickScale ticks_;
  const KeyHasher hasher_;
  PageArena arena_{sizeof(Segment)};
  EntryHeap heap_;
  Gate gate_;
  EffectHub effects_;
  AccessClock access_;
  std::vector<std::atomic<Database*>> databases_;
  KeyspaceTotals
      retired_;  // counted by databases that are gone; changes in the exclusive gate only
  LagHistogram lag_;
  Reaper reaper_;  // the last, for what it destroys belongs to the others
};

}  // namespace lapse
