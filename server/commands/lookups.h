// Lookups and stores that tell subscribers of keyspace events more, or less, than LockedShard's do
// on their own: where Redis looks without a word, or announces a key as new that replaces another.
//
// Thread: the caller holds the shard.
#pragma once

#include "server/core/context.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/shard.h"

namespace lapse {

// As LockedShard::Peek, but a miss is no event: for commands that look at how a key is kept.
inline Item LookQuietly(LockedShard& shard, const Key& key) {
  shard.shard().lock().AssertHeld();
  const Shard::Hung hung = shard.shard().Find(key.place, key.name);
  Item item = hung.segment == nullptr ? Item() : Item(hung.segment, hung.slot);
  if (item && item.entry()->overdue(shard.view().now_ms) &&
      shard.RemoveExpired(item, ExpiryPath::kLazy)) {
    item = Item();
  }
  (item ? shard.shard().stats().hits : shard.shard().stats().misses).Add(1);
  return item;
}

// Reports "new" for a key that is about to take the place of an existing one, or to be moved there.
// (Any other key that was not there is reported by the store itself.)
inline void AnnounceNew(LockedShard& shard, const Key& key) {
  const EffectHub& hub = shard.keyspace().effects();
  if (!hub.heeding_notices()) return;
  hub.EmitNotice({shard.view().db, EffectKind::kWritten, key.name, kNoDeadline, kNewKeyEvent, 0});
}

}  // namespace lapse
