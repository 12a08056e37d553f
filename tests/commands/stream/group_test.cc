// Consumer groups: XGROUP, XREADGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM, XINFO.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Ids(const Reply& entries) {
  std::vector<std::string> ids;
  for (const Reply& entry : entries.elements) ids.push_back(entry[0].text);
  return ids;
}

// A stream `s` of entries 1-0 to 5-0 and a group `g` that has read none.
void Prepare(Db& db) {
  for (int i = 1; i <= 5; ++i) db.Run("XADD s " + std::to_string(i) + "-0 f v");
  db.Run("XGROUP CREATE s g 0");
  db.events();
}

// What one stream gave to XREADGROUP.
std::vector<std::string> Given(const Reply& reply) { return Ids(reply[0][1]); }

TEST(XGroup, CreateAndDestroy) {
  Db db;
  EXPECT_THAT(db.Run("XGROUP CREATE s g $").text, HasSubstr("requires the key to exist"));
  EXPECT_EQ(db.Run("XGROUP CREATE s g $ MKSTREAM"), "OK");
  EXPECT_THAT(db.events(), ElementsAre("xgroup-create s"));
  EXPECT_EQ(db.Run("XLEN s"), 0);
  EXPECT_EQ(db.Run("XGROUP CREATE s g $"), "BUSYGROUP Consumer Group name already exists");
  EXPECT_EQ(db.Run("XGROUP CREATE s h 5-1 ENTRIESREAD -2"),
            "ERR value for ENTRIESREAD must be positive or -1");
  EXPECT_EQ(db.Run("XGROUP CREATE s h 5-1 BOGUS"),
            "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.");
  EXPECT_EQ(db.Run("XGROUP SETID s none 0"),
            "NOGROUP No such consumer group 'none' for key name 's'");
  EXPECT_EQ(db.Run("XGROUP SETID s g 7-7 ENTRIESREAD 3"), "OK");
  EXPECT_EQ(db.Run("XINFO GROUPS s")[0][7], "7-7");
  EXPECT_EQ(db.Run("XGROUP DESTROY s g"), 1);
  EXPECT_EQ(db.Run("XGROUP DESTROY s g"), 0);
  EXPECT_THAT(db.events(), ElementsAre("xgroup-setid s", "xgroup-destroy s"));
}

TEST(XGroup, Consumers) {
  Db db;
  Prepare(db);
  EXPECT_EQ(db.Run("XGROUP CREATECONSUMER s g c"), 1);
  EXPECT_EQ(db.Run("XGROUP CREATECONSUMER s g c"), 0);
  db.Run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  EXPECT_EQ(db.Run("XGROUP DELCONSUMER s g c"), 2);
  EXPECT_EQ(db.Run("XGROUP DELCONSUMER s g c"), 0);
  EXPECT_THAT(db.events(), ElementsAre("xgroup-createconsumer s", "xgroup-delconsumer s"));
  EXPECT_EQ(db.Run("XPENDING s g")[0], 0);
}

TEST(XReadGroup, EachEntryGoesToOneConsumer) {
  Db db;
  Prepare(db);
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g ada COUNT 2 STREAMS s >")),
              ElementsAre("1-0", "2-0"));
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g bob STREAMS s >")),
              ElementsAre("3-0", "4-0", "5-0"));
  EXPECT_TRUE(db.Run("XREADGROUP GROUP g ada STREAMS s >").IsNull());
  EXPECT_THAT(db.events(), ElementsAre("xgroup-createconsumer s", "xgroup-createconsumer s"));
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g ada STREAMS s 0")), ElementsAre("1-0", "2-0"));
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g ada STREAMS s 1-0")), ElementsAre("2-0"));
  EXPECT_EQ(db.Run("XACK s g 1-0 3-0 9-9"), 2);
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g ada STREAMS s 0")), ElementsAre("2-0"));
}

TEST(XReadGroup, HistoryShowsWhatWasDeleted) {
  Db db;
  Prepare(db);
  db.Run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  db.Run("XDEL s 1-0");
  const Reply entries = db.Run("XREADGROUP GROUP g c STREAMS s 0")[0][1];
  EXPECT_THAT(Ids(entries), ElementsAre("1-0", "2-0"));
  EXPECT_TRUE(entries[0][1].IsNull());
}

TEST(XReadGroup, NoAck) {
  Db db;
  Prepare(db);
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g c COUNT 3 NOACK STREAMS s >")),
              ElementsAre("1-0", "2-0", "3-0"));
  EXPECT_EQ(db.Run("XPENDING s g")[0], 0);
  EXPECT_THAT(Given(db.Run("XREADGROUP GROUP g c STREAMS s >")), ElementsAre("4-0", "5-0"));
}

TEST(XReadGroup, Errors) {
  Db db;
  Prepare(db);
  EXPECT_EQ(db.Run("XREADGROUP GROUP h c STREAMS s >"),
            "NOGROUP No such key 's' or consumer group 'h' in XREADGROUP with GROUP option");
  EXPECT_THAT(db.Run("XREADGROUP GROUP g c STREAMS s $").text, HasSubstr("The $ ID is meaning"));
  EXPECT_EQ(db.Run("XREADGROUP COUNT 1 COUNT 1 STREAMS s 0"),
            "ERR Missing GROUP option for XREADGROUP");
  EXPECT_EQ(db.Run("XREAD GROUP g c STREAMS s 0"),
            "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
  EXPECT_EQ(db.Run("XREAD NOACK STREAMS s 0"),
            "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
}

TEST(XPending, SummaryAndList) {
  Db db;
  Prepare(db);
  EXPECT_EQ(db.Run("XPENDING s h"), "NOGROUP No such key 's' or consumer group 'h'");
  db.Run("XREADGROUP GROUP g ada COUNT 2 STREAMS s >");
  db.AdvanceMs(100);
  db.Run("XREADGROUP GROUP g bob STREAMS s >");
  const Reply summary = db.Run("XPENDING s g");
  EXPECT_EQ(summary[0], 5);
  EXPECT_EQ(summary[1], "1-0");
  EXPECT_EQ(summary[2], "5-0");
  EXPECT_THAT(Texts(summary[3][0]), ElementsAre("ada", "2"));
  EXPECT_THAT(Texts(summary[3][1]), ElementsAre("bob", "3"));
  db.AdvanceMs(10);
  const Reply first = db.Run("XPENDING s g - + 1")[0];
  EXPECT_EQ(first[0], "1-0");
  EXPECT_EQ(first[1], "ada");
  EXPECT_EQ(first[2], 110);
  EXPECT_EQ(first[3], 1);
  EXPECT_THAT(Ids(db.Run("XPENDING s g IDLE 50 - + 10")), ElementsAre("1-0", "2-0"));
  EXPECT_THAT(Ids(db.Run("XPENDING s g (1-0 4 10 bob")), ElementsAre("3-0", "4-0"));
  EXPECT_EQ(db.Run("XPENDING s g - + 10 nobody").size(), 0u);
  EXPECT_EQ(db.Run("XPENDING s g - +"), "ERR syntax error");
}

TEST(XClaim, TakesOverWhatIsIdle) {
  Db db;
  Prepare(db);
  db.Run("XREADGROUP GROUP g ada COUNT 3 STREAMS s >");
  db.AdvanceMs(1000);
  db.events();
  EXPECT_EQ(db.Run("XCLAIM s g bob 2000 1-0").size(), 0u);
  EXPECT_THAT(db.events(), IsEmpty()) << "nothing was claimed, so nobody is made";
  EXPECT_THAT(Ids(db.Run("XCLAIM s g bob 500 1-0 2-0")), ElementsAre("1-0", "2-0"));
  EXPECT_THAT(db.events(), ElementsAre("xgroup-createconsumer s"));
  EXPECT_EQ(db.Run("XPENDING s g - + 1")[0][3], 2) << "delivered once more";
  EXPECT_THAT(Texts(db.Run("XCLAIM s g bob 0 3-0 JUSTID")), ElementsAre("3-0"));
  EXPECT_EQ(db.Run("XPENDING s g 3-0 3-0 1")[0][3], 1);
  EXPECT_EQ(db.Run("XCLAIM s g bob 0 4-0").size(), 0u) << "not pending";
  EXPECT_THAT(Texts(db.Run("XCLAIM s g bob 0 4-0 FORCE JUSTID RETRYCOUNT 9 IDLE 70")),
              ElementsAre("4-0"));
  const Reply forced = db.Run("XPENDING s g 4-0 4-0 1")[0];
  EXPECT_EQ(forced[2], 70);
  EXPECT_EQ(forced[3], 9);
  db.Run("XDEL s 1-0");
  EXPECT_EQ(db.Run("XCLAIM s g ada 0 1-0").size(), 0u);
  EXPECT_EQ(db.Run("XPENDING s g 1-0 1-0 1").size(), 0u) << "what is deleted is pending no more";
  EXPECT_EQ(db.Run("XCLAIM s g ada 0 1-0 BOGUS"), "ERR Unrecognized XCLAIM option 'BOGUS'");
  EXPECT_EQ(db.Run("XCLAIM s g ada x 1-0"), "ERR Invalid min-idle-time argument for XCLAIM");
}

TEST(XAutoClaim, GoesOnFromItsCursor) {
  Db db;
  Prepare(db);
  db.Run("XREADGROUP GROUP g ada STREAMS s >");
  db.Run("XDEL s 2-0");
  db.AdvanceMs(10);
  Reply reply = db.Run("XAUTOCLAIM s g bob 5 0 COUNT 2");
  EXPECT_EQ(reply[0], "3-0");
  EXPECT_THAT(Ids(reply[1]), ElementsAre("1-0"));
  EXPECT_THAT(Texts(reply[2]), ElementsAre("2-0"));
  reply = db.Run("XAUTOCLAIM s g bob 5 3-0 JUSTID");
  EXPECT_EQ(reply[0], "0-0");
  EXPECT_THAT(Texts(reply[1]), ElementsAre("3-0", "4-0", "5-0"));
  EXPECT_EQ(db.Run("XAUTOCLAIM s g bob 5 0")[1].size(), 0u) << "none is idle for so long";
  EXPECT_EQ(db.Run("XAUTOCLAIM s g bob 0 0 COUNT 0"), "ERR COUNT must be > 0");
}

TEST(XInfo, TellsLengthsAndLag) {
  Db db;
  Prepare(db);
  db.Run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  db.Resp(3);
  const Reply stream = db.Run("XINFO STREAM s");
  EXPECT_EQ(stream.type, ReplyType::kMap);
  EXPECT_EQ(stream[1], 5);
  EXPECT_EQ(stream[5], 2) << "nodes of a radix tree with one key";
  EXPECT_EQ(stream[7], "5-0");
  const Reply group = db.Run("XINFO GROUPS s")[0];
  EXPECT_EQ(group[1], "g");
  EXPECT_EQ(group[9], 2) << "entries read";
  EXPECT_EQ(group[11], 3) << "lag";
  const Reply consumer = db.Run("XINFO CONSUMERS s g")[0];
  EXPECT_EQ(consumer[1], "c");
  EXPECT_EQ(consumer[3], 2);
  EXPECT_EQ(db.Run("XINFO STREAM s FULL COUNT 1")[15].size(), 1u);
  EXPECT_EQ(db.Run("XINFO STREAM none"), "ERR no such key");
  EXPECT_EQ(db.Run("XINFO STREAM s BOGUS"),
            "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.");
  EXPECT_EQ(db.Run("XINFO CONSUMERS s h"), "NOGROUP No such consumer group 'h' for key name 's'");
}

}  // namespace
}  // namespace lapse
