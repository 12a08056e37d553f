// Sorted sets, member by member.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSyntax = "ERR syntax error";
constexpr std::string_view kNotFloat = "ERR value is not a valid float";
constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";

TEST(ZAdd, CountsWhatIsNew) {
  Db db;
  EXPECT_EQ(db.Run("ZADD z 1 a 2 b 3 a"), 2);
  EXPECT_THAT(Texts(db.Run("ZRANGE z 0 -1 WITHSCORES")), ElementsAre("b", "2", "a", "3"));
  EXPECT_EQ(db.Run("ZADD z 5 a 6 c"), 1);
  EXPECT_EQ(db.Run("ZADD z CH 5 a 7 c 8 d"), 2);
  EXPECT_EQ(db.Run("TYPE z"), "zset");
}

TEST(ZAdd, Conditions) {
  Db db;
  EXPECT_EQ(db.Run("ZADD z XX 1 a"), 0);
  EXPECT_EQ(db.Run("EXISTS z"), 0);
  db.Run("ZADD z 5 a");
  EXPECT_EQ(db.Run("ZADD z NX CH 6 a 1 b"), 1);
  EXPECT_EQ(db.Run("ZADD z XX CH 6 a 1 c"), 1);
  EXPECT_EQ(db.Run("ZADD z GT CH 5 a"), 0);
  EXPECT_EQ(db.Run("ZADD z gt ch 7 a 7 new"), 2);
  EXPECT_EQ(db.Run("ZADD z LT CH 8 a 3 new"), 1);
  EXPECT_THAT(Texts(db.Run("ZRANGE z 0 -1 WITHSCORES")),
              ElementsAre("b", "1", "new", "3", "a", "7"));
}

TEST(ZAdd, Incr) {
  Db db;
  EXPECT_EQ(db.Run("ZADD z INCR 1.5 a"), "1.5");
  EXPECT_EQ(db.Run("ZADD z INCR 1.5 a"), "3");
  EXPECT_TRUE(db.Run("ZADD z NX INCR 1 a").IsNull());
  EXPECT_TRUE(db.Run("ZADD z XX INCR 1 b").IsNull());
  EXPECT_TRUE(db.Run("ZADD z GT INCR -1 a").IsNull());
  EXPECT_EQ(db.Run("ZINCRBY z -inf a"), "-inf");
  EXPECT_EQ(db.Run("ZINCRBY z inf a"), "ERR resulting score is not a number (NaN)");
  EXPECT_EQ(db.Run("ZSCORE z a"), "-inf");
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"ZINCRBY", "z", "0.1", "b"}), ",0.10000000000000001\r\n");
}

TEST(ZAdd, Errors) {
  Db db;
  EXPECT_EQ(db.Run("ZADD z 1 a 2"), kSyntax);
  EXPECT_EQ(db.Run("ZADD z NX XX"), kSyntax);
  EXPECT_EQ(db.Run("ZADD z NX XX 1 a"),
            "ERR XX and NX options at the same time are not compatible");
  EXPECT_EQ(db.Run("ZADD z GT LT 1 a"),
            "ERR GT, LT, and/or NX options at the same time are not compatible");
  EXPECT_EQ(db.Run("ZADD z INCR 1 a 2 b"),
            "ERR INCR option supports a single increment-element pair");
  EXPECT_EQ(db.Run("ZADD z 1 a x b"), kNotFloat);
  EXPECT_EQ(db.Run("ZADD z nan a"), kNotFloat);
  EXPECT_EQ(db.Run("EXISTS z"), 0) << "scores are read before anything is changed";
  db.Run("SET s v");
  EXPECT_EQ(db.Run("ZADD s 1 a"), kWrongType);
  EXPECT_EQ(db.Run("ZADD s x a"), kNotFloat) << "arguments are looked at first";
}

TEST(ZAdd, EncodingFollowsTheLimits) {
  Config config;
  config.zset_max_listpack_entries = 2;
  config.zset_max_listpack_value = 4;
  Db db(config);
  db.Run("ZADD z 1 a 2 bbbb");
  EXPECT_EQ(db.Run("OBJECT ENCODING z"), "listpack");
  db.Run("ZADD z 1 c");
  EXPECT_EQ(db.Run("OBJECT ENCODING z"), "skiplist");
  db.Run("ZREM z a bbbb");
  EXPECT_EQ(db.Run("OBJECT ENCODING z"), "skiplist");
  db.Run("ZADD long 1 eeeee");
  EXPECT_EQ(db.Run("OBJECT ENCODING long"), "skiplist");
  db.Run("ZUNIONSTORE again 1 z");
  EXPECT_EQ(db.Run("OBJECT ENCODING again"), "listpack");
  EXPECT_EQ(db.Run("CONFIG SET zset-max-listpack-entries 0"), "OK");
  db.Run("ZADD none 1 a");
  EXPECT_EQ(db.Run("OBJECT ENCODING none"), "skiplist");
}

TEST(ZAdd, Events) {
  Db db;
  db.Run("ZADD z 1 a");
  db.Run("ZADD z 1 a");
  db.Run("ZINCRBY z 1 a");
  db.Run("ZADD z INCR 0 a");
  db.Run("ZREM z none");
  db.Run("ZREM z a");
  EXPECT_THAT(db.events(), ElementsAre("zadd z", "zincr z", "zrem z", "del z"));
}

TEST(ZScore, AndZMScore) {
  Db db;
  db.Run("ZADD z 1.25 a 1e100 b");
  EXPECT_EQ(db.Run("ZSCORE z a"), "1.25");
  EXPECT_TRUE(db.Run("ZSCORE z c").IsNull());
  EXPECT_TRUE(db.Run("ZSCORE none c").IsNull());
  EXPECT_THAT(Texts(db.Run("ZMSCORE z b c a")), ElementsAre("1e+100", "(nil)", "1.25"));
  EXPECT_THAT(Texts(db.Run("ZMSCORE none b c")), ElementsAre("(nil)", "(nil)"));
  EXPECT_EQ(db.Run("ZCARD z"), 2);
  EXPECT_EQ(db.Run("ZCARD none"), 0);
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"ZMSCORE", "z", "a", "x"}), "*2\r\n,1.25\r\n_\r\n");
}

TEST(ZRank, WithAndWithoutScore) {
  Db db;
  db.Run("ZADD z 1 a 2 b 3 c");
  EXPECT_EQ(db.Run("ZRANK z c"), 2);
  EXPECT_EQ(db.Run("ZREVRANK z c"), 0);
  EXPECT_TRUE(db.Run("ZRANK z d").IsNull());
  EXPECT_THAT(Texts(db.Run("ZRANK z b withscore")), ElementsAre("1", "2"));
  EXPECT_EQ(db.client().CallRaw({"ZREVRANK", "z", "x", "WITHSCORE"}), "*-1\r\n");
  EXPECT_EQ(db.Run("ZRANK z b SCORE"), kSyntax);
  EXPECT_EQ(db.Run("ZRANK z b WITHSCORE x"), "ERR wrong number of arguments for 'zrank' command");
}

TEST(ZPop, FromEitherEnd) {
  Db db;
  db.Run("ZADD z 1 a 2 b 3 c 4 d");
  EXPECT_THAT(Texts(db.Run("ZPOPMIN z")), ElementsAre("a", "1"));
  EXPECT_THAT(Texts(db.Run("ZPOPMAX z 2")), ElementsAre("d", "4", "c", "3"));
  EXPECT_THAT(Texts(db.Run("ZPOPMAX z 0")), IsEmpty());
  EXPECT_EQ(db.Run("ZPOPMIN z -1"), "ERR value is out of range, must be positive");
  EXPECT_EQ(db.Run("ZPOPMIN z 1 2"), kSyntax);
  db.events();
  EXPECT_THAT(Texts(db.Run("ZPOPMIN z 9")), ElementsAre("b", "2"));
  EXPECT_THAT(db.events(), ElementsAre("zpopmin z", "del z"));
  EXPECT_THAT(Texts(db.Run("ZPOPMIN z")), IsEmpty());
}

TEST(ZPop, Resp3HasPairsWhereCounted) {
  Db db;
  db.Resp(3);
  db.Run("ZADD z 1 a 2 b");
  EXPECT_EQ(db.client().CallRaw({"ZPOPMIN", "z"}), "*2\r\n$1\r\na\r\n,1\r\n");
  EXPECT_EQ(db.client().CallRaw({"ZPOPMIN", "z", "1"}), "*1\r\n*2\r\n$1\r\nb\r\n,2\r\n");
}

TEST(ZMPop, FromTheFirstThatIsThere) {
  Db db;
  db.Run("ZADD b 1 x 2 y 3 z");
  const Reply popped = db.Run("ZMPOP 2 a b MAX COUNT 2");
  ASSERT_EQ(popped.size(), 2u);
  EXPECT_EQ(popped[0], "b");
  EXPECT_THAT(Texts(popped[1][0]), ElementsAre("z", "3"));
  EXPECT_THAT(Texts(popped[1][1]), ElementsAre("y", "2"));
  EXPECT_TRUE(db.Run("ZMPOP 1 a MIN").IsNull());
  EXPECT_EQ(db.Run("ZMPOP 0 a MIN"), "ERR numkeys should be greater than 0");
  EXPECT_EQ(db.Run("ZMPOP 2 a MIN"), kSyntax);
  EXPECT_EQ(db.Run("ZMPOP 1 b MIN COUNT 0"), "ERR count should be greater than 0");
  EXPECT_EQ(db.Run("ZMPOP 1 b MIN COUNT 1 COUNT 1"), kSyntax);
  db.Run("SET s v");
  EXPECT_EQ(db.Run("ZMPOP 2 s b MIN"), kWrongType);
}

TEST(ZScan, SmallSetsInOneCall) {
  Db db;
  db.Run("ZADD z 1 a 2.5 b 3 ab");
  const Reply all = db.Run("ZSCAN z 0 COUNT 1");
  EXPECT_EQ(all[0], "0");
  EXPECT_THAT(Texts(all[1]), ElementsAre("a", "1", "b", "2.5", "ab", "3"));
  EXPECT_THAT(Texts(db.Run("ZSCAN z 0 MATCH a*")[1]), ElementsAre("a", "1", "ab", "3"));
  EXPECT_EQ(db.Run("ZSCAN none 0 NONSENSE").size(), 2u) << "nothing to scan comes first";
  EXPECT_EQ(db.Run("ZSCAN z 0 NONSENSE"), kSyntax);
  EXPECT_EQ(db.Run("ZSCAN z x"), "ERR invalid cursor");
}

TEST(ZScan, LargeSetsStepByStep) {
  Db db;
  for (int i = 0; i < 500; ++i) db.Call({"ZADD", "z", "1", std::to_string(i)});
  std::set<std::string> seen;
  std::string cursor = "0";
  int calls = 0;
  do {
    const Reply step = db.Call({"ZSCAN", "z", cursor, "COUNT", "20"});
    for (size_t i = 0; i < step[1].size(); i += 2) seen.insert(step[1][i].text);
    cursor = step[0].text;
    ++calls;
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_GT(calls, 10);
}

TEST(ZRandMember, Counts) {
  Db db;
  std::set<std::string> all;
  for (int i = 0; i < 200; ++i) {
    all.insert("m" + std::to_string(i));
    db.Call({"ZADD", "z", std::to_string(i), "m" + std::to_string(i)});
  }
  EXPECT_TRUE(all.count(db.Run("ZRANDMEMBER z").text) == 1);
  for (const char* const count : {"3", "150", "200", "1000"}) {
    const auto drawn = Texts(db.Call({"ZRANDMEMBER", "z", count}));
    const std::set<std::string> distinct(drawn.begin(), drawn.end());
    EXPECT_EQ(drawn.size(), std::min<size_t>(std::stoul(count), 200));
    EXPECT_EQ(distinct.size(), drawn.size());
  }
  EXPECT_EQ(db.Run("ZRANDMEMBER z -500").size(), 500u);
  EXPECT_EQ(db.Run("ZRANDMEMBER z 5 WITHSCORES").size(), 10u);
  db.Resp(3);
  EXPECT_EQ(db.Run("ZRANDMEMBER z -5 WITHSCORES").size(), 5u);
  EXPECT_EQ(db.Run("ZRANDMEMBER none 5").size(), 0u);
  EXPECT_TRUE(db.Run("ZRANDMEMBER none").IsNull());
  EXPECT_EQ(db.Run("ZRANDMEMBER z 1 x"), kSyntax);
}

}  // namespace
}  // namespace lapse
