// A locked shard: the only way to the data.
//
// A LockedShard holds one shard's lock for its scope and offers what commands do to keys.
// Everything that must go together goes together here: the slot's due hint with the entry's
// deadline, the counters with the change, lazy deletion with the lookup, the Effect with
// everything.
//
// Entries that are unlinked are kept aside and destroyed after the lock is released, and large
// collections on a thread of their own, since freeing them takes longer than anybody should wait.
//
// Invariants:
//   1. No Item is handed out for an expired entry: a lookup that meets one removes it first.
//   2. An Item is good until the next call that inserts, removes or replaces (any key of the shard
//   may
//      move when a segment splits).
//   3. Every change of a key is reported as exactly one Effect per event.
//
// The shard's lock is the thread-safety analysis's affair inside of storage, by AssertHeld: which
// shard a LockedShard holds is known at run time alone.
//
// Thread: the constructing one. Locking several shards at once is KeyLocks' business alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "storage/effect.h"
#include "storage/entry.h"
#include "storage/key.h"
#include "storage/segment.h"
#include "storage/shard_stats.h"

namespace lapse {

class HeldShards;
class Keyspace;
class Reaper;
class Shard;

// Where an entry hangs. Empty when a lookup found nothing.
class Item {
 public:
  Item() = default;
  Item(Segment* segment, int slot)
      : segment_(segment), slot_(slot), entry_(EntryOf(segment->word(slot))) {}

  explicit operator bool() const { return entry_ != nullptr; }
  // The entry's own methods that change it must not be used from here: LockedShard's are.
  const Entry* entry() const { return entry_; }
  // The string. Requires: is_string().
  std::string_view value() const { return entry_->value(); }
  bool is_string() const { return entry_->is_string(); }
  int64_t deadline() const { return entry_->deadline(); }
  Segment* segment() const { return segment_; }
  int slot() const { return slot_; }

 private:
  friend class LockedShard;

  Segment* segment_ = nullptr;
  int slot_ = Segment::kNotFound;
  Entry* entry_ = nullptr;
};

// Who looks, and when: fixed for the length of a command.
struct AccessView {
  uint16_t db = 0;
  bool touch = true;  // false: lookups leave the access clock alone (CLIENT NO-TOUCH)
  int64_t now_ms = 0;
  HeldShards* held = nullptr;  // a transaction's or script's, which locks and unlocks
  uint64_t client = 0;         // whose command it is; 0: nobody's
};

// Unlinked entries on their way to be destroyed, outside of any lock; large collections by the
// reaper.
class EntryBin {
 public:
  EntryBin(EntryHeap& heap, Reaper& reaper) : heap_(heap), reaper_(reaper) {}
  ~EntryBin() { Empty(); }
  EntryBin(const EntryBin&) = delete;
  EntryBin& operator=(const EntryBin&) = delete;

  void Add(Entry* entry) { entries_.push_back(entry); }
  size_t size() const { return entries_.size(); }
  void Empty() {
    if (!entries_.empty()) DestroyAll();
  }

 private:
  void DestroyAll();

  EntryHeap& heap_;
  Reaper& reaper_;
  absl::InlinedVector<Entry*, 8> entries_;
};

class LockedShard {
 public:
  LockedShard(Keyspace& keyspace, const AccessView& view, uint64_t place);
  // For walks: a shard by its number.
  LockedShard(Keyspace& keyspace, const AccessView& view,
              Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  struct Adopt {};
  // For a shard that the caller has locked: takes the lock over.
  LockedShard(Keyspace& keyspace, const AccessView& view, Shard& shard, Adopt);
  ~LockedShard();
  LockedShard(const LockedShard&) = delete;
  LockedShard& operator=(const LockedShard&) = delete;

  // --- Lookup. An expired key is deleted, reported and not found. ---

  // A client's read: counts a hit or a miss and, unless the view says otherwise, touches the access
  // clock.
  Item Read(const Key& key);
  // As Read, but counts no hit or miss (the lookup that precedes a write).
  Item Find(const Key& key);
  // Looks without touching the access clock (TTL, TYPE, OBJECT, EXISTS are such reads); counts hits
  // and misses.
  Item Peek(const Key& key);

  // --- Change. Each reports its Effect. ---

  struct StringSpec {
    std::string_view value;          // copied; must not point into the item's own entry
    int64_t deadline = kNoDeadline;  // absolute; may already have passed (SET ... PXAT)
    Encoding encoding = Encoding::kRaw;
    Event event = kSetEvent;
  };
  // Stores a string under the key, in place of `existing` (what Find returned for the key; may be
  // empty). Returns the new item.
  Item Store(const Key& key, const Item& existing, const StringSpec& spec);

  // Stores a collection under the key, in place of `existing`. As Store, but for an event without a
  // name, which is not reported.
  Item StoreCollection(const Key& key, const Item& existing, std::unique_ptr<Value> value,
                       int64_t deadline, Event event);
  // Stores a copy of another entry's value with its deadline.
  Item StoreCopy(const Key& key, const Item& existing, const Entry& source, Event event);
  // As StoreCopy, without a copy: `removed` was given to Remove, and its shard is still locked.
  Item StoreMoved(const Key& key, const Item& existing, const Item& removed, Event event);

  // Changing a collection in place: between the two calls nothing else is done to the shard.
  // EndEdit reports the event, unless that has no name, and removes a collection that vanishes,
  // reporting "del", too. Returns whether the key is still there.
  Value& BeginEdit(const Item& item);
  bool EndEdit(Item& item, Event event);

  // Makes the item's string `size` bytes long, keeping its start and filling with zero bytes, and
  // gives its bytes to be changed in place; encoding becomes raw. Keeps the deadline. To be
  // followed by ReportWritten. `item` is updated when the entry had to move.
  char* ResizeString(const Key& key, Item& item, size_t size);
  void ReportWritten(const Item& item, Event event);

  // Sets, moves or (kNoDeadline) drops the deadline. A deadline in the past stays an entry that is
  // already dead: callers that must delete instead use Remove.
  void SetDeadline(const Key& key, Item& item, int64_t deadline, Event event);

  // Removes the item.
  void Remove(const Item& item, Event event);
  // Removes an item that is overdue, whoever found that out: all of it, or, where it is a hash
  // whose own deadline has not passed, the fields that have expired. Does not merge segments, so
  // that a walk over the segment may go on. Returns whether the key is gone.
  bool RemoveExpired(const Item& item, ExpiryPath path);
  // Removes an item for want of memory. Does not merge segments.
  void Evict(const Item& item);
  // Sets when, or how often, the item was last used, in the access clock's terms (RESTORE).
  void SetAccessClock(const Item& item, uint32_t clock) { item.entry_->set_access_clock(clock); }
  // Reports an event that changes nothing by itself.
  void Report(std::string_view key, int64_t deadline, Event event) {
    Emit(EffectKind::kWritten, key, deadline, event);
  }

  Shard& shard() { return shard_; }
  Keyspace& keyspace() { return keyspace_; }
  const Keyspace& keyspace() const { return keyspace_; }
  const AccessView& view() const { return view_; }
  // Gives the lock back before the scope ends, and then destroys what was unlinked.
  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  Item Locate(const Key& key);
  void Touch(const Item& item);
  Tick now_tick() const;
  bool RemoveExpiredFields(Item item);
  // Adds (or, with sign -1, takes away) what the entry counts for in the shard's sums.
  void Account(const Entry* entry, int sign);
  // Puts another entry into the item's slot; the old one goes to the bin.
  void Exchange(Item& item, Entry* fresh);
  void MoveCollection(Item& item, Entry::Spec spec);
  Item Hang(const Key& key, const Item& existing, const Entry::Spec& spec);
  void CountLag(int64_t lag_ms);
  void Emit(EffectKind kind, std::string_view key, int64_t deadline, Event event);
  // Reports what is no change.
  void Notify(std::string_view key, Event event);
  void Unlink(const Item& item);
  uint32_t first_access_clock() const;

  Keyspace& keyspace_;
  Shard& shard_;
  const AccessView view_;
  bool locked_ = true;
  const bool borrowed_;  // view_.held has the lock, and keeps it
  // The lag of the removals since it last changed: in a sweep it seldom does.
  int64_t lag_ms_ = 0;
  int64_t lag_count_ = 0;
  EntryBin bin_;
};

// The shards of several keys, locked together. Nobody waits for a shard while holding another (see
// HeldShards for the one exception), so that no circle of waiters can form: where one of the shards
// is taken, those that were had are given back before waiting for it.
class KeyLocks {
 public:
  struct Want {
    uint16_t db = 0;
    uint64_t place = 0;
  };

  KeyLocks(Keyspace& keyspace, const AccessView& view,
           absl::Span<const Want> wanted) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  ~KeyLocks();
  KeyLocks(const KeyLocks&) = delete;
  KeyLocks& operator=(const KeyLocks&) = delete;

  // The locked shard that this place of this database lives in. Requires: it was wanted.
  LockedShard& For(uint16_t db, uint64_t place);

 private:
  struct Held;
  Keyspace& keyspace_;
  absl::InlinedVector<Held*, 8> held_;  // ascending
};

}  // namespace lapse
