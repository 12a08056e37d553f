// All families at once on four io threads: what one server does alone. Nothing is compared; the
// server has to stay alive and sound, and, under ThreadSanitizer, free of races.

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/differential/duel.h"

namespace lapse {
namespace {

constexpr int kClients = 6;
constexpr int64_t kCommands = 2000;  // for each client
constexpr size_t kMaxPipeline = 16;

const std::vector<Request>& Others() {
  static const std::vector<Request> requests = {
      {"BLPOP", "queue", "0.01"},
      {"BRPOPLPUSH", "queue", "list:1", "0.01"},
      {"BZPOPMIN", "ranks", "0.01"},
      {"XREAD", "BLOCK", "5", "STREAMS", "feed", "$"},
      {"LPUSH", "queue", "a", "b"},
      {"ZADD", "ranks", "1", "a"},
      {"XADD", "feed", "MAXLEN", "100", "*", "f", "v"},
      {"PUBLISH", "news", "item"},
      {"SET", "lock", "me", "NX", "PX", "5"},
      {"WATCH", "lock", "queue"},
      {"EVAL", "redis.call('INCR', KEYS[1]) return redis.call('KEYS', 'queue*')", "1", "count"},
      {"EVAL", "return redis.call('LPUSH', 'queue', redis.call('INCR', 'other'))", "0"},
      {"CLIENT", "LIST"},
      {"INFO", "all"},
      {"COMMAND", "COUNT"},
      {"FLUSHEXPIREKEYS", "ASYNC"},
      {"FLUSHEXPIREKEYS", "DRYRUN"},
      {"DBSIZE"},
      {"SCAN", "0", "COUNT", "100"},
      {"CONFIG", "SET", "active-expire-strategy", "sampled"},
      {"CONFIG", "SET", "active-expire-strategy", "hinted"},
      {"CONFIG", "SET", "maxmemory", "0"},
      {"CLIENT", "NO-EVICT", "OFF"},
      {"SLOWLOG", "GET"},
      {"MEMORY", "USAGE", "queue"},
      {"SWAPDB", "0", "1"},
  };
  return requests;
}

std::vector<Request> Pipeline(Dice& dice) {
  std::vector<Request> requests;
  const bool transaction = dice.Chance(20);
  if (transaction) requests.push_back({"MULTI"});
  for (size_t i = 1 + dice.Below(kMaxPipeline); i > 0; --i) {
    requests.push_back(dice.Chance(25) ? Others()[dice.Below(Others().size())]
                                       : RandomShot(dice).request);
  }
  if (transaction) requests.push_back({dice.Chance(90) ? "EXEC" : "DISCARD"});
  return requests;
}

// Returns why it had to end early; empty when it did not.
std::string Play(int port, uint64_t seed, int protocol) {
  Dice dice(seed, protocol);
  ByteClient client(port);
  client.Send(Encode({"HELLO", std::to_string(protocol)}));
  if (!client.Receive()) return client.error();
  for (int64_t played = 0; played < kCommands;) {
    const std::vector<Request> requests = Pipeline(dice);
    std::string bytes;
    for (const Request& request : requests) bytes += Encode(request);
    client.Send(bytes);
    for (const Request& request : requests) {
      if (!client.Receive()) return ToCommandLine(request) + ": " + client.error();
      ++played;
    }
  }
  return "";
}

TEST(Threads, FourServeAllFamiliesAtOnce) {
  ServerProcess server({"--io-threads", "4"});
  ASSERT_TRUE(server.running()) << server.Errors();
  ByteClient subscriber(server.port());
  subscriber.Send(Encode({"SUBSCRIBE", "news", "__keyevent@0__:expired"}));
  const uint64_t seed = SeedFromEnvironment();
  std::vector<std::string> ends(kClients);
  {
    std::vector<std::thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back(
          [&, i] { ends[i] = Play(server.port(), seed + static_cast<uint64_t>(i), 2 + i % 2); });
    }
    for (std::thread& client : clients) client.join();
  }
  for (const std::string& end : ends) EXPECT_EQ(end, "") << "seed " << seed;
  ASSERT_TRUE(server.running()) << server.Errors();

  ByteClient auditor(server.port());
  auditor.Send(Encode({"HELLO", "3"}));
  ASSERT_TRUE(auditor.Receive());
  std::string record;
  EXPECT_TRUE(Eventually([&] {  // when the last of the clients' runs has ended
    auditor.Send(Encode({"FLUSHEXPIREKEYS"}));
    const auto answer = auditor.Receive();
    record = answer ? answer->bytes : auditor.error();
    return !record.starts_with("-BUSY");
  }));
  EXPECT_NE(record.find("$7\r\norphans\r\n:0\r\n"), std::string::npos) << record;
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0) << server.Errors();
  EXPECT_EQ(server.Errors(), "");
}

}  // namespace
}  // namespace lapse
