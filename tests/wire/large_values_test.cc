// Large collections, which a thread of its own destroys.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

constexpr int kMembers = 20'000;

void AddSet(WireClient& client, const std::string& key) {
  std::vector<std::string> words = {"SADD", key};
  for (int i = 0; i < kMembers; ++i) words.push_back("member" + std::to_string(i));
  ASSERT_EQ(client.Call(words), kMembers);
}

std::string Memory(WireClient& client) { return client.Call({"INFO", "memory"}).text; }

TEST(LargeValues, AreDestroyedInTheBackground) {
  ServerProcess server;
  WireClient client(server.port());
  AddSet(client, "set");
  EXPECT_EQ(client.Call({"DEL", "set"}), 1);
  EXPECT_TRUE(Eventually([&] {
    const std::string memory = Memory(client);
    return memory.find("lazyfree_pending_objects:0\r\n") != std::string::npos &&
           memory.find("lazyfreed_objects:1\r\n") != std::string::npos;
  })) << Memory(client);
  client.Call({"CONFIG", "RESETSTAT"});
  EXPECT_THAT(Memory(client), HasSubstr("lazyfreed_objects:0\r\n"));
}

// Whoever removes them: expiry may be quicker than the command.
TEST(LargeValues, AreGoneWhenFlushExpireKeysIsDone) {
  ServerProcess server;
  WireClient client(server.port());
  for (int i = 0; i < 20; ++i) AddSet(client, "set" + std::to_string(i));
  for (int i = 0; i < 20; ++i) client.Call({"PEXPIRE", "set" + std::to_string(i), "50"});
  ASSERT_TRUE(Eventually([&] { return client.Call({"EXISTS", "set19"}) == 0; }));
  client.Call({"FLUSHEXPIREKEYS"});
  EXPECT_THAT(Memory(client), HasSubstr("lazyfree_pending_objects:0\r\n"));
  EXPECT_THAT(Memory(client), HasSubstr("lazyfreed_objects:20\r\n"));
}

}  // namespace
}  // namespace lapse
