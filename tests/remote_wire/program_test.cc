// lapse-flush as a person or a script runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "fmt/format.h"
#include "tests/remote_wire/bed.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// It is built beside the server.
std::string Program() {
  return (std::filesystem::path(LapseServer().path).parent_path() / "lapse-flush").string();
}

struct Ended {
  int status = -1;
  std::string output;
};

Ended RunFlush(const std::string& words, const std::string& before = "") {
  Ended ended;
  ended.output = RunShell(fmt::format("{} {} {}", before, Program(), words), &ended.status);
  return ended;
}

TEST(FlushProgram, PrintsATable) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.live = 10, .expired = 1234});
  const Ended ended = RunFlush(UrlOf(*server));
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_THAT(ended.output, StartsWith("server"));
  EXPECT_THAT(ended.output, HasSubstr(fmt::format("127.0.0.1:{}", server->port())));
  EXPECT_THAT(ended.output, HasSubstr("Success"));
  EXPECT_THAT(ended.output, HasSubstr("1.23k"));
  EXPECT_EQ(KeyCount(*server), 10);
}

TEST(FlushProgram, PrintsJson) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 55});
  const Ended ended = RunFlush("--json " + UrlOf(*server));
  EXPECT_EQ(ended.status, 0) << ended.output;
  const boost::json::value json = boost::json::parse(ended.output);
  EXPECT_EQ(json.at("targets").at(0).at("expired").as_int64(), 55);
  EXPECT_EQ(json.at("targets").at(0).at("nodes").at(0).at("state").as_string(), "Success");
}

TEST(FlushProgram, TakesThePasswordFromTheEnvironmentOrStandardInput) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis({"--requirepass", "secret"});
  Fill(*server, {.expired = 5}, "secret");
  const Ended without = RunFlush("--quiet " + UrlOf(*server));
  EXPECT_EQ(without.status, 1);
  EXPECT_THAT(without.output, StartsWith("lapse-flush: redis://127.0.0.1:"));
  EXPECT_THAT(without.output, HasSubstr("Failed"));
  EXPECT_THAT(without.output, HasSubstr("NOAUTH"));
  EXPECT_EQ(RunFlush("--quiet " + UrlOf(*server), "REDISCLI_AUTH=secret").output, "");
  EXPECT_EQ(RunFlush("--quiet --askpass " + UrlOf(*server), "echo secret |").status, 0);
  const Ended wrong = RunFlush(UrlOf(*server, ":wrongword"));
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.output, HasSubstr("WRONGPASS"));
  EXPECT_THAT(wrong.output, Not(HasSubstr("wrongword")));
}

TEST(FlushProgram, SaysHowItIsUsed) {
  EXPECT_EQ(RunFlush("").status, 2);
  EXPECT_EQ(RunFlush("").output, "lapse-flush: no URL given; see lapse-flush --help\n");
  EXPECT_EQ(RunFlush("--what redis://h").status, 2);
  EXPECT_EQ(RunFlush("--help").status, 0);
  EXPECT_THAT(RunFlush("--help").output, StartsWith("usage: lapse-flush"));
  EXPECT_THAT(RunFlush("--version").output, StartsWith("lapse-flush 0."));
}

TEST(FlushProgram, StopsAtASignal) {
  SKIP_WITHOUT_REDIS();
  const auto server = StartRedis();
  Fill(*server, {.expired = 20'000});
  // Where a shell says which process the program is.
  const std::string pid_file = (std::filesystem::path(server->dir()) / "pid").string();
  for (const auto& [signal, status] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    const int64_t before = KeyCount(*server);
    std::future<Ended> running = std::async(std::launch::async, [&server, &pid_file] {
      return RunFlush("--rate 1000 --json " + UrlOf(*server),
                      fmt::format("echo $$ > {}; exec", pid_file));
    });
    ASSERT_TRUE(Eventually([&server, before] { return KeyCount(*server) < before; }));
    pid_t pid = 0;
    std::ifstream(pid_file) >> pid;
    ASSERT_GT(pid, 1);
    // As timeout(1) does it: the program, and at once its group.
    kill(pid, signal);
    kill(pid, signal);
    const Ended ended = running.get();
    EXPECT_EQ(ended.status, status) << ended.output;
    ASSERT_THAT(ended.output, StartsWith("{"));
    const boost::json::value json = boost::json::parse(ended.output);
    EXPECT_EQ(json.at("targets").at(0).at("state").as_string(), "Cancelled");
  }
  EXPECT_GT(KeyCount(*server), 0);
}

TEST(FlushProgram, DrawsItsProgressOnATerminal) {
  SKIP_WITHOUT_REDIS();
  if (!HaveProgram("script")) GTEST_SKIP() << "script is not installed";
  const auto server = StartRedis();
  Fill(*server, {.expired = 3000});
  const std::string output = RunShell(fmt::format(
      "script -qec \"stty cols 100; {} --rate 4000 {}\" /dev/null", Program(), UrlOf(*server)));
  EXPECT_THAT(output, HasSubstr("\r[###"));
  EXPECT_THAT(output, HasSubstr("keys/s"));
  EXPECT_THAT(output, HasSubstr("\r\033[Kserver"));
}

}  // namespace
}  // namespace lapse
