// EXPIRE, TTL, PERSIST and their relatives, and what a key does at its deadline.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";

std::string InMs(Db& db, int64_t ms) { return std::to_string(db.clock().NowMs() + ms); }

TEST(Expire, SetsADeadlineInEachForm) {
  Db db;
  db.Run("SET k v");
  const int64_t now_s = db.clock().NowMs() / 1000;
  EXPECT_EQ(db.Run("EXPIRE k 10"), 1);
  EXPECT_EQ(db.Run("PTTL k"), 10'000);
  EXPECT_EQ(db.Run("PEXPIRE k 10"), 1);
  EXPECT_EQ(db.Run("PTTL k"), 10);
  EXPECT_EQ(db.Call({"EXPIREAT", "k", std::to_string(now_s + 3)}), 1);
  EXPECT_EQ(db.Run("EXPIRETIME k"), now_s + 3);
  EXPECT_EQ(db.Call({"PEXPIREAT", "k", InMs(db, 77)}), 1);
  EXPECT_EQ(db.Run("PTTL k"), 77);
  EXPECT_EQ(db.Run("GET k"), "v");
}

TEST(Expire, MissingKey) {
  Db db;
  for (const char* line : {"EXPIRE k 10", "PEXPIRE k 10", "EXPIREAT k 9999999999",
                           "PEXPIREAT k 9999999999999", "PERSIST k", "EXPIRE k -1"}) {
    EXPECT_EQ(db.Run(line), 0) << line;
  }
  for (const char* line : {"TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"}) {
    EXPECT_EQ(db.Run(line), -2) << line;
  }
  EXPECT_THAT(db.events(), IsEmpty());
}

TEST(Expire, KeyIsGoneAMillisecondAfterItsDeadline) {
  Db db;
  db.Run("SET k v PX 100");
  db.AdvanceMs(100);
  EXPECT_EQ(db.Run("EXISTS k"), 1);
  EXPECT_EQ(db.Run("PTTL k"), 0);
  db.AdvanceMs(1);
  EXPECT_EQ(db.Run("PTTL k"), -2);
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "expired k"));
}

TEST(Expire, EveryReadOfAnElapsedKeyDeletesItAndSaysSo) {
  for (const char* line : {"GET k",
                           "EXISTS k",
                           "TYPE k",
                           "TTL k",
                           "PTTL k",
                           "EXPIRETIME k",
                           "STRLEN k",
                           "MGET k",
                           "GETRANGE k 0 1",
                           "TOUCH k",
                           "OBJECT ENCODING k",
                           "OBJECT IDLETIME k",
                           "GETDEL k",
                           "GETEX k",
                           "LCS k k",
                           "DEL k",
                           "UNLINK k",
                           "PERSIST k",
                           "EXPIRE k 10",
                           "RENAME k x",
                           "COPY k x",
                           "MOVE k 1"}) {
    Db db;
    db.Run("SET k v PX 1");
    db.AdvanceMs(2);
    db.events();
    db.Run(line);
    EXPECT_THAT(db.events(), ElementsAre("expired k")) << line;
    EXPECT_EQ(db.Run("DBSIZE"), 0) << line;
  }
}

TEST(Expire, KeysHidesAnElapsedKeyWithoutDeletingIt) {
  Db db;
  db.Run("SET k v PX 1");
  db.Run("SET live v");
  db.AdvanceMs(2);
  db.events();
  EXPECT_THAT(Texts(db.Run("KEYS *")), ElementsAre("live"));
  EXPECT_EQ(db.Run("DBSIZE"), 2);
  EXPECT_THAT(db.events(), IsEmpty());
}

TEST(Expire, DoesNotReviveAnElapsedKey) {
  Db db;
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("EXPIRE k 100"), 0);
  EXPECT_EQ(db.Run("PERSIST k"), 0);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Expire, WritesOverAnElapsedKeyStartAfresh) {
  Db db;
  const auto elapse = [&](const char* key) {
    db.Call({"SET", key, "100", "PX", "1"});
    db.AdvanceMs(2);
  };
  elapse("n");
  EXPECT_EQ(db.Run("INCR n"), 1);
  EXPECT_EQ(db.Run("TTL n"), -1);
  elapse("a");
  EXPECT_EQ(db.Run("APPEND a x"), 1);
  EXPECT_EQ(db.Run("TTL a"), -1);
  elapse("r");
  EXPECT_EQ(db.Run("SETRANGE r 1 x"), 2);
  elapse("f");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 1.5"), "1.5");
  elapse("g");
  EXPECT_TRUE(db.Run("GETSET g x").IsNull());
}

TEST(Expire, WritesInPlaceKeepTheDeadline) {
  Db db;
  for (const char* line : {"INCR k", "DECRBY k 2", "INCRBYFLOAT k 1", "APPEND k 7",
                           "SETRANGE k 0 5", "SETRANGE k 5000 5"}) {
    db.Run("SET k 10 PX 5000");
    ASSERT_FALSE(db.Run(line).IsError()) << line;
    EXPECT_EQ(db.Run("PTTL k"), 5000) << line;
  }
}

TEST(Expire, PastDeadlineDeletesAndIsNoExpiry) {
  for (const char* line :
       {"EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "PEXPIRE k -1000", "EXPIREAT k 1",
        "PEXPIREAT k 0", "PEXPIREAT k -9223372036854775808", "EXPIRE k -9223372036854775"}) {
    Db db;
    db.Run("SET k v");
    db.events();
    EXPECT_EQ(db.Run(line), 1) << line;
    EXPECT_EQ(db.Run("EXISTS k"), 0) << line;
    EXPECT_THAT(db.events(), ElementsAre("del k")) << line;
    EXPECT_EQ(db.instance().keyspace.Totals().expired(), 0) << line;
  }
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Call({"PEXPIREAT", "k", InMs(db, 0)}), 1) << "now counts as past";
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Expire, Nx) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("EXPIRE k 10 NX"), 1);
  EXPECT_EQ(db.Run("EXPIRE k 20 nx"), 0);
  EXPECT_EQ(db.Run("TTL k"), 10);
  EXPECT_EQ(db.Run("EXPIRE k -1 NX"), 0);
  EXPECT_EQ(db.Run("EXISTS k"), 1);
}

TEST(Expire, Xx) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("EXPIRE k 10 XX"), 0);
  EXPECT_EQ(db.Run("TTL k"), -1);
  db.Run("EXPIRE k 10");
  EXPECT_EQ(db.Run("EXPIRE k 20 XX"), 1);
  EXPECT_EQ(db.Run("TTL k"), 20);
}

TEST(Expire, Gt) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("EXPIRE k 10 GT"), 0) << "no deadline is later than any";
  db.Run("EXPIRE k 10");
  EXPECT_EQ(db.Run("EXPIRE k 5 GT"), 0);
  EXPECT_EQ(db.Run("EXPIRE k 10 GT"), 0);
  EXPECT_EQ(db.Run("EXPIRE k 11 GT"), 1);
  EXPECT_EQ(db.Run("EXPIRE k 12 XX GT"), 1);
  EXPECT_EQ(db.Run("TTL k"), 12);
}

TEST(Expire, Lt) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("EXPIRE k 10 XX LT"), 0);
  EXPECT_EQ(db.Run("EXPIRE k 10 LT"), 1) << "any deadline is earlier than none";
  EXPECT_EQ(db.Run("EXPIRE k 20 LT"), 0);
  EXPECT_EQ(db.Run("EXPIRE k 10 LT"), 0);
  EXPECT_EQ(db.Run("EXPIRE k 9 LT"), 1);
  EXPECT_EQ(db.Run("EXPIRE k 8 LT XX"), 1);
  EXPECT_EQ(db.Run("TTL k"), 8);
  EXPECT_EQ(db.Run("EXPIRE k -1 LT"), 1);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Expire, ErrorsInTheirOrder) {
  Db db;
  EXPECT_EQ(db.Run("EXPIRE missing abc foo"), "ERR Unsupported option foo");
  EXPECT_EQ(db.Run("EXPIRE missing abc NX GT foo"), "ERR Unsupported option foo");
  constexpr std::string_view kNx =
      "ERR NX and XX, GT or LT options at the same time are not compatible";
  EXPECT_EQ(db.Run("EXPIRE missing abc NX XX"), kNx);
  EXPECT_EQ(db.Run("EXPIRE missing 1 GT NX"), kNx);
  EXPECT_EQ(db.Run("EXPIRE missing 1 NX LT GT"), kNx);
  EXPECT_EQ(db.Run("EXPIRE missing abc LT GT"),
            "ERR GT and LT options at the same time are not compatible");
  EXPECT_EQ(db.Run("EXPIRE missing abc"), kNotInteger);
  EXPECT_EQ(db.Run("EXPIRE missing 1.5"), kNotInteger);
  EXPECT_EQ(db.Run("EXPIRE missing 9223372036854775808"), kNotInteger);
  EXPECT_EQ(db.Run("EXPIRE missing"), "ERR wrong number of arguments for 'expire' command");
}

TEST(Expire, OverflowIsAnErrorEvenForAMissingKey) {
  Db db;
  const auto invalid = [](const std::string& command) {
    return "ERR invalid expire time in '" + command + "' command";
  };
  EXPECT_EQ(db.Run("EXPIRE missing 9223372036854775807"), invalid("expire"));
  EXPECT_EQ(db.Run("EXPIRE missing 9223372036854775"), invalid("expire"));
  EXPECT_EQ(db.Run("EXPIRE missing -9223372036854775808"), invalid("expire"));
  EXPECT_EQ(db.Run("PEXPIRE missing 9223372036854775807"), invalid("pexpire"));
  EXPECT_EQ(db.Run("EXPIREAT missing 9223372036854775807"), invalid("expireat"));
  EXPECT_EQ(db.Run("EXPIREAT missing -9223372036854776"), invalid("expireat"));
  EXPECT_EQ(db.Run("PEXPIREAT missing 9223372036854775807"), 0) << "just fits";
  EXPECT_EQ(db.Run("PEXPIRE missing -9223372036854775808"), 0);
}

TEST(Expire, DeadlinesAsFarAsTheyGo) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("PEXPIREAT k 9223372036854775807"), 1);
  EXPECT_EQ(db.Run("PEXPIRETIME k"), 9223372036854775806);
  EXPECT_EQ(db.Run("EXPIRETIME k"), 9223372036854776);
  const int64_t left = 9223372036854775806 - db.clock().NowMs();
  EXPECT_EQ(db.Run("PTTL k"), left);
  EXPECT_EQ(db.Run("TTL k"), left / 1000 + (left % 1000 >= 500 ? 1 : 0));
  EXPECT_EQ(db.Run("EXPIRE k 100"), 1);
  EXPECT_EQ(db.Run("TTL k"), 100);
}

TEST(Expire, Events) {
  Db db;
  db.Run("SET k v");
  db.Run("EXPIRE k 10");
  db.Run("EXPIRE k 5 GT");
  db.Run("PERSIST k");
  db.Run("PERSIST k");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "persist k"));
}

TEST(Ttl, RoundsToTheNearestSecond) {
  Db db;
  db.Run("SET k v PX 1499");
  EXPECT_EQ(db.Run("TTL k"), 1);
  db.Run("SET k v PX 1500");
  EXPECT_EQ(db.Run("TTL k"), 2);
  db.Run("SET k v PX 499");
  EXPECT_EQ(db.Run("TTL k"), 0);
  db.Run("SET k v PXAT 9999999999499");
  EXPECT_EQ(db.Run("EXPIRETIME k"), 9999999999);
  db.Run("SET k v PXAT 9999999999500");
  EXPECT_EQ(db.Run("EXPIRETIME k"), 10000000000);
  EXPECT_EQ(db.Run("PEXPIRETIME k"), 9999999999500);
}

TEST(Ttl, KeyWithoutDeadline) {
  Db db;
  db.Run("SET k v");
  for (const char* line : {"TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"}) {
    EXPECT_EQ(db.Run(line), -1) << line;
  }
}

TEST(Persist, DropsTheDeadline) {
  Db db;
  db.Run("SET k v EX 10");
  EXPECT_EQ(db.Run("PERSIST k"), 1);
  EXPECT_EQ(db.Run("PERSIST k"), 0);
  EXPECT_EQ(db.Run("TTL k"), -1);
  db.AdvanceMs(60'000);
  EXPECT_EQ(db.Run("GET k"), "v");
}

TEST(Expire, DeadlinesComeAndGoWithValuesOfEverySize) {
  Db db;
  for (size_t size = 0; size < 130; ++size) {
    const std::string value(size, 'x');
    ASSERT_EQ(db.Call({"SET", "k", value}), "OK");
    ASSERT_EQ(db.Run("EXPIRE k 10"), 1);
    ASSERT_EQ(db.Run("GET k"), value);
    ASSERT_EQ(db.Run("TTL k"), 10);
    ASSERT_EQ(db.Run("PERSIST k"), 1);
    ASSERT_EQ(db.Run("GET k"), value);
    ASSERT_EQ(db.Run("EXPIRE k 20"), 1);
    ASSERT_EQ(db.Run("TTL k"), 20);
  }
}

TEST(Expire, AClockThatStepsBackMakesNothingDue) {
  Db db;
  db.Run("SET k v EX 10");
  db.AdvanceMs(-3'600'000);
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("TTL k"), 3610);
  db.AdvanceMs(3'600'000 + 10'001);
  EXPECT_TRUE(db.Run("GET k").IsNull());
}

TEST(Expire, ManyKeysInOneMillisecond) {
  Db db;
  for (int i = 0; i < 3000; ++i) db.Run("SET k" + std::to_string(i) + " v PX 50");
  db.Run("SET stays v");
  db.AdvanceMs(50);
  EXPECT_EQ(db.Run("KEYS *").size(), 3001u);
  db.AdvanceMs(1);
  EXPECT_THAT(Texts(db.Run("KEYS *")), ElementsAre("stays"));
  EXPECT_EQ(db.Run("DBSIZE"), 3001);
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_EQ(db.Run("DBSIZE"), 1);
  EXPECT_EQ(db.instance().keyspace.Totals().expired(), 3000);
}

}  // namespace
}  // namespace lapse
