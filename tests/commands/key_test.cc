// DEL, EXISTS, TYPE, TOUCH, RENAME.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Del, CountsWhatWasThere) {
  Db db;
  db.Run("MSET a 1 b 2 c 3");
  db.events();
  EXPECT_EQ(db.Run("DEL a missing b a"), 2);
  EXPECT_THAT(db.events(), ElementsAre("del a", "del b"));
  EXPECT_EQ(db.Run("UNLINK c c"), 1);
  EXPECT_THAT(db.events(), ElementsAre("del c"));
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(Del, AnElapsedKeyCountsForNothing) {
  Db db;
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  db.events();
  EXPECT_EQ(db.Run("DEL k"), 0);
  EXPECT_THAT(db.events(), ElementsAre("expired k"));
}

TEST(Del, ThousandsAtOnce) {
  Db db;
  std::vector<std::string> words = {"UNLINK"};
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = "key:" + std::to_string(i);
    db.Call({"SET", key, "v"});
    words.push_back(key);
  }
  EXPECT_EQ(db.Call(words), 20'000);
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(Exists, CountsEachMention) {
  Db db;
  db.Run("MSET a 1 b 2");
  EXPECT_EQ(db.Run("EXISTS a"), 1);
  EXPECT_EQ(db.Run("EXISTS a b missing a"), 3);
  EXPECT_EQ(db.Run("EXISTS missing"), 0);
}

TEST(Type, StringOrNone) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.client().CallRaw({"TYPE", "k"}), "+string\r\n");
  EXPECT_EQ(db.client().CallRaw({"TYPE", "missing"}), "+none\r\n");
}

TEST(Touch, CountsAndTouches) {
  Db db;
  db.Run("MSET a 1 b 2");
  db.AdvanceMs(100'000);
  EXPECT_EQ(db.Run("TOUCH a missing a"), 2);
  EXPECT_EQ(db.Run("OBJECT IDLETIME a"), 0);
  EXPECT_EQ(db.Run("OBJECT IDLETIME b"), 100);
}

TEST(Touch, TouchesEvenForAClientThatDoesNot) {
  Db db;
  db.Run("SET k v");
  db.client().session().no_touch = true;
  db.AdvanceMs(100'000);
  db.Run("GET k");
  EXPECT_EQ(db.Run("OBJECT IDLETIME k"), 100);
  EXPECT_EQ(db.Run("TOUCH k"), 1);
  EXPECT_EQ(db.Run("OBJECT IDLETIME k"), 0);
}

TEST(Rename, MovesValueDeadlineAndEncoding) {
  Db db;
  db.Run("SET a 12 PX 5000");
  db.Run("SET b 'to be dropped' EX 7");
  db.events();
  EXPECT_EQ(db.Run("RENAME a b"), "OK");
  EXPECT_THAT(db.events(), ElementsAre("rename_from a", "rename_to b"));
  EXPECT_EQ(db.Run("EXISTS a"), 0);
  EXPECT_EQ(db.Run("GET b"), "12");
  EXPECT_EQ(db.Run("PTTL b"), 5000);
  EXPECT_EQ(db.Run("OBJECT ENCODING b"), "int");
  EXPECT_EQ(db.Run("DBSIZE"), 1);
}

TEST(Rename, DropsTheTargetsDeadline) {
  Db db;
  db.Run("SET a v");
  db.Run("SET b w EX 7");
  EXPECT_EQ(db.Run("RENAME a b"), "OK");
  EXPECT_EQ(db.Run("TTL b"), -1);
}

TEST(Rename, MissingSource) {
  Db db;
  EXPECT_EQ(db.Run("RENAME a b"), "ERR no such key");
  EXPECT_EQ(db.Run("RENAME a a"), "ERR no such key");
  EXPECT_EQ(db.Run("RENAMENX a b"), "ERR no such key");
  db.Run("SET a v PX 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("RENAME a b"), "ERR no such key");
}

TEST(Rename, ToItself) {
  Db db;
  db.Run("SET a v EX 10");
  db.events();
  EXPECT_EQ(db.Run("RENAME a a"), "OK");
  EXPECT_EQ(db.Run("RENAMENX a a"), 0);
  EXPECT_EQ(db.Run("GET a"), "v");
  EXPECT_EQ(db.Run("TTL a"), 10);
  EXPECT_THAT(db.events(), IsEmpty());
}

TEST(Rename, LargeValues) {
  Db db;
  const std::string large(3'000'000, 'x');
  db.Call({"SET", "a", large});
  EXPECT_EQ(db.Run("RENAME a b"), "OK");
  EXPECT_EQ(db.Run("GET b"), large);
  EXPECT_EQ(db.Run("RENAME b a"), "OK");
  EXPECT_EQ(db.Run("STRLEN a"), 3'000'000);
}

TEST(Rename, AmongManyKeys) {
  Db db;
  for (int i = 0; i < 5000; ++i) db.Call({"SET", "k" + std::to_string(i), std::to_string(i)});
  for (int i = 0; i < 5000; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(db.Call({"RENAME", "k" + n, "moved:" + n}), "OK");
  }
  for (int i = 0; i < 5000; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(db.Call({"GET", "moved:" + n}), n);
  }
  EXPECT_EQ(db.Run("DBSIZE"), 5000);
}

// An entry grows within the size class of its allocation, which malloc has to have been asked for.
TEST(Keys, OfEverySizeTakeDeadlinesAndLongerValues) {
  Db db;
  for (const size_t base : {0, 240, 2030, 131'050, 135'150}) {
    for (size_t size = base; size < base + 40; ++size) {
      const std::string key(size, 'k');
      ASSERT_EQ(db.Call({"SET", key, "v"}), "OK");
      ASSERT_EQ(db.Call({"EXPIRE", key, "100"}), 1);
      ASSERT_EQ(db.Call({"APPEND", key, "alue"}), 5);
      ASSERT_EQ(db.Call({"PERSIST", key}), 1);
      ASSERT_EQ(db.Call({"INCRBYFLOAT", key, "1"}), "ERR value is not a valid float");
      ASSERT_EQ(db.Call({"SETRANGE", key, "12", "!"}), 13);
      ASSERT_EQ(db.Call({"GETRANGE", key, "0", "4"}), "value");
      ASSERT_EQ(db.Call({"TTL", key}), -1);
      ASSERT_EQ(db.Call({"DEL", key}), 1);
    }
  }
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(RenameNx, OnlyWhenTheTargetIsFree) {
  Db db;
  db.Run("MSET a 1 b 2");
  EXPECT_EQ(db.Run("RENAMENX a b"), 0);
  EXPECT_THAT(Texts(db.Run("MGET a b")), ElementsAre("1", "2"));
  db.Run("PEXPIRE b 1");
  db.AdvanceMs(2);
  db.events();
  EXPECT_EQ(db.Run("RENAMENX a b"), 1) << "an expired key does not stand in the way";
  EXPECT_THAT(db.events(), ElementsAre("expired b", "rename_from a", "rename_to b"));
  EXPECT_EQ(db.Run("GET b"), "1");
  EXPECT_EQ(db.Run("TTL b"), -1);
}

}  // namespace
}  // namespace lapse
