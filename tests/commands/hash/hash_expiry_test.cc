// Deadlines of fields.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<int64_t> Integers(const Reply& reply) {
  std::vector<int64_t> integers;
  for (const Reply& element : reply.elements) integers.push_back(element.integer);
  return integers;
}

// Each test of the commands runs on packed hashes and on tables.
class FieldExpiry : public testing::TestWithParam<const char*> {
 protected:
  FieldExpiry() { db.Run(std::string("CONFIG SET hash-max-listpack-entries ") + GetParam()); }
  std::vector<int64_t> Run(const std::string& line) { return Integers(db.Run(line)); }

  Db db;
};

INSTANTIATE_TEST_SUITE_P(Encodings, FieldExpiry, testing::Values("512", "0"));

TEST_P(FieldExpiry, RepliesForEachField) {
  db.Run("HSET h a 1 b 2 c 3");
  EXPECT_THAT(Run("HEXPIRE h 100 FIELDS 3 a b x"), ElementsAre(1, 1, -2));
  EXPECT_THAT(Run("HTTL h FIELDS 4 a b c x"), ElementsAre(100, 100, -1, -2));
  EXPECT_THAT(Run("HPTTL h FIELDS 1 a"), ElementsAre(100'000));
  EXPECT_THAT(Run("HPEXPIRE h 1500 FIELDS 1 a"), ElementsAre(1));
  EXPECT_THAT(Run("HTTL h FIELDS 1 a"), ElementsAre(2));
  EXPECT_THAT(Run("HPERSIST h FIELDS 3 a c x"), ElementsAre(1, -1, -2));
  EXPECT_THAT(Run("HTTL h FIELDS 1 a"), ElementsAre(-1));
  EXPECT_THAT(Run("HEXPIREAT h 9999999999 FIELDS 1 a"), ElementsAre(1));
  EXPECT_THAT(Run("HEXPIRETIME h FIELDS 1 a"), ElementsAre(9'999'999'999));
  EXPECT_THAT(Run("HPEXPIREAT h 9999999999001 FIELDS 1 a"), ElementsAre(1));
  EXPECT_THAT(Run("HEXPIRETIME h FIELDS 1 a"), ElementsAre(10'000'000'000));
  EXPECT_THAT(Run("HPEXPIRETIME h FIELDS 1 a"), ElementsAre(9'999'999'999'001));
  EXPECT_THAT(Run("HEXPIRE missing 10 FIELDS 2 a b"), ElementsAre(-2, -2));
  EXPECT_THAT(Run("HTTL missing FIELDS 1 a"), ElementsAre(-2));
  EXPECT_THAT(Run("HPERSIST missing FIELDS 1 a"), ElementsAre(-2));
}

TEST_P(FieldExpiry, Conditions) {
  db.Run("HSET h a 1 b 2");
  EXPECT_THAT(Run("HEXPIRE h 10 XX FIELDS 1 a"), ElementsAre(0));
  EXPECT_THAT(Run("HEXPIRE h 10 GT FIELDS 1 a"), ElementsAre(0));
  EXPECT_THAT(Run("HEXPIRE h 10 NX FIELDS 1 a"), ElementsAre(1));
  EXPECT_THAT(Run("HEXPIRE h 20 NX FIELDS 2 a b"), ElementsAre(0, 1));
  EXPECT_THAT(Run("HEXPIRE h 15 GT FIELDS 2 a b"), ElementsAre(1, 0));
  EXPECT_THAT(Run("HEXPIRE h 12 lt FIELDS 2 a b"), ElementsAre(1, 1));
  EXPECT_THAT(Run("HPERSIST h FIELDS 1 a"), ElementsAre(1));
  EXPECT_THAT(Run("HEXPIRE h 12 LT FIELDS 1 a"), ElementsAre(1));
}

TEST_P(FieldExpiry, ThePastDeletes) {
  db.Run("HSET h a 1 b 2 c 3");
  db.events();
  EXPECT_THAT(Run("HEXPIRE h 0 FIELDS 2 a x"), ElementsAre(2, -2));
  EXPECT_THAT(Run("HEXPIREAT h 1 FIELDS 1 b"), ElementsAre(2));
  EXPECT_EQ(db.Run("HLEN h"), 1);
  EXPECT_THAT(Run("HPEXPIREAT h 1 FIELDS 1 c"), ElementsAre(2));
  EXPECT_EQ(db.Run("EXISTS h"), 0);
  EXPECT_THAT(db.events(), ElementsAre("hdel h", "hdel h", "hdel h", "del h"));
}

TEST_P(FieldExpiry, NoCommandSeesAnExpiredField) {
  db.Run("HSET h a 1 b 2 c 3");
  db.Run("HPEXPIRE h 10 FIELDS 2 a b");
  db.AdvanceMs(10);
  EXPECT_EQ(db.Run("HLEN h"), 3);
  db.AdvanceMs(1);
  db.events();
  EXPECT_EQ(db.Run("HLEN h"), 1);
  EXPECT_THAT(db.events(), ElementsAre("hexpired h"));
  EXPECT_THAT(Texts(db.Run("HGETALL h")), ElementsAre("c", "3"));
  EXPECT_TRUE(db.Run("HGET h a").IsNull());
  EXPECT_EQ(db.Run("HSET h a 1"), 1);
  EXPECT_THAT(Run("HTTL h FIELDS 1 a"), ElementsAre(-1));
  EXPECT_EQ(db.instance().keyspace.Totals().expired_fields, 2);
}

TEST_P(FieldExpiry, TheLastFieldTakesTheKey) {
  for (const char* line : {"EXISTS h", "TYPE h", "HGET h a", "TTL h", "KEYS *", "SCAN 0"}) {
    db.Run("HSET h a 1 b 2");
    db.Run("HPEXPIRE h 10 FIELDS 2 a b");
    db.events();
    db.AdvanceMs(11);
    const Reply reply = db.Run(line);
    EXPECT_THAT(db.events(), ElementsAre("hexpired h", "del h")) << line;
    EXPECT_EQ(db.Run("DBSIZE"), 0) << line;
  }
  EXPECT_EQ(db.instance().keyspace.Totals().entry_bytes, 0);
}

TEST_P(FieldExpiry, ScanShowsWhatIsLeft) {
  db.Run("HSET h a 1 b 2");
  db.Run("HPEXPIRE h 10 FIELDS 1 a");
  db.AdvanceMs(11);
  EXPECT_THAT(Texts(db.Run("SCAN 0 COUNT 10000")[1]), ElementsAre("h"));
  EXPECT_THAT(Texts(db.Run("KEYS *")), ElementsAre("h"));
}

TEST_P(FieldExpiry, WritingDropsItAndCountingKeepsIt) {
  db.Run("HSET h a 1 b 2");
  db.Run("HEXPIRE h 100 FIELDS 2 a b");
  db.Run("HINCRBY h a 1");
  db.Run("HINCRBYFLOAT h a 1.5");
  db.Run("HSETNX h a 1");
  EXPECT_THAT(Run("HTTL h FIELDS 2 a b"), ElementsAre(100, 100));
  db.Run("HSET h a 1");
  db.Run("HMSET h b 1");
  EXPECT_THAT(Run("HTTL h FIELDS 2 a b"), ElementsAre(-1, -1));
}

TEST_P(FieldExpiry, CopiesAndMovesKeepThem) {
  db.Run("HSET h a 1 b 2");
  db.Run("HEXPIRE h 100 FIELDS 1 a");
  db.Run("COPY h copy");
  db.Run("RENAME h renamed");
  EXPECT_THAT(Run("HTTL copy FIELDS 2 a b"), ElementsAre(100, -1));
  EXPECT_THAT(Run("HTTL renamed FIELDS 2 a b"), ElementsAre(100, -1));
  db.Run("MOVE copy 1");
  db.Run("EXPIRE renamed 1000");
  db.Run("PERSIST renamed");
  db.Run("HPEXPIRE renamed 50000 FIELDS 1 b");
  db.AdvanceMs(50'001);
  EXPECT_THAT(Run("HTTL renamed FIELDS 2 a b"), ElementsAre(50, -2));
  db.AdvanceMs(50'000);
  EXPECT_EQ(db.Run("EXISTS renamed"), 0);
  db.Run("SELECT 1");
  EXPECT_THAT(Texts(db.Run("HKEYS copy")), ElementsAre("b"));
}

TEST_P(FieldExpiry, TheKeysOwnDeadlineComesFirst) {
  db.Run("HSET h a 1 b 2");
  db.Run("HPEXPIRE h 5000 FIELDS 1 a");
  db.Run("PEXPIRE h 100");
  db.events();
  db.AdvanceMs(500);
  db.DriveExpiry();
  EXPECT_THAT(db.events(), ElementsAre("expired h"));
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST_P(FieldExpiry, EveryStrategyRemovesThem) {
  for (const char* strategy : {"sampled", "fullscan", "hinted"}) {
    ASSERT_EQ(db.Run(std::string("CONFIG SET active-expire-strategy ") + strategy), "OK");
    for (int i = 0; i < 300; ++i) {
      const std::string key = "h" + std::to_string(i);
      db.Run("HSET " + key + " a 1 b 2 c 3");
      db.Run("HPEXPIRE " + key + " 1000 FIELDS 1 a");
      db.Run("HPEXPIRE " + key + " 500000 FIELDS 2 b c");
    }
    db.AdvanceMs(900);
    db.DriveExpiry();
    db.events();
    // Longer than a full scan takes for its pass.
    for (int i = 0; i < 900; ++i) {
      db.AdvanceMs(100);
      db.DriveExpiry();
    }
    EXPECT_EQ(db.events().size(), 300u) << strategy;
    EXPECT_EQ(db.Run("DBSIZE"), 300);
    for (int i = 0; i < 50; ++i) {
      db.AdvanceMs(100'000);
      for (int j = 0; j < 20; ++j) db.DriveExpiry();
    }
    EXPECT_EQ(db.Run("DBSIZE"), 0) << strategy;
    EXPECT_EQ(db.instance().keyspace.Totals().entry_bytes, 0);
  }
}

TEST_P(FieldExpiry, FlushExpireKeysRemovesThem) {
  db.Run("CONFIG SET active-expire-strategy off");
  for (int i = 0; i < 300; ++i) {
    const std::string key = "h" + std::to_string(i);
    db.Run("HSET " + key + " a 1 b 2");
    db.Run("HPEXPIRE " + key + " 1000 FIELDS " + (i % 2 == 0 ? "2 a b" : "1 a"));
  }
  db.AdvanceMs(1001);
  db.Run("FLUSHEXPIREKEYS SYNC");
  EXPECT_EQ(db.Run("DBSIZE"), 150);
  EXPECT_EQ(db.instance().keyspace.Totals().expired_fields, 450);
}

TEST_P(FieldExpiry, GetDel) {
  db.Run("HSET h a 1 b 2");
  db.events();
  EXPECT_THAT(Texts(db.Run("HGETDEL h FIELDS 3 a x b")), ElementsAre("1", "(nil)", "2"));
  EXPECT_THAT(db.events(), ElementsAre("hdel h", "del h"));
  EXPECT_TRUE(db.Run("HGETDEL h FIELDS 1 a")[0].IsNull());
}

TEST_P(FieldExpiry, GetEx) {
  db.Run("HSET h a 1 b 2");
  db.events();
  EXPECT_THAT(Texts(db.Run("HGETEX h FIELDS 2 a x")), ElementsAre("1", "(nil)"));
  EXPECT_THAT(db.events(), IsEmpty());
  EXPECT_THAT(Texts(db.Run("HGETEX h EX 10 FIELDS 2 a x")), ElementsAre("1", "(nil)"));
  EXPECT_THAT(Run("HTTL h FIELDS 2 a b"), ElementsAre(10, -1));
  db.Run("HGETEX h PERSIST FIELDS 2 a b");
  EXPECT_THAT(Run("HTTL h FIELDS 1 a"), ElementsAre(-1));
  EXPECT_THAT(Texts(db.Run("HGETEX h PXAT 5 FIELDS 2 a b")), ElementsAre("1", "2"));
  EXPECT_THAT(db.events(), ElementsAre("hexpire h", "hpersist h", "hdel h", "del h"));
}

TEST_P(FieldExpiry, SetEx) {
  EXPECT_EQ(db.Run("HSETEX h FXX FIELDS 1 a 1"), 0);
  EXPECT_EQ(db.Run("EXISTS h"), 0);
  EXPECT_EQ(db.Run("HSETEX h FNX PX 1500 FIELDS 2 a 1 b 2"), 1);
  EXPECT_THAT(db.events(), ElementsAre("hset h", "hexpire h"));
  EXPECT_EQ(db.Run("HSETEX h FNX FIELDS 2 c 1 b 2"), 0);
  EXPECT_EQ(db.Run("HEXISTS h c"), 0);
  EXPECT_EQ(db.Run("HSETEX h FXX KEEPTTL FIELDS 1 a 7"), 1);
  EXPECT_THAT(Run("HPTTL h FIELDS 2 a b"), ElementsAre(1500, 1500));
  EXPECT_EQ(db.Run("HSETEX h FIELDS 1 a 8"), 1);
  EXPECT_THAT(Run("HPTTL h FIELDS 2 a b"), ElementsAre(-1, 1500));
  db.events();
  EXPECT_EQ(db.Run("HSETEX h EXAT 1 FIELDS 2 a 1 b 2"), 1);
  EXPECT_THAT(db.events(), ElementsAre("hset h", "hdel h", "del h"));
  EXPECT_EQ(db.Run("EXISTS h"), 0);
}

TEST_P(FieldExpiry, InfoCountsHashesWithDeadlines) {
  db.Run("HSET h a 1");
  db.Run("HSET other a 1");
  db.Run("HEXPIRE h 100 FIELDS 1 a");
  EXPECT_THAT(db.Run("INFO keyspace").text,
              ::testing::HasSubstr("db0:keys=2,expires=0,avg_ttl=0,subexpiry=1"));
  db.Run("HPERSIST h FIELDS 1 a");
  EXPECT_THAT(db.Run("INFO keyspace").text, ::testing::HasSubstr("subexpiry=0"));
  db.Run("HEXPIRE h 100 FIELDS 1 a");
  db.Run("DEL h");
  EXPECT_THAT(db.Run("INFO keyspace").text, ::testing::HasSubstr("subexpiry=0"));
}

TEST(FieldExpiryErrors, Texts) {
  Db db;
  db.Run("HSET h a 1");
  db.Run("SET s v");
  constexpr std::string_view kMissing =
      "ERR Mandatory argument FIELDS is missing or not at the right position";
  constexpr std::string_view kMismatch =
      "ERR The `numfields` parameter must match the number of arguments";
  EXPECT_THAT(db.Run("HEXPIRE s x FIELDS 1 a").text, ::testing::StartsWith("WRONGTYPE"));
  EXPECT_EQ(db.Run("HEXPIRE h x FIELDS 1 a"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("HEXPIRE h -1 FIELDS 1 a"), "ERR invalid expire time, must be >= 0");
  EXPECT_EQ(db.Run("HEXPIRE h 70368744178 FIELDS 1 a"),
            "ERR invalid expire time in 'hexpire' command");
  EXPECT_EQ(db.Run("HPEXPIREAT h 70368744177664 FIELDS 1 a"),
            "ERR invalid expire time in 'hpexpireat' command");
  EXPECT_THAT(Integers(db.Run("HPEXPIREAT h 70368744177663 FIELDS 1 a")), ElementsAre(1));
  EXPECT_EQ(db.Run("HEXPIRE h 1 NX XX FIELDS 1 a"), kMissing);
  EXPECT_EQ(db.Run("HEXPIRE h 1 FIELDS 0 a"), "ERR Parameter `numFields` should be greater than 0");
  EXPECT_EQ(db.Run("HEXPIRE h 1 FIELDS 2 a"), kMismatch);
  EXPECT_EQ(db.Run("HTTL h FIELD 1 a"), kMissing);
  EXPECT_EQ(db.Run("HTTL h FIELDS 0 a"), "ERR Number of fields must be a positive integer");
  EXPECT_EQ(db.Run("HPERSIST h FIELDS 1 a b"), kMismatch);
  EXPECT_EQ(db.Run("HGETEX h EX 1 PX 2 FIELDS 1 a"), kMissing);
  EXPECT_EQ(db.Run("HSETEX h FNX FXX FIELDS 1 a 1"),
            "ERR Only one of FXX or FNX arguments can be specified");
  EXPECT_EQ(db.Run("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1"),
            "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
  EXPECT_EQ(db.Run("HSETEX h WHAT FIELDS 1 a 1"), "ERR unknown argument: WHAT");
  EXPECT_EQ(db.Run("HSETEX h FNX FIELDS 0 a 1"), "ERR invalid number of fields");
  EXPECT_EQ(db.Run("HSETEX h FNX FIELDS 2 a 1"),
            "ERR wrong number of arguments for 'hsetex' command");
}

}  // namespace
}  // namespace lapse
