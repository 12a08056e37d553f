#include "storage/shard_stats.h"

#include <algorithm>

namespace lapse {

void LagHistogram::Add(int64_t lag_ms, int64_t n) {
  counts_[BucketOf(lag_ms)].fetch_add(n, std::memory_order_relaxed);
  int64_t most = max_.load(std::memory_order_relaxed);
  while (lag_ms > most && !max_.compare_exchange_weak(most, lag_ms, std::memory_order_relaxed)) {
  }
}

void LagHistogram::Clear() {
  for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
  max_.store(0, std::memory_order_relaxed);
}

int64_t LagHistogram::count() const {
  int64_t sum = 0;
  for (const auto& count : counts_) sum += count.load(std::memory_order_relaxed);
  return sum;
}

int64_t LagHistogram::Percentile(double q) const {
  const int64_t total = count();
  if (total == 0) return 0;
  const auto wanted = static_cast<int64_t>(q * static_cast<double>(total - 1)) + 1;
  int64_t seen = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket].load(std::memory_order_relaxed);
    if (seen >= wanted) return std::min(UpperBound(bucket), max_ms());
  }
  return max_ms();
}

int64_t LagHistogram::UpperBound(int bucket) {
  if (bucket < 4) return bucket;
  const int log = bucket / 4 + 1;
  return ((int64_t{4} + bucket % 4 + 1) << (log - 2)) - 1;
}

}  // namespace lapse
