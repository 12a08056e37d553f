// DBSIZE, FLUSHDB, FLUSHALL, SWAPDB.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

void FillDatabases(Db& db) {
  for (const int number : {0, 1, 7}) {
    db.client().session().db = number;
    for (int i = 0; i <= number; ++i) db.Run("SET k" + std::to_string(i) + " v EX 10");
  }
  db.client().session().db = 0;
}

int64_t SizeOf(Db& db, int number) {
  Db::Client other(db);
  other.session().db = number;
  return other.Run("DBSIZE").integer;
}

TEST(DbSize, CountsTheSelectedDatabase) {
  Db db;
  EXPECT_EQ(db.Run("DBSIZE"), 0);
  FillDatabases(db);
  EXPECT_EQ(SizeOf(db, 0), 1);
  EXPECT_EQ(SizeOf(db, 1), 2);
  EXPECT_EQ(SizeOf(db, 7), 8);
}

TEST(DbSize, CountsElapsedKeysThatAreStillHeld) {
  Db db;
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("DBSIZE"), 1);
  db.Run("GET k");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(FlushDb, EmptiesTheSelectedDatabase) {
  for (const char* line : {"FLUSHDB", "FLUSHDB SYNC", "FLUSHDB async"}) {
    Db db;
    FillDatabases(db);
    db.client().session().db = 1;
    EXPECT_EQ(db.Run(line), "OK") << line;
    EXPECT_EQ(SizeOf(db, 0), 1);
    EXPECT_EQ(SizeOf(db, 1), 0);
    EXPECT_EQ(SizeOf(db, 7), 8);
    EXPECT_TRUE(db.Run("GET k0").IsNull());
    EXPECT_EQ(db.Run("SET k0 v"), "OK");
    EXPECT_EQ(db.Run("DBSIZE"), 1);
  }
}

TEST(FlushAll, EmptiesEveryDatabase) {
  for (const char* line : {"FLUSHALL", "FLUSHALL sync", "FLUSHALL ASYNC"}) {
    Db db;
    FillDatabases(db);
    EXPECT_EQ(db.Run(line), "OK") << line;
    for (const int number : {0, 1, 7}) EXPECT_EQ(SizeOf(db, number), 0);
    EXPECT_EQ(db.instance().keyspace.Totals().keys, 0);
    EXPECT_EQ(db.Run("FLUSHALL"), "OK") << "again, with nothing there";
  }
}

TEST(FlushAll, OfManyKeysIsDoneWithLater) {
  Db db;
  for (int i = 0; i < 50'000; ++i) db.Run("SET k" + std::to_string(i) + " v");
  EXPECT_EQ(db.Run("FLUSHALL"), "OK");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
  for (int i = 0; i < 1000; ++i) db.Run("SET k" + std::to_string(i) + " v");
  EXPECT_EQ(db.Run("DBSIZE"), 1000);
}

TEST(FlushAll, Errors) {
  Db db;
  db.Run("SET k v");
  for (const char* line :
       {"FLUSHALL BOGUS", "FLUSHALL SYNC ASYNC", "FLUSHDB BOGUS", "FLUSHDB ASYNC SYNC"}) {
    EXPECT_EQ(db.Run(line), "ERR syntax error") << line;
  }
  EXPECT_EQ(db.Run("DBSIZE"), 1);
}

TEST(SwapDb, ExchangesTwoDatabases) {
  Db db;
  FillDatabases(db);
  EXPECT_EQ(db.Run("SWAPDB 0 7"), "OK");
  EXPECT_EQ(SizeOf(db, 0), 8);
  EXPECT_EQ(SizeOf(db, 7), 1);
  EXPECT_EQ(db.Run("SWAPDB 7 3"), "OK") << "with one that was never used";
  EXPECT_EQ(SizeOf(db, 7), 0);
  EXPECT_EQ(SizeOf(db, 3), 1);
  EXPECT_EQ(db.Run("SWAPDB 3 3"), "OK");
  EXPECT_EQ(SizeOf(db, 3), 1);
}

TEST(SwapDb, DeadlinesGoAlong) {
  Db db;
  FillDatabases(db);
  db.Run("SWAPDB 0 7");
  EXPECT_EQ(db.Run("TTL k5"), 10);
  db.AdvanceMs(11'000);
  db.DriveExpiry();
  EXPECT_EQ(SizeOf(db, 0), 0);
  EXPECT_EQ(SizeOf(db, 7), 0);
}

TEST(SwapDb, Errors) {
  Db db;
  EXPECT_EQ(db.Run("SWAPDB a 1"), "ERR invalid first DB index");
  EXPECT_EQ(db.Run("SWAPDB 0 b"), "ERR invalid second DB index");
  EXPECT_EQ(db.Run("SWAPDB a b"), "ERR invalid first DB index");
  EXPECT_EQ(db.Run("SWAPDB 0 99999999999"), "ERR invalid second DB index");
  EXPECT_EQ(db.Run("SWAPDB 0 99"), "ERR DB index is out of range");
  EXPECT_EQ(db.Run("SWAPDB -1 0"), "ERR DB index is out of range");
}

}  // namespace
}  // namespace lapse
