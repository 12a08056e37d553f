#include "remote/flush_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

namespace lapse {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<FlushArguments> Parse(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  return ParseFlushArguments(words);
}

std::string WhyNot(const std::string& line) {
  const absl::StatusOr<FlushArguments> arguments = Parse(line);
  EXPECT_FALSE(arguments.ok()) << line;
  return std::string(arguments.status().message());
}

TEST(FlushArguments, Defaults) {
  const auto arguments = Parse("redis://h");
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->options.concurrency, 10);
  EXPECT_EQ(arguments->options.max_errors, 0);
  EXPECT_EQ(arguments->options.max_cpu_percent, 100);
  EXPECT_TRUE(arguments->options.connect.tls.verify);
}

TEST(FlushArguments, All) {
  const auto arguments = Parse(
      "--maxcpu 30 --rate=5000 redis://a --count 200 --call-target 0.5 --db 1,2 --db 2 "
      "--concurrency 3 --max-errors 4 --timeout 2m --connect-timeout 7 --user ops --askpass "
      "--tls-ca-file ca --tls-cert-file c --tls-key-file k --tls-server-name n "
      "--tls-skip-verify --json --quiet rediss://b");
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->targets.size(), 2u);
  const RemoteFlushOptions& options = arguments->options;
  EXPECT_EQ(options.max_cpu_percent, 30);
  EXPECT_EQ(options.keys_per_second, 5000);
  EXPECT_EQ(options.max_count, 200);
  EXPECT_EQ(options.call_target.count(), 500);
  EXPECT_THAT(options.dbs, ElementsAre(1, 2));
  EXPECT_EQ(options.concurrency, 3);
  EXPECT_EQ(options.max_errors, 4);
  EXPECT_EQ(options.timeout, milliseconds(120'000));
  EXPECT_EQ(options.connect.connect_timeout, milliseconds(7'000));
  EXPECT_EQ(options.connect.tls.ca_file, "ca");
  EXPECT_EQ(options.connect.tls.cert_file, "c");
  EXPECT_EQ(options.connect.tls.key_file, "k");
  EXPECT_EQ(options.connect.tls.server_name, "n");
  EXPECT_FALSE(options.connect.tls.verify);
  EXPECT_EQ(arguments->user, "ops");
  EXPECT_TRUE(arguments->ask_password);
  EXPECT_TRUE(arguments->json);
  EXPECT_TRUE(arguments->quiet);
}

TEST(FlushArguments, WhatIsWrongIsSaid) {
  EXPECT_THAT(WhyNot(""), HasSubstr("no URL given"));
  EXPECT_THAT(WhyNot("redis://h --what"), HasSubstr("unknown option --what"));
  EXPECT_THAT(WhyNot("redis://h --rate"), HasSubstr("--rate needs a value"));
  EXPECT_THAT(WhyNot("redis://h --maxcpu 0"), HasSubstr("--maxcpu needs a number from 1 to 100"));
  EXPECT_THAT(WhyNot("redis://h --rate -1"), HasSubstr("from 1 up"));
  EXPECT_THAT(WhyNot("redis://h --timeout soon"), HasSubstr("a time such as"));
  EXPECT_THAT(WhyNot("redis://h --timeout -5s"), HasSubstr("a time such as"));
  EXPECT_THAT(WhyNot("redis://h --db 1,x"), HasSubstr("--db needs"));
  EXPECT_THAT(WhyNot("redis://h --call-target nan"), HasSubstr("milliseconds"));
  EXPECT_THAT(WhyNot("host:6379"), HasSubstr("no scheme"));
  EXPECT_THAT(WhyNot("redis-cluster://h --db 1"), HasSubstr("database 0 alone"));
}

TEST(FlushArguments, HelpNeedsNoUrlAndNamesEveryOption) {
  EXPECT_TRUE(Parse("--help")->help);
  EXPECT_TRUE(Parse("redis://h -v")->version);
  for (const char* const option : {"--maxcpu",
                                   "--rate",
                                   "--count",
                                   "--call-target",
                                   "--db",
                                   "--concurrency",
                                   "--max-errors",
                                   "--timeout",
                                   "--connect-timeout",
                                   "--user",
                                   "--askpass",
                                   "--tls-ca-file",
                                   "--tls-cert-file",
                                   "--tls-key-file",
                                   "--tls-server-name",
                                   "--tls-skip-verify",
                                   "--json",
                                   "--quiet",
                                   "--version",
                                   "REDISCLI_AUTH"}) {
    EXPECT_THAT(std::string(FlushHelp()), HasSubstr(option));
  }
}

TEST(FlushArguments, PasswordsFromElsewhereFillGaps) {
  auto arguments = Parse("redis://h redis://own:mine@h redis://own@h");
  ASSERT_TRUE(arguments.ok());
  FillIn("ops", "secret", arguments->targets);
  EXPECT_EQ(arguments->targets[0].user, "ops");
  EXPECT_EQ(arguments->targets[0].password, "secret");
  EXPECT_EQ(arguments->targets[1].user, "own");
  EXPECT_EQ(arguments->targets[1].password, "mine");
  EXPECT_EQ(arguments->targets[2].user, "own");
  EXPECT_EQ(arguments->targets[2].password, "secret");
}

}  // namespace
}  // namespace lapse
