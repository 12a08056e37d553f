// TIME, SHUTDOWN, DEBUG, MEMORY and LOLWUT.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Config WithDebug() {
  Config config;
  config.enable_debug_command = "yes";
  return config;
}

TEST(Time, IsTheClocks) {
  Db db;
  EXPECT_THAT(Texts(db.Run("TIME")), ElementsAre("1700000000", "0"));
  db.AdvanceMs(1234);
  EXPECT_THAT(Texts(db.Run("TIME")), ElementsAre("1700000001", "234000"));
}

TEST(Shutdown, EndsTheServer) {
  Db db;
  int requests = 0;
  db.instance().request_shutdown = [&requests] { ++requests; };
  EXPECT_EQ(db.client().CallRaw({"SHUTDOWN"}), "");
  EXPECT_EQ(db.client().CallRaw({"SHUTDOWN", "NOSAVE", "NOW", "FORCE"}), "");
  EXPECT_EQ(requests, 2);
  EXPECT_TRUE(db.client().closed());
}

TEST(Shutdown, Errors) {
  Db db;
  EXPECT_THAT(db.Run("SHUTDOWN").text, StartsWith("ERR SHUTDOWN is for servers"));
  db.instance().request_shutdown = [] { FAIL(); };
  EXPECT_EQ(db.Run("SHUTDOWN FOO"), "ERR syntax error");
  EXPECT_EQ(db.Run("SHUTDOWN SAVE NOSAVE"), "ERR syntax error");
  EXPECT_EQ(db.Run("SHUTDOWN ABORT NOW"), "ERR syntax error");
  EXPECT_EQ(db.Run("SHUTDOWN ABORT"), "ERR No shutdown in progress.");
  EXPECT_THAT(db.Run("SHUTDOWN SAVE").text, HasSubstr("persistence is not available yet"));
}

TEST(Debug, IsGuarded) {
  Db db;
  EXPECT_THAT(db.Run("DEBUG SLEEP 0").text, StartsWith("ERR DEBUG command not allowed."));
  db.instance().config.enable_debug_command = "local";
  EXPECT_EQ(db.Run("DEBUG SLEEP 0"), "OK") << "in the process is local";
  Session& session = db.client().session();
  session.in_process = false;
  for (const char* local : {"127.0.0.1:9", "[::1]:9"}) {
    session.address = local;
    EXPECT_EQ(db.Run("DEBUG SLEEP 0"), "OK") << local;
  }
  session.address = "10.0.0.1:9";
  EXPECT_TRUE(db.Run("DEBUG SLEEP 0").IsError());
  session.in_process = true;
}

TEST(Debug, SetActiveExpire) {
  Db db(WithDebug());
  EXPECT_EQ(db.Run("DEBUG SET-ACTIVE-EXPIRE 0"), "OK");
  EXPECT_FALSE(db.instance().expiry.settings().active);
  db.Run("SET k v PX 10");
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_EQ(db.Run("DBSIZE"), 1);
  EXPECT_EQ(db.Run("DEBUG set-active-expire 1"), "OK");
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(Debug, Errors) {
  Db db(WithDebug());
  EXPECT_EQ(db.Run("DEBUG FOO"),
            "ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP.");
  EXPECT_TRUE(db.Run("DEBUG SLEEP").IsError());
  EXPECT_TRUE(db.Run("DEBUG SLEEP x").IsError());
  EXPECT_TRUE(db.Run("DEBUG SLEEP -1").IsError());
  EXPECT_GT(db.Run("DEBUG HELP").size(), 3u);
}

TEST(MemoryUsage, GrowsWithTheValue) {
  Db db;
  EXPECT_TRUE(db.Run("MEMORY USAGE k").IsNull());
  db.Run("SET k v");
  const int64_t small = db.Run("MEMORY USAGE k").integer;
  EXPECT_GT(small, 16);
  EXPECT_LT(small, 128);
  db.Call({"SET", "k", std::string(10'000, 'x')});
  EXPECT_GT(db.Run("MEMORY USAGE k SAMPLES 0").integer, 10'000);
  EXPECT_EQ(db.Run("MEMORY USAGE k SAMPLES"), "ERR syntax error");
  EXPECT_EQ(db.Run("MEMORY USAGE k SAMPLES -1"), "ERR syntax error");
  EXPECT_EQ(db.Run("MEMORY USAGE k FOO 1"), "ERR syntax error");
}

TEST(Memory, StatsAndPurge) {
  Db db;
  db.Run("SET k v");
  const auto texts = Texts(db.Run("MEMORY STATS"));
  const auto keys = std::find(texts.begin(), texts.end(), "keys.count");
  ASSERT_NE(keys, texts.end());
  EXPECT_EQ(keys[1], "1");
  EXPECT_EQ(db.Run("MEMORY PURGE"), "OK");
  EXPECT_EQ(db.Run("GET k"), "v");
}

TEST(Lolwut, DrawsAndSaysTheVersion) {
  Db db;
  const std::string text = db.Run("LOLWUT").text;
  EXPECT_THAT(text, HasSubstr("(Redis ver. 7.2.0)\n"));
  EXPECT_EQ(db.Run("LOLWUT VERSION 5").text, text);
  EXPECT_GT(db.Run("LOLWUT VERSION 5 20").text.size(), text.size());
  EXPECT_EQ(db.Run("LOLWUT VERSION x"), "ERR value is not an integer or out of range");
  db.AdvanceMs(30'000);
  EXPECT_NE(db.Run("LOLWUT").text, text) << "half of the sand has fallen";
}

}  // namespace
}  // namespace lapse
