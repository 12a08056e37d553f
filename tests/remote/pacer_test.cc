#include "remote/pacer.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;

// A server for the pacer: a call costs so much a key and the way there, and what else the server
// does takes a share of its CPU.
struct Server {
  int64_t key_ns = 1000;
  int64_t way_ns = 200'000;
  double other_load = 0;

  int64_t now_ns = 5 * kSecond;
  double cpu_ns = 0;
  int64_t keys = 0;

  void Pass(int64_t ns) {
    now_ns += ns;
    cpu_ns += other_load * static_cast<double>(ns);
  }
  void Step(ScanPacer& pacer) {
    const int64_t work = pacer.count() * key_ns;
    keys += pacer.count();
    Pass(work + way_ns);
    cpu_ns += static_cast<double>(work);
    const int64_t rest = pacer.AfterCall(now_ns, work + way_ns);
    Pass(rest);
    pacer.AfterInfo(now_ns, static_cast<int64_t>(cpu_ns / 1000));
  }
  void RunFor(ScanPacer& pacer, int64_t seconds) {
    for (const int64_t end = now_ns + seconds * kSecond; now_ns < end;) Step(pacer);
  }
};

TEST(ScanPacer, CountFollowsTheCostOfAKey) {
  ScanPacer pacer({.max_count = 100'000, .call_target_ns = 2 * kMs});
  pacer.AfterEmptyCall(200'000);
  Server server;
  server.RunFor(pacer, 1);
  EXPECT_GE(pacer.count(), 900);
  EXPECT_LE(pacer.count(), 2100);
  server.key_ns = 100'000;  // large values, freed one by one
  server.RunFor(pacer, 1);
  EXPECT_GE(pacer.count(), ScanPacer::kMinCount);
  EXPECT_LE(pacer.count(), 20);
  server.key_ns = 100;
  server.RunFor(pacer, 1);
  EXPECT_GE(pacer.count(), 9'000);
}

TEST(ScanPacer, ALongWayIsNotTakenForALoadedServer) {
  ScanPacer pacer({.max_count = 1000});
  pacer.AfterEmptyCall(80 * kMs);
  Server server = {.way_ns = 80 * kMs};
  server.RunFor(pacer, 20);
  EXPECT_EQ(pacer.count(), 1000);
}

TEST(ScanPacer, CountStaysWithinItsBound) {
  ScanPacer pacer({.max_count = 5});
  Server server;
  EXPECT_EQ(pacer.count(), 5);
  server.key_ns = kSecond / 100;
  server.RunFor(pacer, 1);
  EXPECT_EQ(pacer.count(), 5);
}

TEST(ScanPacer, KeepsTheRate) {
  for (const int64_t rate : {int64_t{7}, int64_t{1000}, int64_t{250'000}}) {
    ScanPacer pacer({.max_count = 1000, .keys_per_second = rate});
    Server server;
    server.RunFor(pacer, 20);
    EXPECT_NEAR(static_cast<double>(server.keys) / 20, static_cast<double>(rate),
                static_cast<double>(rate) * 0.05 + 1);
  }
}

TEST(ScanPacer, ARateThatWasNotUsedIsNotSavedUp) {
  ScanPacer pacer({.max_count = 1000, .keys_per_second = 1000});
  Server server;
  server.Step(pacer);
  server.Pass(60 * kSecond);
  server.keys = 0;
  server.RunFor(pacer, 10);
  EXPECT_LE(server.keys, 10'300);
}

TEST(ScanPacer, KeepsTheServerBelowItsLimit) {
  ScanPacer pacer({.max_count = 1000, .max_cpu_percent = 30});
  Server server;
  const int64_t began = server.now_ns;
  server.RunFor(pacer, 60);
  const double percent = server.cpu_ns * 100 / static_cast<double>(server.now_ns - began);
  EXPECT_LE(percent, 33);
  EXPECT_GE(percent, 20);
}

TEST(ScanPacer, LeavesRoomForOthersAndComesBack) {
  ScanPacer pacer({.max_count = 1000, .max_cpu_percent = 50});
  Server server = {.other_load = 0.45};
  server.RunFor(pacer, 60);
  EXPECT_LE(pacer.cpu_percent(), 60);
  // Busy beyond the limit without us: hardly anything, but never nothing.
  server.other_load = 0.9;
  server.RunFor(pacer, 60);
  EXPECT_LE(pacer.duty(), 0.02);
  server.keys = 0;
  server.RunFor(pacer, 10);
  EXPECT_GT(server.keys, 0);
  server.other_load = 0;
  server.RunFor(pacer, 60);
  EXPECT_GE(pacer.duty(), 0.3);
}

TEST(ScanPacer, WithoutALimitNothingWaits) {
  ScanPacer pacer({});
  Server server = {.other_load = 0.9};
  server.RunFor(pacer, 2);
  EXPECT_EQ(pacer.duty(), 1);
  EXPECT_EQ(pacer.AfterCall(server.now_ns, kMs), 0);
}

TEST(ScanPacer, ShortWindowsAndANewProcessSayNothing) {
  ScanPacer pacer({.max_cpu_percent = 50});
  pacer.AfterInfo(kSecond, 1'000'000);
  pacer.AfterInfo(kSecond + 10 * kMs, 9'000'000);
  EXPECT_EQ(pacer.cpu_percent(), 0);
  pacer.AfterInfo(2 * kSecond, 1'250'000);
  EXPECT_DOUBLE_EQ(pacer.cpu_percent(), 25);
  pacer.Forget();
  pacer.AfterInfo(3 * kSecond, 5'000);
  EXPECT_DOUBLE_EQ(pacer.cpu_percent(), 25);
}

}  // namespace
}  // namespace lapse
