// Flushes of a whole Redis Cluster, and of a master that sentinels know.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <numeric>

#include "fmt/format.h"
#include "remote/flush.h"
#include "tests/remote_wire/bed.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

constexpr int kMasters = 3;
constexpr int kSlots = 16384;

// Three masters on the loopback interface, each with a third of the slots.
class RedisCluster {
 public:
  RedisCluster() {
    for (int i = 0; i < kMasters; ++i) {
      // The bus would be at port + 10000, which may be none.
      buses_.push_back(FreePort());
      masters_.push_back(
          StartRedis({"--cluster-enabled", "yes", "--cluster-port", std::to_string(buses_.back()),
                      "--cluster-node-timeout", "5000"}));
      WireClient client(masters_.back()->port());
      EXPECT_EQ(client.Call({"CLUSTER", "ADDSLOTSRANGE", std::to_string(kSlots * i / kMasters),
                             std::to_string(kSlots * (i + 1) / kMasters - 1)}),
                "OK");
      EXPECT_EQ(client.Call({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)}), "OK");
    }
    WireClient first(masters_[0]->port());
    for (int i = 1; i < kMasters; ++i) {
      const auto at = static_cast<size_t>(i);
      EXPECT_EQ(first.Call({"CLUSTER", "MEET", "127.0.0.1", std::to_string(masters_[at]->port()),
                            std::to_string(buses_[at])}),
                "OK");
    }
    for (const auto& master : masters_) {
      WireClient client(master->port());
      EXPECT_TRUE(Eventually([&] {
        const std::string info = client.Call({"CLUSTER", "INFO"}).text;
        return info.find("cluster_state:ok") != std::string::npos &&
               info.find("cluster_size:3") != std::string::npos;
      }));
    }
  }

  ServerProcess& master(size_t i) { return *masters_[i]; }
  // The same keys are written to each, which takes those of its slots alone.
  std::vector<int> FillAll(const Keys& keys) {
    std::vector<int> expired;
    for (const auto& master : masters_) expired.push_back(Fill(*master, keys));
    return expired;
  }
  int64_t CountAll() {
    int64_t keys = 0;
    for (const auto& master : masters_) keys += KeyCount(*master);
    return keys;
  }
  std::string Url(size_t seed) const {
    return fmt::format("redis-cluster://127.0.0.1:{}", masters_[seed]->port());
  }

 private:
  std::vector<int> buses_;
  std::vector<std::unique_ptr<ServerProcess>> masters_;
};

TEST(RemoteCluster, EveryMasterIsFlushed) {
  SKIP_WITHOUT_REDIS();
  RedisCluster cluster;
  const std::vector<int> expired = cluster.FillAll({.live = 3000, .expired = 9000});
  EXPECT_EQ(std::accumulate(expired.begin(), expired.end(), 0), 9000);
  int nodes_seen = 0;
  const RemoteFlushResult result =
      FlushRemote(Target(cluster.Url(1)), {},
                  [&](const RemoteFlushProgress& progress) { nodes_seen = progress.nodes; }, {});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 9000);
  EXPECT_EQ(result.nodes.size(), 3u);
  EXPECT_EQ(nodes_seen, 3);
  for (const RemoteNodeResult& node : result.nodes) EXPECT_GT(node.expired, 0) << node.address;
  EXPECT_EQ(cluster.CountAll(), 3000);
}

TEST(RemoteCluster, AMasterThatDiesFailsAlone) {
  SKIP_WITHOUT_REDIS();
  RedisCluster cluster;
  const std::vector<int> expired = cluster.FillAll({.expired = 9000});
  RunningFlush flush(Target(cluster.Url(0)), {.keys_per_second = 1000});
  ASSERT_TRUE(flush.WaitForProgress());
  cluster.master(2).Signal(SIGKILL);
  const RemoteFlushResult result = flush.Wait();
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  const std::string dead = fmt::format("127.0.0.1:{}", cluster.master(2).port());
  EXPECT_THAT(result.reason, HasSubstr(dead + ": connection lost"));
  int failed = 0;
  for (const RemoteNodeResult& node : result.nodes) {
    if (node.address == dead) {
      ++failed;
      EXPECT_EQ(node.state, RemoteFlushState::kFailed);
    } else {
      EXPECT_EQ(node.state, RemoteFlushState::kSucceeded) << node.reason;
    }
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(KeyCount(cluster.master(0)), 0);
  EXPECT_EQ(KeyCount(cluster.master(1)), 0);
  EXPECT_GE(result.expired, expired[0] + expired[1]);

  // Gone before it begins: the seed that is dead is passed over, the others are flushed.
  RemoteTarget target = Target(cluster.Url(2));
  target.seeds.push_back(Target(cluster.Url(0)).seeds[0]);
  const RemoteFlushResult again = FlushRemote(target, {}, {}, {});
  EXPECT_EQ(again.nodes.size(), 3u) << again.reason;
  EXPECT_THAT(again.reason, HasSubstr(dead + ": cannot connect"));
}

TEST(RemoteCluster, AServerThatIsNoneIsSaid) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  const RemoteFlushResult result =
      FlushRemote(Target(fmt::format("redis-cluster://127.0.0.1:{}", server->port())), {}, {}, {});
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("cluster support disabled"));
  EXPECT_TRUE(result.nodes.empty());
}

TEST(RemoteCluster, OlderServersAreAskedForTheirSlots) {
  // Knows CLUSTER SLOTS, and gives no host, as one that nobody has met yet.
  int port = 0;
  const FakeServer server(
      [&port](const std::vector<std::string>& words) -> std::optional<std::string> {
        if (words[0] == "CLUSTER" && words[1] == "SHARDS") {
          return "-ERR Unknown subcommand or wrong number of arguments for 'SHARDS'\r\n";
        }
        if (words[0] == "CLUSTER") {
          return fmt::format("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:{}\r\n", port);
        }
        if (words[0] == "INFO") return BulkText("redis_version:5.0.0\r\nrole:master\r\n");
        return "+OK\r\n";
      });
  port = server.port();
  const RemoteFlushResult result =
      FlushRemote(Target(fmt::format("redis-cluster://127.0.0.1:{}", port)), {}, {}, {});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  ASSERT_EQ(result.nodes.size(), 1u);
  EXPECT_EQ(result.nodes[0].address, fmt::format("127.0.0.1:{}", port));
}

TEST(RemoteSentinel, TheMasterIsFound) {
  SKIP_WITHOUT_REDIS();
  const auto master = StartRedis();
  Fill(*master, {.live = 5, .expired = 500});
  const std::string path = fmt::format("{}/sentinel.conf", master->dir());
  std::ofstream(path) << fmt::format("sentinel monitor mymaster 127.0.0.1 {} 1\n", master->port());
  const ServerProcess sentinel({path}, std::nullopt, *ReferenceServer("redis-sentinel"));
  // A sentinel that is away is passed over.
  const std::string hosts = fmt::format("127.0.0.1:{},127.0.0.1:{}", FreePort(), sentinel.port());
  const RemoteFlushResult result =
      FlushRemote(Target(fmt::format("redis-sentinel://{}/mymaster", hosts)), {}, {}, {});
  EXPECT_EQ(result.state, RemoteFlushState::kSucceeded) << result.reason;
  EXPECT_EQ(result.expired, 500);
  ASSERT_EQ(result.nodes.size(), 1u);
  EXPECT_EQ(result.nodes[0].address, fmt::format("127.0.0.1:{}", master->port()));

  const RemoteFlushResult unknown =
      FlushRemote(Target(fmt::format("redis-sentinel://other@{}", hosts)), {}, {}, {});
  EXPECT_EQ(unknown.state, RemoteFlushState::kFailed);
  EXPECT_THAT(unknown.reason, HasSubstr("knows no master other"));
}

}  // namespace
}  // namespace lapse
