// Which sessions watch which keys: an index that the effects of every change are looked up in.
//
// The index is asked under a shard's lock and has a few mutexes of its own, by hash, each held for
// a lookup. While nobody watches anything, no effect is built for its sake (EffectHub::Listen).
//
// Lock order: a shard, then a stripe. Nothing is locked under a stripe.
//
// Thread: Add and Clear by the watch's session; OnEffect under a shard's lock; Flush and Swap in
// the gate's exclusive form.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "server/services/transaction.h"
#include "storage/effect.h"
#include "storage/held_shards.h"
#include "storage/keyspace.h"
#include "storage/lock.h"

namespace lapse {

class WatchedKeys final : public EffectSink {
 public:
  // Joins the keyspace's sinks, for good.
  explicit WatchedKeys(Keyspace& keyspace);

  // Watches one key more; one that has expired counts as not there, and is removed at once, so that
  // its removal does not look like a change.
  void Add(Watch& watch, uint16_t db, const Key& key, int64_t now_ms);
  // Watches nothing any more.
  void Clear(Watch& watch);
  // Whether a watched key has changed, its expiry included. To be asked with the shards of all keys
  // held for as long as the answer matters.
  bool Changed(const Watch& watch, int64_t now_ms, HeldShards& held);

  // To be called before a database (nullopt: every one) is emptied, or two are exchanged: a key
  // that is in neither place stays as it is.
  void Flush(std::optional<size_t> db, int64_t now_ms);
  void Swap(size_t a, size_t b, int64_t now_ms);

  void OnEffect(const Effect& effect) override;

 private:
  struct Place {
    uint16_t db;
    std::string_view name;
    friend bool operator==(const Place&, const Place&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Place& place) {
      return H::combine(std::move(state), place.db, place.name);
    }
  };
  struct StoredPlace {
    uint16_t db;
    std::string name;
  };
  struct PlaceHash {
    using is_transparent = void;
    size_t operator()(const Place& place) const { return absl::HashOf(place); }
    size_t operator()(const StoredPlace& place) const {
      return absl::HashOf(Place{place.db, place.name});
    }
  };
  struct SamePlace {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return a.db == b.db && std::string_view(a.name) == std::string_view(b.name);
    }
  };
  using Watchers = absl::InlinedVector<Watch*, 2>;

  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    Mutex mu;
    absl::flat_hash_map<StoredPlace, Watchers, PlaceHash, SamePlace> keys ABSL_GUARDED_BY(mu);
  };

  Stripe& StripeOf(const Place& place) { return stripes_[PlaceHash()(place) % kStripes]; }
  void MarkDirty(const Place& place);
  bool Exists(const AccessView& view, std::string_view name);
  std::vector<StoredPlace> WatchedIn(std::optional<size_t> db);

  Keyspace& keyspace_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace lapse
