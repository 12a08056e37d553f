// Commands that look at the whole server, while other threads are at work. ThreadSanitizer is the
// judge; the assertions only see that all of it was answered.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {

constexpr int kRounds = 300;

TEST(Concurrency, WholeServerCommandsBesideOrdinaryOnes) {
  Db db;
  std::atomic<int> errors{0};
  const auto work = [&](const std::vector<std::string>& lines) {
    Db::Client client(db);
    for (int i = 0; i < kRounds; ++i) {
      for (const std::string& line : lines) {
        if (client.Run(line).IsError()) errors.fetch_add(1);
      }
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(work, std::vector<std::string>{"SET a v PX 5", "GET a", "CLIENT SETNAME x"});
  threads.emplace_back(work, std::vector<std::string>{"MSET a 1 b 2 c 3", "DEL a b", "SELECT 1",
                                                      "SET d v", "SELECT 0"});
  threads.emplace_back(
      work, std::vector<std::string>{"INFO", "CLIENT LIST", "CONFIG SET hz 20 timeout 5",
                                     "CONFIG GET *", "MEMORY STATS", "CONFIG RESETSTAT"});
  threads.emplace_back(work, std::vector<std::string>{"FLUSHALL ASYNC", "FLUSHDB SYNC", "DBSIZE"});
  std::atomic<bool> stop{false};
  std::thread driver([&] {
    while (!stop.load()) {
      db.AdvanceMs(1);
      db.instance().expiry.Drive(0, 1, true);
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop.store(true);
  driver.join();
  EXPECT_EQ(errors.load(), 0);
}

}  // namespace
}  // namespace lapse
