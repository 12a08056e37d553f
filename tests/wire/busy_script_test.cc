// Scripts that do not end: what everybody else is told meanwhile, and how it ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kBusy[] =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

class BusyScript : public testing::TestWithParam<int> {
 protected:
  BusyScript()
      : server_({"--threads", std::to_string(GetParam()), "--busy-reply-threshold", "100"}),
        caller_(server_.port()),
        other_(server_.port()) {}

  void Start(const std::string& script) {
    caller_.Send(WireClient::Encode({"EVAL", script, "1", "held"}));
  }
  bool BecomesBusy() {
    return Eventually([&] { return other_.Call({"PING"}).text == kBusy; });
  }

  ServerProcess server_;
  WireClient caller_;
  WireClient other_;
};

TEST_P(BusyScript, EveryConnectionIsToldSoAndOneEndsIt) {
  std::vector<std::unique_ptr<WireClient>> before;
  for (int i = 0; i < 4; ++i) before.push_back(std::make_unique<WireClient>(server_.port()));
  for (auto& client : before) EXPECT_EQ(client->Call({"SET", "k", "v"}), "OK");
  Start("while true do end");
  ASSERT_TRUE(BecomesBusy());

  for (auto& client : before) EXPECT_EQ(client->Call({"GET", "held"}).text, kBusy);
  WireClient fresh(server_.port());
  EXPECT_EQ(fresh.Call({"CLIENT", "LIST"}).text, kBusy);
  EXPECT_EQ(fresh.Call({"CONFIG", "GET", "port"}).text, kBusy);
  EXPECT_EQ(fresh.Call({"EVAL", "return 1", "0"}).text, kBusy);
  EXPECT_EQ(fresh.Call({"WATCH", "held"}).text, kBusy);
  EXPECT_EQ(fresh.Call({"GET"}).text, "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(fresh.Call({"MULTI"}), "OK");
  EXPECT_EQ(fresh.Call({"GET", "held"}).text, kBusy);
  EXPECT_THAT(fresh.Call({"EXEC"}).text, StartsWith("EXECABORT"));
  EXPECT_EQ(fresh.Call({"FUNCTION", "KILL"}).text, kBusy);

  EXPECT_EQ(fresh.Call({"SCRIPT", "KILL"}), "OK");
  EXPECT_THAT(caller_.Read()->text, StartsWith("ERR Script killed by user"));
  EXPECT_TRUE(Eventually([&] { return other_.Call({"PING"}) == "PONG"; }));
  for (auto& client : before) EXPECT_EQ(client->Call({"GET", "k"}), "v");
  EXPECT_EQ(caller_.Call({"PING"}), "PONG");
}

TEST_P(BusyScript, ThoseWhoWaitForItsKeysKeepNobodyElseWaiting) {
  std::vector<std::unique_ptr<WireClient>> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(std::make_unique<WireClient>(server_.port()));
  WireClient keys(server_.port());
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(keys.Call({"SET", "k" + std::to_string(i), "v", "PX", "50"}), "OK");
  }
  Start("while true do end");
  // A key that is held, twice in a pipeline; the world's standstill; another script.
  const std::string get = WireClient::Encode({"GET", "held"});
  waiting[0]->Send(get + get);
  waiting[1]->Send(WireClient::Encode({"CLIENT", "LIST"}));
  waiting[2]->Send(WireClient::Encode({"EVAL", "return 'second'", "1", "held"}));
  waiting[3]->Send(WireClient::Encode({"INCR", "held"}));
  ASSERT_TRUE(BecomesBusy());

  EXPECT_EQ(other_.Call({"SCRIPT", "KILL"}), "OK");
  EXPECT_THAT(caller_.Read()->text, StartsWith("ERR Script killed by user"));
  // Each has the answer that it waited for, or was told.
  for (auto& client : waiting) EXPECT_TRUE(client->Read().has_value());
  EXPECT_TRUE(waiting[0]->Read().has_value());
  for (auto& client : waiting) {
    EXPECT_TRUE(Eventually([&] { return client->Call({"PING"}) == "PONG"; }));
  }
  EXPECT_TRUE(Eventually([&] { return keys.Call({"DBSIZE"}).integer <= 1; }));
}

TEST_P(BusyScript, ConnectionsComeAndGoMeanwhile) {
  auto leaving = std::make_unique<WireClient>(server_.port());
  EXPECT_EQ(leaving->Call({"WATCH", "held"}), "OK");
  EXPECT_EQ(leaving->Call({"HELLO", "3"}).type, ReplyType::kMap);
  EXPECT_EQ(leaving->Call({"CLIENT", "TRACKING", "ON"}), "OK");
  EXPECT_EQ(leaving->Call({"GET", "held"}).type, ReplyType::kNull);
  leaving->Send(WireClient::Encode({"SUBSCRIBE", "news"}));
  EXPECT_TRUE(leaving->Read().has_value());
  Start("while true do end");
  ASSERT_TRUE(BecomesBusy());
  leaving.reset();
  for (int i = 0; i < 20; ++i) {
    WireClient passing(server_.port());
    EXPECT_EQ(passing.Call({"PING"}).text, kBusy);
    EXPECT_EQ(passing.Call({"RESET"}), "RESET");
    EXPECT_EQ(passing.Call({"QUIT"}), "OK");
    EXPECT_TRUE(passing.ReadsEnd());
  }
  // Its own client has gone, too.
  caller_.Close();
  EXPECT_EQ(other_.Call({"SCRIPT", "KILL"}), "OK");
  EXPECT_TRUE(Eventually([&] { return other_.Call({"PING"}) == "PONG"; }));
  EXPECT_TRUE(Eventually([&] {
    const std::string info = other_.Call({"INFO", "clients"}).text;
    return info.find("connected_clients:1\r\n") != std::string::npos;
  }));
  EXPECT_EQ(other_.Call({"SET", "held", "v"}), "OK");
}

TEST_P(BusyScript, OneThatHasWrittenEndsWithTheServer) {
  Start("redis.call('SET', KEYS[1], 'v') while true do end");
  ASSERT_TRUE(BecomesBusy());
  EXPECT_THAT(other_.Call({"SCRIPT", "KILL"}).text, StartsWith("UNKILLABLE"));
  other_.Send(WireClient::Encode({"SHUTDOWN", "NOSAVE"}));
  EXPECT_EQ(server_.WaitForExit(), 0);
  EXPECT_TRUE(other_.ReadsEnd());
}

TEST_P(BusyScript, ASignalEndsTheServerAllTheSame) {
  Start("while true do pcall(function() while true do end end) end");
  ASSERT_TRUE(BecomesBusy());
  server_.Signal(SIGTERM);
  EXPECT_EQ(server_.WaitForExit(), 0);
  EXPECT_THAT(server_.Output(), HasSubstr("slow script"));
}

INSTANTIATE_TEST_SUITE_P(Threads, BusyScript, testing::Values(1, 2, 4));

}  // namespace
}  // namespace lapse
