// MONITOR, CLIENT PAUSE.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Monitor, ShowsWhatOthersRun) {
  Db db;
  Db::Client monitor(db);
  Db::Client other(db);
  other.session().address = "10.0.0.1:1000";
  EXPECT_EQ(monitor.Run("MONITOR"), "OK");
  other.Call({"SET", "k", std::string("x\0\"\n\\\xc3", 6)});
  const std::string shown = monitor.TakePushes();
  EXPECT_THAT(shown, ContainsRegex("^\\+[0-9]+\\.[0-9]{6} \\[0 10\\.0\\.0\\.1:1000\\] \"SET\" "));
  EXPECT_THAT(shown, HasSubstr("\"k\" \"x\\x00\\\"\\n\\\\\\xc3\"\r\n"));
}

TEST(Monitor, HidesSecretsAndAdministration) {
  Db db;
  Db::Client monitor(db);
  monitor.Run("MONITOR");
  db.Run("AUTH default secret");
  db.Run("HELLO 2 AUTH default secret SETNAME me");
  db.Run("CONFIG GET port");
  db.Run("NOSUCH x");
  const std::string shown = monitor.TakePushes();
  EXPECT_THAT(shown, HasSubstr("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"));
  EXPECT_THAT(shown, HasSubstr("\"AUTH\" \"(redacted)\" \"(redacted)\" \"SETNAME\" \"me\"\r\n"));
  EXPECT_THAT(shown, Not(HasSubstr("secret")));
  EXPECT_THAT(shown, Not(HasSubstr("CONFIG")));
  EXPECT_THAT(shown, Not(HasSubstr("NOSUCH")));
}

TEST(Monitor, TransactionsInTheOrderOfRunning) {
  Db db;
  Db::Client monitor(db);
  monitor.Run("MONITOR");
  for (const char* line : {"MULTI", "SET a 1", "EXEC"}) db.Run(line);
  const std::string shown = monitor.TakePushes();
  const size_t multi = shown.find("\"MULTI\"");
  const size_t set = shown.find("\"SET\" \"a\" \"1\"");
  const size_t exec = shown.find("\"EXEC\"");
  EXPECT_LT(multi, set);
  EXPECT_LT(set, exec);
  EXPECT_NE(exec, shown.npos);
}

TEST(Monitor, WhatItMaySay) {
  Db db;
  Db::Client monitor(db);
  monitor.Run("MONITOR");
  EXPECT_EQ(monitor.Run("GET k"), "ERR Replica can't interact with the keyspace");
  EXPECT_EQ(monitor.Run("PING"), "PONG");
  EXPECT_THAT(db.Run("CLIENT LIST").text, HasSubstr(" flags=O "));
  EXPECT_EQ(monitor.Run("RESET"), "RESET");
  monitor.TakePushes();
  db.Run("SET k 1");
  EXPECT_EQ(monitor.TakePushes(), "");
  EXPECT_EQ(monitor.Run("GET k"), "1");
}

// --- CLIENT PAUSE ---

TEST(Pause, Writes) {
  Db db;
  Db::Client writer(db);
  EXPECT_EQ(db.Run("CLIENT PAUSE 1000 WRITE"), "OK");
  writer.Send("SET k 1");
  EXPECT_TRUE(writer.blocked());
  EXPECT_TRUE(db.Run("GET k").IsNull());
  EXPECT_EQ(db.Run("CLIENT UNPAUSE"), "OK");
  EXPECT_EQ(writer.TakeReplies(), "+OK\r\n");
  EXPECT_FALSE(writer.blocked());
  EXPECT_EQ(db.Run("GET k"), "1");
}

TEST(Pause, AllUntilItsTime) {
  Db db;
  Db::Client reader(db);
  db.Run("CLIENT PAUSE 1000");
  reader.Send("PING");
  EXPECT_TRUE(reader.blocked());
  db.AdvanceMs(999);
  db.DriveExpiry();
  EXPECT_EQ(reader.TakeReplies(), "");
  db.AdvanceMs(2);
  db.DriveExpiry();
  EXPECT_EQ(reader.TakeReplies(), "+PONG\r\n");
  EXPECT_EQ(db.Run("PING"), "PONG");
}

TEST(Pause, NeverMadeShorter) {
  Db db;
  Db::Client writer(db);
  db.Run("CLIENT PAUSE 1000 WRITE");
  db.Run("CLIENT PAUSE 1 WRITE");
  db.AdvanceMs(500);
  writer.Send("SET k 1");
  EXPECT_TRUE(writer.blocked());
}

TEST(Pause, TransactionsThatWrite) {
  Db db;
  Db::Client writer(db);
  writer.Run("MULTI");
  writer.Run("SET k 1");
  db.Run("CLIENT PAUSE 1000 WRITE");
  writer.Send("EXEC");
  EXPECT_TRUE(writer.blocked());
  db.Run("CLIENT UNPAUSE");
  EXPECT_EQ(writer.TakeReplies(), "*1\r\n+OK\r\n");
}

TEST(Pause, Errors) {
  Db db;
  EXPECT_EQ(db.Run("CLIENT PAUSE x"), "ERR timeout is not an integer or out of range");
  EXPECT_EQ(db.Run("CLIENT PAUSE -1"), "ERR timeout is negative");
  EXPECT_EQ(db.Run("CLIENT PAUSE 1 SOME"), "ERR CLIENT PAUSE mode must be WRITE or ALL");
  EXPECT_EQ(db.Run("CLIENT UNPAUSE"), "OK");
}

}  // namespace
}  // namespace lapse
