// SORT and SORT_RO.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(Sort, NumbersOfEachType) {
  Db db;
  db.Run("RPUSH list 3 10 1 -2.5 1");
  db.Run("SADD set 3 10 1 -2.5");
  db.Run("ZADD zset 1 10 2 3 3 1");
  EXPECT_THAT(Texts(db.Run("SORT list")), ElementsAre("-2.5", "1", "1", "3", "10"));
  EXPECT_THAT(Texts(db.Run("SORT set DESC")), ElementsAre("10", "3", "1", "-2.5"));
  EXPECT_THAT(Texts(db.Run("SORT_RO zset")), ElementsAre("1", "3", "10"));
  EXPECT_THAT(Texts(db.Run("SORT missing")), IsEmpty());
}

TEST(Sort, ByBytesAndInAWindow) {
  Db db;
  db.Run("RPUSH l b a c B");
  EXPECT_EQ(db.Run("SORT l"), "ERR One or more scores can't be converted into double");
  EXPECT_THAT(Texts(db.Run("SORT l ALPHA")), ElementsAre("B", "a", "b", "c"));
  EXPECT_THAT(Texts(db.Run("SORT l alpha desc LIMIT 1 2")), ElementsAre("b", "a"));
  EXPECT_THAT(Texts(db.Run("SORT l ALPHA LIMIT 2 -1")), ElementsAre("b", "c"));
  EXPECT_THAT(Texts(db.Run("SORT l ALPHA LIMIT -5 1")), ElementsAre("B"));
  EXPECT_THAT(Texts(db.Run("SORT l ALPHA LIMIT 9 1")), IsEmpty());
  EXPECT_THAT(Texts(db.Run("SORT l ALPHA LIMIT 0 0")), IsEmpty());
}

TEST(Sort, ByOtherKeys) {
  Db db;
  db.Run("RPUSH l a b c d");
  db.Run("MSET w_a 3 w_b 1 w_c 2 name_a Anna name_b Bert");
  EXPECT_THAT(Texts(db.Run("SORT l BY w_*")), ElementsAre("d", "b", "c", "a"));
  EXPECT_THAT(Texts(db.Run("SORT l BY w_* GET # GET name_* GET nostar")),
              ElementsAre("d", "(nil)", "(nil)", "b", "Bert", "(nil)", "c", "(nil)", "(nil)", "a",
                          "Anna", "(nil)"));
  EXPECT_THAT(Texts(db.Run("SORT l BY name_* ALPHA DESC")), ElementsAre("b", "a", "c", "d"));
  EXPECT_THAT(Texts(db.Run("SORT l BY nosort LIMIT 1 2")), ElementsAre("b", "c"));
}

TEST(Sort, ByFieldsOfHashes) {
  Db db;
  db.Run("RPUSH l 1 2 3");
  db.Run("HSET h_1 w 5 name x");
  db.Run("HSET h_2 w 4 name y");
  db.Run("SET h_3 string");
  EXPECT_THAT(Texts(db.Run("SORT l BY h_*->w GET h_*->name")), ElementsAre("(nil)", "y", "x"));
  EXPECT_THAT(Texts(db.Run("SORT l BY nosort GET h_*->")), ElementsAre("(nil)", "(nil)", "(nil)"));
}

TEST(Sort, SortedSetsKeepTheirOrderUnsorted) {
  Db db;
  db.Run("ZADD z 1 c 2 b 3 a");
  EXPECT_THAT(Texts(db.Run("SORT z BY nosort")), ElementsAre("c", "b", "a"));
  EXPECT_THAT(Texts(db.Run("SORT z BY nosort DESC LIMIT 0 2")), ElementsAre("a", "b"));
}

TEST(Sort, StoresAList) {
  Db db;
  db.Run("SADD s 3 1 2");
  db.Run("SET d old EX 100");
  db.events();
  EXPECT_EQ(db.Run("SORT s STORE d"), 3);
  EXPECT_THAT(Texts(db.Run("LRANGE d 0 -1")), ElementsAre("1", "2", "3"));
  EXPECT_EQ(db.Run("TTL d"), -1);
  EXPECT_EQ(db.Run("SORT s GET missing_* STORE s"), 3) << "onto itself, empty texts";
  EXPECT_THAT(Texts(db.Run("LRANGE s 0 -1")), ElementsAre("", "", ""));
  EXPECT_EQ(db.Run("SORT missing STORE d"), 0);
  EXPECT_THAT(db.events(), ElementsAre("sortstore d", "sortstore s", "del d"));
  db.Run("SADD t c a b");
  db.Run("SORT t BY nosort STORE d");
  EXPECT_THAT(Texts(db.Run("LRANGE d 0 -1")), ElementsAre("a", "b", "c")) << "always the same";
}

TEST(Sort, FindsItsKeys) {
  Db db;
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS SORT k BY w_* STORE a LIMIT 0 1 STORE b")),
              ElementsAre("k", "b"));
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS SORT k GET store")), ElementsAre("k"));
}

TEST(Sort, Errors) {
  Db db;
  db.Run("SET string v");
  EXPECT_EQ(db.Run("SORT string"),
            "WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(db.Run("SORT k BOGUS"), "ERR syntax error");
  EXPECT_EQ(db.Run("SORT k LIMIT 1"), "ERR syntax error");
  EXPECT_EQ(db.Run("SORT k LIMIT 0 x"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("SORT_RO k STORE d"), "ERR syntax error");
}

// Lookups in more shards than are guessed at first, while others write to them.
TEST(Sort, ManyLookupsAmongWriters) {
  Db db;
  for (int i = 0; i < 500; ++i) {
    db.Run("RPUSH l " + std::to_string(i));
    db.Run("SET w_" + std::to_string(i) + " " + std::to_string(-i));
  }
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    Db::Client client(db);
    for (int i = 0; !stop; ++i) {
      client.Run("SET w_" + std::to_string(i % 500) + " " + std::to_string(-(i % 500)));
      client.Run(i % 2 == 0 ? "RPUSH l 500" : "RPOP l");
    }
  });
  for (int i = 0; i < 50; ++i) {
    const Reply reply = db.Run("SORT l BY w_* DESC GET # LIMIT 0 1");
    ASSERT_EQ(reply.size(), 1u);
    ASSERT_THAT(reply[0].text, ::testing::AnyOf("0", "500"));
    ASSERT_EQ(db.Run("SORT l BY w_* LIMIT 0 3 GET w_*")[0], "-499");
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace lapse
