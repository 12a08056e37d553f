// maxmemory: keeps what the instance holds below the limit by evicting, or refuses what would need
// more.
//
// Asked before every command while a limit is set (Mode::kMemoryLimit). Adding up what all shards
// hold costs microseconds, so it is done once in a while: again after as many commands as the room
// that was left allows, and at once when there was none.
//
// Thread: any, inside the gate.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/random/random.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "storage/lock.h"

namespace lapse {

class MemoryLimit {
 public:
  explicit MemoryLimit(Instance& instance) : instance_(instance) {}

  void OnConfigChanged();
  // Evicts where needed. Returns false when memory is above the limit all the same and the command
  // may need more: it must be refused.
  bool MakeRoom(const CommandRow& row, int64_t now_ms);
  // Whether memory was above the limit when it was last looked at, and nothing could go.
  bool exceeded() const { return exceeded_.load(std::memory_order_relaxed); }

 private:
  // At most so many keys go before the command runs: the rest goes before the next ones.
  static constexpr int kMostEvictions = 512;

  void Evict(int64_t now_ms);

  Instance& instance_;
  std::atomic<int64_t> commands_left_{0};  // until the memory is added up again
  std::atomic<bool> exceeded_{false};
  Mutex mu_;  // one evicts at a time
};

}  // namespace lapse
