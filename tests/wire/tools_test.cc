// The programs that people use with Redis, against a real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/server_process.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Cli(const ServerProcess& server, const std::string& words) {
  return RunShell("redis-cli -p " + std::to_string(server.port()) + " " + words);
}

TEST(Tools, RedisCliHoldsASession) {
  if (!HaveProgram("redis-cli")) GTEST_SKIP() << "redis-cli is not installed";
  ServerProcess server;
  EXPECT_EQ(Cli(server, "SET greeting hello EX 100"), "OK\n");
  EXPECT_EQ(Cli(server, "GET greeting"), "hello\n");
  EXPECT_EQ(Cli(server, "TTL greeting"), "100\n");
  EXPECT_EQ(Cli(server, "-3 PERSIST greeting"), "1\n");
  EXPECT_THAT(Cli(server, "FLUSHEXPIREKEYS"), HasSubstr("reclaimed"));
  EXPECT_THAT(Cli(server, "INFO server"), HasSubstr("redis_version"));
  EXPECT_THAT(Cli(server, "NOSUCH"), HasSubstr("ERR unknown command"));
  EXPECT_EQ(Cli(server, "--scan --pattern \"gree*\""), "greeting\n");
}

TEST(Tools, RedisCliPipesARecordedStream) {
  if (!HaveProgram("redis-cli")) GTEST_SKIP() << "redis-cli is not installed";
  ServerProcess server;
  {
    std::ofstream stream(server.dir() + "/stream");
    for (int i = 0; i < 10'000; ++i) stream << "SET key" << i << " value\r\n";
  }
  EXPECT_THAT(Cli(server, "--pipe < " + server.dir() + "/stream"),
              HasSubstr("errors: 0, replies: 10000"));
  EXPECT_EQ(Cli(server, "DBSIZE"), "10000\n");
}

class Benchmark : public testing::TestWithParam<int> {};

TEST_P(Benchmark, Completes) {
  if (!HaveProgram("redis-benchmark")) GTEST_SKIP() << "redis-benchmark is not installed";
  ServerProcess server({"--threads", "2"});
  int status = -1;
  const std::string output = RunShell("redis-benchmark -p " + std::to_string(server.port()) +
                                          " -t ping,set,get,incr,mset -r 1000 -n 5000 --csv -P " +
                                          std::to_string(GetParam()),
                                      &status);
  EXPECT_EQ(status, 0) << output;
  for (const std::string test : {"PING_INLINE", "SET", "GET", "INCR", "MSET"}) {
    EXPECT_THAT(output, HasSubstr("\"" + test));
  }
  EXPECT_THAT(output, Not(HasSubstr("Error")));
}

INSTANTIATE_TEST_SUITE_P(Pipelines, Benchmark, testing::Values(1, 16, 64));

}  // namespace
}  // namespace lapse
