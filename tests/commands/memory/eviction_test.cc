#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/eviction.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

constexpr int kKeys = 5'000;

std::string Name(int i) { return fmt::format("key:{}", i); }

void Fill(Db& db, int from, int to, bool with_ttl = false) {
  const std::string value(100, 'v');
  for (int i = from; i < to; ++i) {
    if (with_ttl) {
      db.Call({"SET", Name(i), value, "PX", fmt::format("{}", 1'000'000 + i * 1000)});
    } else {
      db.Call({"SET", Name(i), value});
    }
  }
}

int Count(Db& db, int from, int to) {
  int found = 0;
  for (int i = from; i < to; ++i) found += db.Call({"EXISTS", Name(i)}).integer == 1 ? 1 : 0;
  return found;
}

// Leaves room for about half of the keys: the limit is what the table and half of the entries take.
void Halve(Db& db, const std::string& policy) {
  const KeyspaceTotals totals = db.instance().keyspace.Totals();
  const int64_t limit = db.instance().UsedMemory() - totals.entry_bytes / 2;
  EXPECT_EQ(
      db.Call({"CONFIG", "SET", "maxmemory", fmt::format("{}", limit), "maxmemory-policy", policy}),
      "OK");
  // Eviction goes on before each command until memory is below the limit.
  for (int i = 0; i < 200; ++i) db.Run("SET other x");
  EXPECT_LE(db.instance().UsedMemory(), limit + 4096);
}

TEST(Eviction, WithoutAPolicyWritesAreRefusedAndReadsAreNot) {
  Db db;
  Fill(db, 0, 100);
  db.Run("CONFIG SET maxmemory 1");
  EXPECT_EQ(db.Run("SET a b").text, "OOM command not allowed when used memory > 'maxmemory'.");
  EXPECT_EQ(db.Run("EXISTS key:1"), 1);
  EXPECT_EQ(db.Run("DEL key:1"), 1);
  db.Run("CONFIG SET maxmemory 0");
  EXPECT_EQ(db.Run("SET a b"), "OK");
}

TEST(Eviction, LruKeepsWhatWasUsedLately) {
  Db db;
  Fill(db, 0, kKeys);
  db.AdvanceMs(100'000);
  for (int i = 0; i < kKeys / 2; ++i) db.Call({"GET", Name(i)});
  db.AdvanceMs(10'000);
  Halve(db, "allkeys-lru");
  const int used = Count(db, 0, kKeys / 2);
  const int unused = Count(db, kKeys / 2, kKeys);
  EXPECT_GT(used, 2 * unused);
  EXPECT_THAT(db.Run("INFO stats").text, ::testing::ContainsRegex("evicted_keys:[1-9]"));
}

TEST(Eviction, LfuKeepsWhatWasUsedOften) {
  Db db;
  db.Run("CONFIG SET maxmemory-policy allkeys-lfu");
  Fill(db, 0, kKeys);
  for (int round = 0; round < 30; ++round) {
    db.AdvanceMs(7);
    for (int i = 0; i < kKeys / 2; ++i) db.Call({"GET", Name(i)});
  }
  EXPECT_GT(db.Run("OBJECT FREQ key:1").integer, 5);
  EXPECT_EQ(db.Run("OBJECT FREQ key:4999").integer, 5);
  EXPECT_TRUE(db.Run("OBJECT IDLETIME key:1").IsError());
  Halve(db, "allkeys-lfu");
  EXPECT_GT(Count(db, 0, kKeys / 2), 2 * Count(db, kKeys / 2, kKeys));
}

TEST(Eviction, VolatilePoliciesSpareKeysWithoutDeadline) {
  for (const char* policy : {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}) {
    Db db;
    Fill(db, 0, kKeys / 2);
    Fill(db, kKeys / 2, kKeys, /*with_ttl=*/true);
    const KeyspaceTotals totals = db.instance().keyspace.Totals();
    const int64_t limit = db.instance().UsedMemory() - totals.entry_bytes / 4;
    db.Call({"CONFIG", "SET", "maxmemory", fmt::format("{}", limit), "maxmemory-policy", policy});
    for (int i = 0; i < 200; ++i) db.Run("SET other x");
    EXPECT_EQ(Count(db, 0, kKeys / 2), kKeys / 2) << policy;
    EXPECT_LT(Count(db, kKeys / 2, kKeys), kKeys / 2) << policy;
  }
}

TEST(Eviction, VolatileTtlTakesTheNearestDeadlines) {
  Db db;
  Fill(db, 0, kKeys, /*with_ttl=*/true);
  Halve(db, "volatile-ttl");
  EXPECT_GT(Count(db, kKeys / 2, kKeys), 3 * Count(db, 0, kKeys / 2));
}

TEST(Eviction, NothingToEvictIsOutOfMemory) {
  Db db;
  Fill(db, 0, 100);
  db.Run("CONFIG SET maxmemory-policy volatile-lru maxmemory 1");
  EXPECT_THAT(db.Run("SET a b").text, HasSubstr("OOM"));
  EXPECT_EQ(Count(db, 0, 100), 100);
}

TEST(Eviction, ReportsEachKey) {
  Db db;
  Fill(db, 0, 10);
  db.events();
  uint64_t random = 1;
  EXPECT_TRUE(EvictOne(db.instance().keyspace,
                       {.policy = EvictionPolicy::kAllRandom, .now_ms = db.clock().NowMs()},
                       random));
  const auto events = db.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0], ::testing::StartsWith("evicted key:"));
  EXPECT_EQ(db.Run("DBSIZE"), 9);
}

}  // namespace
}  // namespace lapse
