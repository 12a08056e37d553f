// FLUSHEXPIREKEYS: options, records, errors, and that it deletes what it says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The value of a field in a record, as RESP2 sends it: a flat list of names and values.
Reply Field(const Reply& record, std::string_view name) {
  for (size_t i = 0; i + 1 < record.size(); i += 2) {
    if (record[i] == name) return record[i + 1];
  }
  ADD_FAILURE() << "no field " << name << " in " << record.ToString();
  return {};
}
int64_t Number(const Reply& record, std::string_view name) { return Field(record, name).integer; }

// Keys that expire, with active expiry asleep so that they stay.
void Fill(Db& db, int live, int dead) {
  {
    Gate::Exclusive alone(db.instance().keyspace.gate());
    ExpirySettings settings;
    settings.active = false;
    db.instance().expiry.Configure(settings);
  }
  for (int i = 0; i < live; ++i) db.Run(fmt::format("SET live{} v EX 1000", i));
  for (int i = 0; i < dead; ++i) db.Run(fmt::format("SET dead{} v PX 10", i));
  db.AdvanceMs(1000);
}

TEST(FlushExpireKeys, WaitsAndRepliesWithTheRecord) {
  Db db;
  Fill(db, 300, 100);
  db.Run("SET plain v");
  EXPECT_EQ(db.Run("DBSIZE"), 401);
  const Reply record = db.Run("FLUSHEXPIREKEYS");
  EXPECT_EQ(db.Run("DBSIZE"), 301);
  std::vector<std::string> names;
  for (size_t i = 0; i < record.size(); i += 2) names.push_back(record[i].text);
  EXPECT_THAT(names,
              ElementsAre("run-id", "trigger", "requested-by", "state", "scan", "dry-run", "db",
                          "maxcpu", "started-at", "finished-at", "scanned", "reclaimed", "orphans",
                          "bytes-freed", "memory-before", "memory-after", "rss-before", "rss-after",
                          "cpu-us", "slices", "longest-slice-us", "release-us", "progress"));
  EXPECT_EQ(Number(record, "run-id"), 1);
  EXPECT_EQ(Field(record, "trigger"), "command");
  EXPECT_EQ(Field(record, "requested-by"), "default");
  EXPECT_EQ(Field(record, "state"), "succeeded");
  EXPECT_EQ(Field(record, "scan"), "exhaustive");
  EXPECT_EQ(Number(record, "dry-run"), 0);
  EXPECT_EQ(Number(record, "db"), -1);
  EXPECT_EQ(Number(record, "maxcpu"), 100);
  EXPECT_EQ(Number(record, "scanned"), 401);
  EXPECT_EQ(Number(record, "reclaimed"), 100);
  EXPECT_EQ(Number(record, "orphans"), 0);
  EXPECT_GT(Number(record, "bytes-freed"), 100 * 16);
  EXPECT_GE(Number(record, "finished-at"), Number(record, "started-at"));
  EXPECT_EQ(Field(record, "progress"), "1");
}

TEST(FlushExpireKeys, IsAMapInResp3) {
  Db db;
  db.Resp(3);
  const Reply record = db.Run("FLUSHEXPIREKEYS");
  EXPECT_EQ(record.type, ReplyType::kMap);
  EXPECT_EQ(Field(record, "progress").type, ReplyType::kDouble);
}

TEST(FlushExpireKeys, EmitsExpiredEvents) {
  Db db;
  Fill(db, 0, 2);
  db.events();
  db.Run("FLUSHEXPIREKEYS");
  EXPECT_THAT(db.events(), ::testing::UnorderedElementsAre("expired dead0", "expired dead1"));
}

TEST(FlushExpireKeys, AsyncRepliesAtTheStart) {
  Db db;
  Fill(db, 10, 100);
  const Reply record = db.Run("FLUSHEXPIREKEYS async");
  EXPECT_EQ(Field(record, "state"), "running");
  EXPECT_EQ(Number(record, "finished-at"), 0);
  EXPECT_EQ(db.Run("DBSIZE"), 110);
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS"),
            "BUSY FLUSHEXPIREKEYS run 1 is still going; see FLUSHEXPIREKEYS STATUS 1");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS ASYNC"),
            "BUSY FLUSHEXPIREKEYS run 1 is still going; see FLUSHEXPIREKEYS STATUS 1");
  EXPECT_EQ(Field(db.Run("FLUSHEXPIREKEYS STATUS 1"), "state"), "running");
  db.DriveExpiry();
  EXPECT_EQ(db.Run("DBSIZE"), 10);
  EXPECT_EQ(Field(db.Run("FLUSHEXPIREKEYS STATUS 1"), "state"), "succeeded");
}

TEST(FlushExpireKeys, Options) {
  Db db;
  Fill(db, 10, 50);
  const Reply dry = db.Run("flushexpirekeys sync db 0 maxcpu 50 scan hinted dryrun");
  EXPECT_EQ(Field(dry, "scan"), "hinted");
  EXPECT_EQ(Number(dry, "dry-run"), 1);
  EXPECT_EQ(Number(dry, "db"), 0);
  EXPECT_EQ(Number(dry, "maxcpu"), 50);
  EXPECT_EQ(Number(dry, "reclaimed"), 50);
  EXPECT_EQ(db.Run("DBSIZE"), 60);
  EXPECT_EQ(Number(db.Run("FLUSHEXPIREKEYS DB 3"), "reclaimed"), 0);
  EXPECT_EQ(Number(db.Run("FLUSHEXPIREKEYS SCAN EXHAUSTIVE DB 0"), "reclaimed"), 50);
  EXPECT_EQ(db.Run("DBSIZE"), 10);
}

TEST(FlushExpireKeys, ServesEveryDatabase) {
  Db db;
  for (const int n : {0, 5, 15}) {
    db.Run(fmt::format("SELECT {}", n));
    db.Run("SET k v PX 10");
  }
  db.AdvanceMs(11);
  EXPECT_EQ(Number(db.Run("FLUSHEXPIREKEYS"), "reclaimed"), 3);
}

TEST(FlushExpireKeys, BadOptions) {
  Db db;
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS now"),
            "ERR unknown option 'now' for 'flushexpirekeys' command");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS SYNC now"),
            "ERR unknown option 'now' for 'flushexpirekeys' command");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS SYNC ASYNC"), "ERR syntax error");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS SCAN"), "ERR syntax error");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS SCAN slowly"), "ERR syntax error");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS DB"), "ERR syntax error");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS DB 16"), "ERR DB index is out of range");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS DB -1"), "ERR DB index is out of range");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS DB x"), "ERR DB index is out of range");
  for (const char* percent : {"0", "101", "-5", "x", "1.5"}) {
    EXPECT_EQ(db.Run(fmt::format("FLUSHEXPIREKEYS MAXCPU {}", percent)),
              "ERR MAXCPU must be a percentage between 1 and 100");
  }
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS STATUS"), "ERR no FLUSHEXPIREKEYS run yet") << "none started";
}

TEST(FlushExpireKeys, StatusAndHistory) {
  Db db;
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS HISTORY").size(), 0U);
  for (int i = 0; i < 12; ++i) db.Run("FLUSHEXPIREKEYS");
  EXPECT_EQ(Number(db.Run("FLUSHEXPIREKEYS STATUS"), "run-id"), 12);
  EXPECT_EQ(Number(db.Run("FLUSHEXPIREKEYS STATUS 4"), "run-id"), 4);
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS STATUS 99"), "ERR no such run: 99");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS STATUS x"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS STATUS 1 2"), "ERR syntax error");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS HISTORY").size(), 10U);
  const Reply three = db.Run("FLUSHEXPIREKEYS HISTORY 3");
  ASSERT_EQ(three.size(), 3U);
  EXPECT_EQ(Number(three[0], "run-id"), 12);
  EXPECT_EQ(Number(three[2], "run-id"), 10);
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS HISTORY 0"), "ERR count must be a positive integer");
}

TEST(FlushExpireKeys, Cancel) {
  Db db;
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS CANCEL 9"), "ERR no such run: 9");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS CANCEL"), "ERR syntax error");
  Fill(db, 0, 50);
  db.Run("FLUSHEXPIREKEYS ASYNC");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS CANCEL 1"), "OK");
  db.DriveExpiry();
  EXPECT_EQ(Field(db.Run("FLUSHEXPIREKEYS STATUS 1"), "state"), "cancelled");
  EXPECT_EQ(db.Run("FLUSHEXPIREKEYS CANCEL 1"), "ERR run 1 has ended");
}

TEST(FlushExpireKeys, Help) {
  Db db;
  const Reply help = db.Run("FLUSHEXPIREKEYS HELP");
  ASSERT_GT(help.size(), 5U);
  EXPECT_THAT(help[0].text, HasSubstr("MAXCPU percent"));
}

TEST(FlushExpireKeys, IsKnownAsDangerousAndOutsideOfTransactions) {
  Db db;
  const Reply info = db.Run("COMMAND INFO FLUSHEXPIREKEYS");
  ASSERT_EQ(info.size(), 1U);
  EXPECT_THAT(info.ToString(), HasSubstr("no_multi"));
  EXPECT_THAT(info.ToString(), HasSubstr("admin"));
  EXPECT_THAT(info.ToString(), HasSubstr("@dangerous"));
}

}  // namespace
}  // namespace lapse
