#include "expiry/hinted.h"

#include <gtest/gtest.h>

#include "expiry/budget.h"
#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

// Whether the wall clock stands at the first moment of a tick.
bool AtTickStart(const Bed& bed, int64_t now_us) {
  const TickScale& ticks = bed.keyspace.ticks();
  return ticks.StartMs(ticks.NowTick(now_us / 1000)) * 1000 == now_us;
}

TEST(Hinted, FindsTheNeedleWithinTwoTicks) {
  Bed bed({}, /*shard_bits=*/6);
  bed.Fill("live", 150'000, bed.now_ms() + kHourMs);
  const int64_t deadline = bed.now_ms() + 1000;
  bed.Fill("needle", 5000, deadline);
  bed.clock.set_work_ns(2'000);
  bed.Live(999, 1, /*idle=*/false);
  EXPECT_EQ(bed.AllKeys(), 155'000);
  while (bed.now_ms() <= deadline + 2 * kTickMs) bed.Live(1, 1, /*idle=*/false);
  EXPECT_EQ(bed.AllKeys(), 150'000);
  // It read what it removed, and nothing that lives.
  EXPECT_EQ(bed.engine.counters().visited, 5000);
  EXPECT_LE(bed.log.latest_lag_ms(), 2 * kTickMs);
  EXPECT_LE(bed.keyspace.lag().max_ms(), 2 * kTickMs);
  EXPECT_EQ(bed.keyspace.lag().count(), 5000);
}

TEST(Hinted, SleepsUntilTheNextTickBegins) {
  Bed bed;
  bed.Set("k", bed.now_ms() + kHourMs);
  bed.clock.AdvanceUs(12'345);
  for (int i = 0; i < 20; ++i) {
    const int64_t wait_us = bed.engine.Drive(0, 1, true);
    ASSERT_GT(wait_us, 0);
    ASSERT_LE(wait_us, kTickMs * 1000);
    EXPECT_TRUE(AtTickStart(bed, bed.clock.NowUs() + wait_us));
    bed.clock.AdvanceUs(wait_us);
  }
  EXPECT_EQ(bed.engine.counters().slices, 0);
}

TEST(Hinted, ACallThatComesEarlyLearnsWhatIsLeft) {
  Bed bed;
  const int64_t wait_us = bed.engine.Drive(0, 1, true);
  bed.clock.AdvanceUs(wait_us / 2);
  EXPECT_EQ(bed.engine.Drive(0, 1, true), wait_us - wait_us / 2);
}

TEST(Hinted, AShortTtlIsNoticedAtTheTickAfterIt) {
  Bed bed;
  bed.Live(50);
  bed.Set("k", bed.now_ms() + 1);
  bed.Live(2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 0);
  EXPECT_LE(bed.log.latest_lag_ms(), kTickMs);
}

TEST(Hinted, ASliceEndsByItsBudgetAndLosesNothing) {
  Bed bed({}, /*shard_bits=*/2);
  bed.Fill("k", 60'000, bed.now_ms() + 1);
  bed.clock.AdvanceMs(kTickMs * 2);
  bed.clock.set_work_ns(20'000);
  int64_t before = 60'000;
  int64_t slices = 0;
  while (bed.AllKeys() > 0) {
    const int64_t start_ns = bed.clock.MonotonicNs();
    const int64_t wait_us = bed.engine.Drive(0, 1, true);
    EXPECT_LE(bed.clock.MonotonicNs() - start_ns, 250'000 + 6 * 20'000);
    // At most this many locks fit a slice of which each reading of the clock takes 20 us.
    EXPECT_LE(before - bed.AllKeys(),
              13 * (HintedStrategy::kReclaimedPerLock + Segment::kCapacity));
    if (wait_us < kTickMs * 1000 / 2) {
      EXPECT_LT(bed.AllKeys(), before) << "a slice with work left did none";
    }
    before = bed.AllKeys();
    bed.clock.AdvanceUs(wait_us);
    ASSERT_LT(++slices, 10'000);
  }
  EXPECT_GT(slices, 5);
  EXPECT_GT(bed.engine.counters().time_cap_reached, 5);
  EXPECT_LE(bed.engine.counters().max_slice_ns, 250'000 + 3 * 20'000);
  EXPECT_EQ(bed.log.count(), 60'000);
}

// The share that slices and waits together come to, in percent, over a backlog.
double MeasuredShare(Bed& bed, bool idle) {
  double worked_us = 0;
  double waited_us = 0;
  for (int i = 0; i < 8; ++i) {
    const int64_t start_us = bed.clock.MonotonicNs() / 1000;
    const int64_t wait_us = bed.engine.Drive(0, 1, idle);
    worked_us += static_cast<double>(bed.clock.MonotonicNs() / 1000 - start_us);
    waited_us += static_cast<double>(wait_us);
    bed.clock.AdvanceUs(wait_us);
  }
  EXPECT_GT(bed.AllKeys(), 0) << "the backlog was too small to measure";
  return 100 * worked_us / (worked_us + waited_us);
}

TEST(Hinted, KeepsToItsShareOfTheCpu) {
  for (const bool idle : {false, true}) {
    Bed bed({}, /*shard_bits=*/2);
    bed.Fill("k", 150'000, bed.now_ms() + 1);
    bed.clock.AdvanceMs(10 * kTickMs);
    bed.clock.set_work_ns(10'000);
    EXPECT_NEAR(MeasuredShare(bed, idle), idle ? 90 : 25, 3);
  }
}

TEST(Hinted, RestsWhileNothingIsLate) {
  Bed bed({}, /*shard_bits=*/2);
  bed.Fill("k", 50'000, bed.now_ms() + 1);
  // The very beginning of the tick at which they are due.
  while (bed.engine.counters().slices == 0) {
    const int64_t start_ns = bed.clock.MonotonicNs();
    bed.clock.set_work_ns(10'000);
    const int64_t wait_us = bed.engine.Drive(0, 1, false);
    bed.clock.set_work_ns(0);
    const int64_t worked_us = (bed.clock.MonotonicNs() - start_ns) / 1000;
    if (bed.engine.counters().slices > 0) {
      EXPECT_NEAR(static_cast<double>(wait_us), static_cast<double>(worked_us) * 19, 1000);
    }
    bed.clock.AdvanceUs(wait_us);
  }
}

TEST(Hinted, EveryShardHasItsTurnInALongBacklog) {
  Bed bed({}, /*shard_bits=*/3);
  bed.Fill("k", 40'000, bed.now_ms() + 1);
  bed.clock.AdvanceMs(kTickMs * 2);
  bed.clock.set_work_ns(100'000);  // two or three locks a slice
  for (int i = 0; i < 60; ++i) bed.clock.AdvanceUs(bed.engine.Drive(0, 1, true));
  Database& database = bed.keyspace.database(0);
  int64_t most = 0;
  int64_t emptied = 0;
  for (size_t i = 0; i < database.shard_count(); ++i) {
    const int64_t keys = database.shard(i).stats().keys.get();
    most = std::max(most, keys);
    emptied += keys == 0 ? 1 : 0;
  }
  EXPECT_GT(emptied, 0);
  bed.Live(60'000);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Hinted, ReachesDeadlinesBeyondTheHintsHorizon) {
  Bed bed;
  // 0xFFFE ticks are 2.3 hours: both deadlines are `far` when they are set.
  bed.Fill("a", 300, bed.now_ms() + 3 * kHourMs);
  bed.Fill("b", 300, bed.now_ms() + 200 * kHourMs);
  bed.Live(3 * kHourMs - 1000);
  EXPECT_EQ(bed.AllKeys(), 600);
  bed.Live(1000 + 2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 300);
  bed.clock.AdvanceMs(196 * kHourMs);
  bed.Live(1000);
  EXPECT_EQ(bed.AllKeys(), 300);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
  bed.clock.AdvanceMs(kHourMs);
  bed.Live(2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Hinted, AClockThatStepsBackDelaysNothingThatIsSetAfterwards) {
  Bed bed;
  bed.clock.StepWallMs(kHourMs);
  bed.Fill("ahead", 2000, kNoDeadline);  // makes segments whose base lies ahead
  bed.clock.StepWallMs(-kHourMs);
  bed.Fill("short", 2000, bed.now_ms() + 1000);
  bed.Live(1000 + 2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 2000);
  EXPECT_LE(bed.log.latest_lag_ms(), 2 * kTickMs);
}

TEST(Hinted, AClockThatStepsBackBehindTheStartCostsNothing) {
  Bed bed;
  bed.clock.StepWallMs(-24 * kHourMs);
  bed.Fill("k", 2000, bed.now_ms() + 1000);
  bed.Live(900);
  EXPECT_EQ(bed.AllKeys(), 2000);
  EXPECT_EQ(bed.engine.counters().slices, 0);
  bed.Live(100 + 2 * kTickMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

}  // namespace
}  // namespace lapse
