#include "expiry/engine.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

TEST(Engine, AnyNumberOfDriversCoversEveryShard) {
  for (const size_t workers : {1, 2, 3, 7, 40}) {
    Bed bed({}, /*shard_bits=*/5);
    bed.Fill("k", 5000, bed.now_ms() + 10);
    bed.Fill("k", 5000, bed.now_ms() + 10, 3);
    bed.Live(2 * kTickMs + 10, workers);
    EXPECT_EQ(bed.AllKeys(), 0) << workers;
  }
}

TEST(Engine, ADriverLeavesOtherShardsAlone) {
  Bed bed({}, /*shard_bits=*/4);
  bed.Fill("k", 5000, bed.now_ms() + 10);
  bed.clock.AdvanceMs(2 * kTickMs);
  bed.engine.Drive(1, 3, true);
  Database& database = bed.keyspace.database(0);
  for (size_t i = 0; i < database.shard_count(); ++i) {
    EXPECT_EQ(database.shard(i).stats().keys.get() == 0, i % 3 == 1) << i;
  }
}

TEST(Engine, DriversMayChangeInNumber) {
  Bed bed({}, /*shard_bits=*/4);
  for (const size_t workers : {3, 1, 5, 2}) {
    bed.Fill("k", 2000, bed.now_ms() + 10);
    bed.Live(3 * kTickMs, workers);
    EXPECT_EQ(bed.AllKeys(), 0) << workers;
  }
}

TEST(Engine, DriversBeyondTheBoundHaveNothingToDo) {
  Bed bed;
  EXPECT_EQ(bed.engine.Drive(ExpiryEngine::kMaxDrivers, ExpiryEngine::kMaxDrivers + 1, true),
            ExpiryEngine::kLongestWaitUs);
  EXPECT_EQ(bed.engine.Drive(5, 3, true), ExpiryEngine::kLongestWaitUs);
}

TEST(Engine, DriverZeroWakesASleepingDriverWhenItsKeysAreDue) {
  Bed bed({}, /*shard_bits=*/4);
  std::vector<size_t> woken;
  bed.engine.SetWaker([&woken](size_t worker) { woken.push_back(worker); });
  bed.Fill("far", 500, bed.now_ms() + kHourMs);
  EXPECT_LE(bed.engine.Drive(0, 2, true), ExpiryEngine::kLongestWaitUs);
  EXPECT_EQ(bed.engine.Drive(1, 2, true), ExpiryEngine::kLongestSleepUs);
  // Keys that come while it sleeps, due long before it would wake by itself.
  bed.Fill("near", 500, bed.now_ms() + 10);
  bed.engine.Drive(0, 2, true);
  EXPECT_TRUE(woken.empty());
  bed.clock.AdvanceMs(2 * kTickMs);
  bed.engine.Drive(0, 2, true);
  ASSERT_EQ(woken, std::vector<size_t>{1});
  bed.engine.Drive(1, 2, true);
  EXPECT_EQ(bed.AllKeys(), 500);
}

TEST(Engine, InactiveMeansThatNothingIsRemoved) {
  ExpirySettings settings;
  settings.active = false;
  Bed bed(settings);
  bed.Fill("k", 500, bed.now_ms() + 10);
  bed.Live(5000);
  EXPECT_EQ(bed.AllKeys(), 500);
  settings.active = true;
  bed.Configure(settings);
  bed.Live(2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Engine, StrategiesChangeWhileItRuns) {
  ExpirySettings settings;
  settings.fullscan_period_ms = 500;
  Bed bed(settings);
  const auto become = [&](StrategyKind kind) {
    settings.strategy = kind;
    bed.Configure(settings);
  };
  for (int round = 0; round < 4; ++round) {
    for (const StrategyKind kind :
         {StrategyKind::kSampled, StrategyKind::kHinted, StrategyKind::kFullScan}) {
      become(kind);
      bed.Fill("k", 500, bed.now_ms() + 100);
      bed.Live(90);
      EXPECT_EQ(bed.AllKeys(), 500);
      bed.Live(2000);
      EXPECT_EQ(bed.AllKeys(), 0) << StrategyName(kind);
    }
  }
  // What one strategy left behind, another finds.
  become(StrategyKind::kSampled);
  bed.Fill("live", 30'000, bed.now_ms() + kHourMs);
  bed.Fill("needle", 1000, bed.now_ms() + 100);
  bed.Live(2000);
  EXPECT_GT(bed.AllKeys(), 30'000);
  become(StrategyKind::kHinted);
  bed.Live(2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 30'000);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
}

TEST(Engine, CountsWhatItDid) {
  Bed bed;
  bed.Fill("k", 3000, bed.now_ms() + 10);
  bed.clock.set_work_ns(10'000);
  bed.Live(2 * kTickMs);
  const ExpiryCounters counters = bed.engine.counters();
  EXPECT_EQ(counters.reclaimed, 3000);
  EXPECT_EQ(counters.visited, 3000);
  EXPECT_GT(counters.segments_swept, 0);
  EXPECT_GT(counters.slices, 0);
  EXPECT_GT(counters.cycle_cpu_ns, 0);
  EXPECT_GT(counters.max_slice_ns, 0);
  EXPECT_GT(counters.max_slice_cpu_ns, 0);
  EXPECT_LE(counters.max_slice_cpu_ns, counters.cycle_cpu_ns);
  EXPECT_EQ(counters.oldest_due_ms, 0);
  {
    Gate::Exclusive alone(bed.keyspace.gate());
    bed.engine.ResetCounters();
  }
  EXPECT_EQ(bed.engine.counters().reclaimed, 0);
  EXPECT_EQ(bed.engine.counters().cycle_cpu_ns, 0);
}

TEST(Engine, LagIsRecordedPerKey) {
  Bed bed;
  bed.Fill("k", 1000, bed.now_ms() + 10);
  bed.Live(2 * kTickMs);
  EXPECT_EQ(bed.keyspace.lag().count(), 1000);
  EXPECT_LE(bed.keyspace.lag().Percentile(0.99), kTickMs);
  EXPECT_GE(bed.keyspace.lag().Percentile(0.99), 1);
}

TEST(Engine, SaysHowOldTheOldestDueIs) {
  ExpirySettings settings;
  settings.active = false;
  Bed bed(settings);
  bed.Set("k", bed.now_ms() + 1000);
  EXPECT_EQ(bed.engine.counters().oldest_due_ms, 0);
  bed.clock.AdvanceMs(1000 + 5000);
  EXPECT_GE(bed.engine.counters().oldest_due_ms, 5000);
  EXPECT_LE(bed.engine.counters().oldest_due_ms, 5000 + kTickMs);
}

TEST(Engine, ASmallBacklogIsCounted) {
  ExpirySettings settings;
  settings.active = false;
  Bed bed(settings);
  EXPECT_EQ(bed.engine.EstimateBacklog().keys, 0);
  EXPECT_TRUE(bed.engine.EstimateBacklog().exact);
  bed.Fill("live", 3000, bed.now_ms() + kHourMs);
  bed.Fill("dead", 2000, bed.now_ms() + 10, 1);
  bed.clock.AdvanceMs(10 + 2 * kTickMs);
  const Backlog backlog = bed.engine.EstimateBacklog();
  EXPECT_EQ(backlog.keys, 2000);
  EXPECT_TRUE(backlog.exact);
  EXPECT_NEAR(static_cast<double>(backlog.bytes),
              static_cast<double>(bed.keyspace.Totals(1).entry_bytes), 2000);
}

TEST(Engine, ALargeBacklogIsEstimated) {
  ExpirySettings settings;
  settings.active = false;
  Bed bed(settings, /*shard_bits=*/6);
  for (int i = 0; i < 200'000; ++i) {
    bed.Set(fmt::format("k{}", i), bed.now_ms() + (i % 2 == 0 ? 10 : kHourMs));
  }
  bed.clock.AdvanceMs(10 + 2 * kTickMs);
  const Backlog backlog = bed.engine.EstimateBacklog();
  EXPECT_FALSE(backlog.exact);
  EXPECT_NEAR(static_cast<double>(backlog.keys), 100'000, 10'000);
}

TEST(Engine, TheBacklogIsRightUnderAStrategyWithoutHints) {
  ExpirySettings settings = WithStrategy(StrategyKind::kSampled);
  Bed bed(settings);
  bed.Fill("live", 20'000, bed.now_ms() + 300 * kHourMs);
  bed.Fill("dead", 400, bed.now_ms() + 10);
  bed.Live(3000);
  const int64_t left = bed.AllKeys() - 20'000;
  ASSERT_GT(left, 0);
  EXPECT_EQ(bed.engine.EstimateBacklog().keys, left);
  // Far hints come within reach while nobody sweeps by them.
  bed.clock.AdvanceMs(200 * kHourMs);
  EXPECT_EQ(bed.engine.EstimateBacklog().keys, left);
  // Lazily removed, too, keys are no backlog, and what is due no longer says that something is
  // late.
  for (int i = 0; i < 400; ++i) bed.Delete(fmt::format("dead{}", i));
  EXPECT_EQ(bed.engine.EstimateBacklog().keys, 0);
  EXPECT_EQ(bed.engine.counters().oldest_due_ms, 0);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
}

// Threads, a writer among them, on the real clock: for the sanitizers above all.
TEST(Engine, DriversAndWritersRunSideBySide) {
  SystemClock clock;
  Keyspace keyspace({.databases = 2, .shard_bits = 3, .hash_seed = 3}, clock);
  ExpiryEngine engine(keyspace, clock, {});
  constexpr size_t kDrivers = 2;
  constexpr int kKeys = 20'000;
  std::atomic<bool> done{false};
  std::vector<std::thread> drivers;
  for (size_t worker = 0; worker < kDrivers; ++worker) {
    drivers.emplace_back([&, worker] {
      while (!done.load()) {
        if (engine.Drive(worker, kDrivers, true) > 0) std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < kKeys; ++i) {
    if (i == kKeys / 2) engine.flush().Start({});
    Gate::Shared in(keyspace.gate());
    const std::string name = fmt::format("k{}", i % 5000);
    const Key key = keyspace.Hashed(name);
    LockedShard shard(keyspace, {0, true, clock.NowMs()}, key.place);
    shard.Store(key, shard.Find(key), {"v", clock.NowMs() + i % 20, Encoding::kEmbstr});
    if (i % 1000 == 0) {
      shard.Unlock();
      engine.EstimateBacklog();
      engine.counters();
    }
  }
  const int64_t last_ms = clock.NowMs() + 20;
  const auto busy = [&] {
    Gate::Shared in(keyspace.gate());
    return keyspace.Totals().keys > 0 || engine.flush().running();
  };
  while (busy() && clock.NowMs() < last_ms + 30'000) std::this_thread::yield();
  done = true;
  for (std::thread& driver : drivers) driver.join();
  EXPECT_EQ(keyspace.Totals().keys, 0);
  EXPECT_EQ(engine.flush().runs(), 1);
  EXPECT_EQ(AuditKeyspace(keyspace), 0);
}

}  // namespace
}  // namespace lapse
