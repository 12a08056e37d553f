// A key and its place: the 64-bit number that decides where in the keyspace the key lives.
//
// Shard, directory word, bucket and SCAN cursor all come from the place in order of significance,
// so walking shards, segments and buckets in order IS walking places in order:
//
//   63           56 55                          ...                 0
//   +-------------+--------------------+---------------------------+
//   | shard       | directory          | bucket (fast range) ...   |   low 8 bits: tag
//   +-------------+--------------------+---------------------------+
//
// The place is the key's hash, bent: place = h + c h (1 - h) for h in [0, 1). Over the shards the
// density of keys then falls smoothly by a factor of two, so that at any number of keys some
// shards' segments are just full and others' just split. With equal densities all segments fill and
// split in step, and the table swings between 10 and 20 bytes a key as it grows; bent, it stays
// near 15.
//
// The hash is XXH3 with a secret drawn at start, so that nobody outside can aim keys at one bucket.
//
// Thread: a KeyHasher is constant after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lapse {

struct Key {
  std::string_view name;
  uint64_t place = 0;
};

class KeyHasher {
 public:
  // Draws the secret from the system's random source.
  KeyHasher();
  // A fixed secret, for tests and benchmarks that must repeat.
  explicit KeyHasher(uint64_t seed);

  uint64_t Place(std::string_view key) const;
  Key Hashed(std::string_view key) const { return Key{key, Place(key)}; }

 private:
  std::array<unsigned char, 192> secret_;
};

// Bends a uniform hash so that density falls from 1/0.67 at the low end to 1/1.34 at the high one.
// Monotone, with bend(0) = 0 and bend(2^64 - 1) = 2^64 - 1.
inline uint64_t BendHash(uint64_t hash) {
  const auto product = static_cast<unsigned __int128>(hash) * static_cast<uint64_t>(~hash);
  return hash + (static_cast<uint64_t>(product >> 64) >> 5) * 11;
}

inline uint8_t TagOf(uint64_t place) { return static_cast<uint8_t>(place); }

}  // namespace lapse
