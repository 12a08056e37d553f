// Flushes of single servers: what they delete, how they end, who may.

#include "remote/flush.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "fmt/format.h"
#include "tests/remote_wire/bed.h"

namespace lapse {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RemoteFlushResult Flush(const std::string& url, const RemoteFlushOptions& options = {}) {
  return FlushRemote(Target(url), options, {}, {});
}

TEST(RemoteFlush, DeletesTheExpiredKeysOfAllDatabases) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 2000, .expired = 5000});
  Fill(*server, {.live = 10, .expired = 3000, .db = 3});
  EXPECT_EQ(KeyCount(*server), 7000);

  std::vector<RemoteFlushProgress> seen;
  const RemoteFlushResult result =
      FlushRemote(Target(UrlOf(*server)), {},
                  [&](const RemoteFlushProgress& progress) { seen.push_back(progress); }, {});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 8000);
  EXPECT_GE(result.scanned, 10'010);
  EXPECT_LT(result.memory_after, result.memory_before);
  EXPECT_EQ(result.bytes_freed, result.memory_before - result.memory_after);
  EXPECT_EQ(KeyCount(*server), 2000);
  EXPECT_EQ(KeyCount(*server, 3), 10);

  ASSERT_EQ(result.nodes.size(), 1u);
  const RemoteNodeResult& node = result.nodes[0];
  EXPECT_EQ(node.method, RemoteFlushMethod::kScan);
  EXPECT_THAT(node.server, HasSubstr("Redis 7."));
  EXPECT_THAT(node.dbs, ElementsAre(0, 3));
  EXPECT_EQ(node.keys_before, 10'010);
  EXPECT_EQ(node.keys_after, 2010);
  EXPECT_EQ(node.expired_keys_after - node.expired_keys_before, 8000);
  EXPECT_EQ(node.fraction, 1);
  EXPECT_GT(node.calls, 0);

  ASSERT_FALSE(seen.empty());
  for (size_t i = 1; i < seen.size(); ++i) EXPECT_GE(seen[i].fraction, seen[i - 1].fraction);
  EXPECT_EQ(seen.back().fraction, 1);
  EXPECT_EQ(seen.back().nodes_done, 1);
  EXPECT_EQ(seen.back().expired, 8000);

  // Nothing is due any more, and that is a success, too.
  const RemoteFlushResult again = Flush(UrlOf(*server));
  EXPECT_EQ(again.state, RemoteFlushState::kSucceeded) << again.reason;
  EXPECT_EQ(again.expired, 0);
}

TEST(RemoteFlush, KeepsToTheDatabasesAskedFor) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  for (const int db : {0, 1, 2}) Fill(*server, {.expired = 100, .db = db});
  EXPECT_EQ(Flush(UrlOf(*server) + "/1").expired, 100);
  EXPECT_EQ(KeyCount(*server, 1), 0);
  EXPECT_EQ(KeyCount(*server, 0), 100);
  EXPECT_EQ(Flush(UrlOf(*server), {.dbs = {2, 5}}).expired, 100);
  EXPECT_EQ(KeyCount(*server, 0), 100);
  const RemoteFlushResult beyond = Flush(UrlOf(*server), {.dbs = {99}});
  EXPECT_EQ(beyond.state, RemoteFlushState::kFailed);
  EXPECT_THAT(beyond.reason, HasSubstr("DB index is out of range"));
}

TEST(RemoteFlush, AsksForNoMoreAtATimeThanItMay) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 3000});
  const RemoteFlushResult result = Flush(UrlOf(*server), {.max_count = 20});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded);
  EXPECT_GE(result.nodes[0].calls, 3000 / 40);
}

TEST(RemoteFlush, StopsWhereItIs) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 20'000});
  RunningFlush flush(Target(UrlOf(*server)), {.keys_per_second = 2000});
  ASSERT_TRUE(flush.WaitForProgress());
  flush.Stop();
  const RemoteFlushResult result = flush.Wait();
  EXPECT_EQ(result.state, RemoteFlushState::kCancelled);
  EXPECT_EQ(result.nodes[0].state, RemoteFlushState::kCancelled);
  EXPECT_GT(result.expired, 0);
  EXPECT_LT(result.expired, 20'000);
  EXPECT_EQ(KeyCount(*server), 20'000 - result.expired);
  EXPECT_EQ(result.nodes[0].keys_after, 20'000 - result.expired);
  EXPECT_GT(result.nodes[0].slowed_ms, 0);
}

TEST(RemoteFlush, EndsWhenItsTimeIsUp) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 20'000});
  const RemoteFlushResult result =
      Flush(UrlOf(*server), {.keys_per_second = 500, .timeout = milliseconds(300)});
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("not done within 0.3 s"));
}

TEST(RemoteFlush, SlowsDownForTheCpuLimit) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 50'000, .expired = 50'000});
  const RemoteFlushResult result = Flush(UrlOf(*server), {.max_cpu_percent = 20});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 50'000);
  EXPECT_GT(result.nodes[0].slowed_ms, 0);
}

TEST(RemoteFlush, NeedsLittleMoreThanScan) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 10, .expired = 100});
  WireClient admin(server->port());
  EXPECT_EQ(admin.Call({"ACL", "SETUSER", "flusher", "on", ">pw", "resetkeys", "-@all", "+scan",
                        "+info", "+select"}),
            "OK");
  EXPECT_EQ(admin.Call({"ACL", "SETUSER", "blind", "on", ">pw", "-@all", "+scan"}), "OK");
  const RemoteFlushResult result = Flush(UrlOf(*server, "flusher:pw"));
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 100);
  EXPECT_EQ(result.target, fmt::format("redis://flusher:***@127.0.0.1:{}", server->port()));

  const RemoteFlushResult blind = Flush(UrlOf(*server, "blind:pw"));
  EXPECT_EQ(blind.state, RemoteFlushState::kFailed);
  EXPECT_THAT(blind.reason, HasSubstr("NOPERM"));
  const RemoteFlushResult wrong = Flush(UrlOf(*server, "flusher:wrong"));
  EXPECT_EQ(wrong.state, RemoteFlushState::kFailed);
  EXPECT_THAT(wrong.reason, HasSubstr("WRONGPASS"));
}

TEST(RemoteFlush, Passwords) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis({"--requirepass", "se/cret"});
  Fill(*server, {.expired = 100}, "se/cret");
  EXPECT_THAT(Flush(UrlOf(*server)).reason, HasSubstr("NOAUTH"));
  EXPECT_THAT(Flush(UrlOf(*server, ":wrong")).reason, HasSubstr("WRONGPASS"));
  EXPECT_EQ(Flush(UrlOf(*server, ":se%2Fcret")).expired, 100);
}

TEST(RemoteFlush, OverAUnixSocket) {
  SKIP_WITHOUT_REDIS();
  const std::string path = fmt::format("/tmp/lapse-{}.sock", getpid());
  const auto server = StartRedis({"--unixsocket", path});
  Fill(*server, {.expired = 100});
  const RemoteFlushResult result = Flush("unix://" + path);
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 100);
  EXPECT_EQ(result.nodes[0].address, path);
  EXPECT_THAT(Flush("unix:///tmp/no-such-socket").reason, HasSubstr("No such file"));
  EXPECT_THAT(Flush("unix:///" + std::string(200, 'x')).reason, HasSubstr("too long"));
}

TEST(RemoteFlush, ALostConnectionIsMadeAnew) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 100, .expired = 5000});
  RunningFlush flush(Target(UrlOf(*server)), {.keys_per_second = 1500});
  ASSERT_TRUE(flush.WaitForProgress());
  WireClient admin(server->port());
  EXPECT_EQ(admin.Call({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}).AsInteger(), 1);
  const RemoteFlushResult result = flush.Wait();
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.nodes[0].reconnects, 1);
  EXPECT_EQ(result.expired, 5000);
  EXPECT_EQ(KeyCount(*server), 100);
}

TEST(RemoteFlush, AServerThatDiesIsAnError) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 20'000});
  RunningFlush flush(Target(UrlOf(*server)), {.keys_per_second = 2000});
  ASSERT_TRUE(flush.WaitForProgress());
  server->Signal(SIGKILL);
  const RemoteFlushResult result = flush.Wait();
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("connection lost"));
  EXPECT_GT(result.nodes[0].fraction, 0);
}

TEST(RemoteFlush, AnotherProcessInItsPlaceIsNotScannedFromTheMiddle) {
  SKIP_WITHOUT_REDIS();
  auto server = StartRedis();
  const int port = server->port();
  Fill(*server, {.expired = 20'000});
  RunningFlush flush(Target(UrlOf(*server)), {.keys_per_second = 2000});
  ASSERT_TRUE(flush.WaitForProgress());
  server->Signal(SIGKILL);
  server->WaitForExit();
  server = StartRedis({}, port);
  const RemoteFlushResult result = flush.Wait();
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("restarted"));
}

TEST(RemoteFlush, ReplicasAreLeftToTheirMasters) {
  SKIP_WITHOUT_REDIS();
  const auto master = StartRedis({"--repl-diskless-sync-delay", "0"});
  const auto replica = StartRedis({"--replicaof", fmt::format("127.0.0.1 {}", master->port())});
  WireClient client(replica->port());
  EXPECT_TRUE(Eventually([&] {
    return client.Call({"INFO", "replication"}).text.find("master_link_status:up") !=
           std::string::npos;
  }));
  const RemoteFlushResult result = Flush(UrlOf(*replica));
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("is a replica"));
  EXPECT_THAT(result.reason, HasSubstr(fmt::format("127.0.0.1:{}", master->port())));
}

TEST(RemoteFlush, NobodyThere) {
  const RemoteFlushResult result = Flush(fmt::format("redis://127.0.0.1:{}", FreePort()));
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("cannot connect: Connection refused"));
  const RemoteFlushResult unknown = Flush("redis://no-such-host.invalid");
  EXPECT_EQ(unknown.state, RemoteFlushState::kFailed);
  EXPECT_THAT(unknown.reason, HasSubstr("cannot resolve"));
}

// --- servers that are not Redis ---

// Answers INFO with these lines, SCAN with an empty page, all else with OK.
FakeServer::Answer Passing(const std::string& info) {
  return [info](const std::vector<std::string>& words) -> std::optional<std::string> {
    if (words[0] == "INFO") return BulkText(info);
    if (words[0] == "SCAN") return "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n";
    return "+OK\r\n";
  };
}

std::string UrlOf(const FakeServer& server) {
  return fmt::format("redis://127.0.0.1:{}", server.port());
}

TEST(RemoteFlush, SaysWhenScanDeletesNothing) {
  const FakeServer server(
      Passing("kvrocks_version:2.9\r\nrole:master\r\nexpired_keys:0\r\n"
              "db0:keys=5000,expires=4000,avg_ttl=0\r\n"));
  const RemoteFlushResult result = Flush(UrlOf(server));
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("SCAN deletes no expired keys on this server"));
  EXPECT_EQ(result.nodes[0].left_behind, 4000);
  EXPECT_EQ(result.nodes[0].server, "Kvrocks 2.9");
  EXPECT_EQ(result.expired, 0);
}

TEST(RemoteFlush, AFewKeysThatCameAndWentProveNothing) {
  const FakeServer server(
      Passing("redis_version:7.0.0\r\nrole:master\r\nexpired_keys:0\r\n"
              "db0:keys=60,expires=60,avg_ttl=0\r\n"));
  EXPECT_EQ(Flush(UrlOf(server)).state, RemoteFlushState::kSucceeded);
  // Keys without a TTL cannot be expired.
  const FakeServer lasting(
      Passing("redis_version:7.0.0\r\nrole:master\r\nexpired_keys:0\r\n"
              "db0:keys=60000,expires=0,avg_ttl=0\r\n"));
  EXPECT_EQ(Flush(UrlOf(lasting)).state, RemoteFlushState::kSucceeded);
}

TEST(RemoteFlush, AServerThatDoesNotAnswerIsGivenUp) {
  const FakeServer server(
      [](const std::vector<std::string>& words) { return words[0] == "CLIENT" ? "+OK\r\n" : ""; });
  RemoteFlushOptions options;
  options.connect.reply_timeout = milliseconds(200);
  const RemoteFlushResult result = Flush(UrlOf(server), options);
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("timed out"));
}

TEST(RemoteFlush, AStopEndsWaitingForAnAnswer) {
  std::atomic<bool> asked{false};
  const FakeServer server([&](const std::vector<std::string>& words) {
    if (words[0] == "CLIENT") return "+OK\r\n";
    asked = true;
    return "";
  });
  RunningFlush flush(Target(UrlOf(server)), {});
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  flush.Stop();
  EXPECT_EQ(flush.Wait().state, RemoteFlushState::kCancelled);
}

TEST(RemoteFlush, WhatIsNotTheProtocolIsSaid) {
  const FakeServer web([](const std::vector<std::string>&) { return "HTTP/1.1 400 Bad\r\n\r\n"; });
  EXPECT_THAT(Flush(UrlOf(web)).reason, HasSubstr("this is no Redis protocol"));
  const FakeServer odd([](const std::vector<std::string>& words) -> std::optional<std::string> {
    if (words[0] == "INFO") return BulkText("redis_version:7.0.0\r\ndb0:keys=5,expires=5\r\n");
    if (words[0] == "SCAN") return "*1\r\n:1\r\n";
    return "+OK\r\n";
  });
  EXPECT_THAT(Flush(UrlOf(odd)).reason, HasSubstr("a reply of an unknown form"));
  const FakeServer gone([](const std::vector<std::string>&) { return std::nullopt; });
  EXPECT_THAT(Flush(UrlOf(gone)).reason, HasSubstr("connection lost"));
}

// --- Lapse ---

TEST(RemoteFlush, LapseIsAskedToDoItItself) {
  const ServerProcess server({"--enable-debug-command", "yes"});
  Fill(server, {.live = 500, .expired = 3000});
  Fill(server, {.expired = 1000, .db = 2});
  WireClient admin(server.port());
  EXPECT_EQ(admin.Call({"ACL", "SETUSER", "flusher", "on", ">pw", "-@all", "+flushexpirekeys"}),
            "OK");
  // Who may do nothing else may do this.
  const RemoteFlushResult result = Flush(UrlOf(server, "flusher:pw"), {.dbs = {0}});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.nodes[0].method, RemoteFlushMethod::kFlushExpireKeys);
  EXPECT_EQ(result.expired, 3000);
  EXPECT_EQ(result.orphans, 0);
  EXPECT_GT(result.bytes_freed, 0);
  EXPECT_LT(result.memory_after, result.memory_before);
  EXPECT_EQ(KeyCount(server, 2), 1000);

  const RemoteFlushResult rest = Flush(UrlOf(server));
  EXPECT_EQ(rest.state, RemoteFlushState::kSucceeded) << rest.reason;
  EXPECT_EQ(rest.expired, 1000);
  EXPECT_THAT(rest.nodes[0].server, HasSubstr("Lapse"));
}

// --- several ---

TEST(RemoteFlush, BeginsNoneAfterTooManyErrors) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 100});
  const RemoteTarget dead = Target(fmt::format("redis://127.0.0.1:{}", FreePort()));
  const std::vector<RemoteTarget> targets = {dead, Target(UrlOf(*server)), dead,
                                             Target(UrlOf(*server))};
  const auto states = [&](int max_errors) {
    std::vector<RemoteFlushState> states;
    for (const RemoteFlushResult& result :
         FlushRemotes(targets, {.concurrency = 1, .max_errors = max_errors}, {}, {})) {
      states.push_back(result.state);
    }
    return states;
  };
  using enum RemoteFlushState;
  EXPECT_THAT(states(0), ElementsAre(kFailed, kSkipped, kSkipped, kSkipped));
  EXPECT_EQ(KeyCount(*server), 100);
  EXPECT_THAT(states(1), ElementsAre(kFailed, kSucceeded, kFailed, kSkipped));
  EXPECT_THAT(states(5), ElementsAre(kFailed, kSucceeded, kFailed, kSucceeded));
}

TEST(RemoteFlush, WorksOnSeveralAtTheSameTime) {
  SKIP_WITHOUT_REDIS();
  std::vector<std::unique_ptr<ServerProcess>> servers;
  std::vector<RemoteTarget> targets;
  for (int i = 0; i < 4; ++i) {
    servers.push_back(StartRedis());
    Fill(*servers.back(), {.expired = 1000 + i});
    targets.push_back(Target(UrlOf(*servers.back())));
  }
  const auto results = FlushRemotes(targets, {.concurrency = 3}, {}, {});
  ASSERT_EQ(results.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(results[static_cast<size_t>(i)].expired, 1000 + i);
}

}  // namespace
}  // namespace lapse
