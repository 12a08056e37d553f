// The table and its sweeps, without protocol or network: what a find, a store, a walk and a
// reclaimed key cost by themselves.
//
// Keys are 16 bytes, values 32. CPU time is the thread's; items_per_second counts keys. Sizes: 1 M,
// and 10 M with LAPSE_BENCH_LARGE=1 (1.1 GiB).
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/shard.h"
#include "storage/sweep.h"

namespace lapse {
namespace {

constexpr size_t kGroup = 16;
constexpr int64_t kHourMs = 3'600'000;

struct KeyName {
  std::array<char, 16> bytes;
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
};

KeyName Name(size_t i) {
  KeyName name;
  name.bytes.fill('0');
  name.bytes[0] = 'k';
  for (size_t at = name.bytes.size() - 1; i > 0; i /= 10) {
    name.bytes[at--] = static_cast<char>('0' + i % 10);
  }
  return name;
}

// A keyspace of n keys on a clock of its own.
class Table {
 public:
  explicit Table(size_t n) : size_(n), keyspace_({.hash_seed = 1}, clock_) {}

  void Fill(int64_t deadline) {
    for (size_t i = 0; i < size_; ++i) Put(i, deadline);
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

  AccessView View() const { return {0, true, clock_.NowMs()}; }
  Keyspace& keyspace() { return keyspace_; }
  ManualClock& clock() { return clock_; }
  size_t size() const { return size_; }

 private:
  const size_t size_;
  const std::string value_ = std::string(32, 'v');
  ManualClock clock_;
  Keyspace keyspace_;
};

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(1'000'000)->Unit(benchmark::kNanosecond);
  if (std::getenv("LAPSE_BENCH_LARGE") != nullptr) bench->Arg(10'000'000);
}

// Runs once for each table; reports the mean a key.
void OnePass(benchmark::internal::Benchmark* bench) {
  Sizes(bench);
  bench->Iterations(1)->Repetitions(3)->ReportAggregatesOnly()->Unit(benchmark::kMillisecond);
}

double NsPerKey(int64_t ns, size_t keys) {
  return static_cast<double>(ns) / static_cast<double>(keys);
}

void BM_Load(benchmark::State& state) {
  for (auto _ : state) {
    Table table(static_cast<size_t>(state.range(0)));
    int64_t worst = 0;
    const int64_t start = ThreadCpuNs();
    int64_t last = start;
    for (size_t i = 0; i < table.size(); ++i) {
      table.Put(i, kNoDeadline);
      const int64_t now = ThreadCpuNs();
      worst = std::max(worst, now - last);
      last = now;
    }
    const KeyspaceTotals totals = table.keyspace().Totals();
    state.counters["ns_per_key"] = NsPerKey(last - start, table.size());
    state.counters["worst_us"] = static_cast<double>(worst) / 1000;
    state.counters["bytes_per_key"] =
        NsPerKey(totals.entry_bytes + table.keyspace().table_bytes(), table.size());
  }
}
BENCHMARK(BM_Load)->Apply(OnePass);

void BM_FindHit(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  for (auto _ : state) benchmark::DoNotOptimize(table.Get(random() % table.size()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FindHit)->Apply(Sizes);

void BM_FindMiss(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Get(table.size() + random() % table.size()));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FindMiss)->Apply(Sizes);

// As the dispatcher does it: a group's keys prefetched in three passes, then found.
void BM_FindGroup(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  Keyspace& keyspace = table.keyspace();
  Database& database = keyspace.database(0);
  std::mt19937_64 random(1);
  std::array<KeyName, kGroup> names;
  std::array<Key, kGroup> keys;
  const auto shard_of = [&](const Key& key) -> Shard& {
    return database.shard(keyspace.ShardOf(key.place));
  };
  for (auto _ : state) {
    for (size_t i = 0; i < kGroup; ++i) {
      names[i] = Name(random() % table.size());
      keys[i] = keyspace.Hashed(names[i].view());
    }
    for (const Key& key : keys) shard_of(key).PrefetchDirectory(key.place);
    for (const Key& key : keys) shard_of(key).PrefetchBucket(key.place);
    for (const Key& key : keys) {
      SpinGuard guard(shard_of(key).lock());
      shard_of(key).PrefetchEntry(key.place);
    }
    for (const Key& key : keys) {
      LockedShard shard(keyspace, table.View(), key.place);
      benchmark::DoNotOptimize(static_cast<bool>(shard.Read(key)));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kGroup));
}
BENCHMARK(BM_FindGroup)->Apply(Sizes);

void BM_Overwrite(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(kNoDeadline);
  std::mt19937_64 random(1);
  const int64_t deadline = state.range(1) != 0 ? table.clock().NowMs() + kHourMs : kNoDeadline;
  for (auto _ : state) table.Put(random() % table.size(), deadline);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Overwrite)->ArgNames({"", "ttl"})->Args({1'000'000, 0})->Args({1'000'000, 1});

int64_t SweepEverything(Table& table, SweepCount& count) {
  const int64_t start = ThreadCpuNs();
  Database& database = table.keyspace().database(0);
  for (size_t i = 0; i < database.shard_count(); ++i) {
    for (bool more = true; more;) {
      LockedShard shard(table.keyspace(), table.View(), database.shard(i));
      more = SweepDue(shard, 256, 8, count);
    }
  }
  return ThreadCpuNs() - start;
}

// Every key due in the same millisecond; freeing included.
void BM_Cliff(benchmark::State& state) {
  for (auto _ : state) {
    Table table(static_cast<size_t>(state.range(0)));
    table.Fill(table.clock().NowMs() + 1);
    table.clock().AdvanceMs(1000);
    SweepCount count;
    const int64_t ns = SweepEverything(table, count);
    if (count.reclaimed != state.range(0)) state.SkipWithError("keys were left behind");
    state.counters["ns_per_key"] = NsPerKey(ns, table.size());
  }
}
BENCHMARK(BM_Cliff)->Apply(OnePass);

// One due key in a hundred, the others an hour away.
void BM_Sparse(benchmark::State& state) {
  for (auto _ : state) {
    Table table(static_cast<size_t>(state.range(0)));
    for (size_t i = 0; i < table.size(); ++i) {
      table.Put(i, table.clock().NowMs() + (i % 100 == 0 ? 1 : kHourMs));
    }
    table.clock().AdvanceMs(1000);
    SweepCount count;
    const int64_t ns = SweepEverything(table, count);
    if (count.reclaimed != state.range(0) / 100) state.SkipWithError("not just the due keys went");
    state.counters["ns_per_key"] = NsPerKey(ns, static_cast<size_t>(count.reclaimed));
  }
}
BENCHMARK(BM_Sparse)->Apply(OnePass);

// FLUSHEXPIREKEYS with nothing due, by the entries' own deadlines (0) and by hints (1).
void BM_WalkNothingDue(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(table.clock().NowMs() + kHourMs);
  const SweepOptions options{
      .reading = state.range(1) != 0 ? SweepReading::kHints : SweepReading::kDeadlines,
      .path = ExpiryPath::kFlush};
  Database& database = table.keyspace().database(0);
  for (auto _ : state) {
    SweepCount count;
    const int64_t start = ThreadCpuNs();
    for (size_t i = 0; i < database.shard_count(); ++i) {
      std::optional<uint64_t> place = database.shard(i).first_place();
      while (place.has_value()) {
        LockedShard shard(table.keyspace(), table.View(), database.shard(i));
        place = SweepSegmentAt(shard, *place, options, count);
      }
    }
    state.counters["ns_per_key"] = NsPerKey(ThreadCpuNs() - start, table.size());
    if (count.reclaimed != 0 || count.orphans != 0) state.SkipWithError("live keys were touched");
  }
}
BENCHMARK(BM_WalkNothingDue)->ArgNames({"", "hints"})->Args({1'000'000, 0})->Args({1'000'000, 1});

}  // namespace
}  // namespace lapse
