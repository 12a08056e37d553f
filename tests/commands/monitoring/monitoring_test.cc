#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CommandStats, CountCallsRefusalsAndFailures) {
  Db db;
  db.Run("CONFIG RESETSTAT");
  for (int i = 0; i < 3; ++i) db.Run("SET a x");
  db.Run("INCR a");
  db.Run("GET");
  db.Run("NOSUCH");
  const std::string stats = db.Run("INFO commandstats").text;
  EXPECT_THAT(stats, HasSubstr("cmdstat_set:calls=3,usec="));
  EXPECT_THAT(stats, ::testing::ContainsRegex("cmdstat_incr:calls=1,.*failed_calls=1"));
  EXPECT_THAT(stats, ::testing::ContainsRegex("cmdstat_get:calls=0,.*rejected_calls=1"));
  EXPECT_THAT(stats, HasSubstr("cmdstat_config|resetstat:calls=1"));
  EXPECT_THAT(stats, Not(HasSubstr("nosuch")));
  EXPECT_THAT(db.Run("INFO errorstats").text, HasSubstr("errorstat_ERR:count=3"));
  db.Run("CONFIG RESETSTAT");
  EXPECT_THAT(db.Run("INFO commandstats").text, Not(HasSubstr("cmdstat_set")));
  EXPECT_THAT(db.Run("INFO errorstats").text, Not(HasSubstr("errorstat_ERR")));
}

TEST(CommandStats, AreNotInTheDefaultSections) {
  Db db;
  db.Run("SET a x");
  EXPECT_THAT(db.Run("INFO").text, Not(HasSubstr("cmdstat_set")));
  EXPECT_THAT(db.Run("INFO everything").text, HasSubstr("cmdstat_set"));
  EXPECT_THAT(db.Run("INFO latencystats").text, HasSubstr("latency_percentiles_usec_set:p50="));
  db.Run("CONFIG SET latency-tracking no");
  EXPECT_THAT(db.Run("INFO latencystats").text, Not(HasSubstr("_set:")));
}

TEST(SlowLog, NotesArgumentsCutShort) {
  Db db;
  db.Run("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2");
  db.Run("SLOWLOG RESET");
  db.Call({"SET", "key", std::string(200, 'x')});
  std::string many = "MGET";
  for (int i = 0; i < 40; ++i) many += " k";
  db.Run(many);
  EXPECT_EQ(db.Run("SLOWLOG LEN"), 2);
  db.Run("CONFIG SET slowlog-log-slower-than -1");
  const Reply log = db.Run("SLOWLOG GET");
  ASSERT_EQ(log.elements.size(), 2u);
  EXPECT_EQ(log.elements[0].elements[3].elements[1].text, "LEN");  // the newest first
  EXPECT_EQ(log.elements[1].elements[3].elements[0].text, "MGET");
  EXPECT_TRUE(db.Run("SLOWLOG GET -2").IsError());
  EXPECT_EQ(db.Run("SLOWLOG RESET"), "OK");
  EXPECT_EQ(db.Run("SLOWLOG LEN"), 0);
}

TEST(SlowLog, SaysWhatItLeftOut) {
  Db db;
  db.Run("CONFIG SET slowlog-log-slower-than 0");
  db.Call({"SET", "key", std::string(200, 'x')});
  std::string many = "MGET";
  for (int i = 0; i < 40; ++i) many += " k";
  db.Run(many);
  const Reply log = db.Run("SLOWLOG GET 2");
  ASSERT_EQ(log.elements.size(), 2u);
  EXPECT_EQ(log.elements[0].elements[3].elements.size(), 32u);
  EXPECT_EQ(log.elements[0].elements[3].elements[31].text, "... (10 more arguments)");
  std::string cut(128, 'x');
  cut += "... (72 more bytes)";
  EXPECT_EQ(log.elements[1].elements[3].elements[2].text, cut);
}

TEST(Latency, HistogramsCountEveryCall) {
  Db db;
  for (int i = 0; i < 5; ++i) db.Run("SET a x");
  const Reply all = db.Run("LATENCY HISTOGRAM set config");
  ASSERT_EQ(all.elements.size(), 2u);
  EXPECT_EQ(all.elements[0].text, "set");
  EXPECT_EQ(all.elements[1].elements[1].integer, 5);
  EXPECT_EQ(all.elements[1].elements[3].elements.back().integer, 5);
}

TEST(Latency, NoEventsWithoutAThreshold) {
  Db db;
  EXPECT_EQ(db.Run("LATENCY LATEST").elements.size(), 0u);
  EXPECT_EQ(db.Run("LATENCY HISTORY command").elements.size(), 0u);
  EXPECT_EQ(db.Run("LATENCY RESET"), 0);
  EXPECT_THAT(db.Run("LATENCY DOCTOR").text, HasSubstr("latency-monitor-threshold"));
  EXPECT_TRUE(db.Run("LATENCY GRAPH command").IsError());
}

}  // namespace
}  // namespace lapse
