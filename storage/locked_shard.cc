#include "storage/locked_shard.h"

#include <algorithm>
#include <string>

#include "absl/base/optimization.h"
#include "storage/keyspace.h"
#include "storage/shard.h"

namespace lapse {
namespace {

// A segment with fewer entries than this may be worth merging, which is tried at every 16th
// removal.
constexpr int kThin = Segment::kCapacity / 5;
constexpr int kThinMask = 15;
// So that the sum of a shard's deadlines fits 63 bits: deadlines count for 34 years at most.
constexpr int64_t kDeadlineSpan = int64_t{1} << 40;

// What a deadline, if it is one, counts for in the shard's sums.
void CountDeadline(ShardStats& stats, const TickScale& ticks, int64_t deadline, int sign) {
  if (deadline == kNoDeadline) return;
  const int64_t epoch = ticks.epoch_ms();
  stats.volatile_keys.Add(sign);
  stats.deadline_ms_sum.Add(sign * (std::clamp(deadline, epoch, epoch + kDeadlineSpan) - epoch));
}

}  // namespace

void EntryBin::Empty() {
  for (Entry* entry : entries_) Entry::Destroy(heap_, entry);
  entries_.clear();
}

LockedShard::LockedShard(Keyspace& keyspace, const AccessView& view, uint64_t place)
    : LockedShard(keyspace, view, keyspace.database(view.db).shard(keyspace.ShardOf(place))) {}

LockedShard::LockedShard(Keyspace& keyspace, const AccessView& view, Shard& shard)
    : keyspace_(keyspace), shard_(shard), view_(view), bin_(keyspace.heap()) {
  shard_.lock().Lock();
}

LockedShard::~LockedShard() { Unlock(); }

void LockedShard::Unlock() {
  if (!locked_) return;
  locked_ = false;
  shard_.lock().Unlock();
  if (lag_count_ > 0) keyspace_.lag().Add(lag_ms_, lag_count_);
  bin_.Empty();
}

Tick LockedShard::now_tick() const { return keyspace_.ticks().NowTick(view_.now_ms); }

void LockedShard::CountLag(int64_t lag_ms) {
  if (lag_ms != lag_ms_ && lag_count_ > 0) {
    keyspace_.lag().Add(lag_ms_, lag_count_);
    lag_count_ = 0;
  }
  lag_ms_ = lag_ms;
  ++lag_count_;
}

void LockedShard::Emit(EffectKind kind, std::string_view key, int64_t deadline, Event event) {
  const EffectHub& hub = keyspace_.effects();
  if (ABSL_PREDICT_TRUE(!hub.listening())) return;
  hub.Emit({view_.db, kind, key, deadline, event});
}

// --- lookup ---

Item LockedShard::Locate(const Key& key) {
  shard_.lock().AssertHeld();
  const Shard::Hung hung = shard_.Find(key.place, key.name);
  if (hung.segment == nullptr) return {};
  const Item item{hung.segment, hung.slot};
  if (ABSL_PREDICT_FALSE(item.entry()->expired(view_.now_ms))) {
    RemoveExpired(item, ExpiryPath::kLazy);
    return {};
  }
  return item;
}

void LockedShard::Touch(const Item& item) {
  if (!view_.touch) return;
  const uint32_t clock = access_clock() & kAccessClockMask;
  // The line is in the cache, but writing it every time would send it back to memory every time.
  if (item.entry()->access_clock() != clock) Mutable(item)->set_access_clock(clock);
}

Item LockedShard::Read(const Key& key) {
  const Item item = Peek(key);
  if (item) Touch(item);
  return item;
}

Item LockedShard::Find(const Key& key) {
  const Item item = Locate(key);
  if (item) Touch(item);
  return item;
}

Item LockedShard::Peek(const Key& key) {
  const Item item = Locate(key);
  (item ? shard_.stats().hits : shard_.stats().misses).Add(1);
  return item;
}

// --- change ---

void LockedShard::Account(const Entry* entry, int sign) {
  shard_.stats().entry_bytes.Add(sign * static_cast<int64_t>(entry->allocated_bytes()));
  CountDeadline(shard_.stats(), keyspace_.ticks(), entry->deadline(), sign);
}

void LockedShard::Exchange(const Item& item, Entry* fresh) {
  shard_.lock().AssertHeld();
  Entry* old = Mutable(item);
  Account(old, -1);
  Account(fresh, +1);
  shard_.SetEntry(item.segment, item.slot, fresh);
  bin_.Add(old);
}

Item LockedShard::Store(const Key& key, const Item& existing, const StringSpec& spec) {
  shard_.lock().AssertHeld();
  const Entry::Spec made{key.name, spec.value, spec.deadline, spec.encoding, access_clock()};
  Item item = existing;
  if (!existing) {
    Entry* entry = Entry::Create(keyspace_.heap(), made);
    const Shard::Hung hung = shard_.Insert(key.place, entry, now_tick());
    item = {hung.segment, hung.slot};
    shard_.stats().keys.Add(1);
    Account(entry, +1);
  } else {
    Entry* entry = Mutable(existing);
    const int64_t before = entry->deadline();
    if (!entry->RewriteInPlace(made)) {
      Exchange(existing, Entry::Create(keyspace_.heap(), made));
    } else if (before != kNoDeadline || spec.deadline != kNoDeadline) {
      // The size class is the same, so entry_bytes is too.
      CountDeadline(shard_.stats(), keyspace_.ticks(), before, -1);
      CountDeadline(shard_.stats(), keyspace_.ticks(), spec.deadline, +1);
      shard_.SetEntry(existing.segment, existing.slot, entry);
    }
  }
  Emit(EffectKind::kWritten, key.name, spec.deadline, spec.event);
  return item;
}

char* LockedShard::ResizeString(const Key& key, Item& item, size_t size) {
  shard_.lock().AssertHeld();
  Entry* entry = Mutable(item);
  Account(entry, -1);
  if (entry->ResizeValueInPlace(size)) {
    entry->set_encoding(Encoding::kRaw);
    Account(entry, +1);
    return entry->mutable_value();
  }
  Account(entry, +1);
  std::string bytes(entry->value().substr(0, size));
  bytes.resize(size);
  Entry* fresh = Entry::Create(
      keyspace_.heap(), {key.name, bytes, entry->deadline(), Encoding::kRaw, access_clock()});
  Exchange(item, fresh);
  return fresh->mutable_value();
}

void LockedShard::ReportWritten(const Item& item, Event event) {
  Emit(EffectKind::kWritten, item.entry()->key(), item.deadline(), event);
}

void LockedShard::SetDeadline(const Key& key, Item& item, int64_t deadline, Event event) {
  shard_.lock().AssertHeld();
  Entry* entry = Mutable(item);
  const bool wanted = deadline != kNoDeadline;
  Account(entry, -1);
  bool done = true;
  if (wanted && entry->has_deadline()) {
    entry->OverwriteDeadline(deadline);
  } else if (wanted) {
    done = entry->AddDeadlineInPlace(deadline);
  } else if (entry->has_deadline()) {
    done = entry->DropDeadlineInPlace();
  }
  Account(entry, +1);
  if (done) {
    shard_.SetEntry(item.segment, item.slot, entry);
  } else {
    Exchange(item, Entry::Create(keyspace_.heap(), {key.name, entry->value(), deadline,
                                                    entry->encoding(), entry->access_clock()}));
  }
  Emit(EffectKind::kDeadline, key.name, deadline, event);
}

void LockedShard::Unlink(const Item& item) {
  shard_.lock().AssertHeld();
  Entry* entry = Mutable(item);
  Account(entry, -1);
  shard_.stats().keys.Add(-1);
  shard_.Erase(item.segment, item.slot);
  bin_.Add(entry);
}

void LockedShard::Remove(const Item& item, Event event) {
  shard_.lock().AssertHeld();
  const Entry* entry = item.entry();
  Unlink(item);
  // The entry lives on in the bin until the lock is released.
  Emit(EffectKind::kRemoved, entry->key(), entry->deadline(), event);
  const int live = item.segment->live();
  if (ABSL_PREDICT_FALSE(live < kThin && (live & kThinMask) == 0)) {
    shard_.MergeAround(item.segment, now_tick());
  }
}

void LockedShard::RemoveExpired(const Item& item, ExpiryPath path) {
  const Entry* entry = item.entry();
  const int64_t deadline = entry->deadline();
  Unlink(item);
  shard_.stats().expired[static_cast<int>(path)].Add(1);
  CountLag(view_.now_ms - deadline);
  Emit(EffectKind::kExpired, entry->key(), deadline, kExpiredEvent);
}

}  // namespace lapse
