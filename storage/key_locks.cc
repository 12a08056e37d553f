#include <algorithm>

#include "storage/held_shards.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/shard.h"

namespace lapse {

struct KeyLocks::Held {
  const Shard* shard_of;
  LockedShard shard;

  Held(Keyspace& keyspace, const AccessView& view, Shard& home)
      : shard_of(&home), shard(keyspace, view, home) {}
  Held(Keyspace& keyspace, const AccessView& view, Shard& home, LockedShard::Adopt adopt)
      : shard_of(&home), shard(keyspace, view, home, adopt) {}
};

KeyLocks::KeyLocks(Keyspace& keyspace, const AccessView& view, absl::Span<const Want> wanted)
    : keyspace_(keyspace) {
  struct Home {
    Shard* shard;
    uint16_t db;
  };
  absl::InlinedVector<Home, 8> homes;
  for (const Want& want : wanted) {
    homes.push_back({&keyspace.database(want.db).shard(keyspace.ShardOf(want.place)), want.db});
  }
  std::sort(homes.begin(), homes.end(),
            [](const Home& a, const Home& b) { return a.shard < b.shard; });
  const auto end = std::unique(homes.begin(), homes.end(),
                               [](const Home& a, const Home& b) { return a.shard == b.shard; });
  homes.erase(end, homes.end());

  const bool borrowing = view.held != nullptr;
  if (!borrowing) {
    absl::InlinedVector<Shard*, 8> shards;
    for (const Home& home : homes) shards.push_back(home.shard);
    LockAll(shards);
  }
  for (const Home& home : homes) {
    AccessView own = view;
    own.db = home.db;
    held_.push_back(borrowing ? new Held(keyspace, own, *home.shard)
                              : new Held(keyspace, own, *home.shard, LockedShard::Adopt{}));
  }
}

KeyLocks::~KeyLocks() {
  for (Held* held : held_) delete held;
}

LockedShard& KeyLocks::For(uint16_t db, uint64_t place) {
  const Shard* shard = &keyspace_.database(db).shard(keyspace_.ShardOf(place));
  const auto at =
      std::lower_bound(held_.begin(), held_.end(), shard,
                       [](const Held* held, const Shard* s) { return held->shard_of < s; });
  return (*at)->shard;
}

}  // namespace lapse
