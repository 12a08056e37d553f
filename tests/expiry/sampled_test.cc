// The baseline is worth something only if it is Redis's algorithm, so its tests are about the
// numbers in Redis's documentation.
#include "expiry/sampled.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

ExpirySettings Effort(int64_t effort, int64_t hz = 10) {
  ExpirySettings settings = WithStrategy(StrategyKind::kSampled);
  settings.effort = effort;
  settings.hz = hz;
  return settings;
}

TEST(Sampled, LooksAtTwentyKeysTenTimesASecond) {
  Bed bed(Effort(1));
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.Live(10'000);
  // The last bucket of a loop is read to its end, as in Redis.
  const int64_t visited = bed.engine.counters().visited;
  EXPECT_GE(visited, 10 * 10 * 20 * 98 / 100);
  EXPECT_LE(visited, 10 * 10 * 27);
}

TEST(Sampled, EffortLooksAtMore) {
  Bed bed(Effort(10));
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.Live(10'000);
  EXPECT_GE(bed.engine.counters().visited, 10 * 10 * 65 * 98 / 100);
  EXPECT_LE(bed.engine.counters().visited, 10 * 10 * 72);
}

TEST(Sampled, HzMakesMoreTurns) {
  Bed bed(Effort(1, 100));
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.Live(10'000);
  EXPECT_GE(bed.engine.counters().visited, 10 * 100 * 20 * 98 / 100);
  EXPECT_LE(bed.engine.counters().visited, 10 * 100 * 27);
}

TEST(Sampled, DriversTakeTurns) {
  Bed bed(Effort(1));
  bed.Fill("k", 20'000, bed.now_ms() + kHourMs);
  bed.Live(10'000, /*workers=*/4);
  EXPECT_GE(bed.engine.counters().visited, 10 * 10 * 20 * 95 / 100);
  EXPECT_LE(bed.engine.counters().visited, 10 * 10 * 27);
}

TEST(Sampled, RepeatsWhileManyAreExpired) {
  Bed bed(Effort(1));
  bed.Fill("k", 5000, bed.now_ms() + 10);
  bed.clock.AdvanceMs(11);
  bed.Live(1);  // one turn
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Sampled, LeavesTheNeedleInTheHaystack) {
  Bed bed(Effort(1));
  bed.Fill("live", 50'000, bed.now_ms() + kHourMs);
  bed.Fill("needle", 500, bed.now_ms() + 10);
  bed.Live(5000);
  // 50 turns of about 20 keys see some 2 % of all keys.
  EXPECT_GT(bed.AllKeys(), 50'000 + 500 * 9 / 10);
}

TEST(Sampled, StopsBelowTenPercentOfExpiredKeys) {
  Bed bed(Effort(1));
  bed.Fill("live", 10'000, bed.now_ms() + kHourMs);
  bed.Fill("dead", 10'000, bed.now_ms() + 10);
  bed.Live(2000);
  // The walk has been round several times: few of the dead are left, and the turns are short again.
  EXPECT_LT(bed.AllKeys(), 10'000 + 3000);
  const int64_t visited = bed.engine.counters().visited;
  bed.Live(60'000);
  EXPECT_LT(bed.engine.counters().visited - visited, 600 * 27 * 3);
}

TEST(Sampled, ATurnEndsByItsTimeLimit) {
  Bed bed(Effort(1));
  bed.Fill("k", 20'000, bed.now_ms() + 10);
  bed.clock.AdvanceMs(11);
  bed.clock.set_work_ns(200'000);  // a reading of the clock, of which each loop makes some
  bed.Live(1000, 1, /*idle=*/true);
  const ExpiryCounters counters = bed.engine.counters();
  EXPECT_GT(counters.time_cap_reached, 5);
  EXPECT_GT(bed.AllKeys(), 0);
  // Slow turns of 25 ms ten times a second, with a fast one of 1 ms after each; both overrun by up
  // to 16 loops. What is not slept is work here.
  EXPECT_GT(counters.slices, 10);
  EXPECT_LE(counters.max_slice_ns, 250'000 + 4 * 200'000);
  bed.clock.set_work_ns(0);
  bed.Live(10'000);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Sampled, FastTurnsComeBetweenABusyThreadsWorkOnly) {
  int64_t slices[2];
  for (const bool idle : {false, true}) {
    Bed bed(Effort(1));
    bed.Fill("live", 2'000, bed.now_ms() + kHourMs);
    bed.Fill("dead", 100'000, bed.now_ms() + 10);
    bed.clock.AdvanceMs(11);
    bed.clock.set_work_ns(100'000);
    bed.Live(300, 1, idle);
    slices[idle ? 1 : 0] = bed.engine.counters().slices;
  }
  EXPECT_GT(slices[0], slices[1] * 3 / 2);
}

TEST(Sampled, StalePercentRunsAfterWhatSamplesFind) {
  Bed bed(Effort(1));
  bed.Fill("dead", 1000, bed.now_ms() + 10);
  bed.clock.AdvanceMs(11);
  bed.Live(1);
  EXPECT_NEAR(bed.engine.counters().stale_percent, 5, 1e-9) << "5 % of a turn that found 100 %";
  bed.Fill("live", 1000, bed.now_ms() + kHourMs);
  double last = bed.engine.counters().stale_percent;
  for (int i = 0; i < 10; ++i) {
    bed.Live(100);
    EXPECT_LT(bed.engine.counters().stale_percent, last);
    last = bed.engine.counters().stale_percent;
  }
  EXPECT_NEAR(last, 5 * std::pow(0.95, 10), 0.4);
}

TEST(Sampled, GoesRoundAllKeys) {
  Bed bed(Effort(1), /*shard_bits=*/4);
  bed.Fill("plain", 1000, kNoDeadline);
  bed.Fill("k", 1000, bed.now_ms() + kHourMs);
  bed.Set("needle", bed.now_ms() + 10);
  // 20 of 1001 keys a turn: once round takes about 51 turns.
  bed.Live(7000);
  EXPECT_EQ(bed.AllKeys(), 2000);
}

TEST(Sampled, PassesOverShardsWithoutVolatileKeys) {
  Bed bed(Effort(1), /*shard_bits=*/8);
  bed.Set("needle", bed.now_ms() + 10);
  bed.Fill("plain", 2000, kNoDeadline);
  bed.Live(500);
  EXPECT_EQ(bed.AllKeys(), 2000);
}

}  // namespace
}  // namespace lapse
