// A strategy's step: what one slice does and costs, where much is due, little, and nothing.
//
// The lab (bench/lab) answers which strategy is better at what, by its consequences; here are the
// pieces. A driver's calls are imitated: the strategy is asked how long to wait, that pause is
// skipped, and its slice of 250 us runs on the real clock.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/micro/bench_table.h"
#include "expiry/engine.h"
#include "expiry/strategy.h"

namespace lapse::micro {
namespace {

constexpr int64_t kMostSteps = 5'000;
constexpr int64_t kIdleLooks = 20'000;  // of 128 ms at most: within the hour that keys live

// One driver's strategy, with a table to look after.
class Driver {
 public:
  Driver(Table& table, StrategyKind kind, int64_t effort)
      : table_(table), strategy_(MakeStrategy(kind)) {
    settings_.strategy = kind;
    settings_.effort = effort;
  }

  // Lets the time pass that the strategy wants to pass, at most kLongestWaitUs, and has it step
  // when it wants to. Returns whether it did.
  bool Look(SweepCount& count) {
    const int64_t start_ns = table_.clock().MonotonicNs();
    const StepBudget budget{&table_.clock(), start_ns, start_ns + settings_.slice_us * 1000};
    const Turn turn{Share(table_.keyspace(), 0, 1), settings_, budget, table_.clock().NowUs(),
                    true};
    int64_t wait_us = strategy_->WaitUs(turn);
    const bool steps = wait_us <= 0;
    if (steps) {
      const StepOutcome outcome = strategy_->Step(turn);
      count.Add(outcome.count);
      wait_us = outcome.wait_us;
    }
    table_.clock().SkipUs(std::min(wait_us, ExpiryEngine::kLongestWaitUs));
    return steps;
  }

 private:
  Table& table_;
  ExpirySettings settings_;
  std::unique_ptr<ExpiryStrategy> strategy_;
};

// Every state.range(1)-th key is due: steps until all of these are gone, kMostSteps at most. The
// time is the CPU's, of all steps.
void BM_Step(benchmark::State& state, StrategyKind kind, int64_t effort) {
  const auto every = static_cast<size_t>(state.range(1));
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(table.clock().NowMs() + 1, every, table.clock().NowMs() + kHourMs);
  table.clock().SkipMs(1000);
  const auto due = static_cast<int64_t>(table.size() / every);
  CountSizes(state, table);
  Driver driver(table, kind, effort);
  SweepCount count;
  int64_t steps = 0;
  for (auto _ : state) {
    const int64_t start_ns = ThreadCpuNs();
    while (count.reclaimed < due && steps < kMostSteps) steps += driver.Look(count) ? 1 : 0;
    state.SetIterationTime(static_cast<double>(ThreadCpuNs() - start_ns) / 1e9);
    const auto ns = static_cast<double>(ThreadCpuNs() - start_ns);
    const auto reclaimed = static_cast<double>(std::max<int64_t>(count.reclaimed, 1));
    state.counters["ns_per_key"] = ns / reclaimed;
    state.counters["us_per_step"] = ns / 1e3 / static_cast<double>(steps);
  }
  state.counters["steps"] = static_cast<double>(steps);
  state.counters["left"] = static_cast<double>(due - count.reclaimed);
}

// Nothing is due for an hour. The time is that of one look, or step, whatever the strategy does;
// ns_per_s is what a second of such a life costs.
void BM_StepNothingDue(benchmark::State& state, StrategyKind kind, int64_t effort) {
  Table table(static_cast<size_t>(state.range(0)));
  table.Fill(table.clock().NowMs() + kHourMs);
  Driver driver(table, kind, effort);
  SweepCount count;
  const int64_t begin_us = table.clock().skipped_us();
  const int64_t begin_ns = ThreadCpuNs();
  for (auto _ : state) driver.Look(count);
  const auto ns = static_cast<double>(ThreadCpuNs() - begin_ns);
  const auto seconds = static_cast<double>(table.clock().skipped_us() - begin_us) / 1e6;
  state.counters["ns_per_s"] = ns / seconds;
  if (count.reclaimed != 0) state.SkipWithError("live keys were removed");
  CountSizes(state, table);
}

void DueSizes(benchmark::internal::Benchmark* bench) {
  SizesTimes(bench, {1, 100});
  bench->ArgNames({"", "every"})->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
}
void IdleSizes(benchmark::internal::Benchmark* bench) {
  Sizes(bench);
  bench->Iterations(kIdleLooks);
}

BENCHMARK_CAPTURE(BM_Step, hinted, StrategyKind::kHinted, 1)->Apply(DueSizes);
BENCHMARK_CAPTURE(BM_Step, sampled - 1, StrategyKind::kSampled, 1)->Apply(DueSizes);
BENCHMARK_CAPTURE(BM_Step, sampled - 10, StrategyKind::kSampled, 10)->Apply(DueSizes);
BENCHMARK_CAPTURE(BM_Step, fullscan, StrategyKind::kFullScan, 1)->Apply(DueSizes);

BENCHMARK_CAPTURE(BM_StepNothingDue, hinted, StrategyKind::kHinted, 1)->Apply(IdleSizes);
BENCHMARK_CAPTURE(BM_StepNothingDue, sampled - 1, StrategyKind::kSampled, 1)->Apply(IdleSizes);
BENCHMARK_CAPTURE(BM_StepNothingDue, sampled - 10, StrategyKind::kSampled, 10)->Apply(IdleSizes);
BENCHMARK_CAPTURE(BM_StepNothingDue, fullscan, StrategyKind::kFullScan, 1)->Apply(IdleSizes);

}  // namespace
}  // namespace lapse::micro
