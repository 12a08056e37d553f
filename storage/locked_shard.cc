#include "storage/locked_shard.h"

#include <algorithm>
#include <string>

#include "absl/base/optimization.h"
#include "storage/held_shards.h"
#include "storage/keyspace.h"
#include "storage/shard.h"

namespace lapse {
namespace {

// A segment with fewer entries than this may be worth merging, which is tried at every 16th
// removal.
constexpr int kThin = Segment::kCapacity / 5;
constexpr int kThinMask = 15;
// A collection of so many elements takes some 50 us to destroy, ten times what it takes to have
// another thread do that.
constexpr size_t kLargeCollection = 1024;
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

void EntryBin::DestroyAll() {
  for (Entry* entry : entries_) {
    if (!entry->is_string()) {
      // Null if another entry has taken it over.
      const Value* const value = entry->collection();
      if (value != nullptr && value->size() >= kLargeCollection) {
        reaper_.Add(entry->ReleaseCollection(), 1);
      }
    }
    Entry::Destroy(heap_, entry);
  }
  entries_.clear();
}

LockedShard::LockedShard(Keyspace& keyspace, const AccessView& view, uint64_t place)
    : LockedShard(keyspace, view, keyspace.database(view.db).shard(keyspace.ShardOf(place))) {}

LockedShard::LockedShard(Keyspace& keyspace, const AccessView& view, Shard& shard)
    : keyspace_(keyspace),
      shard_(shard),
      view_(view),
      borrowed_(view.held != nullptr),
      bin_(keyspace.heap(), keyspace.reaper()) {
  if (ABSL_PREDICT_TRUE(!borrowed_)) {
    shard_.lock().Lock();
  } else {
    view.held->Hold(shard);
  }
}

LockedShard::LockedShard(Keyspace& keyspace, const AccessView& view, Shard& shard, Adopt)
    : keyspace_(keyspace),
      shard_(shard),
      view_(view),
      borrowed_(false),
      bin_(keyspace.heap(), keyspace.reaper()) {}

LockedShard::~LockedShard() { Unlock(); }

void LockedShard::Unlock() {
  if (!locked_) return;
  locked_ = false;
  if (ABSL_PREDICT_TRUE(!borrowed_)) shard_.lock().Unlock();
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
  hub.Emit({view_.db, kind, key, deadline, event, view_.client});
}

void LockedShard::Notify(std::string_view key, Event event) {
  const EffectHub& hub = keyspace_.effects();
  if (ABSL_PREDICT_TRUE(!hub.heeding_notices())) return;
  hub.EmitNotice({view_.db, EffectKind::kWritten, key, kNoDeadline, event});
}

// --- lookup ---

inline Item LockedShard::Locate(const Key& key) {
  shard_.lock().AssertHeld();
  const Shard::Hung hung = shard_.Find(key.place, key.name);
  if (hung.segment == nullptr) return {};
  const Item item{hung.segment, hung.slot};
  if (ABSL_PREDICT_FALSE(item.entry()->overdue(view_.now_ms))) {
    if (RemoveExpired(item, ExpiryPath::kLazy)) return {};
  }
  return item;
}

uint32_t LockedShard::first_access_clock() const { return keyspace_.access().First(view_.now_ms); }

inline void LockedShard::Touch(const Item& item) {
  if (!view_.touch) return;
  const uint32_t before = item.entry_->access_clock();
  // The key's own bits and the time are random enough for a counter of that kind.
  const auto random =
      static_cast<uint32_t>((static_cast<uint64_t>(view_.now_ms) + before * uint64_t{0x9E3779B9}) *
                                uint64_t{0x9E3779B97F4A7C15} >>
                            32);
  const uint32_t clock = keyspace_.access().Touched(before, view_.now_ms, random);
  // The line is in the cache, but writing it every time would send it back to memory every time.
  if (before != clock) item.entry_->set_access_clock(clock);
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
  if (item) {
    shard_.stats().hits.Add(1);
  } else {
    shard_.stats().misses.Add(1);
    Notify(key.name, kKeyMissEvent);
  }
  return item;
}

// --- change ---

void LockedShard::Account(const Entry* entry, int sign) {
  shard_.stats().entry_bytes.Add(sign * static_cast<int64_t>(entry->allocated_bytes()));
  CountDeadline(shard_.stats(), keyspace_.ticks(), entry->deadline(), sign);
  if (ABSL_PREDICT_FALSE(entry->has_field_deadlines())) {
    shard_.stats().field_volatile_keys.Add(sign);
  }
}

void LockedShard::Exchange(Item& item, Entry* fresh) {
  shard_.lock().AssertHeld();
  Entry* old = item.entry_;
  Account(old, -1);
  Account(fresh, +1);
  shard_.SetEntry(item.segment_, item.slot_, fresh);
  bin_.Add(old);
  item.entry_ = fresh;
}

// Makes an entry and hangs it up in place of the existing one, if there is one.
Item LockedShard::Hang(const Key& key, const Item& existing, const Entry::Spec& spec) {
  shard_.lock().AssertHeld();
  Entry* entry = Entry::Create(keyspace_.heap(), spec);
  Item item = existing;
  if (existing) {
    Exchange(item, entry);
    return item;
  }
  const Shard::Hung hung = shard_.Insert(key.place, entry, now_tick());
  shard_.stats().keys.Add(1);
  Account(entry, +1);
  return {hung.segment, hung.slot};
}

Item LockedShard::Store(const Key& key, const Item& existing, const StringSpec& spec) {
  shard_.lock().AssertHeld();
  const Entry::Spec made{.key = key.name,
                         .value = spec.value,
                         .deadline = spec.deadline,
                         .encoding = spec.encoding,
                         .access_clock = first_access_clock()};
  Item item = existing;
  if (!existing) {
    item = Hang(key, existing, made);
    Notify(key.name, kNewKeyEvent);
  } else {
    Entry* entry = existing.entry_;
    const int64_t before = entry->deadline();
    if (!entry->RewriteInPlace(made)) {
      item = Hang(key, existing, made);
    } else if (before != kNoDeadline || spec.deadline != kNoDeadline) {
      // The size class is the same, so entry_bytes is too.
      CountDeadline(shard_.stats(), keyspace_.ticks(), before, -1);
      CountDeadline(shard_.stats(), keyspace_.ticks(), spec.deadline, +1);
      shard_.SetEntry(existing.segment_, existing.slot_, entry);
    }
  }
  Emit(EffectKind::kWritten, key.name, spec.deadline, spec.event);
  return item;
}

Item LockedShard::StoreCollection(const Key& key, const Item& existing,
                                  std::unique_ptr<Value> value, int64_t deadline, Event event) {
  const Item item = Hang(key, existing,
                         {.key = key.name,
                          .deadline = deadline,
                          .access_clock = first_access_clock(),
                          .collection = value.release()});
  if (!existing) Notify(key.name, kNewKeyEvent);
  if (!event.name.empty()) Emit(EffectKind::kWritten, key.name, deadline, event);
  return item;
}

Item LockedShard::StoreCopy(const Key& key, const Item& existing, const Entry& source,
                            Event event) {
  if (!source.is_string()) {
    return StoreCollection(key, existing, source.collection()->Clone(), source.deadline(), event);
  }
  return Store(key, existing,
               {.value = source.value(),
                .deadline = source.deadline(),
                .encoding = source.encoding(),
                .event = event});
}

Item LockedShard::StoreMoved(const Key& key, const Item& existing, const Item& removed,
                             Event event) {
  // Not announced as new from here: who moves a key has done so before it left its old place.
  Entry& source = *removed.entry_;
  Entry::Spec spec{
      .key = key.name, .deadline = source.deadline(), .access_clock = first_access_clock()};
  if (source.is_string()) {
    spec.value = source.value();
    spec.encoding = source.encoding();
  } else {
    spec.collection = source.ReleaseCollection().release();
  }
  const Item item = Hang(key, existing, spec);
  Emit(EffectKind::kWritten, key.name, spec.deadline, event);
  return item;
}

Value& LockedShard::BeginEdit(const Item& item) {
  Account(item.entry_, -1);
  return *item.entry_->collection();
}

bool LockedShard::EndEdit(Item& item, Event event) {
  shard_.lock().AssertHeld();
  Entry* entry = item.entry_;
  const bool had_due = entry->has_due();
  entry->NoteFieldDeadlines();
  Account(entry, +1);
  if (had_due || entry->has_due()) shard_.SetEntry(item.segment_, item.slot_, entry);
  if (!event.name.empty()) Emit(EffectKind::kWritten, entry->key(), entry->deadline(), event);
  if (ABSL_PREDICT_TRUE(!entry->collection()->vanishes())) return true;
  Remove(item, kDelEvent);
  item = {};
  return false;
}

char* LockedShard::ResizeString(const Key& key, Item& item, size_t size) {
  shard_.lock().AssertHeld();
  Entry* entry = item.entry_;
  Account(entry, -1);
  if (entry->ResizeValueInPlace(size)) {
    entry->set_encoding(Encoding::kRaw);
    Account(entry, +1);
    return entry->mutable_value();
  }
  Account(entry, +1);
  std::string bytes(entry->value().substr(0, size));
  bytes.resize(size);
  Entry* fresh = Entry::Create(keyspace_.heap(), {.key = key.name,
                                                  .value = bytes,
                                                  .deadline = entry->deadline(),
                                                  .encoding = Encoding::kRaw,
                                                  .access_clock = first_access_clock()});
  Exchange(item, fresh);
  return fresh->mutable_value();
}

void LockedShard::ReportWritten(const Item& item, Event event) {
  Emit(EffectKind::kWritten, item.entry()->key(), item.deadline(), event);
}

void LockedShard::SetDeadline(const Key& key, Item& item, int64_t deadline, Event event) {
  shard_.lock().AssertHeld();
  Entry* entry = item.entry_;
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
    shard_.SetEntry(item.segment_, item.slot_, entry);
  } else {
    Entry::Spec spec{.key = key.name, .deadline = deadline, .access_clock = entry->access_clock()};
    if (entry->is_string()) {
      spec.value = entry->value();
      spec.encoding = entry->encoding();
      Exchange(item, Entry::Create(keyspace_.heap(), spec));
    } else {
      MoveCollection(item, spec);
    }
  }
  Emit(EffectKind::kDeadline, key.name, deadline, event);
}

// As Exchange, for an entry that takes the old one's collection over.
void LockedShard::MoveCollection(Item& item, Entry::Spec spec) {
  shard_.lock().AssertHeld();
  Entry* old = item.entry_;
  Account(old, -1);
  spec.collection = old->ReleaseCollection().release();
  Entry* fresh = Entry::Create(keyspace_.heap(), spec);
  Account(fresh, +1);
  shard_.SetEntry(item.segment_, item.slot_, fresh);
  bin_.Add(old);
  item.entry_ = fresh;
}

void LockedShard::Unlink(const Item& item) {
  shard_.lock().AssertHeld();
  Account(item.entry_, -1);
  shard_.stats().keys.Add(-1);
  shard_.Erase(item.segment_, item.slot_);
  bin_.Add(item.entry_);
}

void LockedShard::Remove(const Item& item, Event event) {
  shard_.lock().AssertHeld();
  const Entry* entry = item.entry();
  Unlink(item);
  // The entry lives on in the bin until the lock is released.
  Emit(EffectKind::kRemoved, entry->key(), entry->deadline(), event);
  const int live = item.segment_->live();
  if (ABSL_PREDICT_FALSE(live < kThin && (live & kThinMask) == 0)) {
    shard_.MergeAround(item.segment_, now_tick());
  }
}

void LockedShard::Evict(const Item& item) {
  const Entry* entry = item.entry();
  Unlink(item);
  shard_.stats().evicted.Add(1);
  Emit(EffectKind::kRemoved, entry->key(), entry->deadline(), kEvictedEvent);
}

bool LockedShard::RemoveExpired(const Item& item, ExpiryPath path) {
  const Entry* entry = item.entry();
  if (ABSL_PREDICT_FALSE(!entry->expired(view_.now_ms))) return RemoveExpiredFields(item);
  const int64_t deadline = entry->deadline();
  Unlink(item);
  shard_.stats().expired[static_cast<int>(path)].Add(1);
  CountLag(view_.now_ms - deadline);
  Emit(EffectKind::kExpired, entry->key(), deadline, kExpiredEvent);
  return true;
}

bool LockedShard::RemoveExpiredFields(Item item) {
  shard_.lock().AssertHeld();
  Entry* entry = item.entry_;
  const int64_t due = entry->due();
  const size_t removed = BeginEdit(item).RemoveExpired(view_.now_ms);
  entry->NoteFieldDeadlines();
  Account(entry, +1);
  shard_.SetEntry(item.segment_, item.slot_, entry);
  shard_.stats().expired_fields.Add(static_cast<int64_t>(removed));
  CountLag(view_.now_ms - due);
  Emit(EffectKind::kWritten, entry->key(), entry->deadline(), kFieldExpiredEvent);
  if (!entry->collection()->vanishes()) return false;
  Unlink(item);
  Emit(EffectKind::kRemoved, entry->key(), entry->deadline(), kDelEvent);
  return true;
}

}  // namespace lapse
