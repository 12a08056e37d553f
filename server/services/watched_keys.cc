#include "server/services/watched_keys.h"

#include <algorithm>

#include "storage/locked_shard.h"

namespace lapse {

WatchedKeys::WatchedKeys(Keyspace& keyspace) : keyspace_(keyspace) {
  keyspace.effects().AddIdle(this);
}

void WatchedKeys::Add(Watch& watch, uint16_t db, const Key& key, int64_t now_ms) {
  const bool again = std::any_of(watch.keys.begin(), watch.keys.end(), [&](const auto& watched) {
    return watched.db == db && watched.name == key.name;
  });
  if (again) return;
  if (watch.keys.empty()) keyspace_.effects().Listen();
  watch.keys.push_back({db, key.place, std::string(key.name)});
  // Under the shard's lock no change falls between the look at the key and the watch.
  LockedShard shard(keyspace_, {db, /*touch=*/false, now_ms}, key.place);
  shard.Find(key);
  const Place place{db, key.name};
  Stripe& stripe = StripeOf(place);
  MutexGuard guard(stripe.mu);
  stripe.keys[StoredPlace{db, std::string(key.name)}].push_back(&watch);
}

void WatchedKeys::Clear(Watch& watch) {
  if (watch.keys.empty()) return;
  for (const Watch::WatchedKey& key : watch.keys) {
    const Place place{key.db, key.name};
    Stripe& stripe = StripeOf(place);
    MutexGuard guard(stripe.mu);
    const auto found = stripe.keys.find(place);
    if (found == stripe.keys.end()) continue;
    Watchers& watchers = found->second;
    watchers.erase(std::remove(watchers.begin(), watchers.end(), &watch), watchers.end());
    if (watchers.empty()) stripe.keys.erase(found);
  }
  watch.keys.clear();
  watch.dirty.store(false, std::memory_order_relaxed);
  keyspace_.effects().StopListening();
}

// Looking a key up removes it if it has expired, and the effect of that marks the watch.
bool WatchedKeys::Changed(const Watch& watch, int64_t now_ms, HeldShards& held) {
  for (const Watch::WatchedKey& key : watch.keys) {
    if (watch.dirty.load(std::memory_order_relaxed)) return true;
    Exists({key.db, /*touch=*/false, now_ms, &held}, key.name);
  }
  return watch.dirty.load(std::memory_order_relaxed);
}

bool WatchedKeys::Exists(const AccessView& view, std::string_view name) {
  if (keyspace_.FindDatabase(view.db) == nullptr) return false;
  const Key key = keyspace_.Hashed(name);
  LockedShard shard(keyspace_, view, key.place);
  return static_cast<bool>(shard.Find(key));
}

void WatchedKeys::MarkDirty(const Place& place) {
  Stripe& stripe = StripeOf(place);
  MutexGuard guard(stripe.mu);
  const auto found = stripe.keys.find(place);
  if (found == stripe.keys.end()) return;
  for (Watch* const watch : found->second) watch->dirty.store(true, std::memory_order_relaxed);
}

void WatchedKeys::OnEffect(const Effect& effect) { MarkDirty({effect.db, effect.key}); }

// Copies, since a look at a key may come back here as an effect.
std::vector<WatchedKeys::StoredPlace> WatchedKeys::WatchedIn(std::optional<size_t> db) {
  std::vector<StoredPlace> places;
  for (Stripe& stripe : stripes_) {
    MutexGuard guard(stripe.mu);
    for (const auto& [place, watchers] : stripe.keys) {
      if (!db || place.db == *db) places.push_back(place);
    }
  }
  return places;
}

void WatchedKeys::Flush(std::optional<size_t> db, int64_t now_ms) {
  for (const StoredPlace& place : WatchedIn(db)) {
    if (Exists({place.db, /*touch=*/false, now_ms}, place.name)) MarkDirty({place.db, place.name});
  }
}

void WatchedKeys::Swap(size_t a, size_t b, int64_t now_ms) {
  for (const size_t db : {a, b}) {
    const auto other = static_cast<uint16_t>(db == a ? b : a);
    for (const StoredPlace& place : WatchedIn(db)) {
      const bool here = Exists({place.db, /*touch=*/false, now_ms}, place.name);
      const bool there = Exists({other, /*touch=*/false, now_ms}, place.name);
      if (here || there) MarkDirty({place.db, place.name});
    }
  }
}

}  // namespace lapse
