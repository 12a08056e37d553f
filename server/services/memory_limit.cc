#include "server/services/memory_limit.h"

#include <algorithm>

#include "storage/eviction.h"

namespace lapse {
namespace {

// What a command is taken to add, when it is reckoned how many may run until the next look.
constexpr int64_t kUsualGrowth = 4096;
constexpr int64_t kMostCommands = 256;

}  // namespace

void MemoryLimit::OnConfigChanged() {
  const Config& config = instance_.config;
  const bool limited = config.maxmemory > 0;
  if (limited) {
    instance_.modes.fetch_or(kMemoryLimit, std::memory_order_relaxed);
  } else {
    instance_.modes.fetch_and(~kMemoryLimit, std::memory_order_relaxed);
  }
  instance_.keyspace.access().Configure({.lfu = IsLfu(config.maxmemory_policy),
                                         .log_factor = config.lfu_log_factor,
                                         .decay_minutes = config.lfu_decay_minutes});
  commands_left_.store(0, std::memory_order_relaxed);
  exceeded_.store(false, std::memory_order_relaxed);
}

bool MemoryLimit::MakeRoom(const CommandRow& row, int64_t now_ms) {
  if ((row.flags & kReadOnly) != 0 && !exceeded()) return true;
  if (commands_left_.fetch_sub(1, std::memory_order_relaxed) <= 0) Evict(now_ms);
  return !exceeded() || (row.flags & kDenyOom) == 0;
}

void MemoryLimit::Evict(int64_t now_ms) {
  MutexGuard guard(mu_);
  const int64_t limit = instance_.config.maxmemory;
  const EvictionSettings settings{.policy = instance_.config.maxmemory_policy,
                                  .samples = instance_.config.maxmemory_samples,
                                  .now_ms = now_ms};
  absl::InsecureBitGen random;
  int64_t used = instance_.UsedMemory();
  int evicted = 0;
  bool stuck = false;
  while (used > limit && !stuck && evicted < kMostEvictions) {
    // A few at a time, for adding up costs more than an eviction.
    constexpr int kBetweenLooks = 16;
    for (int i = 0; i < kBetweenLooks && !stuck; ++i, ++evicted) {
      stuck = !EvictOne(instance_.keyspace, settings, random());
    }
    used = instance_.UsedMemory();
  }
  // Above the limit for now, with more to evict, is not yet a reason to refuse.
  exceeded_.store(used > limit && stuck, std::memory_order_relaxed);
  commands_left_.store(std::clamp<int64_t>((limit - used) / kUsualGrowth, 0, kMostCommands),
                       std::memory_order_relaxed);
}

}  // namespace lapse
