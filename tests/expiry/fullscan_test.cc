#include "expiry/fullscan.h"

#include <gtest/gtest.h>

#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

ExpirySettings Period(int64_t ms) {
  ExpirySettings settings = WithStrategy(StrategyKind::kFullScan);
  settings.fullscan_period_ms = ms;
  return settings;
}

TEST(FullScan, ReadsEveryKeyOnceAPeriodEvenlySpread) {
  Bed bed(Period(10'000), /*shard_bits=*/6);
  bed.Fill("a", 20'000, bed.now_ms() + kHourMs);
  bed.Fill("b", 20'000, bed.now_ms() + kHourMs, 2);
  for (int tenth = 1; tenth <= 20; ++tenth) {
    bed.Live(1000);
    const auto expected = 4000.0 * tenth;
    EXPECT_NEAR(static_cast<double>(bed.engine.counters().visited), expected, 3000) << tenth;
  }
}

TEST(FullScan, LagIsBoundedByThePeriod) {
  Bed bed(Period(5'000), /*shard_bits=*/6);
  bed.Fill("live", 20'000, bed.now_ms() + kHourMs);
  for (int i = 0; i < 100; ++i) bed.Set(fmt::format("due{}", i), bed.now_ms() + 100 * i);
  bed.Live(16'000);
  EXPECT_EQ(bed.AllKeys(), 20'000);
  EXPECT_LE(bed.log.latest_lag_ms(), 5'200);
}

TEST(FullScan, AShardsOnlySegmentIsVisitedOnce) {
  Bed bed(Period(1'000), /*shard_bits=*/4);
  bed.Fill("k", 500, bed.now_ms() + kHourMs);
  bed.Live(10'000);
  EXPECT_NEAR(static_cast<double>(bed.engine.counters().visited), 5000, 600);
}

TEST(FullScan, APassThatIsLateKeepsToItsShareAndGoesOn) {
  Bed bed(Period(10), /*shard_bits=*/4);
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.clock.set_work_ns(50'000);
  const int64_t start_ns = bed.clock.MonotonicNs();
  bed.Live(1000, 1, /*idle=*/false);
  const int64_t lived_ns = bed.clock.MonotonicNs() - start_ns;
  const ExpiryCounters counters = bed.engine.counters();
  // Sixteen shards of some six segments at 50 us each: far more than 10 ms.
  EXPECT_GT(counters.time_cap_reached, 100);
  EXPECT_GT(counters.visited, 20'000);
  const double share =
      static_cast<double>(counters.slices) * 300'000.0 / static_cast<double>(lived_ns);
  EXPECT_LT(share, 0.40);
}

TEST(FullScan, DriversWalkTheirOwnShards) {
  Bed bed(Period(2'000), /*shard_bits=*/5);
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.Live(4'000, /*workers=*/3);
  EXPECT_NEAR(static_cast<double>(bed.engine.counters().visited), 40'000, 4'000);
}

}  // namespace
}  // namespace lapse
