// COPY and MOVE.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSame = "ERR source and destination objects are the same";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kNotInt =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
constexpr std::string_view kDbIndex = "ERR DB index is out of range";

TEST(Copy, CopiesValueDeadlineAndEncoding) {
  Db db;
  db.Run("SET a 12 PX 5000");
  db.events();
  EXPECT_EQ(db.Run("COPY a b"), 1);
  EXPECT_THAT(db.events(), ElementsAre("copy_to b"));
  EXPECT_EQ(db.Run("GET a"), "12");
  EXPECT_EQ(db.Run("GET b"), "12");
  EXPECT_EQ(db.Run("PTTL b"), 5000);
  EXPECT_EQ(db.Run("OBJECT ENCODING b"), "int");
}

TEST(Copy, ReplacesOnlyWhenTold) {
  Db db;
  db.Run("MSET a 1 b 2");
  db.Run("EXPIRE b 10");
  EXPECT_EQ(db.Run("COPY a b"), 0);
  EXPECT_EQ(db.Run("GET b"), "2");
  EXPECT_EQ(db.Run("COPY a b REPLACE"), 1);
  EXPECT_EQ(db.Run("GET b"), "1");
  EXPECT_EQ(db.Run("TTL b"), -1);
  db.Run("PEXPIRE b 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("COPY a b"), 1) << "an expired key does not stand in the way";
}

TEST(Copy, ToAnotherDatabase) {
  Db db;
  db.Run("SET a 1 EX 10");
  EXPECT_EQ(db.Run("COPY a a DB 3"), 1);
  EXPECT_EQ(db.Run("COPY a a DB 3"), 0);
  EXPECT_EQ(db.Run("COPY a b REPLACE DB 3"), 1);
  EXPECT_EQ(db.Run("COPY a b DB 1 DB 4 REPLACE"), 1) << "the last one counts";
  EXPECT_EQ(db.Run("DBSIZE"), 1);
  db.client().session().db = 3;
  EXPECT_EQ(db.Run("DBSIZE"), 2);
  EXPECT_EQ(db.Run("GET b"), "1");
  EXPECT_EQ(db.Run("TTL a"), 10);
  db.client().session().db = 4;
  EXPECT_EQ(db.Run("GET b"), "1");
}

TEST(Copy, Errors) {
  Db db;
  db.Run("SET a 1");
  EXPECT_EQ(db.Run("COPY a a"), kSame);
  EXPECT_EQ(db.Run("COPY a a DB 0"), kSame);
  EXPECT_EQ(db.Run("COPY missing missing"), kSame);
  EXPECT_EQ(db.Run("COPY missing b"), 0);
  EXPECT_EQ(db.Run("COPY a b DB"), "ERR syntax error");
  EXPECT_EQ(db.Run("COPY a b BOGUS"), "ERR syntax error");
  EXPECT_EQ(db.Run("COPY a b DB abc"), kNotInteger);
  EXPECT_EQ(db.Run("COPY a b DB 99"), kDbIndex);
  EXPECT_EQ(db.Run("COPY a b DB -1"), kDbIndex);
  EXPECT_EQ(db.Run("COPY a b DB 99999999999"), kNotInt);
  EXPECT_EQ(db.Run("EXISTS b"), 0);
}

TEST(Copy, LargeValuesAndTheirCopiesAreApart) {
  Db db;
  const std::string large(1'000'000, 'x');
  db.Call({"SET", "a", large});
  EXPECT_EQ(db.Run("COPY a b"), 1);
  db.Run("SETRANGE a 0 y");
  EXPECT_EQ(db.Run("GETRANGE b 0 0"), "x");
  EXPECT_EQ(db.Run("STRLEN b"), 1'000'000);
}

TEST(Copy, AmongManyKeys) {
  Db db;
  for (int i = 0; i < 5000; ++i) {
    const std::string n = std::to_string(i);
    db.Call({"SET", n, "value " + n});
    ASSERT_EQ(db.Call({"COPY", n, "copy:" + n}), 1);
  }
  for (int i = 0; i < 5000; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(db.Call({"GET", "copy:" + n}), "value " + n);
  }
}

TEST(Move, MovesValueAndDeadline) {
  Db db;
  db.Run("SET k v PX 5000");
  db.events();
  EXPECT_EQ(db.Run("MOVE k 2"), 1);
  EXPECT_THAT(db.events(), ElementsAre("move_from k", "move_to k"));
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  db.client().session().db = 2;
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("PTTL k"), 5000);
  EXPECT_EQ(db.Run("MOVE k 0"), 1);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Move, NeverReplaces) {
  Db db;
  db.Run("SET k v");
  db.Run("COPY k k DB 1");
  db.events();
  EXPECT_EQ(db.Run("MOVE k 1"), 0);
  EXPECT_EQ(db.Run("MOVE missing 1"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("MOVE k 1"), 0);
}

TEST(Move, OverAnElapsedKey) {
  Db db;
  db.client().session().db = 1;
  db.Run("SET k old PX 1");
  db.client().session().db = 0;
  db.Run("SET k new");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("MOVE k 1"), 1);
  db.client().session().db = 1;
  EXPECT_EQ(db.Run("GET k"), "new");
  EXPECT_EQ(db.Run("TTL k"), -1);
}

TEST(Move, Errors) {
  Db db;
  EXPECT_EQ(db.Run("MOVE missing 0"), kSame);
  EXPECT_EQ(db.Run("MOVE k abc"), kNotInteger);
  EXPECT_EQ(db.Run("MOVE k 99"), kDbIndex);
  EXPECT_EQ(db.Run("MOVE k -1"), kDbIndex);
  EXPECT_EQ(db.Run("MOVE k 99999999999"), kNotInt);
}

}  // namespace
}  // namespace lapse
