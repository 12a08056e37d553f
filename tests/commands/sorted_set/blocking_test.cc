// Pops that wait.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;

TEST(BZPop, PopsAtOnceWhereThereIsSomething) {
  Db db;
  db.Run("ZADD b 1 x 2 y");
  EXPECT_THAT(Texts(db.Run("BZPOPMIN a b 0")), ElementsAre("b", "x", "1"));
  EXPECT_THAT(Texts(db.Run("BZPOPMAX b a 0")), ElementsAre("b", "y", "2"));
  db.Run("ZADD b 1 x 2 y");
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"BZMPOP", "0", "2", "a", "b", "MAX"}),
            "*2\r\n$1\r\nb\r\n*1\r\n*2\r\n$1\r\ny\r\n,2\r\n");
}

TEST(BZPop, WaitsForAMember) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BZPOPMIN a b 0");
  EXPECT_TRUE(waiter.blocked());
  db.Run("SET a v");
  EXPECT_EQ(waiter.TakeReplies(), "") << "a string is not waited for";
  db.Run("ZADD b 5 x 3 y");
  EXPECT_EQ(waiter.TakeReplies(), "*3\r\n$1\r\nb\r\n$1\r\ny\r\n$1\r\n3\r\n");
  EXPECT_EQ(db.Run("ZCARD b"), 1);
}

TEST(BZPop, ServesInTheOrderOfArrival) {
  Db db;
  Db::Client first(db);
  Db::Client second(db);
  first.Send("BZPOPMAX z 0");
  second.Send("BZMPOP 0 1 z MIN COUNT 5");
  db.Run("ZADD z 1 a 2 b 3 c");
  EXPECT_EQ(first.TakeReplies(), "*3\r\n$1\r\nz\r\n$1\r\nc\r\n$1\r\n3\r\n");
  EXPECT_EQ(second.TakeReplies(),
            "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(db.Run("EXISTS z"), 0);
}

TEST(BZPop, StoredResultsServe) {
  Db db;
  db.Run("ZADD source 1 a");
  Db::Client waiter(db);
  waiter.Send("BZPOPMIN z 0");
  db.Run("ZUNIONSTORE z 1 source");
  EXPECT_EQ(waiter.TakeReplies(), "*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n");
}

TEST(BZPop, TimesOut) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BZPOPMIN z 0.1");
  db.AdvanceMs(101);
  db.DriveExpiry();
  EXPECT_EQ(waiter.TakeReplies(), "*-1\r\n");
  EXPECT_EQ(db.Run("BZPOPMIN z -1"), "ERR timeout is negative");
  EXPECT_EQ(db.Run("BZMPOP x 1 z MIN"), "ERR timeout is not a float or out of range");
}

TEST(BZPop, DoesNotWaitInATransaction) {
  Db db;
  db.Run("MULTI");
  db.Run("BZPOPMIN z 0");
  const Reply replies = db.Run("EXEC");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_TRUE(replies[0].IsNull());
}

}  // namespace
}  // namespace lapse
