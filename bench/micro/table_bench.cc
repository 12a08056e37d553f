// The table without protocol or network: what it costs to find, store, remove and walk over a key,
// and what the table's own work costs, a split and a segment's change of base.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <vector>

#include "bench/micro/bench_table.h"
#include "storage/lock.h"
#include "storage/scan.h"
#include "storage/shard.h"

namespace lapse::micro {
namespace {

constexpr size_t kGroup = 16;
constexpr int64_t kLookups = 2'000'000;
constexpr int64_t kRebases = 20'000;
constexpr int64_t kSplits = 1'000;
constexpr int64_t kFarMs = 10 * kHourMs;  // beyond what a hint can express

int64_t SteadyNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// --- one key at a time ---

// Into an empty table, so splits, and the first touch of memory, are in the mean.
void BM_Insert(benchmark::State& state) {
  const auto nothing = [](Table&) {};
  const auto fill = [](Table& table) { table.Fill(kNoDeadline); };
  OnFreshTables(state, static_cast<size_t>(state.range(0)), nothing, fill);
}
BENCHMARK(BM_Insert)->Apply(Sizes)->Iterations(1);

// As above, with a deadline: eight bytes and a due hint more.
void BM_InsertVolatile(benchmark::State& state) {
  const auto nothing = [](Table&) {};
  const auto fill = [](Table& table) { table.Fill(table.clock().NowMs() + kHourMs); };
  OnFreshTables(state, static_cast<size_t>(state.range(0)), nothing, fill);
}
BENCHMARK(BM_InsertVolatile)->Apply(Sizes)->Iterations(1);

// Until nothing is left, in an order that has nothing to do with the table's; merges included.
void BM_Erase(benchmark::State& state) {
  const auto fill = [](Table& table) { table.Fill(kNoDeadline); };
  OnFreshTables(state, static_cast<size_t>(state.range(0)), fill, [](Table& table) {
    for (size_t i = 0; i < table.size(); ++i) table.Delete(i);
  });
}
BENCHMARK(BM_Erase)->Apply(Sizes)->Iterations(1);

void BM_FindHit(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  for (auto _ : state) benchmark::DoNotOptimize(table.Get(random() % table.size()));
  CountSizes(state, table);
}
BENCHMARK(BM_FindHit)->Apply(Sizes)->Iterations(kLookups);

void BM_FindMiss(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Get(table.size() + random() % table.size()));
  }
  CountSizes(state, table);
}
BENCHMARK(BM_FindMiss)->Apply(Sizes)->Iterations(kLookups);

void BM_Overwrite(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  const int64_t deadline = state.range(1) != 0 ? table.clock().NowMs() + kHourMs : kNoDeadline;
  for (auto _ : state) table.Put(random() % table.size(), deadline);
  CountSizes(state, table);
}
void OverwriteSizes(benchmark::internal::Benchmark* bench) { SizesTimes(bench, {0, 1}); }
BENCHMARK(BM_Overwrite)->ArgNames({"", "ttl"})->Apply(OverwriteSizes)->Iterations(kLookups);

// --- many keys ---

// As the dispatcher does it: a group's keys prefetched in three passes, then found. The time is
// that of a key.
void BM_FindGroup(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  Keyspace& keyspace = table.keyspace();
  std::mt19937_64 random(1);
  std::array<KeyName, kGroup> names;
  std::array<Key, kGroup> keys;
  while (state.KeepRunningBatch(kGroup)) {
    for (size_t i = 0; i < kGroup; ++i) {
      names[i] = Name(random() % table.size());
      keys[i] = keyspace.Hashed(names[i].view());
    }
    for (const Key& key : keys) table.ShardOf(key).PrefetchDirectory(key.place);
    for (const Key& key : keys) table.ShardOf(key).PrefetchBucket(key.place);
    for (const Key& key : keys) {
      Shard& shard = table.ShardOf(key);
      SpinGuard guard(shard.lock());
      shard.PrefetchEntry(key.place);
    }
    for (const Key& key : keys) {
      LockedShard shard(keyspace, table.View(), key.place);
      benchmark::DoNotOptimize(static_cast<bool>(shard.Read(key)));
    }
  }
  CountSizes(state, table);
}
BENCHMARK(BM_FindGroup)->Apply(Sizes)->Iterations(kLookups);

// Once around, by calls for so many keys. The time is that of a key.
void BM_Scan(benchmark::State& state) {
  const int64_t count = state.range(1);
  const auto fill = [](Table& table) { table.Fill(kNoDeadline); };
  OnFreshTables(state, static_cast<size_t>(state.range(0)), fill, [&](Table& table) {
    size_t seen = 0;
    uint64_t cursor = 0;
    do {
      cursor = ScanKeys(table.keyspace(), table.View(), cursor, count,
                        [&seen](const Entry& entry) { seen += entry.key().size() / 16; });
    } while (cursor != 0);
    if (seen < table.size()) state.SkipWithError("keys were not seen");
  });
}
void ScanSizes(benchmark::internal::Benchmark* bench) { SizesTimes(bench, {10, 1000}); }
BENCHMARK(BM_Scan)->ArgNames({"", "count"})->Apply(ScanSizes)->Iterations(1);

// --- the table's own work ---

// Inserts until a segment splits, and times that insert alone.
void BM_Split(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  size_t next = table.size();
  for (auto _ : state) {
    for (bool split = false; !split; ++next) {
      const KeyName name = Name(next);
      const ShardStats& stats = table.ShardOf(table.keyspace().Hashed(name.view())).stats();
      const int64_t before = stats.splits.get();
      const int64_t start_ns = SteadyNs();
      table.Put(next, kNoDeadline);
      const int64_t ns = SteadyNs() - start_ns;
      split = stats.splits.get() > before;
      if (split) state.SetIterationTime(static_cast<double>(ns) / 1e9);
    }
  }
  CountSizes(state, table);
}
BENCHMARK(BM_Split)
    ->Apply(LargeSizes)
    ->Iterations(kSplits)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

struct Page {
  Shard* shard;
  Segment* segment;
};

std::vector<Page> PagesOf(Table& table) {
  std::vector<Page> pages;
  for (size_t i = 0; i < table.database().shard_count(); ++i) {
    Shard& shard = table.database().shard(i);
    SpinGuard guard(shard.lock());
    for (size_t s = 0; s < shard.segment_count(); ++s) pages.push_back({&shard, shard.segment(s)});
  }
  return pages;
}

// Moves a segment's base a tick on. Finite hints are rewritten in place; far ones are read anew
// from their entries.
void BM_Rebase(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(table.clock().NowMs() + (state.range(1) != 0 ? kFarMs : kHourMs));
  const std::vector<Page> pages = PagesOf(table);
  Tick base = table.keyspace().ticks().NowTick(table.clock().NowMs());
  size_t at = 0;
  for (auto _ : state) {
    if (at == 0) ++base;
    const Page& page = pages[at];
    at = at + 1 < pages.size() ? at + 1 : 0;
    SpinGuard guard(page.shard->lock());
    page.shard->Rebase(page.segment, base);
  }
  CountSizes(state, table);
}
void RebaseSizes(benchmark::internal::Benchmark* bench) { SizesTimes(bench, {0, 1}); }
BENCHMARK(BM_Rebase)->ArgNames({"", "far"})->Apply(RebaseSizes)->Iterations(kRebases);

}  // namespace
}  // namespace lapse::micro
