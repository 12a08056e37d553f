// The configuration's file, command line and rewriting, and the table behind them. CONFIG GET and
// SET are in tests/commands/config_test.cc.

#include "server/core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// What is wrong with the text, or "".
std::string ErrorOf(std::string_view text) {
  Config config;
  return Message(ApplyConfigText(text, "lapse.conf", config));
}

std::string ErrorOfWords(const std::vector<std::string>& words) {
  Config config;
  return Message(ApplyCommandLine(words, config));
}

// Files below a directory of this test's own.
class ConfigFile : public ::testing::Test {
 protected:
  ConfigFile() : folder_(::testing::TempDir() + "lapse_config_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~ConfigFile() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string folder_;
};

TEST(Config, ReadsLinesAsRedisDoes) {
  Config config;
  const absl::Status status = ApplyConfigText(
      "# a comment\n"
      "\n"
      "port 7000\r\n"
      "  BIND 127.0.0.1 ::1\n"
      "requirepass \"a b\\x21\"\n"
      "unixsocketperm 770\n"
      "protected-mode no\n"
      "client-query-buffer-limit 2mb\n"
      "client-output-buffer-limit normal 1mb 512kb 60\n"
      "loglevel Warning\n"
      "active-expire-strategy sampled\n"
      "save \"\"",
      "lapse.conf", config);
  ASSERT_TRUE(status.ok()) << Message(status);
  EXPECT_EQ(config.port, 7000);
  EXPECT_THAT(config.bind, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(config.requirepass, "a b!");
  EXPECT_EQ(config.unixsocketperm, 0770);
  EXPECT_FALSE(config.protected_mode);
  EXPECT_EQ(config.client_query_buffer_limit, 2 << 20);
  EXPECT_EQ(config.output_limit_normal.hard_bytes, 1 << 20);
  EXPECT_EQ(config.output_limit_normal.soft_bytes, 512 << 10);
  EXPECT_EQ(config.output_limit_normal.soft_seconds, 60);
  EXPECT_EQ(config.loglevel, "warning");
  EXPECT_EQ(config.expiry.strategy, StrategyKind::kSampled);
}

TEST(Config, ErrorsNameLineDirectiveAndReason) {
  EXPECT_EQ(ErrorOf("port 1\n\nprot 1\n"),
            "lapse.conf:3: bad directive or wrong number of arguments: 'prot 1'");
  EXPECT_EQ(ErrorOf("port 1 2"), "lapse.conf:1: wrong number of arguments: 'port 1 2'");
  EXPECT_EQ(ErrorOf("  port a "),
            "lapse.conf:1: argument couldn't be parsed into an integer: 'port a'");
  EXPECT_EQ(ErrorOf("port \"1"), "lapse.conf:1: unbalanced quotes: 'port \"1'");
  EXPECT_EQ(ErrorOf("port 65536"),
            "lapse.conf:1: argument must be between 0 and 65535 inclusive: 'port 65536'");
  EXPECT_EQ(ErrorOf("daemonize maybe"),
            "lapse.conf:1: argument must be 'yes' or 'no': 'daemonize maybe'");
  EXPECT_EQ(ErrorOf("unixsocketperm 9"),
            "lapse.conf:1: argument couldn't be parsed as an octal number: 'unixsocketperm 9'");
  EXPECT_EQ(ErrorOf("loglevel foo"),
            "lapse.conf:1: argument(s) must be one of the following: debug, verbose, notice, "
            "warning: 'loglevel foo'");
  EXPECT_THAT(ErrorOf("client-output-buffer-limit bogus 0 0 0"), HasSubstr("Invalid client class"));
  EXPECT_THAT(ErrorOf("client-output-buffer-limit normal 0 0"), HasSubstr("Wrong number"));
}

TEST(Config, RefusesWhatWouldNeedAnotherFeature) {
  EXPECT_EQ(
      ErrorOf("save 3600 1"),
      "lapse.conf:1: persistence is not available yet: the only value is \"\": 'save 3600 1'");
  EXPECT_THAT(ErrorOf("appendonly yes"), HasSubstr("persistence is not available yet"));
  EXPECT_THAT(ErrorOf("cluster-enabled yes"), HasSubstr("not available"));
  EXPECT_THAT(ErrorOf("replicaof 10.0.0.1 6379"), HasSubstr("replication is not available yet"));
  EXPECT_THAT(ErrorOf("cluster-enabled yes"), HasSubstr("not available"));
  EXPECT_EQ(ErrorOf("appendonly no\nmaxmemory 0\nmaxmemory-policy noeviction\nsupervised no\n"),
            "");
}

TEST(Config, KeepsDirectivesWithoutEffect) {
  Config config;
  ASSERT_TRUE(ApplyConfigText("lazyfree-lazy-expire yes\ndbfilename x.rdb\n", "", config).ok());
  EXPECT_EQ(FindConfig("lazyfree-lazy-expire")->get(config), "yes");
  EXPECT_EQ(FindConfig("dbfilename")->get(config), "x.rdb");
  EXPECT_EQ(FindConfig("lazyfree-lazy-server-del")->get(config), "no");
  EXPECT_NE(ErrorOf("lazyfree-lazy-expire perhaps"), "");
}

TEST(Config, HzGoesToTheNearestBound) {
  Config config;
  ASSERT_TRUE(ApplyConfigText("hz 0", "", config).ok());
  EXPECT_EQ(config.expiry.hz, 1);
  ASSERT_TRUE(ApplyConfigText("hz 100000", "", config).ok());
  EXPECT_EQ(config.expiry.hz, 500);
}

TEST_F(ConfigFile, IncludesFiles) {
  const std::string inner = Write("inner.conf", "port 7001\nprot 1\n");
  const std::string outer = Write("outer.conf", "hz 20\ninclude " + inner + "\n");
  Config config;
  const absl::Status status = ApplyConfigFile(outer, config);
  EXPECT_EQ(Message(status), inner + ":2: bad directive or wrong number of arguments: 'prot 1'");
  EXPECT_EQ(config.port, 7001);
  EXPECT_EQ(config.expiry.hz, 20);
}

TEST_F(ConfigFile, IncludesEndSomewhere) {
  const std::string path = Write("loop.conf", "");
  Write("loop.conf", "include " + path + "\n");
  Config config;
  EXPECT_THAT(Message(ApplyConfigFile(path, config)), HasSubstr("include each other too deep"));
  Write("loop.conf", "include " + folder_ + "/missing.conf\n");
  EXPECT_THAT(Message(ApplyConfigFile(path, config)),
              HasSubstr(":1: cannot read config file '" + folder_ + "/missing.conf'"));
  EXPECT_FALSE(ApplyConfigFile(folder_, config).ok()) << "a directory";
}

TEST_F(ConfigFile, CommandLineWinsOverTheFile) {
  const std::string path = Write("lapse.conf", "port 7001\nhz 20\n");
  Config config;
  const std::vector<std::string> words = {path,           "--port", "7002",   "--save",    "",
                                          "--appendonly", "no",     "--bind", "127.0.0.1", "::1"};
  const absl::Status status = ApplyCommandLine(words, config);
  ASSERT_TRUE(status.ok()) << Message(status);
  EXPECT_EQ(config.port, 7002);
  EXPECT_EQ(config.expiry.hz, 20);
  EXPECT_THAT(config.bind, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(config.file, path);
}

TEST(Config, CommandLineForms) {
  Config config;
  EXPECT_TRUE(ApplyCommandLine({}, config).ok());
  EXPECT_EQ(config.file, "");
  const std::vector<std::string> words = {"--port=7003", "--requirepass", "-x"};
  ASSERT_TRUE(ApplyCommandLine(words, config).ok());
  EXPECT_EQ(config.port, 7003);
  EXPECT_EQ(config.requirepass, "-x");
  EXPECT_EQ(ErrorOfWords({"--prot", "1"}),
            "command line: bad directive or wrong number of arguments: '--prot 1'");
  EXPECT_EQ(ErrorOfWords({"--port"}), "command line: wrong number of arguments: '--port'");
  EXPECT_EQ(ErrorOfWords({"--hz", "10", "--port", "a b"}),
            "command line: argument couldn't be parsed into an integer: '--port \"a b\"'");
  EXPECT_THAT(ErrorOfWords({"/nonexistent.conf"}),
              HasSubstr("cannot read config file '/nonexistent.conf': No such file"));
}

TEST(Config, MemoryAmounts) {
  EXPECT_EQ(*ParseMemory("0"), 0);
  EXPECT_EQ(*ParseMemory("12b"), 12);
  EXPECT_EQ(*ParseMemory("1k"), 1000);
  EXPECT_EQ(*ParseMemory("1KB"), 1024);
  EXPECT_EQ(*ParseMemory("100mb"), 100 << 20);
  EXPECT_EQ(*ParseMemory("3m"), 3'000'000);
  EXPECT_EQ(*ParseMemory("2G"), 2'000'000'000);
  EXPECT_EQ(*ParseMemory("1gb"), 1 << 30);
  for (const char* bad : {"", "mb", "-1", "1.5gb", "1tb", "1 mb", "9223372036854775807k", "01"}) {
    EXPECT_FALSE(ParseMemory(bad).ok()) << bad;
  }
}

TEST(Config, RewriteKeepsCommentsAndOrder) {
  Config config;
  config.port = 7005;
  config.requirepass = "two words";
  config.expiry.hz = 50;
  const std::string text =
      "# my server\n"
      "port 7000\n"
      "\n"
      "hz 10 # not a comment, in Redis\n"
      "# the end\n"
      "port 7001\n";
  EXPECT_EQ(RewriteConfigText(text, config),
            "# my server\n"
            "port 7005\n"
            "\n"
            "hz 50\n"
            "# the end\n"
            "# Generated by CONFIG REWRITE\n"
            "requirepass \"two words\"\n");
}

TEST(Config, RewritingTwiceChangesNothing) {
  Config config;
  config.bind = {};
  config.inert["dbfilename"] = "x.rdb";
  config.output_limit_normal.hard_bytes = 1;
  const std::string once = RewriteConfigText("save \"\"\n", config);
  EXPECT_EQ(RewriteConfigText(once, config), once);
  Config read_back;
  const absl::Status status = ApplyConfigText(once, "once", read_back);
  ASSERT_TRUE(status.ok()) << Message(status);
  for (const ConfigRow& row : ConfigTable()) {
    EXPECT_EQ(row.get(read_back), row.get(config)) << row.name;
  }
}

TEST_F(ConfigFile, RewriteReplacesTheFile) {
  Config config;
  config.file = Write("lapse.conf", "port 1\n");
  std::filesystem::permissions(config.file, std::filesystem::perms{0640});
  config.port = 2;
  ASSERT_TRUE(RewriteConfigFile(config).ok());
  EXPECT_EQ(Read(config.file), "port 2\n");
  EXPECT_EQ(std::filesystem::status(config.file).permissions(), std::filesystem::perms{0640});
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1) << "no temporary file stays";
  config.file = folder_ + "/missing/lapse.conf";
  EXPECT_FALSE(RewriteConfigFile(config).ok());
}

TEST(ConfigTable, IsSortedAndDocumented) {
  std::string_view previous;
  for (const ConfigRow& row : ConfigTable()) {
    EXPECT_LT(previous, row.name);
    previous = row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_FALSE(row.values.empty()) << row.name;
    EXPECT_EQ(FindConfig(row.name), &row);
  }
  EXPECT_EQ(FindConfig("PORT"), FindConfig("port"));
  EXPECT_EQ(FindConfig("prot"), nullptr);
}

TEST(ConfigTable, DefaultsSetThemselves) {
  const Config defaults;
  for (const ConfigRow& row : ConfigTable()) {
    Config config;
    const std::string value = row.get(defaults);
    const absl::Status status = row.set(config, ConfigWords(row, value));
    EXPECT_TRUE(status.ok()) << row.name << ": " << Message(status);
    EXPECT_EQ(row.get(config), value) << row.name;
  }
}

TEST(ConfigTable, NothingChangesWhenAValueIsRefused) {
  for (const ConfigRow& row : ConfigTable()) {
    Config config;
    const std::string before = row.get(config);
    const std::vector<std::string> words = {"x", "y", "z"};
    if (row.set(config, words).ok()) continue;
    EXPECT_EQ(row.get(config), before) << row.name;
  }
}

TEST(ConfigDocs, CommittedPageIsCurrent) {
  std::ostringstream page;
  page << std::ifstream(LAPSE_SOURCE_DIR "/docs/configuration.md").rdbuf();
  EXPECT_EQ(page.str(), ConfigMarkdown())
      << "regenerate it: lapse-server --print-config-docs > docs/configuration.md";
}

}  // namespace
}  // namespace lapse
