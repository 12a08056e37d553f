#include "remote/flush_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace lapse {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(FlushReport, Amounts) {
  EXPECT_EQ(ShortCount(0), "0");
  EXPECT_EQ(ShortCount(999), "999");
  EXPECT_EQ(ShortCount(1000), "1.00k");
  EXPECT_EQ(ShortCount(45'123), "45.1k");
  EXPECT_EQ(ShortCount(3'200'000), "3.20M");
  EXPECT_EQ(ShortBytes(812), "812 B");
  EXPECT_EQ(ShortBytes(1342177280), "1.25 GiB");
  EXPECT_EQ(ShortTime(milliseconds(350)), "350 ms");
  EXPECT_EQ(ShortTime(milliseconds(12'400)), "12.4 s");
  EXPECT_EQ(ShortTime(seconds(200)), "3 m 20 s");
  EXPECT_EQ(ShortTime(seconds(7500)), "2 h 05 m");
}

TEST(FlushReport, LineOfProgress) {
  FlushProgressLine line(2);
  const std::chrono::steady_clock::time_point start(seconds(100));
  EXPECT_THAT(line.Draw(start, 200), StartsWith("[........................]   0 %  0 scanned"));
  line.Update(0, {.fraction = 0.5,
                  .scanned = 50'000,
                  .expired = 20'000,
                  .memory_before = 4 << 20,
                  .memory = 3 << 20,
                  .cpu_percent = 28.4,
                  .slowed = true,
                  .nodes = 1});
  line.Update(1, {.fraction = 1, .scanned = 100, .expired = 0, .nodes = 1, .nodes_done = 1});
  const std::string text = line.Draw(start + seconds(1), 200);
  EXPECT_EQ(text,
            "[##################......]  75 %  50.1k scanned  20.0k expired  50.1k keys/s  "
            "4.00 MiB -> 3.00 MiB  cpu 28 % (slowed)  1 s left  1 of 2 servers");
  EXPECT_EQ(line.Draw(start + seconds(1), 50), "[##################......]  75 %  50.1k scanned");
  EXPECT_EQ(line.Draw(start + seconds(1), 20).size(), 20u);
}

std::vector<RemoteFlushResult> TwoTargets() {
  RemoteFlushResult good = {.target = "redis://a:1",
                            .state = RemoteFlushState::kSucceeded,
                            .scanned = 1500,
                            .expired = 1000,
                            .memory_before = 2048,
                            .memory_after = 1024,
                            .server_cpu_us = 5000,
                            .started_ms = 1000,
                            .finished_ms = 3500};
  good.nodes = {{.address = "a:1",
                 .server = "Redis 7.0.15",
                 .state = RemoteFlushState::kSucceeded,
                 .method = RemoteFlushMethod::kScan,
                 .dbs = {0, 3},
                 .scanned = 1500,
                 .expired = 1000,
                 .memory_before = 2048,
                 .memory_after = 1024,
                 .server_cpu_us = 5000,
                 .started_ms = 1000,
                 .finished_ms = 3500,
                 .fraction = 1}};
  RemoteFlushResult bad = {.target = "redis-cluster://b:1",
                           .state = RemoteFlushState::kFailed,
                           .reason = "b:1: cannot connect: \"refused\""};
  return {good, bad};
}

TEST(FlushReport, Table) {
  EXPECT_EQ(FlushTable(TwoTargets()),
            "server               result   scanned  expired                memory   cpu   time\n"
            "a:1                  Success    1.50k    1.00k  2.00 KiB -> 1.00 KiB  5 ms  2.5 s\n"
            "redis-cluster://b:1  Failed         -        -                     -     -      -\n"
            "    b:1: cannot connect: \"refused\"\n"
            "all                  1 of 2     1.50k    1.00k  2.00 KiB -> 1.00 KiB  5 ms  2.5 s\n");
  EXPECT_EQ(FlushTable({}), "");
}

TEST(FlushReport, Json) {
  const boost::json::value json = boost::json::parse(FlushJson(TwoTargets()));
  const boost::json::array& targets = json.at("targets").as_array();
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].at("state").as_string(), "Success");
  EXPECT_EQ(targets[0].at("nodes").at(0).at("expired").as_int64(), 1000);
  EXPECT_EQ(targets[0].at("nodes").at(0).at("method").as_string(), "scan");
  EXPECT_EQ(targets[0].at("nodes").at(0).at("db").at(1).as_int64(), 3);
  EXPECT_EQ(targets[1].at("reason").as_string(), "b:1: cannot connect: \"refused\"");
  EXPECT_TRUE(targets[1].at("nodes").as_array().empty());
}

}  // namespace
}  // namespace lapse
