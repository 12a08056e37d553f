// Ranges of sorted sets, and what is computed from several.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSyntax = "ERR syntax error";

class Ranges : public testing::Test {
 protected:
  Ranges() { db_.Run("ZADD z 1 a 2 b 2 bb 3 c 4 d"); }
  std::vector<std::string> Run(std::string_view line) { return Texts(db_.Run(line)); }
  Db db_;
};

TEST_F(Ranges, ByRank) {
  EXPECT_THAT(Run("ZRANGE z 0 -1"), ElementsAre("a", "b", "bb", "c", "d"));
  EXPECT_THAT(Run("ZRANGE z -2 100"), ElementsAre("c", "d"));
  EXPECT_THAT(Run("ZRANGE z 3 1"), IsEmpty());
  EXPECT_THAT(Run("ZRANGE z 5 9"), IsEmpty());
  EXPECT_THAT(Run("ZRANGE z 0 1 REV WITHSCORES"), ElementsAre("d", "4", "c", "3"));
  EXPECT_THAT(Run("ZREVRANGE z -2 -1"), ElementsAre("b", "a"));
  EXPECT_THAT(Run("ZRANGE none 0 -1"), IsEmpty());
  EXPECT_EQ(db_.Run("ZRANGE z a 1"), "ERR value is not an integer or out of range");
}

TEST_F(Ranges, ByScore) {
  EXPECT_THAT(Run("ZRANGE z 2 3 BYSCORE"), ElementsAre("b", "bb", "c"));
  EXPECT_THAT(Run("ZRANGE z 3 (2 BYSCORE REV"), ElementsAre("c"));
  EXPECT_THAT(Run("ZRANGEBYSCORE z -inf (2 WITHSCORES"), ElementsAre("a", "1"));
  EXPECT_THAT(Run("ZREVRANGEBYSCORE z +inf 2 LIMIT 1 2"), ElementsAre("c", "bb"));
  EXPECT_THAT(Run("ZRANGEBYSCORE z 0 9 LIMIT 3 -1"), ElementsAre("c", "d"));
  EXPECT_THAT(Run("ZRANGEBYSCORE z 0 9 LIMIT -1 2"), IsEmpty());
  EXPECT_THAT(Run("ZRANGEBYSCORE z 0 9 LIMIT 9 2"), IsEmpty());
  EXPECT_THAT(Run("ZRANGEBYSCORE z '' ' 2'"), ElementsAre("a", "b", "bb")) << "as strtod reads";
  EXPECT_EQ(db_.Run("ZRANGEBYSCORE z x 2"), "ERR min or max is not a float");
  EXPECT_EQ(db_.Run("ZCOUNT z (1 3"), 3);
  EXPECT_EQ(db_.Run("ZCOUNT z 3 1"), 0);
  EXPECT_EQ(db_.Run("ZCOUNT none 3 1"), 0);
}

TEST_F(Ranges, ByLex) {
  db_.Run("ZADD l 0 a 0 b 0 bb 0 c");
  EXPECT_THAT(Run("ZRANGE l [b + BYLEX"), ElementsAre("b", "bb", "c"));
  EXPECT_THAT(Run("ZRANGE l (c (a BYLEX REV LIMIT 1 9"), ElementsAre("b"));
  EXPECT_THAT(Run("ZRANGEBYLEX l - (b"), ElementsAre("a"));
  EXPECT_THAT(Run("ZREVRANGEBYLEX l + -"), ElementsAre("c", "bb", "b", "a"));
  EXPECT_EQ(db_.Run("ZLEXCOUNT l (a (c"), 2);
  EXPECT_EQ(db_.Run("ZLEXCOUNT l + -"), 0);
  EXPECT_EQ(db_.Run("ZRANGEBYLEX l a b"), "ERR min or max not valid string range item");
  EXPECT_EQ(db_.Run("ZRANGE l - + BYLEX WITHSCORES"),
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
}

TEST_F(Ranges, Options) {
  EXPECT_EQ(db_.Run("ZRANGE z 0 -1 LIMIT 0 1"),
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
            "BYLEX");
  EXPECT_THAT(Run("ZRANGE z 0 0 LIMIT 5 -1"), ElementsAre("a"));
  for (const char* const line :
       {"ZRANGE z 0 1 REV REV", "ZRANGE z 0 1 BYSCORE BYLEX", "ZREVRANGE z 0 1 REV",
        "ZRANGEBYSCORE z 0 1 BYSCORE", "ZRANGE z 0 1 LIMIT 1", "ZRANGESTORE d z 0 1 WITHSCORES"}) {
    EXPECT_EQ(db_.Run(line), kSyntax) << line;
  }
}

TEST_F(Ranges, Resp3HasPairs) {
  db_.Resp(3);
  EXPECT_EQ(db_.client().CallRaw({"ZRANGE", "z", "0", "0", "WITHSCORES"}),
            "*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
}

TEST_F(Ranges, Stored) {
  db_.Run("SET d v EX 100");
  db_.events();
  EXPECT_EQ(db_.Run("ZRANGESTORE d z 1 2 REV"), 2);
  EXPECT_THAT(Run("ZRANGE d 0 -1 WITHSCORES"), ElementsAre("bb", "2", "c", "3"));
  EXPECT_EQ(db_.Run("TTL d"), -1);
  EXPECT_EQ(db_.Run("ZRANGESTORE z z 2 3 BYSCORE"), 3);
  EXPECT_EQ(db_.Run("ZCARD z"), 3);
  EXPECT_EQ(db_.Run("ZRANGESTORE d none 0 -1"), 0);
  EXPECT_THAT(db_.events(), ElementsAre("zrangestore d", "zrangestore z", "del d"));
}

TEST_F(Ranges, Removed) {
  db_.events();
  EXPECT_EQ(db_.Run("ZREMRANGEBYRANK z -1 -1"), 1);
  EXPECT_EQ(db_.Run("ZREMRANGEBYSCORE z (1 2"), 2);
  EXPECT_EQ(db_.Run("ZREMRANGEBYSCORE z 10 20"), 0);
  EXPECT_EQ(db_.Run("ZREMRANGEBYLEX z - +"), 2);
  EXPECT_EQ(db_.Run("ZREMRANGEBYLEX z - +"), 0);
  EXPECT_THAT(db_.events(),
              ElementsAre("zremrangebyrank z", "zremrangebyscore z", "zremrangebylex z", "del z"));
}

class Operations : public testing::Test {
 protected:
  Operations() {
    db_.Run("ZADD x 1 a 2 b 3 c");
    db_.Run("ZADD y 10 b 20 c 30 d");
  }
  std::vector<std::string> Run(std::string_view line) { return Texts(db_.Run(line)); }
  Db db_;
};

TEST_F(Operations, Union) {
  EXPECT_THAT(Run("ZUNION 2 x y WITHSCORES"),
              ElementsAre("a", "1", "b", "12", "c", "23", "d", "30"));
  EXPECT_THAT(Run("ZUNION 2 x y WEIGHTS 2 -1 AGGREGATE MAX WITHSCORES"),
              ElementsAre("d", "-30", "a", "2", "b", "4", "c", "6"));
  EXPECT_THAT(Run("ZUNION 3 x x none AGGREGATE min"), ElementsAre("a", "b", "c"));
  db_.Run("ZADD i inf a");
  db_.Run("ZADD j -inf a");
  EXPECT_THAT(Run("ZUNION 2 i j WITHSCORES"), ElementsAre("a", "0"));
  EXPECT_THAT(Run("ZUNION 1 i WEIGHTS 0 WITHSCORES"), ElementsAre("a", "0"));
}

TEST_F(Operations, Intersection) {
  EXPECT_THAT(Run("ZINTER 2 x y WITHSCORES"), ElementsAre("b", "12", "c", "23"));
  EXPECT_THAT(Run("ZINTER 2 x none"), IsEmpty());
  EXPECT_EQ(db_.Run("ZINTERCARD 2 x y"), 2);
  EXPECT_EQ(db_.Run("ZINTERCARD 2 x y LIMIT 1"), 1);
  EXPECT_EQ(db_.Run("ZINTERCARD 2 x y LIMIT -1"), "ERR LIMIT can't be negative");
}

TEST_F(Operations, Difference) {
  EXPECT_THAT(Run("ZDIFF 2 x y WITHSCORES"), ElementsAre("a", "1"));
  EXPECT_THAT(Run("ZDIFF 2 none y"), IsEmpty());
  EXPECT_THAT(Run("ZDIFF 2 x x"), IsEmpty());
}

TEST_F(Operations, Stored) {
  db_.events();
  EXPECT_EQ(db_.Run("ZUNIONSTORE d 2 x y"), 4);
  EXPECT_EQ(db_.Run("ZINTERSTORE d 2 x y AGGREGATE MAX"), 2);
  EXPECT_THAT(Run("ZRANGE d 0 -1 WITHSCORES"), ElementsAre("b", "10", "c", "20"));
  EXPECT_EQ(db_.Run("ZDIFFSTORE x 2 x y"), 1) << "the destination may be a source";
  EXPECT_EQ(db_.Run("ZDIFFSTORE d 2 x x"), 0);
  EXPECT_THAT(db_.events(), ElementsAre("zunionstore d", "zinterstore d", "zdiffstore x", "del d"));
}

TEST_F(Operations, PlainSetsScoreOne) {
  db_.Run("SADD s b 7 z");
  EXPECT_THAT(Run("ZUNION 2 x s WEIGHTS 1 5 WITHSCORES"),
              ElementsAre("a", "1", "c", "3", "7", "5", "z", "5", "b", "7"));
  EXPECT_THAT(Run("ZINTER 2 s x WITHSCORES"), ElementsAre("b", "3"));
  EXPECT_THAT(Run("ZDIFF 2 s x WITHSCORES"), ElementsAre("7", "1", "z", "1"));
  EXPECT_EQ(db_.Run("ZINTERCARD 2 s x"), 1);
  EXPECT_EQ(db_.Run("ZUNIONSTORE s 1 s"), 3);
  EXPECT_EQ(db_.Run("TYPE s"), "zset");
}

TEST_F(Operations, Errors) {
  EXPECT_EQ(db_.Run("ZUNION 0 x"), "ERR at least 1 input key is needed for 'zunion' command");
  EXPECT_EQ(db_.Run("ZUNIONSTORE d x y"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db_.Run("ZUNION 3 x y"), kSyntax);
  EXPECT_EQ(db_.Run("ZUNION 2 x y WEIGHTS 1"), kSyntax);
  EXPECT_EQ(db_.Run("ZUNION 2 x y WEIGHTS 1 a"), "ERR weight value is not a float");
  EXPECT_EQ(db_.Run("ZUNION 2 x y AGGREGATE AVG"), kSyntax);
  EXPECT_EQ(db_.Run("ZDIFF 2 x y AGGREGATE SUM"), kSyntax);
  EXPECT_EQ(db_.Run("ZUNIONSTORE d 2 x y WITHSCORES"), kSyntax);
  db_.Run("SET s v");
  EXPECT_EQ(db_.Run("ZUNION 2 x s NONSENSE"),
            "WRONGTYPE Operation against a key holding the wrong kind of value");
}

}  // namespace
}  // namespace lapse
