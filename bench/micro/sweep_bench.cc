// Sweeps, as strategies and FLUSHEXPIREKEYS use them, without the question when and how long: what
// a reclaimed key costs, freeing included, and what looking at a live one costs.
#include <benchmark/benchmark.h>

#include <optional>

#include "bench/micro/bench_table.h"
#include "storage/sweep.h"

namespace lapse::micro {
namespace {

constexpr int64_t kWalks = 10;

SweepCount SweepEverything(Table& table) {
  SweepCount count;
  for (size_t i = 0; i < table.database().shard_count(); ++i) {
    for (bool more = true; more;) {
      LockedShard shard(table.keyspace(), table.View(), table.database().shard(i));
      more = SweepDue(shard, 256, 8, count);
    }
  }
  return count;
}

// Every state.range(1)-th key is due in the same millisecond, the others in an hour. The time is
// that of a reclaimed key.
void BM_SweepDue(benchmark::State& state) {
  const auto every = static_cast<size_t>(state.range(1));
  const size_t due = static_cast<size_t>(state.range(0)) / every;
  const auto fill = [every](Table& table) {
    table.Fill(table.clock().NowMs() + 1, every, table.clock().NowMs() + kHourMs);
    table.clock().SkipMs(1000);
  };
  OnFreshTables(state, due, fill, [&](Table& table) {
    const SweepCount count = SweepEverything(table);
    if (count.reclaimed != static_cast<int64_t>(due)) state.SkipWithError("not just the due went");
  });
}
void DueSizes(benchmark::internal::Benchmark* bench) { SizesTimes(bench, {1, 100}); }
BENCHMARK(BM_SweepDue)->ArgNames({"", "every"})->Apply(DueSizes)->Iterations(1);

// FLUSHEXPIREKEYS with nothing due, by the entries' own deadlines (0) and by hints (1). The time is
// that of a live key.
void BM_WalkNothingDue(benchmark::State& state) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(table.clock().NowMs() + kHourMs);
  const SweepOptions options{
      .reading = state.range(1) != 0 ? SweepReading::kHints : SweepReading::kDeadlines,
      .path = ExpiryPath::kFlush};
  const auto keys = static_cast<int64_t>(table.size());
  while (state.KeepRunningBatch(keys)) {
    SweepCount count;
    for (size_t i = 0; i < table.database().shard_count(); ++i) {
      std::optional<uint64_t> place = table.database().shard(i).first_place();
      while (place.has_value()) {
        LockedShard shard(table.keyspace(), table.View(), table.database().shard(i));
        place = SweepSegmentAt(shard, *place, options, count);
      }
    }
    if (count.reclaimed != 0 || count.orphans != 0) state.SkipWithError("live keys were touched");
  }
  CountSizes(state, table);
}
void WalkSizes(benchmark::internal::Benchmark* bench) { SizesTimes(bench, {0, 1}); }
BENCHMARK(BM_WalkNothingDue)
    ->ArgNames({"", "hints"})
    ->Apply(WalkSizes)
    ->Iterations(kWalks * 1'000'000);

}  // namespace
}  // namespace lapse::micro
