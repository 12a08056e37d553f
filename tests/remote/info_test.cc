#include "remote/info.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

TEST(RemoteInfo, OfRedis) {
  const RemoteInfo info = ParseRemoteInfo(
      "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n\r\n# Memory\r\nused_memory:1000\r\n"
      "used_memory_rss:2000\r\nused_memory_peak:9\r\n# Stats\r\nexpired_keys:42\r\n"
      "expired_stale_perc:1.00\r\n# Replication\r\nrole:master\r\n# CPU\r\n"
      "used_cpu_sys:1.500000\r\nused_cpu_user:2.250000\r\nused_cpu_sys_children:9.0\r\n"
      "used_cpu_user_main_thread:9.0\r\n# Cluster\r\ncluster_enabled:1\r\n# Keyspace\r\n"
      "db12:keys=7,expires=0,avg_ttl=0\r\ndb0:keys=12,expires=3,avg_ttl=5\r\n");
  EXPECT_EQ(info.product, "Redis");
  EXPECT_EQ(info.version, "7.0.15");
  EXPECT_EQ(info.run_id, "abc");
  EXPECT_FALSE(info.is_replica);
  EXPECT_TRUE(info.cluster);
  EXPECT_EQ(info.used_memory, 1000);
  EXPECT_EQ(info.used_memory_rss, 2000);
  EXPECT_EQ(info.expired_keys, 42);
  EXPECT_EQ(info.cpu_us, 3'750'000);
  ASSERT_EQ(info.databases.size(), 2u);
  EXPECT_EQ(info.databases[0].index, 0);
  EXPECT_EQ(info.Keys({}), 19);
  EXPECT_EQ(info.Keys({12}), 7);
  EXPECT_EQ(info.Expires({0, 1}), 3);
}

TEST(RemoteInfo, TellsProductsApartInWhateverOrderTheyComeAs) {
  EXPECT_EQ(ParseRemoteInfo("redis_version:7.2.4\nvalkey_version:8.0.1\n").product, "Valkey");
  EXPECT_EQ(ParseRemoteInfo("valkey_version:8.0.1\nredis_version:7.2.4\n").version, "8.0.1");
  EXPECT_EQ(ParseRemoteInfo("redis_version:7.2.0\r\nlapse_version:0.1.0\r\n").product, "Lapse");
  EXPECT_EQ(ParseRemoteInfo("redis_version:7.0\ngcc_version:12\n").product, "Redis");
  EXPECT_EQ(ParseRemoteInfo("").product, "");
}

TEST(RemoteInfo, OfAReplica) {
  const RemoteInfo info =
      ParseRemoteInfo("role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6380\r\nloading:1\r\n");
  EXPECT_TRUE(info.is_replica);
  EXPECT_EQ(info.master, "10.0.0.1:6380");
  EXPECT_TRUE(info.loading);
}

TEST(RemoteInfo, Versions) {
  EXPECT_TRUE(VersionAtLeast("7.4.0", 7, 4));
  EXPECT_TRUE(VersionAtLeast("8.0", 7, 4));
  EXPECT_FALSE(VersionAtLeast("7.2.5", 7, 4));
  EXPECT_FALSE(VersionAtLeast("6.9", 7, 4));
  EXPECT_FALSE(VersionAtLeast("", 7, 4));
}

}  // namespace
}  // namespace lapse
