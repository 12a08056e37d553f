// What happened in a shard, counted where it happens.
//
// Each counter is written by the holder of the shard's lock alone and read by anybody, so that it
// needs neither a locked instruction nor the lock to read. INFO adds them up.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace lapse {

// A counter with one writer at a time. Reads from elsewhere may be a moment old, never torn.
class OwnedCounter {
 public:
  void Add(int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// How late expired keys were removed, in milliseconds after their deadlines. Buckets are four to a
// power of two, so a percentile read from them is at most 25 % too high.
//
// Thread: any; sweeps add whole runs of equal lags at once.
class LagHistogram {
 public:
  static constexpr int kBuckets = 4 * 40;

  void Add(int64_t lag_ms, int64_t n = 1);
  void Clear();
  // The lag that a share q (0..1) of the removals did not exceed; 0 when there were none.
  int64_t Percentile(double q) const;
  int64_t max_ms() const { return max_.load(std::memory_order_relaxed); }
  int64_t count() const;
  int64_t count(int bucket) const {
    return counts_[static_cast<size_t>(bucket)].load(std::memory_order_relaxed);
  }

  static int BucketOf(int64_t lag_ms) {
    if (lag_ms < 4) return lag_ms < 0 ? 0 : static_cast<int>(lag_ms);
    const int log = std::bit_width(static_cast<uint64_t>(lag_ms)) - 1;
    const int bucket = (log - 1) * 4 + static_cast<int>((lag_ms >> (log - 2)) & 3);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The greatest lag that falls into the bucket.
  static int64_t UpperBound(int bucket);

 private:
  std::array<std::atomic<int64_t>, kBuckets> counts_{};
  std::atomic<int64_t> max_{0};
};

// Why an expired key was removed.
enum class ExpiryPath : uint8_t { kLazy, kActive, kFlush };

struct ShardStats {
  // What is held now.
  OwnedCounter keys;
  OwnedCounter volatile_keys;
  OwnedCounter field_volatile_keys;  // hashes with fields that have deadlines
  OwnedCounter deadline_ms_sum;  // over volatile keys, after the keyspace's epoch; for avg_ttl
  OwnedCounter entry_bytes;      // handed out by the allocator
  OwnedCounter segments;
  // What happened since the start or CONFIG RESETSTAT.
  OwnedCounter hits;
  OwnedCounter misses;
  OwnedCounter expired[3];  // by ExpiryPath
  OwnedCounter expired_fields;
  OwnedCounter evicted;
  OwnedCounter splits;
  OwnedCounter merges;

  // How many keys there are for a sweep to look at, at most: hashes that have a deadline as well as
  // fields with some are counted twice.
  int64_t keys_with_deadlines() const { return volatile_keys.get() + field_volatile_keys.get(); }
};

}  // namespace lapse
