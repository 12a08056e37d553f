// Threads that push and pop at the same time: nothing is lost, nothing comes twice.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/services/services.h"
#include "tests/commands/lists/flat.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

constexpr int kPushers = 2;
constexpr int kPoppers = 3;
constexpr int kEach = 4000;  // elements of a pusher

// Answers of a client that blocks, as the io threads give them: by looking again and again.
std::string Await(Db::Client& client, const std::vector<std::string>& words,
                  const std::atomic<bool>& stop) {
  client.Send(words);
  for (;;) {
    std::string reply = client.TakeReplies();
    if (!reply.empty() || stop.load()) return reply;
    std::this_thread::yield();
  }
}

// The number that a "[key number]" reply carries.
int NumberIn(const std::string& reply) {
  const size_t end = reply.rfind("\r\n");
  const size_t begin = reply.rfind('\n', end - 1) + 1;
  return std::stoi(reply.substr(begin, end - begin));
}

class Exchange {
 public:
  explicit Exchange(std::vector<std::string> pop) : pop_(std::move(pop)) {}

  // Every element that was pushed, as often as it was popped, sorted.
  std::vector<int> Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kPushers; ++i) threads.emplace_back([this, i] { Push(i); });
    for (int i = 0; i < kPoppers; ++i) threads.emplace_back([this] { Pop(); });
    // What one round of serving leaves is the driver's.
    while (popped_.load() < kPushers * kEach) {
      Services::Of(db_.instance()).blocking().Drive(0);
      std::this_thread::yield();
    }
    stop_.store(true);
    for (std::thread& thread : threads) thread.join();
    std::sort(numbers_.begin(), numbers_.end());
    return numbers_;
  }

  Db& db() { return db_; }

 private:
  void Push(int pusher) {
    Db::Client client(db_);
    for (int i = 0; i < kEach; ++i) {
      const std::string key = i % 3 == 0 ? "a" : "b";
      client.Call({"RPUSH", key, std::to_string(pusher * kEach + i)});
    }
  }

  void Pop() {
    Db::Client client(db_);
    std::vector<int> mine;
    while (!stop_.load()) {
      const std::string reply = Await(client, pop_, stop_);
      if (reply.empty()) break;
      mine.push_back(NumberIn(reply));
      popped_.fetch_add(1);
    }
    const std::lock_guard lock(mu_);
    numbers_.insert(numbers_.end(), mine.begin(), mine.end());
  }

  Db db_;
  const std::vector<std::string> pop_;
  std::atomic<bool> stop_{false};
  std::atomic<int> popped_{0};
  std::mutex mu_;
  std::vector<int> numbers_;
};

std::vector<int> AllNumbers() {
  std::vector<int> numbers;
  for (int i = 0; i < kPushers * kEach; ++i) numbers.push_back(i);
  return numbers;
}

TEST(BlockingThreads, PopsOfSeveralKeys) {
  Exchange exchange({"BLPOP", "a", "b", "0"});
  EXPECT_EQ(exchange.Run(), AllNumbers());
  EXPECT_EQ(exchange.db().Run("DBSIZE"), 0);
}

TEST(BlockingThreads, MovesBetweenShards) {
  Exchange exchange({"BLMPOP", "0", "2", "b", "a", "RIGHT"});
  EXPECT_EQ(exchange.Run(), AllNumbers());
  EXPECT_EQ(exchange.db().Run("DBSIZE"), 0);
}

// Beside serving, waiting ends by itself, too.
TEST(BlockingThreads, TimeoutsBesidePushes) {
  Db db;
  std::atomic<bool> stop{false};
  std::atomic<int> taken{0};
  std::atomic<int> timeouts{0};
  std::vector<std::thread> poppers;
  for (int i = 0; i < kPoppers; ++i) {
    poppers.emplace_back([&] {
      Db::Client client(db);
      while (!stop.load()) {
        const std::string reply = Await(client, {"BLPOP", "l", "0.002"}, stop);
        if (reply.empty()) break;
        (reply == "*-1\r\n" ? timeouts : taken).fetch_add(1);
      }
    });
  }
  std::thread driver([&] {
    while (!stop.load()) {
      db.AdvanceMs(1);
      Services::Of(db.instance()).blocking().Drive(0);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < kEach; ++i) db.Run("LPUSH l x");
  while (taken.load() + db.Run("LLEN l").integer < kEach) std::this_thread::yield();
  stop.store(true);
  for (std::thread& popper : poppers) popper.join();
  driver.join();
  EXPECT_LE(taken.load(), kEach);
  EXPECT_EQ(taken.load() + db.Run("LLEN l").integer, kEach);
}

}  // namespace
}  // namespace lapse
