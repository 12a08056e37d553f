// The shards that a thread keeps locked over several commands: a transaction, or a script.
//
//   HeldShards held(keyspace, HeldShards::Kind::kGrowing, keys known beforehand);
//   run commands with AccessView{.held = &held}   every LockedShard borrows its lock from here,
//                                                 and a shard not held yet is locked and kept
//
// All are kept until the end (two-phase locking), so that others see all of the commands' changes
// or none.
//
// Why no circle of waiters forms: nobody waits for a shard while holding another but a HeldShards
// that grows beyond what it was made with, and of those there is one at a time: whoever cannot rule
// that out holds the one mutex that all such users share, taken before the gate is entered.
//
// Thread: the constructing one.
#pragma once

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "storage/locked_shard.h"

namespace lapse {

class HeldShards {
 public:
  // kGrowing: locks on demand. kAlone: nobody else is inside the gate, so nothing need be locked.
  enum class Kind : uint8_t { kGrowing, kAlone };

  HeldShards(Keyspace& keyspace, Kind kind,
             absl::Span<const KeyLocks::Want> wanted) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  ~HeldShards() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  HeldShards(const HeldShards&) = delete;
  HeldShards& operator=(const HeldShards&) = delete;

  bool alone() const { return kind_ == Kind::kAlone; }

  // Locks the shard until the end, unless it is held already. With kGrowing this may wait.
  void Hold(Shard& shard) ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  const Kind kind_;
  std::vector<Shard*> held_;  // sorted
};

// Locks all of these shards, ascending and without repetition, and waits for one only while holding
// none.
void LockAll(absl::Span<Shard* const> shards) ABSL_NO_THREAD_SAFETY_ANALYSIS;

}  // namespace lapse
