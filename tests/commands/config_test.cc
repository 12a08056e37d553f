// CONFIG GET, SET, RESETSTAT and REWRITE. What directives there are is in
// tests/core/config_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kFailed = "ERR CONFIG SET failed (possibly related to argument '";

TEST(ConfigGet, TakesSeveralPatterns) {
  Db db;
  EXPECT_THAT(Texts(db.Run("CONFIG GET port")), ElementsAre("port", "6379"));
  EXPECT_THAT(Texts(db.Run("CONFIG GET HZ h? hz")), ElementsAre("HZ", "10"))
      << "once, and as the client spelt it";
  EXPECT_THAT(Texts(db.Run("CONFIG GET maxmemory save nosuch appendonly")),
              ElementsAre("appendonly", "no", "maxmemory", "0", "save", ""));
  EXPECT_THAT(Texts(db.Run("CONFIG GET nosuch")), IsEmpty());
  EXPECT_EQ(db.Run("CONFIG GET *").size(), 2 * ConfigTable().size());
  db.Resp(3);
  EXPECT_EQ(db.Run("CONFIG GET port").type, ReplyType::kMap);
}

TEST(ConfigSet, ChangesValues) {
  Db db;
  EXPECT_EQ(db.Run("CONFIG SET timeout 60 MAXCLIENTS 5"), "OK");
  EXPECT_EQ(db.instance().config.timeout_seconds, 60);
  EXPECT_EQ(db.instance().config.maxclients, 5);
  EXPECT_EQ(db.Call({"CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0 pubsub 5 4 3"}),
            "OK");
  EXPECT_THAT(Texts(db.Run("CONFIG GET client-output-buffer-limit")),
              ElementsAre("client-output-buffer-limit",
                          "normal 1048576 0 0 slave 268435456 67108864 60 pubsub 5 4 3"));
  EXPECT_EQ(db.Call({"CONFIG", "SET", "save", ""}), "OK");
}

TEST(ConfigSet, ReachesTheExpiryEngine) {
  Db db;
  EXPECT_EQ(db.Run("CONFIG SET active-expire-strategy sampled active-expire-effort 7"), "OK");
  EXPECT_EQ(db.instance().expiry.settings().strategy, StrategyKind::kSampled);
  EXPECT_EQ(db.instance().expiry.settings().effort, 7);
}

TEST(ConfigSet, AllOrNothing) {
  Db db;
  const auto refused = [&](std::string_view line, std::string_view argument,
                           std::string_view reason) {
    EXPECT_EQ(db.Run(line),
              std::string(kFailed) + std::string(argument) + "') - " + std::string(reason));
  };
  refused("CONFIG SET timeout 5 hz abc", "hz", "argument couldn't be parsed into an integer");
  refused("CONFIG SET timeout 5 databases 3", "databases", "can't set immutable config");
  refused("CONFIG SET timeout 5 Timeout 6", "Timeout", "duplicate parameter");
  refused("CONFIG SET timeout 5 maxclients 0", "maxclients",
          "argument must be between 1 and 4294967295 inclusive");
  refused("CONFIG SET timeout 5 cluster-enabled yes", "cluster-enabled",
          "cluster mode is not available: the only value is no");
  EXPECT_EQ(db.Run("CONFIG SET timeout 5 nope 2"),
            "ERR Unknown option or number of arguments for CONFIG SET - 'nope'");
  EXPECT_EQ(db.Run("CONFIG SET timeout 5 hz"), "ERR syntax error");
  EXPECT_EQ(db.instance().config.timeout_seconds, 0);
}

TEST(ConfigResetStat, ZeroesTheCounters) {
  Db db;
  db.Run("SET k v PX 10");
  db.Run("GET k");
  db.AdvanceMs(11);
  db.Run("GET k");
  db.Run("NOSUCH");
  EXPECT_EQ(db.instance().keyspace.Totals().expired(), 1);
  EXPECT_EQ(db.Run("CONFIG RESETSTAT"), "OK");
  const KeyspaceTotals totals = db.instance().keyspace.Totals();
  EXPECT_EQ(totals.expired(), 0);
  EXPECT_EQ(totals.hits, 0);
  EXPECT_EQ(totals.misses, 0);
  EXPECT_EQ(db.instance().stats.error_replies.load(), 0);
}

TEST(ConfigRewrite, NeedsAFile) {
  Db db;
  EXPECT_EQ(db.Run("CONFIG REWRITE"), "ERR The server is running without a config file");
  db.instance().config.file = "/nonexistent/lapse.conf";
  EXPECT_THAT(db.Run("CONFIG REWRITE").text, HasSubstr("ERR Rewriting config file: "));
}

TEST(ConfigRewrite, WritesWhatWasSet) {
  const std::string path =
      ::testing::TempDir() + "lapse_rewrite_" + std::to_string(::getpid()) + ".conf";
  std::ofstream(path) << "hz 10\n";
  Config config;
  config.file = path;
  Db db(config);
  db.Run("CONFIG SET hz 20");
  EXPECT_EQ(db.Run("CONFIG REWRITE"), "OK");
  std::string line;
  std::ifstream stream(path);
  std::getline(stream, line);
  EXPECT_EQ(line, "hz 20");
  std::filesystem::remove(path);
}

TEST(Config, UnknownSubcommand) {
  Db db;
  EXPECT_EQ(db.Run("CONFIG FOO"), "ERR unknown subcommand 'FOO'. Try CONFIG HELP.");
  EXPECT_EQ(db.Run("CONFIG"), "ERR wrong number of arguments for 'config' command");
  EXPECT_EQ(db.Run("CONFIG GET"), "ERR wrong number of arguments for 'config|get' command");
}

}  // namespace
}  // namespace lapse
