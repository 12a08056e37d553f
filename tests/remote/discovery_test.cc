#include "remote/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/reply_parser.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const RemoteAddress kAsked = {.host = "10.9.9.9", .port = 7000};

Reply Text(std::string text) { return {.type = ReplyType::kBulk, .text = std::move(text)}; }
Reply Number(int64_t value) { return {.type = ReplyType::kInteger, .integer = value}; }
Reply Array(std::vector<Reply> elements) {
  return {.type = ReplyType::kArray, .elements = std::move(elements)};
}
Reply Error(std::string text) { return {.type = ReplyType::kError, .text = std::move(text)}; }

Reply Member(const std::string& role, const std::string& endpoint, int port,
             const std::string& health = "online") {
  return Array({Text("id"), Text("abc"), Text("port"), Number(port), Text("tls-port"),
                Number(port + 1), Text("ip"), Text("127.0.0.1"), Text("endpoint"), Text(endpoint),
                Text("role"), Text(role), Text("health"), Text(health)});
}

Reply Shard(std::vector<Reply> slots, std::vector<Reply> members) {
  return Array({Text("slots"), Array(std::move(slots)), Text("nodes"), Array(std::move(members))});
}

TEST(Discovery, ShardsGiveTheirMasters) {
  const Reply reply =
      Array({Shard({Number(0), Number(99), Number(200), Number(200)},
                   {Member("replica", "10.0.0.2", 7001), Member("master", "10.0.0.1", 7000)}),
             Shard({Number(100), Number(199)}, {Member("master", "", 7002)}),
             // Without slots it has no keys.
             Shard({}, {Member("master", "10.0.0.4", 7004)})});
  const auto nodes = ParseClusterShards(reply, kAsked, false);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 2u);
  EXPECT_EQ((*nodes)[0].address.Text(), "10.0.0.1:7000");
  EXPECT_THAT((*nodes)[0].slots, ElementsAre(SlotRange{0, 99}, SlotRange{200, 200}));
  EXPECT_EQ((*nodes)[1].address.Text(), "10.9.9.9:7002");

  const auto encrypted = ParseClusterShards(reply, kAsked, true);
  ASSERT_TRUE(encrypted.ok());
  EXPECT_EQ((*encrypted)[0].address.Text(), "10.0.0.1:7001");
}

TEST(Discovery, AShardWithTwoMastersGivesTheOneThatIsWell) {
  const Reply reply =
      Array({Shard({Number(0), Number(99)}, {Member("master", "10.0.0.1", 7000, "fail"),
                                             Member("master", "10.0.0.2", 7000)})});
  const auto nodes = ParseClusterShards(reply, kAsked, false);
  ASSERT_TRUE(nodes.ok());
  EXPECT_EQ((*nodes)[0].address.host, "10.0.0.2");
}

TEST(Discovery, SlotsAreGatheredByMaster) {
  const auto master = [](const std::string& host, int port) {
    return Array({Text(host), Number(port), Text("id"), Array({})});
  };
  const auto nodes = ParseClusterSlots(
      Array({Array({Number(0), Number(5), master("10.0.0.1", 1), master("10.0.0.9", 9)}),
             Array({Number(6), Number(9), master("", 2)}),
             Array({Number(10), Number(12), master("10.0.0.1", 1)})}),
      kAsked);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 2u);
  EXPECT_THAT((*nodes)[0].slots, ElementsAre(SlotRange{0, 5}, SlotRange{10, 12}));
  EXPECT_EQ((*nodes)[1].address.Text(), "10.9.9.9:2");
}

TEST(Discovery, NodesAsText) {
  const auto nodes = ParseClusterNodes(
      "a1 127.0.0.1:30004@31004,host slave e7 0 1426238317239 4 connected\n"
      "b2 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected 5461-10922 3 [93-<-abc]\n"
      "c3 :30001@31001 myself,master - 0 0 1 connected 0-5460\n"
      "d4 ::1:30003@31003 master,fail - 0 0 1 disconnected 10923-16383\n"
      "e5 127.0.0.1:30009@31009 master - 0 0 1 connected\n",
      kAsked);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 3u);
  EXPECT_THAT((*nodes)[0].slots, ElementsAre(SlotRange{5461, 10922}, SlotRange{3, 3}));
  EXPECT_EQ((*nodes)[1].address.Text(), "10.9.9.9:30001");
  EXPECT_EQ((*nodes)[2].address.Text(), "[::1]:30003");
}

TEST(Discovery, WhatIsNotUnderstoodIsAnError) {
  EXPECT_FALSE(ParseClusterShards(Text("x"), kAsked, false).ok());
  EXPECT_FALSE(ParseClusterShards(Array({Number(1)}), kAsked, false).ok());
  EXPECT_FALSE(ParseClusterShards(Array({}), kAsked, false).ok());
  EXPECT_FALSE(
      ParseClusterShards(Array({Shard({Number(5), Number(1 << 20)}, {Member("master", "h", 1)})}),
                         kAsked, false)
          .ok());
  EXPECT_FALSE(ParseClusterSlots(Array({Array({Number(0), Number(5)})}), kAsked).ok());
  EXPECT_FALSE(ParseClusterSlots(Array({Array({Number(9), Number(5), Array({})})}), kAsked).ok());
  EXPECT_FALSE(ParseClusterNodes("garbage", kAsked).ok());
  EXPECT_FALSE(ParseClusterNodes("a b c d e f g h", kAsked).ok());
}

TEST(Discovery, MastersThatSentinelsName) {
  const auto address = ParseMasterAddress(Array({Text("10.0.0.1"), Text("6380")}));
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->Text(), "10.0.0.1:6380");
  EXPECT_EQ(ParseMasterAddress({.type = ReplyType::kNullArray}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ParseMasterAddress(Error("NOAUTH Authentication required.")).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(ParseMasterAddress(Array({Text("10.0.0.1")})).ok());
}

TEST(Discovery, ErrorRepliesByWhatTheyMean) {
  EXPECT_TRUE(StatusOfReply(Text("x")).ok());
  for (const std::string denied : {"WRONGPASS invalid username-password pair",
                                   "NOPERM no permissions", "ERR invalid password"}) {
    EXPECT_EQ(StatusOfReply(Error(denied)).code(), absl::StatusCode::kPermissionDenied);
  }
  EXPECT_EQ(StatusOfReply(Error("ERR unknown command 'X'")).code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(StatusOfReply(Error("LOADING Redis is loading")).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace lapse
