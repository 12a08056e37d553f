// Keyspace notifications.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/reply_parser.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A client that listens to all notifications.
class Listener {
 public:
  explicit Listener(Db& db) : client_(db) { client_.CallRaw({"PSUBSCRIBE", "__key*__:*"}); }

  // "channel message" of each.
  std::vector<std::string> Take() {
    const std::string pushes = client_.TakePushes();
    std::vector<std::string> events;
    for (size_t at = 0; at < pushes.size();) {
      ReplyParser parser;
      Reply push;
      size_t consumed = 0;
      EXPECT_EQ(parser.Parse(std::string_view(pushes).substr(at), consumed, push),
                ReplyParser::Result::kReply);
      if (consumed == 0) break;
      events.push_back(push[2].text + " " + push[3].text);
      at += consumed;
    }
    return events;
  }

 private:
  Db::Client client_;
};

TEST(Notifications, OffUnlessAskedFor) {
  Db db;
  Listener listener(db);
  db.Run("SET a 1");
  EXPECT_THAT(listener.Take(), IsEmpty());
  db.Run("CONFIG SET notify-keyspace-events A");
  db.Run("SET a 1");
  EXPECT_THAT(listener.Take(), IsEmpty()) << "neither kind of channel is chosen";
}

TEST(Notifications, BothKindsOfChannels) {
  Db db;
  Listener listener(db);
  db.Run("CONFIG SET notify-keyspace-events KEA");
  db.Run("SELECT 3");
  db.Run("SET a 1");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyspace@3__:a set", "__keyevent@3__:set a"));
  db.Run("CONFIG SET notify-keyspace-events K$");
  db.Run("SET a 1 EX 100");
  db.Run("DEL a");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyspace@3__:a set"));
}

TEST(Notifications, ExpiredWhenRemoved) {
  Db db;
  Listener listener(db);
  db.Run("CONFIG SET notify-keyspace-events Ex");
  db.Run("SET a 1 PX 10");
  db.Run("SET b 1 PX 10");
  db.AdvanceMs(11);
  EXPECT_THAT(listener.Take(), IsEmpty());
  db.Run("GET a");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:expired a"));
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:expired b"));
}

TEST(Notifications, MissesAndNewKeys) {
  Db db;
  Listener listener(db);
  db.Run("CONFIG SET notify-keyspace-events Emn$");
  db.Run("GET a");
  db.Run("SET a 1");
  db.Run("SET a 2");
  db.Run("GET a");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:keymiss a", "__keyevent@0__:new a",
                                           "__keyevent@0__:set a", "__keyevent@0__:set a"));
}

TEST(Notifications, KeysThatTakeAnothersPlaceAreNew) {
  Db db;
  Listener listener(db);
  db.Run("MSET a 1 b 1");
  db.Run("CONFIG SET notify-keyspace-events EAn");
  db.Run("RENAME a c");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:new c", "__keyevent@0__:rename_from a",
                                           "__keyevent@0__:rename_to c"));
  db.Run("RENAME c b");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:new b", "__keyevent@0__:rename_from c",
                                           "__keyevent@0__:rename_to b"));
  db.Run("COPY b d");
  db.Run("COPY b d REPLACE");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:new d", "__keyevent@0__:copy_to d",
                                           "__keyevent@0__:new d", "__keyevent@0__:copy_to d"));
  const std::string payload = db.Run("DUMP b").text;
  db.Call({"RESTORE", "b", "0", payload, "REPLACE"});
  db.Call({"RESTORE", "e", "0", payload});
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:new b", "__keyevent@0__:restore b",
                                           "__keyevent@0__:new e", "__keyevent@0__:restore e"));
  db.Run("MOVE e 1");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@1__:new e", "__keyevent@0__:move_from e",
                                           "__keyevent@1__:move_to e"));
  db.Run("SET b 2");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:set b"));
}

TEST(Notifications, LooksAtHowAKeyIsKeptMissNothing) {
  Db db;
  Listener listener(db);
  db.Run("CONFIG SET notify-keyspace-events EAm");
  for (const std::string_view line :
       {"OBJECT ENCODING a", "OBJECT IDLETIME a", "OBJECT REFCOUNT a", "MEMORY USAGE a"}) {
    EXPECT_TRUE(db.Run(line).IsNull()) << line;
  }
  EXPECT_THAT(listener.Take(), IsEmpty());
  EXPECT_TRUE(db.Run("DUMP a").IsNull());
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:keymiss a"));
}

TEST(Notifications, AlwaysFromTheConfiguration) {
  Config config;
  ASSERT_TRUE(ApplyConfigText("notify-keyspace-events Eg\n", "test", config).ok());
  Db db(config);
  Listener listener(db);
  db.Run("SET a 1");
  db.Run("DEL a");
  EXPECT_THAT(listener.Take(), ElementsAre("__keyevent@0__:del a"));
}

TEST(Notifications, Directive) {
  Db db;
  const auto change = [&](const std::string& letters) {
    const Reply reply = db.Call({"CONFIG", "SET", "notify-keyspace-events", letters});
    return reply == "OK" ? db.Run("CONFIG GET notify-keyspace-events")[1].text : reply.text;
  };
  EXPECT_EQ(change("AKEm"), "AKEm");
  EXPECT_EQ(change("An"), "A");
  EXPECT_EQ(change("g$lshzxetdnm"), "Am");
  EXPECT_EQ(change("nmEKg"), "gnKEm");
  EXPECT_EQ(change(""), "");
  EXPECT_EQ(change("Q"),
            "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - "
            "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

}  // namespace
}  // namespace lapse
