#include "bench/micro/bench_table.h"

#include <cstdlib>
#include <vector>

namespace lapse::micro {
namespace {

constexpr int64_t kSmall = 10'000;
constexpr int64_t kMiddle = 1'000'000;
constexpr int64_t kLarge = 10'000'000;

std::vector<int64_t> LargerSizes() {
  if (std::getenv("LAPSE_BENCH_LARGE") != nullptr) return {kMiddle, kLarge};
  return {kMiddle};
}

}  // namespace

void CountSizes(benchmark::State& state, Table& table) {
  const KeyspaceTotals totals = table.keyspace().Totals();
  size_t directory_bytes = 0;
  for (size_t i = 0; i < table.database().shard_count(); ++i) {
    directory_bytes += table.database().shard(i).directory_bytes();
  }
  const int64_t table_bytes = table.keyspace().table_bytes();
  const auto count = [&state](const char* name, auto value) {
    state.counters[name] = static_cast<double>(value);
  };
  count("segments", totals.segments);
  count("entry_bytes", totals.entry_bytes);
  count("table_bytes", table_bytes);
  count("directory_bytes", directory_bytes);
  count("bytes_per_key", static_cast<double>(totals.entry_bytes + table_bytes) /
                             static_cast<double>(std::max<int64_t>(totals.keys, 1)));
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(kSmall);
  LargeSizes(bench);
}

void LargeSizes(benchmark::internal::Benchmark* bench) {
  for (const int64_t size : LargerSizes()) bench->Arg(size);
}

void SizesTimes(benchmark::internal::Benchmark* bench, std::initializer_list<int64_t> seconds) {
  for (const int64_t second : seconds) bench->Args({kSmall, second});
  for (const int64_t size : LargerSizes()) {
    for (const int64_t second : seconds) bench->Args({size, second});
  }
}

}  // namespace lapse::micro
