// The alarm: its average, its silence, and that it clears.

#include "expiry/tasks/memory_alarm.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

constexpr int64_t kSecond = 1000;

// Seconds until the alarm, when memory is at `percent` from now on; -1: none within an hour.
int64_t SecondsToAlarm(MemoryAlarm& alarm, int64_t& now_ms, double percent) {
  for (int64_t second = 1; second <= 3600; ++second) {
    now_ms += kSecond;
    if (alarm.Add(now_ms, percent)) return second;
  }
  return -1;
}

TEST(MemoryAlarm, AlarmsWhenTheAverageReachesTheThreshold) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 60'000});
  int64_t now_ms = 1'000'000;
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 80), -1);
  EXPECT_DOUBLE_EQ(alarm.Average(now_ms).value(), 80);
  // From 80 to 100: half a window of the higher value brings the average to 90.
  EXPECT_NEAR(static_cast<double>(SecondsToAlarm(alarm, now_ms, 100)), 30, 2);
}

TEST(MemoryAlarm, KnowsNothingBeforeItsWindowIsFull) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 60'000});
  int64_t now_ms = 1'000'000;
  EXPECT_FALSE(alarm.Average(now_ms).has_value());
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 99), 61) << "the first sample opens the window";
}

TEST(MemoryAlarm, BeginsAnewAfterAGap) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 60'000});
  int64_t now_ms = 1'000'000;
  for (int i = 0; i < 50; ++i) alarm.Add(now_ms += kSecond, 99);
  now_ms += 3'600'000;
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 99), 61);
}

TEST(MemoryAlarm, WithoutSilenceItAlarmsOncePerRise) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 10'000});
  int64_t now_ms = 1'000'000;
  EXPECT_GT(SecondsToAlarm(alarm, now_ms, 91), 0);
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 91), -1);
  // It must fall well below the threshold first.
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 87), -1);
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 91), -1);
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 80), -1);
  EXPECT_GT(SecondsToAlarm(alarm, now_ms, 91), 0);
}

TEST(MemoryAlarm, RepeatsAfterItsSilence) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 10'000, .silence_ms = 600'000});
  int64_t now_ms = 1'000'000;
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 95), 11);
  EXPECT_EQ(SecondsToAlarm(alarm, now_ms, 95), 600);
  EXPECT_EQ(alarm.alarmed_ms(), now_ms);
}

TEST(MemoryAlarm, IsBoundedForLongWindows) {
  MemoryAlarm alarm({.percent = 90, .window_ms = 3'600'000});
  int64_t now_ms = 1'000'000;
  for (int i = 0; i < 20'000; ++i) alarm.Add(now_ms += kSecond, i % 2 == 0 ? 50 : 50);
  EXPECT_NEAR(alarm.Average(now_ms).value(), 50, 0.01);
}

}  // namespace
}  // namespace lapse
