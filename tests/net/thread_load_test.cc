// The share of its time that an io thread is seen to give to clients.

#include "server/net/thread_load.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

constexpr int64_t kMs = 1'000'000;

// One turn of the engine a millisecond, of which clients and the engine take these parts.
double PercentOf(ThreadLoad& load, int turns, int64_t clients_ns, int64_t engine_ns) {
  static int64_t now_ns = 0;
  static int64_t cpu_ns = 0;
  for (int i = 0; i < turns; ++i) {
    now_ns += kMs;
    cpu_ns += clients_ns;
    load.TurnBegins(now_ns, cpu_ns);
    cpu_ns += engine_ns;
    load.TurnEnds(cpu_ns);
  }
  return load.percent();
}

TEST(ThreadLoad, CountsWhatIsSpentOutsideOfTurns) {
  ThreadLoad load;
  EXPECT_DOUBLE_EQ(PercentOf(load, 5, kMs / 4, kMs / 2), 100) << "no window has passed";
  EXPECT_NEAR(PercentOf(load, 50, kMs / 4, kMs / 2), 25, 0.1);
  EXPECT_NEAR(PercentOf(load, 50, 0, kMs / 2), 0, 0.1);
  EXPECT_NEAR(PercentOf(load, 50, kMs, 0), 100, 0.1);
}

}  // namespace
}  // namespace lapse
