#include "expiry/budget.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

TEST(Budget, LagIsTheWorstThatTheOldestTickMayHide) {
  const TickScale ticks(0);
  EXPECT_EQ(LagMs(ticks, 10, 10 * kTickMs - 1), 0) << "not due yet";
  EXPECT_EQ(LagMs(ticks, 10, 10 * kTickMs), kTickMs);
  EXPECT_EQ(LagMs(ticks, 10, 10 * kTickMs + 50), kTickMs + 50);
  EXPECT_EQ(LagMs(ticks, kNeverTick, 1'000'000), 0);
}

// Shares of the thread's time that clients take.
constexpr double kIdle = 0;
constexpr double kBusy = 100;

TEST(Budget, TheShareRisesWithLagFromRestToWork) {
  const ExpirySettings settings;
  EXPECT_DOUBLE_EQ(SharePercent(settings, 0, kBusy), 5);
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs, kBusy), 5);
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs * 3 / 2, kBusy), 15);
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs * 2, kBusy), 25);
  EXPECT_DOUBLE_EQ(SharePercent(settings, 3'600'000, kBusy), 25);
  double last = 0;
  for (int64_t lag_ms = 0; lag_ms < 1000; ++lag_ms) {
    const double share = SharePercent(settings, lag_ms, kBusy);
    EXPECT_GE(share, last);
    last = share;
  }
}

TEST(Budget, AnIdleThreadWorksAtOnce) {
  const ExpirySettings settings;
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs, kIdle), 90);
  EXPECT_DOUBLE_EQ(SharePercent(settings, 3'600'000, kIdle), 90);
}

TEST(Budget, WhatFewClientsLeaveIsUsed) {
  const ExpirySettings settings;
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs, 20), 70);
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs, 80), 10);
  EXPECT_DOUBLE_EQ(SharePercent(settings, kTickMs * 2, 80), 25) << "never less than when behind";
}

TEST(Budget, NoSettingStopsTheWork) {
  ExpirySettings settings;
  settings.rest_percent = settings.behind_percent = settings.idle_percent = 0;
  EXPECT_DOUBLE_EQ(SharePercent(settings, 3'600'000, kBusy), 1);
  settings.idle_percent = 1000;
  EXPECT_DOUBLE_EQ(SharePercent(settings, 3'600'000, kIdle), 100);
  settings.rest_percent = 50;
  settings.behind_percent = 10;
  EXPECT_DOUBLE_EQ(SharePercent(settings, 3'600'000, kBusy), 50) << "never less than at rest";
}

TEST(Budget, RestMakesTheShareTrue) {
  EXPECT_EQ(RestUs(250'000, 100), 0);
  EXPECT_EQ(RestUs(250'000, 50), 250);
  EXPECT_EQ(RestUs(250'000, 5), 4750);
  EXPECT_EQ(RestUs(250'000, 90), 27);
  EXPECT_EQ(RestUs(0, 1), 0);
}

}  // namespace
}  // namespace lapse
