// METRICS and the samples behind it: true numbers, in well-formed text, that agree with INFO.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "server/services/samples.h"
#include "server/services/services.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A Db whose operations are stepped along with its clock.
struct Operated {
  explicit Operated(Config config = {}) : db(std::move(config)) {}

  Db db;

  int64_t Step() { return Services::Of(db.instance()).samples().Step(); }
  // Moves the clock by so many samples, and takes each.
  void Pass(int samples) {
    for (int i = 0; i < samples; ++i) {
      db.AdvanceMs(Samples::kStepMs);
      Step();
    }
  }
  Sample Latest() { return Services::Of(db.instance()).samples().Latest().value(); }
};

// Lines of the text by name and labels.
std::map<std::string, double> Values(const std::string& text) {
  std::map<std::string, double> values;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("#")) continue;
    const size_t space = line.rfind(' ');
    EXPECT_TRUE(values.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second)
        << line << " stands there twice";
  }
  return values;
}

std::map<std::string, std::string> Info(Db& db) {
  std::map<std::string, std::string> fields;
  std::istringstream stream(db.Run("INFO").text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t colon = line.find(':');
    if (colon != line.npos) fields[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return fields;
}

// The columns of METRICS HISTORY's newest sample, by name; those that nobody knows are left out.
std::map<std::string, double> NewestOf(Db& db, const std::string& command) {
  db.Resp(3);
  const Reply reply = db.Run(command);
  db.Resp(2);
  std::map<std::string, double> values;
  std::vector<std::string> names;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    const std::string& field = reply.elements[i].text;
    const Reply& value = reply.elements[i + 1];
    if (field == "names") {
      for (const Reply& name : value.elements) names.push_back(name.text);
    }
    if (field != "samples" || value.elements.empty()) continue;
    const Reply& row = value.elements.back();
    EXPECT_EQ(row.elements.size(), names.size());
    for (size_t j = 0; j < row.elements.size(); ++j) {
      const Reply& cell = row.elements[j];
      if (cell.IsNull()) continue;
      values[names[j]] =
          cell.type == ReplyType::kInteger ? static_cast<double>(cell.integer) : cell.number;
    }
  }
  return values;
}

size_t SampleCount(Db& db, const std::string& command) {
  const Reply reply = db.Run(command);
  return reply.elements.back().elements.size();
}

TEST(Samples, AreTakenEveryTenSeconds) {
  Operated o;
  EXPECT_EQ(o.Step(), Samples::kStepMs);
  o.db.AdvanceMs(4'000);
  EXPECT_LE(o.Step(), 6'001);
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY"), 1u);
  o.db.AdvanceMs(6'001);
  o.Step();
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY"), 2u);
}

TEST(Samples, AreStepsOfTheOperations) {
  Operated o;
  Services& services = Services::Of(o.db.instance());
  EXPECT_LE(services.Operate(), Services::kLongestOperationsRestMs);
  for (int i = 0; i < 21; ++i) {
    o.db.AdvanceMs(1000);
    services.Operate();
  }
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY STEP 1"), 3u);
}

TEST(Samples, SleepOfTheMachineLeavesAGapAndNoRush) {
  Operated o;
  o.Step();
  o.db.AdvanceMs(3'600'000);
  o.Step();
  EXPECT_EQ(o.Step(), Samples::kStepMs + 1);
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY"), 2u);
}

TEST(Samples, HoldWhatInfoSays) {
  Operated o;
  o.Step();
  for (int i = 0; i < 500; ++i) o.db.Call({"SET", "k" + std::to_string(i), "v", "EX", "900"});
  for (int i = 0; i < 300; ++i) o.db.Call({"SET", "p" + std::to_string(i), "v"});
  for (int i = 0; i < 90; ++i) o.db.Call({"GET", "k" + std::to_string(i)});
  for (int i = 0; i < 10; ++i) o.db.Call({"GET", "none"});
  o.Pass(1);
  const auto now = NewestOf(o.db, "METRICS HISTORY");
  auto info = Info(o.db);
  EXPECT_EQ(now.at("keys"), 800);
  EXPECT_EQ(now.at("volatile-keys"), 500);
  EXPECT_EQ(now.at("memory"), std::stod(info["used_memory"]));
  EXPECT_EQ(now.at("unreclaimed-keys"), std::stod(info["expire_unreclaimed_keys"]));
  EXPECT_EQ(now.at("hit-rate"), 90);
  EXPECT_EQ(now.at("ops"), 90);
  EXPECT_EQ(now.at("at"), static_cast<double>(o.db.clock().NowMs()));
  EXPECT_GE(now.at("cpu-process"), 0);
}

TEST(Samples, WhatNobodyKnowsIsNull) {
  Operated o;
  o.Step();
  auto first = NewestOf(o.db, "METRICS HISTORY");
  EXPECT_FALSE(first.contains("ops"));
  EXPECT_FALSE(first.contains("hit-rate"));
  EXPECT_FALSE(first.contains("lag-p99-ms"));
  EXPECT_TRUE(first.contains("memory"));
  o.Pass(1);
  EXPECT_TRUE(NewestOf(o.db, "METRICS HISTORY").contains("ops"));
}

TEST(Samples, ExpiryByItsWaysAndLagOfTheIntervalAlone) {
  Operated o;
  o.Step();
  o.db.Run("SET lazy v PX 10");
  o.db.AdvanceMs(1011);
  o.db.Run("GET lazy");
  o.db.AdvanceMs(8989);
  o.Step();
  Sample sample = o.Latest();
  EXPECT_FLOAT_EQ(sample[SampleColumn::kExpiredLazy], 0.1);
  EXPECT_EQ(sample[SampleColumn::kExpiredActive], 0);
  EXPECT_GE(sample[SampleColumn::kLagMax], 1000);
  EXPECT_LE(sample[SampleColumn::kLagMax], 1250);

  for (int i = 0; i < 20; ++i) o.db.Call({"SET", "a" + std::to_string(i), "v", "PX", "10"});
  o.db.AdvanceMs(200);
  o.db.DriveExpiry();
  o.db.AdvanceMs(9800);
  o.Step();
  sample = o.Latest();
  EXPECT_EQ(sample[SampleColumn::kExpiredLazy], 0);
  EXPECT_FLOAT_EQ(sample[SampleColumn::kExpiredActive], 2);
  // The second key that was late is not in it.
  EXPECT_LT(sample[SampleColumn::kLagMax], 260);
}

TEST(Samples, FlushRunsAreMarked) {
  Operated o;
  o.Step();
  for (int i = 0; i < 40; ++i) o.db.Call({"SET", "k" + std::to_string(i), "v", "PX", "10"});
  o.db.AdvanceMs(100);
  o.db.Run("FLUSHEXPIREKEYS DRYRUN");
  o.db.Run("FLUSHEXPIREKEYS");
  o.db.Run("FLUSHEXPIREKEYS");
  o.Pass(1);
  EXPECT_EQ(o.Latest()[SampleColumn::kFlushRun], 3);
  EXPECT_EQ(o.Latest()[SampleColumn::kFlushReclaimed], 40);
  EXPECT_GT(o.Latest()[SampleColumn::kFlushBytesFreed], 40 * 16);
  EXPECT_GT(o.Latest()[SampleColumn::kExpiredFlushed], 0);
  o.Pass(1);
  EXPECT_EQ(o.Latest()[SampleColumn::kFlushRun], 0);
  EXPECT_EQ(o.Latest()[SampleColumn::kFlushReclaimed], 0);
}

TEST(Samples, CountersThatStartAnewDoNotGoBelowZero) {
  Operated o;
  o.Step();
  for (int i = 0; i < 100; ++i) o.db.Run("GET none");
  o.Pass(1);
  o.db.Run("CONFIG RESETSTAT");
  for (int i = 0; i < 10; ++i) o.db.Run("GET none");
  o.Pass(1);
  for (const double value : o.Latest().values) EXPECT_FALSE(value < 0);
  EXPECT_EQ(o.Latest()[SampleColumn::kHitRate], 0);
}

TEST(Samples, ADayIsKeptAndNoMoreThanAnHourBeyond) {
  Operated o;
  constexpr int kDay = 24 * 360;
  o.Pass(kDay + 2 * 360 + 100);
  Samples& samples = Services::Of(o.db.instance()).samples();
  const std::vector<Sample> all = samples.History(0, Samples::kStepMs);
  EXPECT_GE(all.size(), static_cast<size_t>(kDay));
  EXPECT_LE(all.size(), Samples::kBlocks * Samples::kBlockSamples);
  EXPECT_EQ(all.back().at_ms, o.db.clock().NowMs());
  for (size_t i = 1; i < all.size(); ++i) {
    ASSERT_EQ(all[i].at_ms - all[i - 1].at_ms, Samples::kStepMs);
  }
  // Without a step as many as a plot has room for; with one, those of its multiples.
  EXPECT_LE(SampleCount(o.db, "METRICS HISTORY"), 720u);
  EXPECT_GE(SampleCount(o.db, "METRICS HISTORY"), 600u);
  const std::string an_hour_ago = std::to_string(o.db.clock().NowMs() - 3'600'000 + 1);
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY SINCE " + an_hour_ago), 360u);
  const size_t minutes = SampleCount(o.db, "METRICS HISTORY STEP 60 SINCE " + an_hour_ago);
  EXPECT_GE(minutes, 60u);
  EXPECT_LE(minutes, 61u);
}

TEST(Samples, FoldedAmountsAreMeansMaximaAndSums) {
  Config config;
  config.expiry.active = false;  // leaves all to the flush
  Operated o(config);
  // Begins at a multiple of a minute, so that the samples of the next are one.
  o.db.AdvanceMs(60'000 - o.db.clock().NowMs() % 60'000);
  o.Step();
  for (int i = 1; i < 4; ++i) {
    o.db.Call({"SET", "k" + std::to_string(i), "v", "PX", "1"});
    o.db.AdvanceMs(1'000);
    o.db.Run("FLUSHEXPIREKEYS");
    o.db.Call({"SET", "stays" + std::to_string(i), "v"});
    o.db.AdvanceMs(Samples::kStepMs);
    o.Step();
  }
  const auto folded = NewestOf(o.db, "METRICS HISTORY STEP 60");
  EXPECT_EQ(folded.at("flush-reclaimed"), 3);
  EXPECT_EQ(folded.at("flush-run"), 3);
  EXPECT_EQ(folded.at("keys"), 2);  // 0 to 3, rounded
  EXPECT_EQ(folded.at("at"), static_cast<double>(o.db.clock().NowMs()));
  EXPECT_EQ(SampleCount(o.db, "METRICS HISTORY STEP 60"), 1u);
}

TEST(Metrics, Arguments) {
  Db db;
  EXPECT_EQ(db.Run("METRICS nosuch").text, "ERR syntax error");
  EXPECT_EQ(db.Run("METRICS HISTORY SINCE").text, "ERR syntax error");
  EXPECT_EQ(db.Run("METRICS HISTORY SINCE x").text, "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("METRICS HISTORY STEP 0").text, "ERR step must be between 1 and 86400 seconds");
  EXPECT_EQ(db.Run("METRICS HISTORY SINCE 5 more").text, "ERR syntax error");
  EXPECT_THAT(db.Run("METRICS HELP").elements.at(0).text, StartsWith("METRICS"));
  EXPECT_EQ(SampleCount(db, "METRICS HISTORY"), 0u);
  EXPECT_EQ(SampleCount(db, "METRICS HISTORY SINCE 9223372036854775807"), 0u);
}

TEST(Metrics, EveryFamilyHasItsHelpAndTypeOnce) {
  Operated o;
  o.Step();
  o.db.Run("SET k v PX 10");
  o.db.AdvanceMs(20);
  o.db.Run("FLUSHEXPIREKEYS");
  o.db.Run("NOSUCH");
  o.Pass(1);
  std::istringstream stream(o.db.Run("METRICS").text);
  std::set<std::string> families;
  std::string family;
  std::string type;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (line.starts_with("# HELP ")) {
      family = third;
      EXPECT_TRUE(families.insert(family).second) << family << " stands there twice";
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_EQ(third, family);
      words >> type;
      EXPECT_EQ(type == "counter", family.ends_with("_total")) << line;
    } else {
      const std::string name = line.substr(0, line.find_first_of("{ "));
      EXPECT_THAT(name, StartsWith(family));
      EXPECT_TRUE(name == family || type == "histogram") << line;
    }
  }
  EXPECT_GT(families.size(), 60u);
}

TEST(Metrics, AgreeWithInfo) {
  Operated o;
  Db& db = o.db;
  o.Step();
  for (int i = 0; i < 50; ++i) db.Call({"SET", "k" + std::to_string(i), "v", "PX", "10"});
  for (int i = 0; i < 30; ++i) db.Call({"SET", "p" + std::to_string(i), "v"});
  db.Run("SELECT 3");
  db.Run("SET other v EX 100");
  db.Run("SELECT 0");
  db.AdvanceMs(1000);
  db.Run("GET k1");
  db.Run("GET p1");
  db.Run("FLUSHEXPIREKEYS");
  auto info = Info(db);
  auto metrics = Values(db.Run("METRICS").text);
  const std::pair<const char*, const char*> kSame[] = {
      {"used_memory", "redis_memory_used_bytes"},
      {"used_memory_dataset", "redis_memory_used_dataset_bytes"},
      {"maxmemory", "redis_memory_max_bytes"},
      {"connected_clients", "redis_connected_clients"},
      {"expired_keys", "redis_expired_keys_total"},
      {"evicted_keys", "redis_evicted_keys_total"},
      {"keyspace_hits", "redis_keyspace_hits_total"},
      {"keyspace_misses", "redis_keyspace_misses_total"},
      {"expired_keys_lazy", "lapse_expired_keys_total{by=\"lazy\"}"},
      {"expired_keys_active", "lapse_expired_keys_total{by=\"active\"}"},
      {"expired_keys_flushed", "lapse_expired_keys_total{by=\"flush\"}"},
      {"expire_unreclaimed_keys", "lapse_unreclaimed_keys"},
      {"flushexpirekeys_runs", "lapse_flush_runs_total"},
      {"flushexpirekeys_last_reclaimed", "lapse_flush_last_reclaimed_keys"},
      {"uptime_in_seconds", "redis_uptime_in_seconds"},
  };
  for (const auto& [field, name] : kSame) {
    ASSERT_TRUE(metrics.contains(name)) << name;
    EXPECT_EQ(std::stod(info[field]), metrics[name]) << field;
  }
  EXPECT_EQ(metrics["redis_db_keys{db=\"db0\"}"], 30);
  EXPECT_EQ(metrics["redis_db_keys{db=\"db3\"}"], 1);
  EXPECT_EQ(metrics["redis_db_keys_expiring{db=\"db3\"}"], 1);
  EXPECT_EQ(metrics["redis_db_avg_ttl_seconds{db=\"db3\"}"], 99);
  EXPECT_EQ(metrics["redis_commands_total{cmd=\"get\"}"], 2);
  EXPECT_EQ(metrics["redis_commands_processed_total"],
            std::stod(info["total_commands_processed"]) + 1);
  EXPECT_EQ(metrics["lapse_expire_lag_seconds_count"], std::stod(info["expired_keys"]));
  EXPECT_EQ(metrics["lapse_expire_lag_seconds_bucket{le=\"+Inf\"}"],
            metrics["lapse_expire_lag_seconds_count"]);
}

TEST(Metrics, IsTextInResp3) {
  Db db;
  db.Resp(3);
  EXPECT_THAT(db.client().CallRaw({"METRICS"}), HasSubstr("\r\ntxt:# HELP redis_up "));
}

TEST(Metrics, IsARightOfItsOwn) {
  Db db;
  ASSERT_EQ(db.Run("ACL SETUSER scraper on nopass +metrics"), "OK");
  ASSERT_EQ(db.Run("AUTH scraper x"), "OK");
  EXPECT_FALSE(db.Run("METRICS").IsError());
  EXPECT_FALSE(db.Run("METRICS HISTORY").IsError());
  EXPECT_THAT(db.Run("INFO").text, StartsWith("NOPERM"));
}

TEST(Metrics, TellOfTasks) {
  Db db;
  db.Run("FLUSHTASK CREATE b EVERY 2h");
  db.Run("FLUSHTASK CREATE a EVERY 1h");
  db.Run("FLUSHTASK PAUSE b");
  const std::string text = db.Run("METRICS").text;
  EXPECT_THAT(text, HasSubstr("lapse_flush_tasks{status=\"Active\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("lapse_flush_tasks{status=\"Paused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("lapse_flush_executions_live 0\n"));
  EXPECT_THAT(text, HasSubstr("lapse_flush_task_executions_total{task=\"a\"} 0\n"
                              "lapse_flush_task_executions_total{task=\"b\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("lapse_flush_task_next_run_seconds{task=\"b\"} 0\n"));
}

}  // namespace
}  // namespace lapse
