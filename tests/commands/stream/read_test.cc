// XREAD, and waiting in XREAD and XREADGROUP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

constexpr std::string_view kEntryOfS =
    "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";

TEST(XRead, GivesWhatIsNewer) {
  Db db;
  db.Run("XADD s 1-1 f v");
  db.Run("XADD t 5-1 f v");
  db.Run("XADD t 6-1 f v");
  const Reply reply = db.Run("XREAD STREAMS s t none 0 5-1 0");
  ASSERT_EQ(reply.size(), 2u);
  EXPECT_EQ(reply[0][0], "s");
  EXPECT_EQ(reply[1][1].size(), 1u);
  EXPECT_TRUE(db.Run("XREAD STREAMS s t $ 6-1").IsNull());
  EXPECT_EQ(db.Run("XREAD COUNT 1 STREAMS t 0")[0][1].size(), 1u);
  db.Resp(3);
  EXPECT_EQ(db.Run("XREAD STREAMS s t 0 0").type, ReplyType::kMap);
}

TEST(XRead, PlusIsTheLastEntry) {
  Db db;
  EXPECT_TRUE(db.Run("XREAD STREAMS s +").IsNull());
  db.Run("XADD s 1-1 f v");
  db.Run("XADD s 2-1 f v");
  db.Run("XADD s 3-1 f v");
  db.Run("XDEL s 3-1");
  const Reply reply = db.Run("XREAD STREAMS s +");
  ASSERT_EQ(reply[0][1].size(), 1u);
  EXPECT_EQ(reply[0][1][0][0], "2-1");
}

TEST(XRead, Errors) {
  Db db;
  db.Run("XADD s 1-1 f v");
  EXPECT_EQ(db.Run("XREAD STREAMS s t 0"),
            "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
            "specified.");
  EXPECT_EQ(db.Run("XREAD BLOCK x STREAMS s 0"), "ERR timeout is not an integer or out of range");
  EXPECT_EQ(db.Run("XREAD BLOCK -1 STREAMS s 0"), "ERR timeout is negative");
  EXPECT_EQ(db.Run("XREAD COUNT 1 s 0"), "ERR syntax error");
  EXPECT_EQ(db.Run("XREAD STREAMS s x"),
            "ERR Invalid stream ID specified as stream command argument");
  EXPECT_EQ(db.Run("XREAD STREAMS s >"),
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
            "<consumer> option.");
}

TEST(XReadBlock, EveryReaderIsServed) {
  Db db;
  Db::Client first(db);
  Db::Client second(db);
  first.Send("XREAD BLOCK 0 STREAMS none s $ $");
  second.Send("XREAD BLOCK 0 STREAMS s $");
  EXPECT_TRUE(first.blocked());
  db.Run("XADD s 1-1 f v");
  EXPECT_EQ(first.TakeReplies(), kEntryOfS);
  EXPECT_EQ(second.TakeReplies(), kEntryOfS);
  first.Send("XREAD BLOCK 0 STREAMS s 0");
  EXPECT_EQ(first.TakeReplies(), kEntryOfS) << "there is something already";
}

TEST(XReadBlock, WaitsForGreaterIds) {
  Db db;
  Db::Client reader(db);
  reader.Resp(3);
  reader.Send("XREAD COUNT 5 BLOCK 0 STREAMS s 1-1");
  db.Run("XADD s 1-0 f v");
  db.Run("XADD s 1-1 f v");
  db.Run("DEL s");
  db.Run("SET s v");
  db.Run("DEL s");
  EXPECT_EQ(reader.TakeReplies(), "");
  db.Run("XADD s 2-0 f v");
  EXPECT_EQ(reader.TakeReplies(),
            "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
}

TEST(XReadGroupBlock, EachEntryGoesToOneWaiter) {
  Db db;
  db.Run("XGROUP CREATE s g $ MKSTREAM");
  Db::Client ada(db);
  Db::Client bob(db);
  ada.Send("XREADGROUP GROUP g ada BLOCK 0 STREAMS s >");
  bob.Send("XREADGROUP GROUP g bob BLOCK 0 NOACK STREAMS s >");
  EXPECT_EQ(db.Run("XINFO CONSUMERS s g").size(), 0u) << "made when they are given something";
  db.Run("XADD s 1-1 f v");
  EXPECT_EQ(ada.TakeReplies(), kEntryOfS);
  EXPECT_EQ(bob.TakeReplies(), "");
  db.Run("XADD s 1-2 f v");
  EXPECT_NE(bob.TakeReplies(), "");
  EXPECT_EQ(db.Run("XPENDING s g")[0], 1) << "ada's";
}

TEST(XReadGroupBlock, IsToldWhatBecomesOfTheStream) {
  const struct {
    const char* line;
    const char* answer;
  } cases[] = {
      {"DEL s", "-UNBLOCKED the stream key no longer exists\r\n"},
      {"SET s v", "-UNBLOCKED the stream key no longer exists\r\n"},
      {"RENAME s t", "-UNBLOCKED the stream key no longer exists\r\n"},
      {"FLUSHALL", "-UNBLOCKED the stream key no longer exists\r\n"},
      {"XGROUP DESTROY s g",
       "-NOGROUP the consumer group this client was blocked on no longer exists\r\n"},
  };
  for (const auto& [line, answer] : cases) {
    Db db;
    db.Run("XGROUP CREATE s g $ MKSTREAM");
    Db::Client reader(db);
    reader.Send("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    EXPECT_TRUE(reader.blocked());
    db.Run(line);
    EXPECT_EQ(reader.TakeReplies(), answer) << line;
  }
}

TEST(XReadGroupBlock, HistoryNeverWaits) {
  Db db;
  db.Run("XGROUP CREATE s g $ MKSTREAM");
  Db::Client reader(db);
  reader.Send("XREADGROUP GROUP g c BLOCK 0 STREAMS s 0");
  EXPECT_EQ(reader.TakeReplies(), "*1\r\n*2\r\n$1\r\ns\r\n*0\r\n");
}

}  // namespace
}  // namespace lapse
