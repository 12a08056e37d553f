// CPU use: what /proc/stat says, and the share over a window.

#include "expiry/tasks/cpu_window.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

TEST(MachineCpu, IsReadFromTheFirstLine) {
  CpuCounters counters;
  ASSERT_TRUE(ParseMachineCpu("cpu  100 20 30 1000 50 4 6 40 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n", 100,
                              counters));
  EXPECT_EQ(counters.machine_busy_ns, 160 * kNsPerSecond / 100);
  EXPECT_EQ(counters.machine_total_ns, 1250 * kNsPerSecond / 100);
  for (const std::string_view text : {"", "cpu", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3",
                                      "cpu 1 2 x 4 5 6 7 8", "intr 1 2 3 4 5 6 7 8 9"}) {
    EXPECT_FALSE(ParseMachineCpu(text, 100, counters)) << text;
  }
}

TEST(CpuWindow, ComparesTheEndsOfTheWindow) {
  CpuWindow window;
  EXPECT_FALSE(window.Use().has_value());
  CpuCounters counters;
  // Four cores of which one is busy, half of it by this process; later all four.
  for (int second = 0; second <= 30; ++second) {
    window.Add(second * 1000, counters);
    counters.machine_total_ns += 4 * kNsPerSecond;
    counters.machine_busy_ns += (second < 15 ? 1 : 4) * kNsPerSecond;
    counters.process_ns += kNsPerSecond / 2;
    if (second == 10) {
      EXPECT_DOUBLE_EQ(window.Use()->machine_percent, 25);
    }
  }
  EXPECT_DOUBLE_EQ(window.Use()->machine_percent, 100) << "the first seconds are forgotten";
  EXPECT_DOUBLE_EQ(window.Use()->process_percent, 50);
  EXPECT_DOUBLE_EQ(window.Use()->cores, 4);
}

TEST(CpuWindow, DropsSamplesThatAreTooClose) {
  CpuWindow window;
  CpuCounters counters{.machine_busy_ns = 1, .machine_total_ns = 1};
  window.Add(1000, counters);
  window.Add(1001, counters);
  EXPECT_FALSE(window.Use().has_value());
}

TEST(CpuCountersTest, AreThereOnThisMachine) {
  const CpuCounters counters = ReadCpuCounters();
  EXPECT_GT(counters.process_ns, 0);
  EXPECT_GE(counters.machine_total_ns, counters.machine_busy_ns);
}

}  // namespace
}  // namespace lapse
