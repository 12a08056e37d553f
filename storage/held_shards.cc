#include "storage/held_shards.h"

#include <algorithm>

#include "storage/keyspace.h"
#include "storage/shard.h"

namespace lapse {

HeldShards::HeldShards(Keyspace& keyspace, Kind kind, absl::Span<const KeyLocks::Want> wanted)
    : kind_(kind) {
  if (kind_ == Kind::kGrowing) {
    for (const KeyLocks::Want& want : wanted) {
      held_.push_back(&keyspace.database(want.db).shard(keyspace.ShardOf(want.place)));
    }
    std::sort(held_.begin(), held_.end());
    held_.erase(std::unique(held_.begin(), held_.end()), held_.end());
    LockAll(held_);
  }
}

HeldShards::~HeldShards() {
  for (Shard* shard : held_) shard->lock().Unlock();
}

void HeldShards::Hold(Shard& shard) {
  if (kind_ == Kind::kAlone) return;
  const auto at = std::lower_bound(held_.begin(), held_.end(), &shard);
  if (at != held_.end() && *at == &shard) return;
  shard.lock().Lock();
  held_.insert(at, &shard);
}

void LockAll(absl::Span<Shard* const> shards) {
  size_t first = 0;  // the one that was taken last time is waited for while holding none
  for (;;) {
    if (shards.empty()) return;
    shards[first]->lock().Lock();
    size_t i = 0;
    while (i < shards.size() && (i == first || shards[i]->lock().TryLock())) ++i;
    if (i == shards.size()) return;
    for (size_t j = 0; j < i; ++j) {
      if (j != first) shards[j]->lock().Unlock();
    }
    shards[first]->lock().Unlock();
    first = i;
  }
}

}  // namespace lapse
