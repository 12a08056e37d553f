// Clients over real sockets: what they send, what they may not, and what one does to the others.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A line of INFO, as a number.
int64_t InfoNumber(WireClient& client, const std::string& field) {
  const std::string info = client.Call({"INFO"}).text;
  const size_t at = info.find("\n" + field + ":");
  return at == info.npos ? -1 : std::atoll(info.c_str() + at + field.size() + 2);
}

// An address of this machine that is not the loopback's; empty when there is none.
std::string OtherAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* one = all; one != nullptr && found.empty(); one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text,
              sizeof(text));
    if (!std::string_view(text).starts_with("127.")) found = text;
  }
  freeifaddrs(all);
  return found;
}

TEST(Clients, PipelinesAreAnsweredInOrder) {
  ServerProcess server;
  WireClient client(server.port());
  std::string pipeline;
  for (int i = 0; i < 10'000; ++i) pipeline += WireClient::Encode({"INCR", "n"});
  ASSERT_TRUE(client.Send(pipeline));
  for (int64_t i = 1; i <= 10'000; ++i) {
    const std::optional<Reply> reply = client.Read();
    ASSERT_TRUE(reply.has_value());
    ASSERT_EQ(*reply, i);
  }
}

TEST(Clients, PeopleTypeInline) {
  ServerProcess server;
  WireClient client(server.port());
  client.Send("set greeting \"hello world\"\r\nget greeting\r\n\r\nquit\r\n");
  EXPECT_EQ(*client.Read(), "OK");
  EXPECT_EQ(*client.Read(), "hello world");
  EXPECT_EQ(*client.Read(), "OK");
  EXPECT_TRUE(client.ReadsEnd());
}

TEST(Clients, AProtocolErrorIsToldBeforeTheServerHangsUp) {
  ServerProcess server;
  WireClient client(server.port());
  client.Send("*1\r\n$-5\r\n");
  const std::optional<Reply> reply = client.Read();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->text, "ERR Protocol error: invalid bulk length");
  EXPECT_TRUE(client.ReadsEnd());
}

TEST(Clients, HugeValuesComeBackWhole) {
  ServerProcess server;
  WireClient client(server.port());
  std::string value(64 << 20, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 2654435761u >> 13);
  EXPECT_EQ(client.Call({"SET", "huge", value}), "OK");
  const Reply reply = client.Call({"GET", "huge"});
  EXPECT_TRUE(reply.text == value);
  // Buffers are given back when they ran empty.
  EXPECT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_LT(InfoNumber(client, "mem_clients_normal"), 1 << 20);
}

TEST(Clients, ASlowReaderCostsABoundedBufferAndNobodyElse) {
  ServerProcess server({"--threads", "1"});
  WireClient client(server.port()), slow(server.port());
  const std::string value(1 << 20, 'v');
  EXPECT_EQ(client.Call({"SET", "big", value}), "OK");
  // 400 MB of replies, of which the slow one reads nothing for now.
  std::string pipeline;
  for (int i = 0; i < 400; ++i) pipeline += WireClient::Encode({"GET", "big"});
  ASSERT_TRUE(slow.Send(pipeline));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_LT(InfoNumber(client, "mem_clients_normal"), 16 << 20);
  for (int i = 0; i < 400; ++i) {
    const std::optional<Reply> reply = slow.Read();
    ASSERT_TRUE(reply.has_value()) << "reply " << i;
    ASSERT_EQ(reply->text.size(), value.size());
  }
}

TEST(Clients, ASlowReaderIsClosedByItsOutputLimit) {
  ServerProcess server({"--client-output-buffer-limit", "normal", "900000", "0", "0"});
  WireClient client(server.port()), slow(server.port());
  EXPECT_EQ(client.Call({"SET", "big", std::string(500'000, 'v')}), "OK");
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += WireClient::Encode({"GET", "big"});
  slow.Send(pipeline);
  EXPECT_TRUE(slow.ReadsEnd());
  EXPECT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_EQ(InfoNumber(client, "client_output_buffer_limit_disconnections"), 1);
  EXPECT_THAT(server.Output(), HasSubstr("client-output-buffer-limit"));
}

TEST(Clients, OneTooManyIsToldAndTurnedAway) {
  ServerProcess server({"--maxclients", "3"});
  WireClient a(server.port()), b(server.port());
  EXPECT_EQ(a.Call({"PING"}), "PONG");
  EXPECT_EQ(b.Call({"PING"}), "PONG");
  // The client that found the server ready has hung up, of which the server hears soon.
  auto c = std::make_unique<WireClient>();
  ASSERT_TRUE(Eventually([&] { return c->Connect(server.port()) && c->Call({"PING"}) == "PONG"; }));
  WireClient d(server.port());
  const std::optional<Reply> refusal = d.Read();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->text, "ERR max number of clients reached");
  EXPECT_TRUE(d.ReadsEnd());
  EXPECT_GE(InfoNumber(a, "rejected_connections"), 1);

  c->Close();
  EXPECT_TRUE(Eventually([&] {
    WireClient next;
    return next.Connect(server.port()) && next.Call({"PING"}) == "PONG";
  }));
}

TEST(Clients, RunningOutOfFilesIsSurvived) {
  // The server may open few files, and finds that out at accept.
  ServerProcess server({"--maxclients", "1000"});
  rlimit few = {60, 60};
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < 80; ++i) clients.push_back(std::make_unique<WireClient>(server.port()));
  EXPECT_TRUE(Eventually(
      [&] { return server.Output().find("cannot accept connections") != std::string::npos; }));
  EXPECT_EQ(clients.front()->Call({"PING"}), "PONG");
  clients.erase(clients.begin() + 1, clients.begin() + 60);
  EXPECT_EQ(clients.back()->Call({"PING"}), "PONG");  // accepted now that there is room
}

TEST(Clients, UnixSocketsAreServed) {
  ServerProcess server({"--unixsocket", "lapse.sock", "--unixsocketperm", "700"});
  const std::string path = server.dir() + "/lapse.sock";
  struct stat status = {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  WireClient client;
  ASSERT_TRUE(client.ConnectUnix(path));
  EXPECT_EQ(client.Call({"SET", "k", "v"}), "OK");
  WireClient other(server.port());
  EXPECT_EQ(other.Call({"GET", "k"}), "v");
  EXPECT_THAT(client.Call({"CLIENT", "INFO"}).text, HasSubstr("lapse.sock:0"));
}

TEST(Clients, APasswordIsAskedFor) {
  ServerProcess server({"--requirepass", "secret"});
  WireClient client(server.port());
  EXPECT_THAT(client.Call({"GET", "k"}).text, StartsWith("NOAUTH"));
  EXPECT_THAT(client.Call({"AUTH", "wrong"}).text, StartsWith("WRONGPASS"));
  EXPECT_EQ(client.Call({"AUTH", "secret"}), "OK");
  EXPECT_TRUE(client.Call({"GET", "k"}).IsNull());
}

TEST(Clients, ProtectedModeKeepsOtherMachinesOut) {
  const std::string address = OtherAddress();
  if (address.empty()) GTEST_SKIP() << "this machine has the loopback interface alone";
  ServerProcess server({"--bind", "*"});
  WireClient stranger;
  ASSERT_TRUE(stranger.Connect(server.port(), address));
  const std::optional<Reply> refusal = stranger.Read();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(refusal->text, StartsWith("DENIED "));
  EXPECT_TRUE(stranger.ReadsEnd());

  WireClient local(server.port());
  EXPECT_EQ(local.Call({"CONFIG", "SET", "protected-mode", "no"}), "OK");
  ASSERT_TRUE(stranger.Connect(server.port(), address));
  EXPECT_EQ(stranger.Call({"PING"}), "PONG");
}

TEST(Clients, AKilledClientIsHungUpOn) {
  ServerProcess server({"--threads", "2"});
  WireClient killer(server.port()), victim(server.port());
  const int64_t id = victim.Call({"CLIENT", "ID"}).integer;
  EXPECT_EQ(killer.Call({"CLIENT", "KILL", "ID", std::to_string(id)}), 1);
  EXPECT_TRUE(victim.ReadsEnd());
  EXPECT_EQ(killer.Call({"CLIENT", "KILL", "ID", std::to_string(id)}), 0);
}

TEST(Clients, AnIdleClientIsHungUpOn) {
  ServerProcess server({"--timeout", "1"});
  WireClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_TRUE(client.ReadsEnd());
}

TEST(Clients, AnIdleClientGivesItsBuffersBackAndIsServedAgain) {
  ServerProcess server({"--threads", "2"});
  WireClient watcher(server.port());
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<WireClient>(server.port()));
    EXPECT_EQ(clients.back()->Call({"PING"}), "PONG");
  }
  EXPECT_TRUE(
      Eventually([&] { return InfoNumber(watcher, "mem_clients_normal") < 5 * (16 << 10); }));
  for (const auto& client : clients) EXPECT_EQ(client->Call({"PING"}), "PONG");
}

TEST(Clients, ManyOnTwoThreadsLoseNoUpdate) {
  ServerProcess server({"--threads", "2"});
  constexpr int kClients = 40, kRounds = 100, kPipeline = 20;
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      WireClient client(server.port());
      std::string pipeline;
      for (int n = 0; n < kPipeline; ++n) {
        pipeline += WireClient::Encode({"INCR", "counter" + std::to_string((i + n) % 7)});
      }
      for (int round = 0; round < kRounds; ++round) {
        if (!client.Send(pipeline)) return;
        for (int n = 0; n < kPipeline; ++n) {
          if (!client.Read()) return;
          ++answered;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kClients * kRounds * kPipeline);
  WireClient client(server.port());
  int64_t sum = 0;
  for (int i = 0; i < 7; ++i) {
    sum += client.Call({"GET", "counter" + std::to_string(i)}).AsInteger();
  }
  EXPECT_EQ(sum, kClients * kRounds * kPipeline);
}

TEST(Clients, ExpiredKeysLeaveByThemselves) {
  ServerProcess server;
  WireClient client(server.port());
  std::string pipeline;
  for (int i = 0; i < 1000; ++i) {
    pipeline += WireClient::Encode({"SET", "k" + std::to_string(i), "v", "PX", "50"});
  }
  client.Send(pipeline);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(*client.Read(), "OK");
  EXPECT_TRUE(Eventually([&] { return client.Call({"DBSIZE"}) == 0; }));
}

TEST(Clients, AFlushIsWaitedForWhileOthersAreServedAndMemoryFalls) {
  // Nothing but the flush removes keys here.
  ServerProcess server({"--threads", "2", "--enable-debug-command", "yes"});
  WireClient client(server.port()), other(server.port());
  EXPECT_EQ(client.Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}), "OK");
  constexpr int kKeys = 200'000, kBatch = 1000;
  const std::string value(200, 'v');
  for (int low = 0; low < kKeys; low += kBatch) {
    std::string pipeline;
    for (int i = low; i < low + kBatch; ++i) {
      pipeline += WireClient::Encode({"SET", "k" + std::to_string(i), value, "PX", "1"});
    }
    ASSERT_TRUE(client.Send(pipeline));
    for (int i = 0; i < kBatch; ++i) ASSERT_EQ(*client.Read(), "OK");
  }
  // The last one has expired, and this look has removed it.
  const std::string last = "k" + std::to_string(kKeys - 1);
  EXPECT_TRUE(Eventually([&] { return client.Call({"EXISTS", last}) == 0; }));
  EXPECT_EQ(client.Call({"DBSIZE"}), kKeys - 1);
  const int64_t resident_before = server.ResidentBytes();
  EXPECT_GT(resident_before, int64_t{kKeys} * 200);

  // At five percent of a CPU it takes a while, in which the other client is served.
  ASSERT_TRUE(client.Send(WireClient::Encode({"FLUSHEXPIREKEYS", "SYNC", "MAXCPU", "5"})));
  ASSERT_TRUE(Eventually([&] { return InfoNumber(other, "blocked_clients") == 1; }));
  int served = 0;
  while (InfoNumber(other, "blocked_clients") == 1 && served < 1'000'000) ++served;
  EXPECT_GT(served, 0);
  const std::optional<Reply> record = client.Read();
  ASSERT_TRUE(record.has_value());
  ASSERT_TRUE(record->IsCollection()) << record->ToString();
  EXPECT_EQ(other.Call({"DBSIZE"}), 0) << record->ToString();
  if (LAPSE_USE_SLABS == 0) return;  // a sanitizer's allocator keeps what is freed
  EXPECT_LT(server.ResidentBytes(), resident_before / 2);
}

}  // namespace
}  // namespace lapse
