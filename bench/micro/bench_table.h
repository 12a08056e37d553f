// The table that the micro-benchmarks work on, and what they say of its size.
//
// Keys are 16 bytes, values 32, as in the lab. Sizes are 10 k, 1 M and, with LAPSE_BENCH_LARGE=1,
// 10 M keys (1.1 GiB): what fits the caches, what does not, and what does not fit the TLB either.
// A figure's explanation is mostly in the sizes beside it: bytes of entries, of table pages and of
// directories.
//
// Google Benchmark calls a function again and again to find out how often it has to; with a table
// of a million keys to fill each time, that is where the minutes would go. So the number of
// operations is fixed: a function runs once for each size.
//
// Thread: one.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse::micro {

inline constexpr int64_t kHourMs = 3'600'000;

struct KeyName {
  std::array<char, 16> bytes;
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
};

inline KeyName Name(size_t i) {
  KeyName name;
  name.bytes.fill('0');
  name.bytes[0] = 'k';
  for (size_t at = name.bytes.size() - 1; i > 0; i /= 10) {
    name.bytes[at--] = static_cast<char>('0' + i % 10);
  }
  return name;
}

// The wall clock moves when told, the monotonic one also by itself: budgets end after as much work
// as in life, and pauses take no time.
class SkippingClock final : public Clock {
 public:
  int64_t NowUs() const override { return kBirthUs + skipped_us_; }
  int64_t MonotonicNs() const override { return system_.MonotonicNs() + skipped_us_ * 1000; }
  void SkipUs(int64_t us) { skipped_us_ += us; }
  void SkipMs(int64_t ms) { SkipUs(ms * 1000); }
  int64_t skipped_us() const { return skipped_us_; }

 private:
  static constexpr int64_t kBirthUs = 1'700'000'000'000'000;
  SystemClock system_;
  int64_t skipped_us_ = 0;
};

// A keyspace, meant for keys 0..size()-1, on a clock of its own.
class Table {
 public:
  explicit Table(size_t size) : size_(size), keyspace_({.hash_seed = 1}, clock_) {}

  // Every `every`-th key with `deadline`, the others with `otherwise`.
  void Fill(int64_t deadline, size_t every = 1, int64_t otherwise = kNoDeadline) {
    for (size_t i = 0; i < size_; ++i) Put(i, i % every == 0 ? deadline : otherwise);
  }
  void Put(size_t i, int64_t deadline) {
    const KeyName name = Name(i);
    const Key key = keyspace_.Hashed(name.view());
    LockedShard shard(keyspace_, View(), key.place);
    shard.Store(key, shard.Find(key), {value_, deadline});
  }
  bool Get(size_t i) {
    const KeyName name = Name(i);
    const Key key = keyspace_.Hashed(name.view());
    LockedShard shard(keyspace_, View(), key.place);
    return static_cast<bool>(shard.Read(key));
  }
  void Delete(size_t i) {
    const KeyName name = Name(i);
    const Key key = keyspace_.Hashed(name.view());
    LockedShard shard(keyspace_, View(), key.place);
    if (const Item item = shard.Find(key); item) shard.Remove(item, kDelEvent);
  }

  AccessView View() const { return {0, true, clock_.NowMs()}; }
  Keyspace& keyspace() { return keyspace_; }
  Database& database() { return keyspace_.database(0); }
  Shard& ShardOf(const Key& key) { return database().shard(keyspace_.ShardOf(key.place)); }
  SkippingClock& clock() { return clock_; }
  size_t size() const { return size_; }

 private:
  const size_t size_;
  const std::string value_ = std::string(32, 'v');
  SkippingClock clock_;
  Keyspace keyspace_;
};

// Adds the sizes that explain a figure, in bytes, the number of segments, and bytes a key.
void CountSizes(benchmark::State& state, Table& table);

// 10 k, 1 M and perhaps 10 M keys, as the only argument.
void Sizes(benchmark::internal::Benchmark* bench);
// Without 10 k: for what does not happen in a small table.
void LargeSizes(benchmark::internal::Benchmark* bench);
// Each size with each of the second argument's values.
void SizesTimes(benchmark::internal::Benchmark* bench, std::initializer_list<int64_t> seconds);

// For what can be done to a table only once: has `fill` prepare tables for state.range(0) keys, for
// a million in all, and times `work` on each. The time reported is that of one of the `operations`
// that `work` does to one table.
template <typename Fill, typename Work>
void OnFreshTables(benchmark::State& state, size_t operations, Fill fill, Work work) {
  constexpr size_t kKeysInAll = 1'000'000;
  const auto keys = static_cast<size_t>(state.range(0));
  const size_t tables = std::max<size_t>(kKeysInAll / keys, 1);
  while (state.KeepRunningBatch(static_cast<int64_t>(tables * operations))) {
    for (size_t i = 0; i < tables; ++i) {
      state.PauseTiming();
      auto table = std::make_unique<Table>(keys);
      fill(*table);
      const bool filled = table->keyspace().Totals().keys > 0;
      if (filled) CountSizes(state, *table);
      state.ResumeTiming();
      work(*table);
      state.PauseTiming();
      if (!filled) CountSizes(state, *table);
      table.reset();
      state.ResumeTiming();
    }
  }
}

}  // namespace lapse::micro
