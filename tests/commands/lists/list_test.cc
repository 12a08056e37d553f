// Lists, but for blocking.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/commands/lists/flat.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSyntax = "ERR syntax error";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";

// The list as one text.
std::string All(Db& db, const std::string& key) {
  return Flat(db.Call({"LRANGE", key, "0", "-1"}));
}

TEST(Push, AtBothEnds) {
  Db db;
  EXPECT_EQ(db.Run("RPUSH l a b"), 2);
  EXPECT_EQ(db.Run("LPUSH l c d"), 4);
  EXPECT_EQ(All(db, "l"), "[d c a b]");
  EXPECT_EQ(db.Run("TYPE l"), "list");
  EXPECT_EQ(db.Run("LLEN l"), 4);
  EXPECT_THAT(db.events(), ElementsAre("rpush l", "lpush l"));
}

TEST(Push, NumbersAndBytesComeBackAsTheyWere) {
  Db db;
  const std::string odd("\0\r\n\xff", 4);
  db.Call({"RPUSH", "l", "1", "-4096", "007", "9223372036854775807", "", odd});
  EXPECT_EQ(db.Run("LINDEX l 0"), "1");
  EXPECT_EQ(db.Run("LINDEX l 1"), "-4096");
  EXPECT_EQ(db.Run("LINDEX l 2"), "007");
  EXPECT_EQ(db.Run("LINDEX l 3"), "9223372036854775807");
  EXPECT_EQ(db.Run("LINDEX l 4"), "");
  EXPECT_EQ(db.Run("LINDEX l -1"), odd);
}

TEST(Push, IfTheListExists) {
  Db db;
  EXPECT_EQ(db.Run("LPUSHX l a"), 0);
  EXPECT_EQ(db.Run("RPUSHX l a"), 0);
  EXPECT_EQ(db.Run("EXISTS l"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("RPUSH l a");
  EXPECT_EQ(db.Run("LPUSHX l b"), 2);
  EXPECT_EQ(db.Run("RPUSHX l c d"), 4);
  EXPECT_EQ(All(db, "l"), "[b a c d]");
}

TEST(Pop, OneOrSeveral) {
  Db db;
  db.Run("RPUSH l a b c d e");
  EXPECT_EQ(db.Run("LPOP l"), "a");
  EXPECT_EQ(db.Run("RPOP l"), "e");
  EXPECT_EQ(Flat(db.Run("RPOP l 2")), "[d c]");
  EXPECT_EQ(db.Run("LPOP l 0").size(), 0u);
  EXPECT_EQ(db.Run("LPOP l 99").size(), 1u);
  EXPECT_EQ(db.Run("EXISTS l"), 0);
  EXPECT_TRUE(db.Run("LPOP l").IsNull());
  EXPECT_EQ(db.client().CallRaw({"LPOP", "l", "2"}), "*-1\r\n");
  EXPECT_EQ(db.Run("LPOP l -1"), "ERR value is out of range, must be positive");
  EXPECT_EQ(db.Run("LPOP l 1 2"), "ERR wrong number of arguments for 'lpop' command");
}

TEST(Pop, ReportsOneEventAndTheKeysEnd) {
  Db db;
  db.Run("RPUSH l a b c");
  db.events();
  db.Run("LPOP l 2");
  db.Run("RPOP l");
  EXPECT_THAT(db.events(), ElementsAre("lpop l", "rpop l", "del l"));
}

TEST(Range, ClampsAndCountsFromTheEnd) {
  Db db;
  db.Run("RPUSH l 0 1 2 3 4");
  EXPECT_EQ(Flat(db.Run("LRANGE l 1 2")), "[1 2]");
  EXPECT_EQ(Flat(db.Run("LRANGE l -2 99")), "[3 4]");
  EXPECT_EQ(Flat(db.Run("LRANGE l -99 0")), "[0]");
  EXPECT_EQ(db.Run("LRANGE l 3 1").size(), 0u);
  EXPECT_EQ(db.Run("LRANGE l 9 12").size(), 0u);
  EXPECT_EQ(db.Run("LRANGE none 0 -1").size(), 0u);
  EXPECT_EQ(db.Run("LRANGE l a 1"), kNotInteger);
}

TEST(Range, OverManyNodes) {
  Db db;
  for (int i = 0; i < 5000; ++i) db.Call({"RPUSH", "l", "element:" + std::to_string(i)});
  EXPECT_EQ(db.Run("OBJECT ENCODING l"), "quicklist");
  EXPECT_EQ(db.Run("LINDEX l 2500"), "element:2500");
  EXPECT_EQ(db.Run("LINDEX l -1"), "element:4999");
  const Reply range = db.Run("LRANGE l 700 4200");
  ASSERT_EQ(range.size(), 3501u);
  EXPECT_EQ(range[0], "element:700");
  EXPECT_EQ(range[3500], "element:4200");
}

TEST(Index, OutsideIsNothing) {
  Db db;
  db.Run("RPUSH l a b");
  EXPECT_TRUE(db.Run("LINDEX l 2").IsNull());
  EXPECT_TRUE(db.Run("LINDEX l -3").IsNull());
  EXPECT_TRUE(db.Run("LINDEX none x").IsNull());
  EXPECT_EQ(db.Run("LINDEX l x"), kNotInteger);
}

TEST(Set, ReplacesAnElement) {
  Db db;
  EXPECT_EQ(db.Run("LSET l 0 x"), "ERR no such key");
  db.Run("RPUSH l a b c");
  EXPECT_EQ(db.Run("LSET l 1 B"), "OK");
  EXPECT_EQ(db.Run("LSET l -1 C"), "OK");
  EXPECT_EQ(db.Run("LSET l 3 x"), "ERR index out of range");
  EXPECT_EQ(db.Run("LSET l x x"), kNotInteger);
  EXPECT_EQ(All(db, "l"), "[a B C]");
  EXPECT_THAT(db.events(), ElementsAre("rpush l", "lset l", "lset l"));
}

TEST(Insert, BesideThePivot) {
  Db db;
  db.Run("RPUSH l a b a");
  EXPECT_EQ(db.Run("LINSERT l BEFORE a x"), 4);
  EXPECT_EQ(db.Run("LINSERT l after b y"), 5);
  EXPECT_EQ(db.Run("LINSERT l after zz y"), -1);
  EXPECT_EQ(db.Run("LINSERT none after a y"), 0);
  EXPECT_EQ(db.Run("LINSERT l at a y"), kSyntax);
  EXPECT_EQ(All(db, "l"), "[x a b y a]");
}

TEST(Rem, FromEitherEndOrAll) {
  Db db;
  db.Run("RPUSH l a b a c a");
  EXPECT_EQ(db.Run("LREM l 1 a"), 1);
  EXPECT_EQ(All(db, "l"), "[b a c a]");
  EXPECT_EQ(db.Run("LREM l -1 a"), 1);
  EXPECT_EQ(All(db, "l"), "[b a c]");
  db.events();
  EXPECT_EQ(db.Run("LREM l 0 zz"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("DEL l");
  db.Run("RPUSH l 5 5");
  db.events();
  EXPECT_EQ(db.Run("LREM l -9223372036854775808 5"), 2);
  EXPECT_THAT(db.events(), ElementsAre("lrem l", "del l"));
}

TEST(Trim, KeepsARange) {
  Db db;
  db.Run("RPUSH l a b c d e");
  EXPECT_EQ(db.Run("LTRIM l 1 -2"), "OK");
  EXPECT_EQ(All(db, "l"), "[b c d]");
  db.events();
  EXPECT_EQ(db.Run("LTRIM l 0 -1"), "OK");
  EXPECT_EQ(db.Run("LTRIM l 5 9"), "OK");
  EXPECT_EQ(db.Run("LTRIM l 5 9"), "OK");
  EXPECT_THAT(db.events(), ElementsAre("ltrim l", "ltrim l", "del l"));
}

TEST(Pos, RankCountAndLength) {
  Db db;
  db.Run("RPUSH l a b c a b c");
  EXPECT_EQ(db.Run("LPOS l c"), 2);
  EXPECT_EQ(db.Run("LPOS l c RANK 2"), 5);
  EXPECT_EQ(db.Run("LPOS l c RANK -1"), 5);
  EXPECT_EQ(db.Run("LPOS l c RANK -2"), 2);
  EXPECT_EQ(Flat(db.Run("LPOS l a COUNT 0")), "[0 3]");
  EXPECT_EQ(Flat(db.Run("LPOS l a COUNT 0 RANK -1")), "[3 0]");
  EXPECT_EQ(Flat(db.Run("LPOS l c COUNT 0 MAXLEN 3")), "[2]");
  EXPECT_TRUE(db.Run("LPOS l c MAXLEN 1").IsNull());
  EXPECT_EQ(db.Run("LPOS none c COUNT 1").size(), 0u);
  EXPECT_EQ(db.Run("LPOS l c COUNT -1"), "ERR COUNT can't be negative");
  EXPECT_EQ(db.Run("LPOS l c RANK"), kSyntax);
}

TEST(Move, BetweenListsAndWithinOne) {
  Db db;
  db.Run("RPUSH a 1 2 3");
  EXPECT_EQ(db.Run("LMOVE a b LEFT RIGHT"), "1");
  EXPECT_EQ(db.Run("RPOPLPUSH a b"), "3");
  EXPECT_EQ(All(db, "b"), "[3 1]");
  EXPECT_EQ(db.Run("LMOVE b b LEFT RIGHT"), "3");
  EXPECT_EQ(All(db, "b"), "[1 3]");
  EXPECT_TRUE(db.Run("LMOVE none b LEFT LEFT").IsNull());
  EXPECT_EQ(db.Run("LMOVE a b LEFT UP"), kSyntax);
}

TEST(Move, ReportsThePushFirst) {
  Db db;
  db.Run("RPUSH a 1");
  db.Run("RPUSH r 1 2");
  db.events();
  db.Run("LMOVE a b LEFT RIGHT");
  db.Run("RPOPLPUSH r r");
  EXPECT_THAT(db.events(), ElementsAre("rpush b", "lpop a", "del a", "lpush r", "rpop r"));
}

TEST(Move, LeavesTheElementWhereTheTargetIsNoList) {
  Db db;
  db.Run("RPUSH a 1");
  db.Run("SET s x");
  EXPECT_EQ(db.Run("LMOVE a s LEFT RIGHT"), kWrongType);
  EXPECT_EQ(All(db, "a"), "[1]");
}

TEST(MPop, TakesFromTheFirstThatIsThere) {
  Db db;
  db.Run("RPUSH l a b c");
  EXPECT_EQ(Flat(db.Run("LMPOP 2 none l LEFT")), "[l [a]]");
  EXPECT_EQ(Flat(db.Run("LMPOP 2 none l right COUNT 9")), "[l [c b]]");
  EXPECT_EQ(db.client().CallRaw({"LMPOP", "1", "l", "LEFT"}), "*-1\r\n");
  EXPECT_EQ(db.Run("LMPOP 0 l LEFT"), "ERR numkeys should be greater than 0");
  EXPECT_EQ(db.Run("LMPOP 1 l LEFT COUNT 0"), "ERR count should be greater than 0");
  EXPECT_EQ(db.Run("LMPOP 2 l LEFT"), kSyntax);
  EXPECT_EQ(db.Run("LMPOP 1 l LEFT COUNT 1 COUNT 1"), kSyntax);
}

TEST(Lists, OtherTypesAreRefused) {
  Db db;
  db.Run("SET s x");
  for (const char* const line :
       {"LPUSH s a", "RPUSHX s a", "LPOP s", "RPOP s 1", "LLEN s", "LRANGE s 0 1", "LINDEX s 0",
        "LSET s 0 a", "LINSERT s BEFORE a b", "LREM s 0 a", "LTRIM s 0 1", "LPOS s a",
        "LMOVE s l LEFT LEFT", "RPOPLPUSH s l", "LMPOP 1 s LEFT", "BLPOP s 0", "BRPOPLPUSH s l 0",
        "BLMPOP 0 1 s LEFT"}) {
    EXPECT_EQ(db.Run(line), kWrongType) << line;
  }
  db.Run("RPUSH l a");
  EXPECT_EQ(db.Run("GET l"), kWrongType);
  EXPECT_EQ(db.Run("APPEND l a"), kWrongType);
}

TEST(Lists, CopiesAreTheirOwn) {
  Db db;
  db.Run("RPUSH a 1 2");
  EXPECT_EQ(db.Run("COPY a b"), 1);
  db.Run("RPUSH b 3");
  EXPECT_EQ(All(db, "a"), "[1 2]");
  EXPECT_EQ(All(db, "b"), "[1 2 3]");
  EXPECT_EQ(db.Run("RENAME b c"), "OK");
  EXPECT_EQ(All(db, "c"), "[1 2 3]");
}

TEST(Lists, ExpireAsAWhole) {
  Db db;
  db.Run("RPUSH l a");
  db.Run("PEXPIRE l 100");
  db.Run("RPUSH l b");
  EXPECT_EQ(db.Run("PTTL l"), 100);
  db.AdvanceMs(101);
  EXPECT_EQ(db.Run("LLEN l"), 0);
  EXPECT_EQ(db.Run("RPUSH l c"), 1);
  EXPECT_EQ(db.Run("PTTL l"), -1);
}

}  // namespace
}  // namespace lapse
