// Transactions of several threads: whoever reads sees all of a transaction's changes or none.

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {

constexpr int kAccounts = 12;
constexpr int kEach = 100;
constexpr int64_t kSum = kAccounts * kEach;
constexpr int kTransfers = 1500;
constexpr int kWriters = 3;

std::string Account(size_t i) { return "account:" + std::to_string(i); }

std::vector<std::string> AllAccounts(std::string command) {
  std::vector<std::string> words = {std::move(command)};
  for (size_t i = 0; i < kAccounts; ++i) words.push_back(Account(i));
  return words;
}

class Bank : public ::testing::Test {
 protected:
  Bank() {
    for (size_t i = 0; i < kAccounts; ++i) {
      db_.Call({"SET", Account(i), std::to_string(kEach)});
    }
  }

  // Moves an amount by a transaction: a plain one, one that names its database, one that walks the
  // keyspace, one that needs the world, by turns.
  static void Transfer(Db::Client& client, std::mt19937& random, int turn) {
    const std::string from = Account(random() % kAccounts);
    const std::string to = Account(random() % kAccounts);
    const std::string amount = std::to_string(random() % 50);
    client.Run("MULTI");
    if (turn % 16 == 3) client.Run("SELECT 0");
    if (turn % 16 == 7) client.Run("KEYS nothing*");
    if (turn % 64 == 9) client.Run("CLIENT LIST ID 0");
    client.Call({"DECRBY", from, amount});
    client.Call({"INCRBY", to, amount});
    ASSERT_GE(client.Run("EXEC").size(), 2u);
  }

  static int64_t SumOf(const Reply& values) {
    int64_t sum = 0;
    for (const Reply& value : values.elements) sum += std::stoll(value.text);
    return sum;
  }

  // Reads until told to stop: all accounts at once, or one by one in a transaction.
  void ReadUntil(const std::atomic<bool>& stop, bool with_mget) {
    Db::Client client(db_);
    while (!stop.load()) {
      Reply values;
      if (with_mget) {
        values = client.Call(AllAccounts("MGET"));
      } else {
        client.Run("MULTI");
        for (size_t i = 0; i < kAccounts; ++i) client.Call({"GET", Account(i)});
        values = client.Run("EXEC");
      }
      ASSERT_EQ(SumOf(values), kSum);
    }
  }

  Db db_;
};

TEST_F(Bank, ReadersAlwaysSeeTheSameSum) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  std::vector<std::thread> readers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      Db::Client client(db_);
      std::mt19937 random(static_cast<unsigned>(w));
      for (int i = 0; i < kTransfers; ++i) Transfer(client, random, i);
    });
  }
  readers.emplace_back([&] { ReadUntil(stop, true); });
  readers.emplace_back([&] { ReadUntil(stop, false); });
  for (std::thread& writer : writers) writer.join();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(SumOf(db_.Call(AllAccounts("MGET"))), kSum);
}

// WATCH, read, write what was read and one more: no increment is lost, and those that failed are
// known to have.
TEST_F(Bank, WatchedIncrementsAreNotLost) {
  constexpr int kIncrements = 400;
  db_.Run("SET counter 0");
  std::vector<std::thread> threads;
  for (int t = 0; t < kWriters; ++t) {
    threads.emplace_back([this] {
      Db::Client client(db_);
      for (int done = 0; done < kIncrements;) {
        client.Run("WATCH counter");
        const int64_t read = std::stoll(client.Run("GET counter").text);
        client.Run("MULTI");
        client.Call({"SET", "counter", std::to_string(read + 1)});
        if (!client.Run("EXEC").IsNull()) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(db_.Run("GET counter"), std::to_string(kWriters * kIncrements));
}

}  // namespace
}  // namespace lapse
