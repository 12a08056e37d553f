// Commands on one set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kSyntax = "ERR syntax error";

void AddNumbers(Db& db, const std::string& key, int count, const std::string& prefix) {
  std::vector<std::string> words = {"SADD", key};
  for (int i = 0; i < count; ++i) words.push_back(prefix + std::to_string(i));
  db.Call(words);
}

TEST(SAdd, AddsWhatIsNew) {
  Db db;
  EXPECT_EQ(db.Run("SADD s a b a"), 2);
  EXPECT_EQ(db.Run("SADD s a c"), 1);
  EXPECT_EQ(db.Run("SADD s a"), 0);
  EXPECT_EQ(db.Run("SCARD s"), 3);
  EXPECT_THAT(Texts(db.Run("SMEMBERS s")), UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(db.events(), ElementsAre("sadd s", "sadd s"));
  EXPECT_EQ(db.Run("TYPE s"), "set");
}

TEST(SAdd, Encodings) {
  Db db;
  db.Run("SADD s 1 2 3");
  EXPECT_EQ(db.Run("OBJECT ENCODING s"), "intset");
  db.Run("SADD s a");
  EXPECT_EQ(db.Run("OBJECT ENCODING s"), "listpack");
  db.Call({"SADD", "s", std::string(65, 'x')});
  EXPECT_EQ(db.Run("OBJECT ENCODING s"), "hashtable");
  AddNumbers(db, "n", 513, "");
  EXPECT_EQ(db.Run("OBJECT ENCODING n"), "hashtable");
  AddNumbers(db, "m", 128, "m");
  EXPECT_EQ(db.Run("OBJECT ENCODING m"), "listpack");
  db.Run("SADD m one-more");
  EXPECT_EQ(db.Run("OBJECT ENCODING m"), "hashtable");
  db.Run("CONFIG SET set-max-intset-entries 2");
  db.Run("SADD few 1 2");
  EXPECT_EQ(db.Run("OBJECT ENCODING few"), "intset");
  db.Run("SADD few 3");
  EXPECT_EQ(db.Run("OBJECT ENCODING few"), "hashtable");
}

TEST(SRem, TheLastMemberTakesTheKeyWithIt) {
  Db db;
  db.Run("SADD s a b c");
  db.events();
  EXPECT_EQ(db.Run("SREM s a x"), 1);
  EXPECT_EQ(db.Run("SREM s x"), 0);
  EXPECT_EQ(db.Run("SREM missing x"), 0);
  EXPECT_EQ(db.Run("SREM s b c b"), 2);
  EXPECT_EQ(db.Run("EXISTS s"), 0);
  EXPECT_THAT(db.events(), ElementsAre("srem s", "srem s", "del s"));
}

TEST(SIsMember, InEachEncoding) {
  Db db;
  for (const int count : {10, 100, 5000}) {
    for (const char* prefix : {"", "m"}) {
      db.Run("DEL s");
      AddNumbers(db, "s", count, prefix);
      EXPECT_EQ(db.Run("SCARD s"), count);
      EXPECT_EQ(db.Run("SISMEMBER s " + (prefix + std::to_string(count - 1))), 1);
      EXPECT_EQ(db.Run("SISMEMBER s " + (prefix + std::to_string(count))), 0);
      EXPECT_EQ(db.Run("SISMEMBER s 07"), 0);
    }
  }
  EXPECT_EQ(db.Run("SISMEMBER missing a"), 0);
  db.Run("SADD t a c");
  EXPECT_THAT(Texts(db.Run("SMISMEMBER t a b c")), ElementsAre("1", "0", "1"));
  EXPECT_THAT(Texts(db.Run("SMISMEMBER missing a b")), ElementsAre("0", "0"));
}

TEST(SMove, MovesBetweenKeysOfAnyShards) {
  Db db;
  for (int i = 0; i < 50; ++i) {
    const std::string to = "to" + std::to_string(i);
    db.Run("SADD from " + std::to_string(i) + " stays");
    EXPECT_EQ(db.Run("SMOVE from " + to + " " + std::to_string(i)), 1);
    EXPECT_THAT(Texts(db.Run("SMEMBERS " + to)), ElementsAre(std::to_string(i)));
  }
  EXPECT_THAT(Texts(db.Run("SMEMBERS from")), ElementsAre("stays"));
}

TEST(SMove, EventsAndSpecialCases) {
  Db db;
  db.Run("SADD a x y");
  db.Run("SADD b x");
  db.events();
  EXPECT_EQ(db.Run("SMOVE a b missing"), 0);
  EXPECT_EQ(db.Run("SMOVE a a x"), 1);
  EXPECT_EQ(db.Run("SMOVE a a missing"), 0);
  EXPECT_EQ(db.Run("SMOVE missing b x"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  EXPECT_EQ(db.Run("SMOVE a b x"), 1);
  EXPECT_THAT(db.events(), ElementsAre("srem a")) << "b had it already";
  EXPECT_EQ(db.Run("SMOVE a b y"), 1);
  EXPECT_THAT(db.events(), ElementsAre("srem a", "del a", "sadd b"));
  db.Run("SET string v");
  EXPECT_EQ(db.Run("SMOVE b string x"), kWrongType);
  EXPECT_EQ(db.Run("SMOVE string b x"), kWrongType);
  EXPECT_EQ(db.Run("SMOVE string string x"), kWrongType);
  EXPECT_EQ(db.Run("SMOVE missing string x"), 0);
}

TEST(SPop, TakesMembersUntilNoneIsLeft) {
  for (const int count : {5, 100, 3000}) {
    Db db;
    AddNumbers(db, "s", count, count == 5 ? "" : "m");
    db.events();
    std::set<std::string> popped;
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(popped.insert(db.Run("SPOP s").text).second);
      ASSERT_EQ(db.Run("SCARD s"), count - i - 1);
    }
    EXPECT_EQ(db.events().back(), "del s");
    EXPECT_TRUE(db.Run("SPOP s").IsNull());
  }
}

TEST(SPop, WithACount) {
  Db db;
  AddNumbers(db, "s", 1000, "m");
  db.events();
  const auto popped = Texts(db.Run("SPOP s 900"));
  EXPECT_EQ(std::set<std::string>(popped.begin(), popped.end()).size(), 900u);
  EXPECT_EQ(db.Run("SCARD s"), 100);
  EXPECT_EQ(db.Run("SPOP s 0").size(), 0u);
  EXPECT_THAT(db.events(), ElementsAre("spop s"));
  EXPECT_EQ(db.Run("SPOP s 100").size(), 100u);
  EXPECT_THAT(db.events(), ElementsAre("spop s", "del s"));
  EXPECT_EQ(db.Run("SPOP s 1").size(), 0u);
  EXPECT_EQ(db.Run("SPOP s -1"), "ERR value is out of range, must be positive");
  EXPECT_EQ(db.Run("SPOP s x"), "ERR value is out of range, must be positive");
  EXPECT_EQ(db.Run("SPOP s 1 2"), kSyntax);
}

TEST(SRandMember, DrawsWithAndWithoutRepetition) {
  Db db;
  for (const int count : {20, 100, 2000}) {
    db.Run("DEL s");
    AddNumbers(db, "s", count, count == 20 ? "" : "m");
    for (const int wanted : {1, count / 4, count - 1, count, count * 2}) {
      const auto drawn = Texts(db.Run("SRANDMEMBER s " + std::to_string(wanted)));
      const std::set<std::string> distinct(drawn.begin(), drawn.end());
      EXPECT_EQ(drawn.size(), static_cast<size_t>(std::min(wanted, count)));
      EXPECT_EQ(distinct.size(), drawn.size());
      for (const std::string& member : distinct) {
        EXPECT_EQ(db.Call({"SISMEMBER", "s", member}), 1);
      }
    }
    EXPECT_EQ(db.Run("SRANDMEMBER s -" + std::to_string(count * 3)).size(),
              static_cast<size_t>(count * 3));
    EXPECT_EQ(db.Run("SCARD s"), count);
  }
  EXPECT_TRUE(db.Run("SRANDMEMBER missing").IsNull());
  EXPECT_EQ(db.Run("SRANDMEMBER missing 5").size(), 0u);
  EXPECT_EQ(db.Run("SRANDMEMBER s x"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("SRANDMEMBER s -9223372036854775808"),
            "ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807");
  EXPECT_EQ(db.Run("SRANDMEMBER s 1 2"), kSyntax);
}

TEST(SScan, ReturnsEveryMember) {
  Db db;
  for (const int count : {3, 100, 4000}) {
    db.Run("DEL s");
    AddNumbers(db, "s", count, "m");
    std::set<std::string> found;
    std::string cursor = "0";
    int calls = 0;
    do {
      const Reply reply = db.Run("SSCAN s " + cursor + " COUNT 20");
      for (const std::string& member : Texts(reply[1])) found.insert(member);
      cursor = reply[0].text;
      ++calls;
    } while (cursor != "0");
    EXPECT_EQ(found.size(), static_cast<size_t>(count));
    EXPECT_GE(calls, count > 128 ? count / 30 : 1);
  }
  EXPECT_EQ(db.Run("SSCAN s 0 MATCH m12 COUNT 10000")[1].size(), 1u);
}

TEST(SScan, Errors) {
  Db db;
  db.Run("SADD s a");
  EXPECT_EQ(db.Run("SSCAN s x"), "ERR invalid cursor");
  EXPECT_EQ(db.Run("SSCAN s 0 TYPE set"), kSyntax);
  EXPECT_EQ(db.Run("SSCAN s 0 COUNT 0"), kSyntax);
  EXPECT_EQ(db.Run("SSCAN missing 0 COUNT 0")[0], "0") << "options of a missing key go unread";
}

TEST(Set, OfAnotherType) {
  Db db;
  db.Run("SET k v");
  for (const char* line :
       {"SADD k a", "SREM k a", "SISMEMBER k a", "SMISMEMBER k a", "SCARD k", "SMEMBERS k",
        "SPOP k", "SPOP k 1", "SRANDMEMBER k", "SRANDMEMBER k 2", "SSCAN k 0 BOGUS", "SINTER k",
        "SUNION missing k", "SDIFF missing k", "SINTERCARD 1 k", "SUNIONSTORE d k"}) {
    EXPECT_EQ(db.Run(line), kWrongType) << line;
  }
  db.Run("SADD s a");
  EXPECT_EQ(db.Run("GET s"), kWrongType);
}

TEST(Set, RepliesAreSetsInResp3) {
  Db db;
  db.Resp(3);
  db.Run("SADD s a");
  EXPECT_EQ(db.client().CallRaw({"SMEMBERS", "s"}), "~1\r\n$1\r\na\r\n");
  EXPECT_EQ(db.client().CallRaw({"SMEMBERS", "missing"}), "~0\r\n");
  EXPECT_EQ(db.client().CallRaw({"SINTER", "s", "s"}), "~1\r\n$1\r\na\r\n");
  EXPECT_EQ(db.client().CallRaw({"SRANDMEMBER", "s", "5"}), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(db.client().CallRaw({"SPOP", "s", "5"}), "~1\r\n$1\r\na\r\n");
  EXPECT_EQ(db.client().CallRaw({"SRANDMEMBER", "s", "5"}), "*0\r\n");
}

TEST(Set, IsCopiedRenamedAndExpires) {
  Db db;
  AddNumbers(db, "s", 1000, "m");
  EXPECT_EQ(db.Run("COPY s t"), 1);
  db.Run("SREM s m1");
  EXPECT_EQ(db.Run("SISMEMBER t m1"), 1);
  EXPECT_EQ(db.Run("RENAME t u"), "OK");
  EXPECT_EQ(db.Run("SCARD u"), 1000);
  db.Run("PEXPIRE u 10");
  EXPECT_EQ(db.Run("SADD u x"), 1);
  EXPECT_EQ(db.Run("PTTL u"), 10);
  db.AdvanceMs(11);
  EXPECT_EQ(db.Run("SADD u y"), 1);
  EXPECT_EQ(db.Run("SCARD u"), 1);
}

}  // namespace
}  // namespace lapse
