// Hashes without deadlines.

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
using ::testing::UnorderedElementsAre;

constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";

TEST(HSet, CountsNewFields) {
  Db db;
  EXPECT_EQ(db.Run("HSET h a 1 b 2"), 2);
  EXPECT_EQ(db.Run("HSET h a 3 c 4 c 5"), 1);
  EXPECT_THAT(Texts(db.Run("HGETALL h")), ElementsAre("a", "3", "b", "2", "c", "5"));
  EXPECT_EQ(db.Run("HMSET h d 1"), "OK");
  EXPECT_EQ(db.Run("HLEN h"), 4);
  EXPECT_EQ(db.Run("HSET h a"), "ERR wrong number of arguments for 'hset' command");
  EXPECT_EQ(db.Run("HSET h a 1 b"), "ERR wrong number of arguments for 'hset' command");
  EXPECT_EQ(db.Run("HMSET h a 1 b"), "ERR wrong number of arguments for 'hmset' command");
}

TEST(HSet, ReportsEachCommandOnce) {
  Db db;
  db.Run("HSET h a 1 b 2");
  db.Run("HSETNX h a 1");
  db.Run("HSETNX h c 1");
  db.Run("HINCRBY h c 1");
  db.Run("HINCRBYFLOAT h c 1.5");
  db.Run("HDEL h nothing");
  db.Run("HDEL h a");
  db.Run("HDEL h a b c");
  EXPECT_THAT(db.events(), ElementsAre("hset h", "hset h", "hincrby h", "hincrbyfloat h", "hdel h",
                                       "hdel h", "del h"));
  EXPECT_EQ(db.Run("EXISTS h"), 0);
}

TEST(HSet, KeepsTheKeysDeadline) {
  Db db;
  db.Run("HSET h a 1");
  db.Run("PEXPIRE h 1000");
  db.Run("HSET h b 2");
  EXPECT_EQ(db.Run("PTTL h"), 1000);
}

TEST(Hash, RefusesOtherTypes) {
  Db db;
  db.Run("SET s v");
  for (const char* line :
       {"HSET s a 1", "HSETNX s a 1", "HMSET s a 1", "HGET s a", "HMGET s a", "HGETALL s",
        "HKEYS s", "HVALS s", "HDEL s a", "HEXISTS s a", "HLEN s", "HSTRLEN s a", "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1", "HSCAN s 0", "HRANDFIELD s", "HRANDFIELD s 1"}) {
    EXPECT_EQ(db.Run(line), kWrongType) << line;
  }
  db.Run("HSET h a 1");
  EXPECT_EQ(db.Run("GET h"), kWrongType);
  EXPECT_EQ(db.Run("TYPE h").text, "hash");
}

TEST(HGet, Values) {
  Db db;
  db.Run("HSET h a 12 b text c ''");
  EXPECT_EQ(db.Run("HGET h a"), "12");
  EXPECT_TRUE(db.Run("HGET h missing").IsNull());
  EXPECT_TRUE(db.Run("HGET missing a").IsNull());
  EXPECT_EQ(db.client().CallRaw({"HMGET", "h", "a", "x", "c"}),
            "*3\r\n$2\r\n12\r\n$-1\r\n$0\r\n\r\n");
  EXPECT_EQ(db.client().CallRaw({"HMGET", "missing", "a", "x"}), "*2\r\n$-1\r\n$-1\r\n");
  EXPECT_THAT(Texts(db.Run("HKEYS h")), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Texts(db.Run("HVALS h")), ElementsAre("12", "text", ""));
  EXPECT_EQ(db.Run("HSTRLEN h a"), 2);
  EXPECT_EQ(db.Run("HSTRLEN h b"), 4);
  EXPECT_EQ(db.Run("HSTRLEN h x"), 0);
  EXPECT_EQ(db.Run("HEXISTS h c"), 1);
  EXPECT_EQ(db.Run("HEXISTS h d"), 0);
}

TEST(HGetAll, IsAMapInResp3) {
  Db db;
  db.Resp(3);
  db.Run("HSET h a 1");
  EXPECT_EQ(db.client().CallRaw({"HGETALL", "h"}), "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(db.client().CallRaw({"HGETALL", "missing"}), "%0\r\n");
  EXPECT_EQ(db.client().CallRaw({"HKEYS", "missing"}), "*0\r\n");
}

TEST(Hash, EncodingsByLimits) {
  Db db;
  db.Run("CONFIG SET hash-max-listpack-entries 3");
  db.Run("CONFIG SET hash-max-ziplist-value 5");
  EXPECT_THAT(Texts(db.Run("CONFIG GET hash-max-*")),
              ElementsAre("hash-max-listpack-entries", "3", "hash-max-listpack-value", "5",
                          "hash-max-ziplist-entries", "3", "hash-max-ziplist-value", "5"));
  db.Run("HSET h a 1 b 2 c 12345");
  EXPECT_EQ(db.Run("OBJECT ENCODING h"), "listpack");
  db.Run("HSET h d 1");
  EXPECT_EQ(db.Run("OBJECT ENCODING h"), "hashtable");
  db.Run("HDEL h d c b");
  EXPECT_EQ(db.Run("OBJECT ENCODING h"), "hashtable");
  db.Run("HSET long a 123456");
  EXPECT_EQ(db.Run("OBJECT ENCODING long"), "hashtable");
  db.Run("HSET name abcdef 1");
  EXPECT_EQ(db.Run("OBJECT ENCODING name"), "hashtable");
  db.Run("HSET number n 99999");
  db.Run("HINCRBY number n 1");
  EXPECT_EQ(db.Run("OBJECT ENCODING number"), "hashtable");
}

TEST(HIncrBy, AddsToIntegers) {
  Db db;
  EXPECT_EQ(db.Run("HINCRBY h a 5"), 5);
  EXPECT_EQ(db.Run("HINCRBY h a -7"), -2);
  db.Run("HSET h text abc blank ' 1' big 9223372036854775807");
  EXPECT_EQ(db.Run("HINCRBY h text 1"), "ERR hash value is not an integer");
  EXPECT_EQ(db.Run("HINCRBY h blank 1"), "ERR hash value is not an integer");
  EXPECT_EQ(db.Run("HINCRBY h big 1"), "ERR increment or decrement would overflow");
  EXPECT_EQ(db.Run("HINCRBY h a x"), kNotInteger);
  EXPECT_EQ(db.Run("HINCRBY missing a x"), kNotInteger);
  EXPECT_EQ(db.Run("EXISTS missing"), 0);
}

TEST(HIncrByFloat, AddsToNumbers) {
  Db db;
  db.Run("HSET h a 10.50 i 3 text abc");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h a 0.1"), "10.6");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h a -5"), "5.6");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h i 1e2"), "103");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h new 1"), "1");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h text 1"), "ERR hash value is not a float");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h a x"), "ERR value is not a valid float");
  EXPECT_EQ(db.Run("HINCRBYFLOAT h a inf"), "ERR value is NaN or Infinity");
}

std::set<std::string> ScanAll(Db& db, const std::string& options) {
  std::set<std::string> found;
  std::string cursor = "0";
  do {
    const Reply reply = db.Run("HSCAN h " + cursor + " " + options);
    cursor = reply[0].text;
    for (const std::string& text : Texts(reply[1])) found.insert(text);
  } while (cursor != "0");
  return found;
}

TEST(HScan, WalksOverEverything) {
  for (const int fields : {10, 3000}) {
    Db db;
    std::set<std::string> names;
    for (int i = 0; i < fields; ++i) {
      names.insert("f" + std::to_string(i));
      db.Run("HSET h f" + std::to_string(i) + " v");
    }
    EXPECT_EQ(ScanAll(db, "NOVALUES"), names);
    EXPECT_EQ(ScanAll(db, "COUNT 100 NOVALUES"), names);
    EXPECT_EQ(ScanAll(db, "MATCH f7 COUNT 1000"), (std::set<std::string>{"f7", "v"}));
  }
}

TEST(HScan, Errors) {
  Db db;
  db.Run("HSET h a 1");
  EXPECT_EQ(db.Run("HSCAN h x"), "ERR invalid cursor");
  EXPECT_EQ(db.Run("HSCAN missing x"), "ERR invalid cursor");
  EXPECT_EQ(db.Run("HSCAN h 0 COUNT 0"), "ERR syntax error");
  EXPECT_EQ(db.Run("HSCAN h 0 TYPE string"), "ERR syntax error");
  EXPECT_EQ(db.Run("HSCAN h 0 MATCH"), "ERR syntax error");
  EXPECT_EQ(db.client().CallRaw({"HSCAN", "missing", "0", "WHAT"}), "*2\r\n$1\r\n0\r\n*0\r\n");
}

TEST(HRandField, One) {
  Db db;
  EXPECT_TRUE(db.Run("HRANDFIELD h").IsNull());
  EXPECT_EQ(db.client().CallRaw({"HRANDFIELD", "h", "2"}), "*0\r\n");
  db.Run("HSET h a 1");
  EXPECT_EQ(db.Run("HRANDFIELD h"), "a");
  EXPECT_EQ(db.client().CallRaw({"HRANDFIELD", "h", "0"}), "*0\r\n");
  EXPECT_EQ(db.client().CallRaw({"HRANDFIELD", "h", "-2", "withvalues"}),
            "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n1\r\n");
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"HRANDFIELD", "h", "5", "withvalues"}),
            "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
}

TEST(HRandField, DifferentOnes) {
  for (const int fields : {12, 2000}) {
    Db db;
    for (int i = 0; i < fields; ++i) db.Run("HSET h " + std::to_string(i) + " v");
    for (const int count : {1, 3, 10, 11, fields - 1, fields, fields + 5}) {
      const auto picked = Texts(db.Run("HRANDFIELD h " + std::to_string(count)));
      EXPECT_EQ(picked.size(), static_cast<size_t>(std::min(count, fields)));
      const std::set<std::string> different(picked.begin(), picked.end());
      EXPECT_EQ(different.size(), picked.size());
      for (const std::string& name : different) EXPECT_EQ(db.Run("HEXISTS h " + name), 1);
    }
    EXPECT_EQ(db.Run("HRANDFIELD h -30").size(), 30u);
  }
}

TEST(HRandField, Errors) {
  Db db;
  db.Run("HSET h a 1");
  EXPECT_EQ(db.Run("HRANDFIELD h x"), kNotInteger);
  EXPECT_EQ(db.Run("HRANDFIELD h 1 WITH"), "ERR syntax error");
  EXPECT_EQ(db.Run("HRANDFIELD h 1 WITHVALUES x"), "ERR syntax error");
  EXPECT_EQ(db.Run("HRANDFIELD h -9223372036854775808"),
            "ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807");
  EXPECT_EQ(db.Run("HRANDFIELD h 9223372036854775807 WITHVALUES"), "ERR value is out of range");
}

TEST(Hash, EncodingsAgreeOnEverything) {
  for (const char* limit : {"512", "0"}) {
    Db db;
    db.Run(std::string("CONFIG SET hash-max-listpack-entries ") + limit);
    db.Run("HSET h 1 one two 2 '' empty");
    EXPECT_EQ(db.Run("HGET h 1"), "one");
    EXPECT_EQ(db.Run("HGET h ''"), "empty");
    EXPECT_THAT(Texts(db.Run("HKEYS h")), UnorderedElementsAre("1", "two", ""));
    EXPECT_EQ(db.Run("HINCRBY h two 5"), 7);
    EXPECT_EQ(db.Run("HINCRBYFLOAT h two 0.5"), "7.5");
    EXPECT_EQ(db.Run("HDEL h 1 '' x"), 2);
    EXPECT_EQ(db.Run("HLEN h"), 1);
    EXPECT_EQ(db.Run("HDEL h two two"), 1);
    EXPECT_EQ(db.Run("EXISTS h"), 0);
  }
}

TEST(Hash, MemoryIsAccounted) {
  Db db;
  db.Run("CONFIG SET hash-max-listpack-entries 4");
  const auto bytes = [&db] { return db.instance().keyspace.Totals().entry_bytes; };
  for (int i = 0; i < 300; ++i) {
    db.Run("HSET h field" + std::to_string(i) + " " + std::string(static_cast<size_t>(i), 'v'));
  }
  EXPECT_GT(bytes(), 300 * 150);
  for (int i = 0; i < 300; ++i) db.Run("HDEL h field" + std::to_string(i));
  EXPECT_EQ(bytes(), 0);
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

}  // namespace
}  // namespace lapse
