// MULTI, EXEC, DISCARD, WATCH, UNWATCH by one or two clients in turn.

#include <gtest/gtest.h>

#include "tests/support/db.h"

namespace lapse {
namespace {

// Runs the lines and returns the last one's reply.
Reply RunAll(Db::Client& client, std::initializer_list<std::string_view> lines) {
  Reply last;
  for (const std::string_view line : lines) last = client.Run(line);
  return last;
}

TEST(Transactions, RunAsOne) {
  Db db;
  EXPECT_EQ(db.Run("MULTI"), "OK");
  EXPECT_EQ(db.Run("SET a 1"), "QUEUED");
  EXPECT_EQ(db.Run("INCR a"), "QUEUED");
  EXPECT_EQ(db.Run("MGET a b"), "QUEUED");
  Db::Client other(db);
  EXPECT_TRUE(other.Run("GET a").IsNull());
  const Reply all = db.Run("EXEC");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0], "OK");
  EXPECT_EQ(all[1], 2);
  EXPECT_EQ(all[2][0], "2");
  EXPECT_TRUE(all[2][1].IsNull());
  EXPECT_EQ(other.Run("GET a"), "2");
}

TEST(Transactions, OneAfterTheOther) {
  Db db;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(RunAll(db.client(), {"MULTI", "SET a x", "APPEND a y", "EXEC"}).size(), 2u);
    EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u);
  }
  EXPECT_EQ(db.Run("GET a"), "xy");
}

TEST(Transactions, OutOfPlace) {
  Db db;
  EXPECT_EQ(db.Run("EXEC"), "ERR EXEC without MULTI");
  EXPECT_EQ(db.Run("DISCARD"), "ERR DISCARD without MULTI");
  EXPECT_EQ(db.Run("UNWATCH"), "OK");
  db.Run("MULTI");
  EXPECT_EQ(db.Run("MULTI"), "ERR MULTI calls can not be nested");
  EXPECT_EQ(db.Run("WATCH k"), "ERR WATCH inside MULTI is not allowed");
  EXPECT_EQ(db.Run("SET a 1"), "QUEUED");
  EXPECT_EQ(db.Run("EXEC").size(), 1u) << "neither of the two spoils the transaction";
}

TEST(Transactions, DiscardForgets) {
  Db db;
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "SET a 1", "DISCARD"}), "OK");
  EXPECT_EQ(db.Run("EXISTS a"), 0);
  EXPECT_EQ(db.Run("EXEC"), "ERR EXEC without MULTI");
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u);
}

TEST(Transactions, WhatCannotBeQueuedAborts) {
  Db db;
  constexpr std::string_view kAborted =
      "EXECABORT Transaction discarded because of previous errors.";
  for (const std::string_view wrong : {"NOSUCH", "GET", "CLIENT NOSUCH", "CONFIG SET"}) {
    EXPECT_EQ(RunAll(db.client(), {"MULTI", "SET a 1", wrong, "SET b 1", "EXEC"}), kAborted)
        << wrong;
    EXPECT_EQ(db.Run("EXISTS a b"), 0);
    EXPECT_EQ(db.Run("EXEC"), "ERR EXEC without MULTI");
  }
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u) << "the next one is a new one";
}

TEST(Transactions, ExecThatIsRefusedEndsIt) {
  Db db;
  constexpr std::string_view kNoTransaction = "ERR EXEC without MULTI";
  RunAll(db.client(), {"WATCH k", "MULTI", "SET a 1"});
  EXPECT_EQ(db.Run("EXEC now"),
            "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
            "command");
  EXPECT_TRUE(db.Run("GET a").IsNull()) << "not queued, and not set";
  EXPECT_EQ(db.Run("EXEC"), kNoTransaction);
  Db::Client other(db);
  other.Run("SET k 1");
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "PING", "EXEC"}).size(), 1u) << "k is not watched";

  RunAll(db.client(), {"MULTI", "SET a 1"});
  db.client().session().authenticated = false;
  EXPECT_EQ(db.Run("EXEC"),
            "EXECABORT Transaction discarded because of: NOAUTH Authentication required.");
  db.client().session().authenticated = true;
  EXPECT_EQ(db.Run("EXEC"), kNoTransaction);

  db.Run("ACL SETUSER noexec on >pw ~* +@all -exec");
  Db::Client restricted(db);
  RunAll(restricted, {"AUTH noexec pw", "MULTI", "SET a 1"});
  EXPECT_EQ(restricted.Run("EXEC"),
            "EXECABORT Transaction discarded because of: NOPERM this user has no permissions to "
            "run the 'exec' command");
  EXPECT_TRUE(restricted.Run("GET a").IsNull());
}

TEST(Transactions, RepliesThatAreSwitchedOffInside) {
  Db db;
  RunAll(db.client(), {"MULTI", "SET a 1", "CLIENT REPLY OFF", "GET a"});
  EXPECT_EQ(db.client().CallRaw({"EXEC"}), "*3\r\n+OK\r\n");
  EXPECT_EQ(db.client().CallRaw({"PING"}), "");
  EXPECT_EQ(db.client().CallRaw({"CLIENT", "REPLY", "ON"}), "+OK\r\n");
  RunAll(db.client(), {"MULTI", "CLIENT REPLY SKIP", "GET a"});
  EXPECT_EQ(db.client().CallRaw({"EXEC"}), "*2\r\n$1\r\n1\r\n");
  EXPECT_EQ(db.client().CallRaw({"PING"}), "") << "it is the next one that is skipped";
  EXPECT_EQ(db.client().CallRaw({"PING"}), "+PONG\r\n");
}

TEST(Transactions, ErrorsOfCommandsDoNotStopIt) {
  Db db;
  db.Run("SET s abc");
  const Reply all = RunAll(db.client(), {"MULTI", "INCR s", "APPEND s d", "EXEC"});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0], "ERR value is not an integer or out of range");
  EXPECT_EQ(all[1], 4);
}

TEST(Transactions, ResetLeavesIt) {
  Db db;
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "MULTI", "SET a 1", "RESET"}), "RESET");
  EXPECT_EQ(db.Run("EXEC"), "ERR EXEC without MULTI");
  EXPECT_EQ(db.Run("SET k 1"), "OK");
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "PING", "EXEC"}).size(), 1u) << "watches nothing";
}

TEST(Transactions, OfSeveralDatabases) {
  Db db;
  const Reply all = RunAll(
      db.client(), {"MULTI", "SET a 0", "SELECT 1", "SET a 1", "SELECT 99", "GET a", "EXEC"});
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[3], "ERR DB index is out of range");
  EXPECT_EQ(all[4], "1");
  EXPECT_EQ(db.Run("GET a"), "1");
  EXPECT_EQ(RunAll(db.client(), {"SELECT 0", "GET a"}), "0");
}

TEST(Transactions, WithCommandsThatNeedTheWorld) {
  Db db;
  db.Run("MSET a 1 b 2");
  const Reply all = RunAll(db.client(), {"MULTI", "DBSIZE", "FLUSHALL", "DBSIZE", "SET c 3",
                                         "CONFIG SET timeout 0", "KEYS *", "EXEC"});
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0], 2);
  EXPECT_EQ(all[2], 0);
  EXPECT_EQ(all[5].size(), 1u);
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "KEYS *", "RENAME c d", "SCAN 0", "EXEC"}).size(), 3u);
}

TEST(Transactions, SeeTheirOwnExpiry) {
  Db db;
  db.Run("SET a 1 PX 10");
  db.AdvanceMs(11);
  db.events();
  const Reply all = RunAll(db.client(), {"MULTI", "GET a", "SET a 2 PXAT 1", "GET a", "EXEC"});
  EXPECT_TRUE(all[0].IsNull());
  EXPECT_TRUE(all[2].IsNull());
}

// --- WATCH ---

TEST(Watch, ChangeByAnother) {
  Db db;
  Db::Client other(db);
  EXPECT_EQ(db.Run("WATCH k l"), "OK");
  other.Run("SET l 1");
  EXPECT_TRUE(RunAll(db.client(), {"MULTI", "SET a 1", "EXEC"}).IsNull());
  EXPECT_EQ(db.Run("EXISTS a"), 0);
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "SET a 1", "EXEC"}).size(), 1u)
      << "EXEC has ended the watch";
}

TEST(Watch, ChangeWithinMultiByAnother) {
  Db db;
  Db::Client other(db);
  RunAll(db.client(), {"WATCH k", "MULTI", "SET a 1"});
  other.Run("SET k 1");
  EXPECT_TRUE(db.Run("EXEC").IsNull());
}

TEST(Watch, NoChange) {
  Db db;
  db.Run("SET k 1");
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "GET k", "MULTI", "SET k 2", "EXEC"}).size(), 1u);
  EXPECT_EQ(db.Run("GET k"), "2");
}

TEST(Watch, OwnChange) {
  Db db;
  EXPECT_TRUE(RunAll(db.client(), {"WATCH k", "SET k 1", "MULTI", "EXEC"}).IsNull());
}

TEST(Watch, SameNameInAnotherDatabase) {
  Db db;
  Db::Client other(db);
  db.Run("WATCH k");
  RunAll(other, {"SELECT 1", "SET k 1"});
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u);
  RunAll(db.client(), {"WATCH k", "SELECT 1", "MULTI"});
  RunAll(other, {"SELECT 0", "SET k 1"});
  EXPECT_TRUE(db.Run("EXEC").IsNull());
}

TEST(Watch, UnwatchAndDiscardEndIt) {
  Db db;
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "UNWATCH", "SET k 1", "MULTI", "EXEC"}).size(), 0u);
  RunAll(db.client(), {"WATCH k", "MULTI", "DISCARD", "SET k 1"});
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u);
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "MULTI", "UNWATCH", "EXEC"}).size(), 1u);
}

TEST(Watch, ExpiryIsAChange) {
  Db db;
  db.Run("SET k 1 PX 10");
  db.Run("WATCH k");
  db.AdvanceMs(11);
  EXPECT_TRUE(RunAll(db.client(), {"MULTI", "EXEC"}).IsNull()) << "whoever finds it out";
  db.Run("SET k 1 PX 10");
  db.Run("WATCH k");
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_TRUE(RunAll(db.client(), {"MULTI", "EXEC"}).IsNull());
}

TEST(Watch, ExpiredBefore) {
  Db db;
  db.Run("SET k 1 PX 10");
  db.AdvanceMs(11);
  db.Run("WATCH k");
  db.DriveExpiry();
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u) << "it was not there before, either";
  db.Run("WATCH k");
  db.Run("SET k 2");
  EXPECT_TRUE(RunAll(db.client(), {"MULTI", "EXEC"}).IsNull());
}

TEST(Watch, DeadlineIsAChange) {
  Db db;
  db.Run("SET k 1");
  EXPECT_TRUE(RunAll(db.client(), {"WATCH k", "EXPIRE k 100", "MULTI", "EXEC"}).IsNull());
}

TEST(Watch, Flushes) {
  Db db;
  for (const std::string_view flush : {"FLUSHALL", "FLUSHDB"}) {
    db.Run("SET k 1");
    EXPECT_TRUE(RunAll(db.client(), {"WATCH k", flush, "MULTI", "EXEC"}).IsNull()) << flush;
    EXPECT_EQ(RunAll(db.client(), {"WATCH k", flush, "MULTI", "EXEC"}).size(), 0u)
        << "nothing was there: " << flush;
  }
  RunAll(db.client(), {"SET k 1", "WATCH k", "SELECT 1", "FLUSHDB"});
  EXPECT_EQ(RunAll(db.client(), {"MULTI", "EXEC"}).size(), 0u) << "another database's";
}

TEST(Watch, SwapDb) {
  Db db;
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "SWAPDB 0 1", "MULTI", "EXEC"}).size(), 0u);
  RunAll(db.client(), {"SELECT 1", "SET k 1", "SELECT 0"});
  EXPECT_TRUE(RunAll(db.client(), {"WATCH k", "SWAPDB 0 1", "MULTI", "EXEC"}).IsNull());
  EXPECT_TRUE(RunAll(db.client(), {"WATCH k", "SWAPDB 0 1", "MULTI", "EXEC"}).IsNull());
  EXPECT_EQ(RunAll(db.client(), {"WATCH k", "SWAPDB 2 3", "MULTI", "EXEC"}).size(), 0u);
}

TEST(Watch, NobodyListensAfterTheLast) {
  Db db;
  const EffectHub& hub = db.instance().keyspace.effects();
  {
    Db::Client gone(db);
    gone.Run("WATCH a b c");
    EXPECT_TRUE(hub.listening());
  }
  db.Run("SET a 1");
  RunAll(db.client(), {"WATCH a a b", "WATCH a", "UNWATCH"});
  EXPECT_EQ(RunAll(db.client(), {"SET a 2", "MULTI", "EXEC"}).size(), 0u);
}

}  // namespace
}  // namespace lapse
