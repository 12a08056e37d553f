#include <algorithm>
#include <utility>

#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse {

struct KeyLocks::Held {
  uint32_t order;  // database, then shard
  LockedShard shard;

  Held(Keyspace& keyspace, AccessView view, uint16_t db, uint64_t place, uint32_t number)
      : order(number), shard(keyspace, {db, view.touch, view.now_ms}, place) {}
};

namespace {

uint32_t OrderOf(const Keyspace& keyspace, uint16_t db, uint64_t place) {
  return static_cast<uint32_t>(db * keyspace.shard_count() + keyspace.ShardOf(place));
}

}  // namespace

KeyLocks::KeyLocks(Keyspace& keyspace, const AccessView& view, absl::Span<const Want> wanted)
    : keyspace_(keyspace) {
  absl::InlinedVector<std::pair<uint32_t, Want>, 8> ordered;
  for (const Want& want : wanted) {
    ordered.emplace_back(OrderOf(keyspace, want.db, want.place), want);
  }
  std::sort(ordered.begin(), ordered.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [order, want] : ordered) {
    if (!held_.empty() && held_.back()->order == order) continue;
    held_.push_back(new Held(keyspace, view, want.db, want.place, order));
  }
}

KeyLocks::~KeyLocks() {
  for (Held* held : held_) delete held;
}

LockedShard& KeyLocks::For(uint16_t db, uint64_t place) {
  const uint32_t order = OrderOf(keyspace_, db, place);
  const auto at = std::lower_bound(held_.begin(), held_.end(), order,
                                   [](const Held* held, uint32_t o) { return held->order < o; });
  return (*at)->shard;
}

}  // namespace lapse
