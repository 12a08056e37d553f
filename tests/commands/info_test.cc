// INFO's sections and the truth of its numbers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "server/core/version.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Fields = std::map<std::string, std::string>;

Fields FieldsOf(const std::string& text) {
  Fields fields;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t colon = line.find(':');
    if (line.starts_with("#") || colon == line.npos) continue;
    EXPECT_TRUE(fields.emplace(line.substr(0, colon), line.substr(colon + 1)).second)
        << line << " stands there twice";
  }
  return fields;
}

Fields Info(Db& db) { return FieldsOf(db.Run("INFO").text); }

TEST(Info, Sections) {
  Db db;
  EXPECT_EQ(db.Run("INFO cluster"), "# Cluster\r\ncluster_enabled:0\r\n");
  EXPECT_EQ(db.Run("INFO CLUSTER modules").text,
            "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
  EXPECT_EQ(db.Run("INFO nosuch"), "");
  const std::string all = db.Run("INFO").text;
  for (const char* title : {"Server", "Clients", "Memory", "Persistence", "Stats", "Expiry",
                            "Replication", "CPU", "Modules", "Cluster", "Keyspace"}) {
    EXPECT_THAT(all, HasSubstr(std::string("# ") + title + "\r\n"));
  }
  EXPECT_EQ(FieldsOf(db.Run("INFO default").text).size(), FieldsOf(all).size());
  for (const char* set : {"INFO all", "INFO everything", "INFO server ALL"}) {
    const std::string more = db.Run(set).text;
    EXPECT_GT(FieldsOf(more).size(), FieldsOf(all).size()) << set;
    EXPECT_THAT(more, HasSubstr("# Commandstats\r\n"));
  }
  EXPECT_THAT(db.Run("INFO stats").text, Not(HasSubstr("# Server")));
}

TEST(Info, IsVerbatimInResp3) {
  Db db;
  db.Resp(3);
  EXPECT_THAT(db.client().CallRaw({"INFO", "cluster"}), StartsWith("=34\r\ntxt:# Cluster\r\n"));
}

TEST(Info, Server) {
  Db db;
  db.AdvanceMs(90'000'000);
  Fields fields = Info(db);
  EXPECT_EQ(fields["redis_version"], "7.2.0");
  EXPECT_EQ(fields["redis_mode"], "standalone");
  EXPECT_EQ(fields["tcp_port"], "6379");
  EXPECT_EQ(fields["run_id"].size(), 40u);
  EXPECT_EQ(fields["uptime_in_seconds"], "90000");
  EXPECT_EQ(fields["uptime_in_days"], "1");
  EXPECT_EQ(fields["server_time_usec"], std::to_string(db.clock().NowUs()));
  EXPECT_EQ(fields["loading"], "0");
  EXPECT_EQ(fields["role"], "master");
}

TEST(Info, CountsCommandsAndErrors) {
  Db db;
  db.Run("SET k v");
  db.Run("GET k");
  db.Run("GET none");
  db.Run("NOSUCH");
  Fields fields = Info(db);
  EXPECT_EQ(fields["total_commands_processed"], "4");
  EXPECT_EQ(fields["total_error_replies"], "1");
  EXPECT_EQ(fields["keyspace_hits"], "1");
  EXPECT_EQ(fields["keyspace_misses"], "1");
}

TEST(Info, Keyspace) {
  Db db;
  EXPECT_EQ(db.Run("INFO keyspace"), "# Keyspace\r\n");
  db.Run("SET a v");
  db.Run("SET b v PX 3000");
  db.Run("SET c v PX 5000");
  db.Run("SELECT 3");
  db.Run("SET d v");
  EXPECT_EQ(db.Run("INFO keyspace"),
            "# Keyspace\r\n"
            "db0:keys=3,expires=2,avg_ttl=4000,subexpiry=0\r\n"
            "db3:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n");
  db.AdvanceMs(1'000);
  EXPECT_THAT(db.Run("INFO keyspace").text, HasSubstr("expires=2,avg_ttl=3000"));
}

TEST(Info, ExpiredKeysByTheirPaths) {
  Db db;
  for (const char* key : {"lazy", "active", "flushed"}) {
    db.Call({"SET", key, "v", "PX", "10"});
  }
  db.AdvanceMs(11);
  db.Run("GET lazy");
  Fields fields = Info(db);
  EXPECT_EQ(fields["expired_keys"], "1");
  EXPECT_EQ(fields["expired_keys_lazy"], "1");
  EXPECT_EQ(fields["expired_keys_active"], "0");
  EXPECT_EQ(fields["expire_lag_ms_max"], "1");
  db.AdvanceMs(1'000);
  db.DriveExpiry();
  fields = Info(db);
  EXPECT_EQ(fields["expired_keys"], "3");
  EXPECT_EQ(fields["expired_keys_active"], "2");
  EXPECT_EQ(fields["expire_unreclaimed_keys"], "0");
  EXPECT_EQ(fields["expire_oldest_due_ms"], "0");
  EXPECT_EQ(fields["expire_strategy"], "hinted");
}

TEST(Info, LastFlush) {
  Db db;
  EXPECT_EQ(Info(db)["flushexpirekeys_runs"], "0");
  EXPECT_FALSE(Info(db).contains("flushexpirekeys_last_run_id"));
  db.Run("SET k v PX 10");
  db.AdvanceMs(11);
  ASSERT_FALSE(db.Run("FLUSHEXPIREKEYS").IsError());
  Fields fields = Info(db);
  EXPECT_EQ(fields["flushexpirekeys_runs"], "1");
  EXPECT_EQ(fields["flushexpirekeys_last_state"], "succeeded");
  EXPECT_EQ(fields["flushexpirekeys_last_orphans"], "0");
}

TEST(Info, Memory) {
  Db db;
  Fields empty = Info(db);
  for (int i = 0; i < 1000; ++i) {
    db.Call({"SET", "key:" + std::to_string(i), std::string(100, 'x')});
  }
  Fields full = Info(db);
  const int64_t used = std::stoll(full["used_memory"]);
  EXPECT_GT(used, std::stoll(empty["used_memory"]) + 100'000);
  EXPECT_EQ(std::stoll(full["used_memory_dataset"]) + std::stoll(full["used_memory_overhead"]),
            used);
  EXPECT_GE(std::stoll(full["used_memory_peak"]), used);
  EXPECT_THAT(full["used_memory_human"], HasSubstr("M"));
  db.Run("FLUSHALL SYNC");
  Fields after = Info(db);
  EXPECT_LT(std::stoll(after["used_memory"]), used);
  EXPECT_GE(std::stoll(after["used_memory_peak"]), used);
}

TEST(Version, IsTheBuilds) {
  std::ostringstream text;
  text << std::ifstream(LAPSE_SOURCE_DIR "/CMakeLists.txt").rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("VERSION " + std::string(kVersion) + " "));
}

}  // namespace
}  // namespace lapse
