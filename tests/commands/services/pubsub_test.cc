// SUBSCRIBE and its relatives, PUBLISH, PUBSUB.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string MessageTo(std::string_view channel, std::string_view text, char type = '*') {
  return std::string(1, type) + "3\r\n" + Bulk("message") + Bulk(channel) + Bulk(text);
}

std::string Confirmation(std::string_view what, std::string_view name, int count) {
  return "*3\r\n" + Bulk(what) + Bulk(name) + ":" + std::to_string(count) + "\r\n";
}

TEST(PubSub, Subscribe) {
  Db db;
  Db::Client listener(db);
  EXPECT_EQ(listener.CallRaw({"SUBSCRIBE", "a", "b", "a"}), Confirmation("subscribe", "a", 1) +
                                                                Confirmation("subscribe", "b", 2) +
                                                                Confirmation("subscribe", "a", 2));
  EXPECT_EQ(db.Run("PUBLISH a hello"), 1);
  EXPECT_EQ(db.Run("PUBLISH c nobody"), 0);
  EXPECT_EQ(db.Run("PUBLISH b there"), 1);
  EXPECT_EQ(listener.TakePushes(), MessageTo("a", "hello") + MessageTo("b", "there"));
  EXPECT_EQ(listener.CallRaw({"UNSUBSCRIBE", "a"}), Confirmation("unsubscribe", "a", 1));
  EXPECT_EQ(db.Run("PUBLISH a again"), 0);
  EXPECT_EQ(listener.TakePushes(), "");
}

TEST(PubSub, WhatWasPublishedBeforeComesBeforeTheEnd) {
  Db db;
  Db::Client listener(db);
  listener.Send("SUBSCRIBE a");
  listener.TakeReplies();
  db.Run("PUBLISH a last");
  EXPECT_EQ(listener.CallRaw({"UNSUBSCRIBE"}),
            MessageTo("a", "last") + Confirmation("unsubscribe", "a", 0));
  EXPECT_EQ(listener.TakePushes(), "");
  EXPECT_EQ(listener.CallRaw({"UNSUBSCRIBE"}), "*3\r\n" + Bulk("unsubscribe") + "$-1\r\n:0\r\n");
}

TEST(PubSub, Patterns) {
  Db db;
  Db::Client listener(db);
  listener.Send("PSUBSCRIBE news.*");
  listener.Send("SUBSCRIBE news.art");
  listener.TakeReplies();
  EXPECT_EQ(db.Run("PUBLISH news.art x"), 2);
  EXPECT_EQ(listener.TakePushes(), MessageTo("news.art", "x") + "*4\r\n" + Bulk("pmessage") +
                                       Bulk("news.*") + Bulk("news.art") + Bulk("x"));
  EXPECT_EQ(db.Run("PUBSUB NUMPAT"), 1);
  EXPECT_EQ(listener.CallRaw({"PUNSUBSCRIBE"}), Confirmation("punsubscribe", "news.*", 1));
}

TEST(PubSub, ShardChannels) {
  Db db;
  Db::Client listener(db);
  EXPECT_EQ(listener.CallRaw({"SSUBSCRIBE", "s"}), Confirmation("ssubscribe", "s", 1));
  EXPECT_EQ(db.Run("PUBLISH s x"), 0);
  EXPECT_EQ(db.Run("SPUBLISH s x"), 1);
  EXPECT_EQ(listener.TakePushes(), "*3\r\n" + Bulk("smessage") + Bulk("s") + Bulk("x"));
  EXPECT_EQ(db.Run("PUBSUB SHARDNUMSUB s t")[1], 1);
  EXPECT_EQ(db.Run("PUBSUB SHARDCHANNELS")[0], "s");
  EXPECT_EQ(listener.CallRaw({"SUNSUBSCRIBE"}), Confirmation("sunsubscribe", "s", 0));
}

TEST(PubSub, WhatASubscriberMaySay) {
  Db db;
  Db::Client listener(db);
  listener.Send("SUBSCRIBE a");
  listener.TakeReplies();
  EXPECT_EQ(listener.Run("GET k"),
            "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
            "are allowed in this context");
  EXPECT_THAT(listener.Run("CLIENT LIST").text, HasSubstr("'client|list'"));
  EXPECT_EQ(listener.CallRaw({"PING"}), "*2\r\n" + Bulk("pong") + Bulk(""));
  EXPECT_EQ(listener.CallRaw({"PING", "x"}), "*2\r\n" + Bulk("pong") + Bulk("x"));
  EXPECT_EQ(listener.Run("RESET"), "RESET");
  EXPECT_EQ(listener.Run("PING"), "PONG");
  EXPECT_EQ(db.Run("PUBLISH a x"), 0);
}

TEST(PubSub, Resp3) {
  Db db;
  Db::Client listener(db);
  listener.Resp(3);
  EXPECT_EQ(listener.CallRaw({"SUBSCRIBE", "a"}),
            ">3\r\n" + Bulk("subscribe") + Bulk("a") + ":1\r\n");
  EXPECT_TRUE(listener.Run("GET k").IsNull()) << "anything may be said";
  EXPECT_EQ(listener.CallRaw({"PUBLISH", "a", "own"}), MessageTo("a", "own", '>') + ":1\r\n");
  db.Run("PUBLISH a x");
  EXPECT_EQ(listener.TakePushes(), MessageTo("a", "x", '>'));
}

TEST(PubSub, InTransaction) {
  Db db;
  db.Run("MULTI");
  db.Run("SUBSCRIBE a");
  EXPECT_EQ(db.client().CallRaw({"EXEC"}), "*1\r\n" + Confirmation("subscribe", "a", 1));
  EXPECT_EQ(db.client().CallRaw({"UNSUBSCRIBE"}), Confirmation("unsubscribe", "a", 0));
}

TEST(PubSub, Introspection) {
  Db db;
  {
    Db::Client listener(db);
    listener.CallRaw({"SUBSCRIBE", "one", "two"});
    listener.CallRaw({"PSUBSCRIBE", "p*"});
    const Reply channels = db.Run("PUBSUB CHANNELS");
    ASSERT_EQ(channels.size(), 2u);
    EXPECT_EQ(db.Run("PUBSUB CHANNELS t*")[0], "two");
    const Reply counts = db.Run("PUBSUB NUMSUB one none");
    EXPECT_EQ(counts[1], 1);
    EXPECT_EQ(counts[3], 0);
    const std::string list = db.Run("CLIENT LIST TYPE pubsub").text;
    EXPECT_THAT(list, HasSubstr(" flags=P "));
    EXPECT_THAT(list, HasSubstr(" sub=2 psub=1 ssub=0 "));
    EXPECT_THAT(db.Run("INFO stats").text, HasSubstr("pubsub_channels:2\r\npubsub_patterns:1\r\n"));
  }
  EXPECT_EQ(db.Run("PUBSUB CHANNELS").size(), 0u) << "who goes unsubscribes";
  EXPECT_EQ(db.Run("PUBSUB NUMPAT"), 0);
}

// Each publisher's messages reach each subscriber in their order.
TEST(PubSub, OrderOfEachPublisher) {
  constexpr int kMessages = 500;
  Db db;
  Db::Client listener(db);
  listener.CallRaw({"SUBSCRIBE", "c"});
  std::vector<std::thread> publishers;
  for (char name = 'a'; name < 'd'; ++name) {
    publishers.emplace_back([&db, name] {
      Db::Client publisher(db);
      for (int i = 0; i < kMessages; ++i) {
        publisher.Call({"PUBLISH", "c", name + std::to_string(i)});
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const std::string pushes = listener.TakePushes();
  for (char name = 'a'; name < 'd'; ++name) {
    size_t at = 0;
    for (int i = 0; i < kMessages; ++i) {
      at = pushes.find(MessageTo("c", name + std::to_string(i)), at);
      ASSERT_NE(at, pushes.npos) << name << i;
    }
  }
}

}  // namespace
}  // namespace lapse
