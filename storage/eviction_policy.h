// Which keys may be evicted, and which of them goes first: Redis's eight policies. Apart from the
// eviction itself so that the configuration can name one without knowing the keyspace.
//
// Thread: constants.
#pragma once

#include <cstdint>
#include <string_view>

namespace lapse {

enum class EvictionPolicy : uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllLru,
  kAllLfu,
  kAllRandom,
  kNone,
};

// "volatile-lru", ..., "noeviction".
std::string_view EvictionPolicyName(EvictionPolicy policy);
bool IsLfu(EvictionPolicy policy);

struct EvictionSettings {
  EvictionPolicy policy = EvictionPolicy::kNone;
  int64_t samples = 5;
  int64_t now_ms = 0;
};

}  // namespace lapse
