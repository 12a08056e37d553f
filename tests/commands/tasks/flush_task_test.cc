// FLUSHTASK: the managed service's walk-through on a clock that is told, through commands; who may
// do what; what survives.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "expiry/tasks/times.h"
#include "fmt/format.h"
#include "server/services/services.h"
#include "server/services/tasks.h"
#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;

int64_t At(std::string_view text) { return ParseInstant(text).value(); }

Reply Field(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    if (map[i] == name) return map[i + 1];
  }
  ADD_FAILURE() << "no field " << name << " in " << map.ToString();
  return {};
}
int64_t Number(const Reply& map, std::string_view name) { return Field(map, name).integer; }
std::string Text(const Reply& map, std::string_view name) { return Field(map, name).text; }

// A database whose expired keys stay until a flush, and whose operations are stepped by hand.
class TaskBed {
 public:
  explicit TaskBed(Config config = {}, const std::string& begin = "2025-12-30T00:00:00Z")
      : db_(QuietOf(std::move(config))) {
    db_.AdvanceMs(At(begin) - db_.clock().NowMs());
  }
  static Config QuietOf(Config config) {
    config.expiry.active = false;
    return config;
  }

  Db& db() { return db_; }
  Tasks& tasks() { return Services::Of(db_.instance()).tasks(); }
  Reply Run(std::string_view line) { return db_.Run(line); }
  // What the operations thread and the drivers do.
  void Operate() {
    Services::Of(db_.instance()).Operate();
    db_.DriveExpiry();
    Services::Of(db_.instance()).Operate();
  }
  void StepTo(std::string_view time, int64_t by_ms = 5 * kMinuteMs) {
    for (const int64_t end = At(time); db_.clock().NowMs() < end;) {
      db_.AdvanceMs(std::min(by_ms, end - db_.clock().NowMs()));
      Operate();
    }
  }
  void Step(int64_t ms = 1000) {
    db_.AdvanceMs(ms);
    Operate();
  }
  void AddExpired(int keys) {
    for (int i = 0; i < keys; ++i) Run(fmt::format("SET dead{}-{} v PX 10", ++made_, i));
    db_.AdvanceMs(1000);
  }
  Reply Show(const std::string& name) { return Run("FLUSHTASK SHOW " + name); }
  std::vector<Reply> History(const std::string& name) {
    return Field(Run("FLUSHTASK EXECUTIONS " + name + " COUNT 100"), "executions").elements;
  }

 private:
  Db db_;
  int made_ = 0;
};

// A directory of its own, gone with the test.
class ScratchFile {
 public:
  ScratchFile()
      : folder_(std::filesystem::absolute(
            fmt::format("flush_task_test-{}",
                        ::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ScratchFile() { std::filesystem::remove_all(folder_); }
  std::string path() const { return (folder_ / "flush-tasks.json").string(); }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  std::string text() const {
    std::ifstream stream(path());
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void Write(std::string_view text) const { std::ofstream(path()) << text; }

 private:
  const std::filesystem::path folder_;
};

// --- the walk-through ---

TEST(FlushTask, FlushesAtFourAndSixteenUntilItsEnd) {
  TaskBed bed;
  EXPECT_EQ(bed.Run("FLUSHTASK CREATE flush CRON \"0 4,16 * * *\" UNTIL 2026-01-01T00:00:00Z"),
            "OK");
  Reply task = bed.Show("flush");
  EXPECT_EQ(Text(task, "status"), "Active");
  EXPECT_EQ(Text(task, "kind"), "cron");
  EXPECT_EQ(Text(task, "when"), "0 4,16 * * *");
  EXPECT_EQ(Text(task, "timezone"), "UTC");
  EXPECT_EQ(Number(task, "until"), At("2026-01-01T00:00:00Z"));
  EXPECT_EQ(Number(task, "next-run-at"), At("2025-12-30T04:00:00Z"));
  EXPECT_THAT(Field(task, "next-runs").elements, SizeIs(4));
  EXPECT_EQ(Text(task, "definition"), "flush CRON \"0 4,16 * * *\" UNTIL 2026-01-01T00:00:00Z");

  bed.AddExpired(100);
  EXPECT_EQ(bed.Run("DBSIZE"), 100);
  bed.StepTo("2025-12-30T04:00:00Z");
  EXPECT_EQ(bed.Run("DBSIZE"), 0);
  bed.AddExpired(30);
  bed.StepTo("2025-12-30T17:00:00Z");
  EXPECT_EQ(bed.Run("DBSIZE"), 0);

  const std::vector<Reply> history = bed.History("flush");
  ASSERT_THAT(history, SizeIs(2));
  const Reply& first = history[1];
  EXPECT_EQ(Text(first, "task"), "flush");
  EXPECT_EQ(Text(first, "trigger"), "schedule");
  EXPECT_EQ(Text(first, "requested-by"), "default");
  EXPECT_EQ(Text(first, "status"), "Success");
  EXPECT_EQ(Number(first, "scheduled-at"), At("2025-12-30T04:00:00Z"));
  EXPECT_EQ(Number(first, "reclaimed"), 100);
  EXPECT_GT(Number(first, "bytes-freed"), 0);
  EXPECT_LT(Number(first, "memory-after"), Number(first, "memory-before"));
  EXPECT_EQ(Text(Field(first, "targets")[0], "target"), "local");
  EXPECT_EQ(Number(Field(first, "targets")[0], "run-id"), 1);
  EXPECT_EQ(Number(history[0], "scheduled-at"), At("2025-12-30T16:00:00Z"));
  EXPECT_EQ(Number(history[0], "reclaimed"), 30);
  EXPECT_EQ(Text(bed.Run("FLUSHEXPIREKEYS STATUS"), "trigger"), "schedule");
  EXPECT_EQ(Text(bed.Run("FLUSHEXPIREKEYS STATUS"), "requested-by"), "default");

  bed.StepTo("2025-12-31T23:59:59Z");
  EXPECT_EQ(Text(bed.Show("flush"), "status"), "Active");
  bed.StepTo("2026-01-03T00:00:00Z");
  task = bed.Show("flush");
  EXPECT_EQ(Text(task, "status"), "Completed");
  EXPECT_EQ(Number(task, "next-run-at"), 0);
  EXPECT_EQ(Number(task, "execution-count"), 4);
  EXPECT_EQ(Number(task, "reclaimed-total"), 130);
  EXPECT_EQ(Text(task, "last-status"), "Success");
  EXPECT_EQ(Number(task, "last-run-at"), At("2025-12-31T16:00:00Z"));
}

TEST(FlushTask, IsTriggeredByHand) {
  TaskBed bed;
  bed.Run("FLUSHTASK CREATE flush EVERY 1d");
  bed.AddExpired(20);
  EXPECT_EQ(bed.Run("FLUSHTASK TRIGGER flush"), 1);
  EXPECT_EQ(Number(bed.Show("flush"), "running"), 1);
  EXPECT_THAT(bed.Run("FLUSHTASK TRIGGER flush").text, HasSubstr("BUSY execution 1"));
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "status"), "Running");
  bed.Operate();
  const Reply execution = bed.Run("FLUSHTASK EXECUTION 1");
  EXPECT_EQ(Text(execution, "status"), "Success");
  EXPECT_EQ(Text(execution, "trigger"), "manual");
  EXPECT_EQ(Field(execution, "progress"), "1");
  EXPECT_EQ(bed.Run("DBSIZE"), 0);
}

TEST(FlushTask, AnAlertBringsMemoryDownOnceInItsSilenceTime) {
  Config config;
  config.maxmemory = 8 << 20;
  TaskBed bed(config);
  EXPECT_EQ(bed.Run("FLUSHTASK CREATE full MEMORY 90 FOR 60s SILENCE 2h"), "OK");
  const std::string value(1000, 'x');
  const auto fill = [&] {
    int key = 0;
    while (bed.db().instance().UsedMemory() * 100 < bed.db().instance().config.maxmemory * 93) {
      bed.Run(fmt::format("SET key{} {} PX 500", ++key, value));
    }
  };
  const auto watch = [&](int64_t ms) {
    for (int64_t done = 0; done < ms; done += 2000) bed.Step(2000);
  };
  watch(5 * kMinuteMs);
  EXPECT_THAT(bed.History("full"), IsEmpty());
  fill();
  watch(30'000);
  EXPECT_THAT(bed.History("full"), IsEmpty()) << "the average is not there yet";
  watch(40'000);
  ASSERT_THAT(bed.History("full"), SizeIs(1));
  const Reply alert = bed.History("full")[0];
  EXPECT_EQ(Text(alert, "trigger"), "alert");
  EXPECT_EQ(Text(alert, "status"), "Success");
  EXPECT_THAT(Text(alert, "memory-percent"), HasSubstr("9"));
  EXPECT_GT(Number(alert, "reclaimed"), 500);
  EXPECT_LT(bed.db().instance().UsedMemory() * 2, bed.db().instance().config.maxmemory);

  fill();
  watch(10 * kMinuteMs);
  EXPECT_THAT(bed.History("full"), SizeIs(1)) << "silence";
  watch(2 * kHourMs);
  EXPECT_THAT(bed.History("full"), SizeIs(2));
  EXPECT_LT(bed.db().instance().UsedMemory() * 2, bed.db().instance().config.maxmemory);
}

TEST(FlushTask, AnAlertWithoutExpiredKeysSaysSo) {
  Config config;
  config.maxmemory = 1 << 20;
  TaskBed bed(config);
  bed.Run("FLUSHTASK CREATE full MEMORY 50 FOR 10s");
  const std::string value(1000, 'x');
  for (int key = 0; key < 700; ++key) bed.Run(fmt::format("SET key{} {}", key, value));
  for (int i = 0; i < 20; ++i) bed.Step(1000);
  ASSERT_THAT(bed.History("full"), SizeIs(1));
  EXPECT_EQ(Text(bed.History("full")[0], "status"), "Skipped");
  EXPECT_THAT(Text(bed.History("full")[0], "reason"), HasSubstr("nothing to do"));
  EXPECT_TRUE(bed.Run("FLUSHEXPIREKEYS STATUS").IsError()) << "no run was made";
}

// --- the commands ---

TEST(FlushTask, ShowsMapsWithTheseNames) {
  TaskBed bed;
  bed.db().Resp(3);
  bed.Run("FLUSHTASK CREATE t EVERY 6h ON redis://u:secret@127.0.0.1:1 local DB 1 3");
  const Reply list = bed.Run("FLUSHTASK LIST");
  ASSERT_THAT(list.elements, SizeIs(1));
  EXPECT_EQ(list[0].type, ReplyType::kMap);
  std::vector<std::string> names;
  for (size_t i = 0; i < list[0].size(); i += 2) names.push_back(list[0][i].text);
  EXPECT_THAT(names, ElementsAre("name", "status", "kind", "when", "timezone", "start-at", "until",
                                 "maxcpu", "offpeak-cpu", "offpeak-within-ms", "window",
                                 "cooldown-ms", "timeout-ms", "for-ms", "silence-ms", "missed",
                                 "db", "targets", "concurrency", "maxerrors", "origin",
                                 "created-at", "created-by", "changed-at", "next-run-at",
                                 "next-runs", "last-run-at", "last-status", "last-success-at",
                                 "execution-count", "reclaimed-total", "running", "definition"));
  EXPECT_THAT(Texts(Field(list[0], "db")), ElementsAre("1", "3"));
  EXPECT_THAT(Texts(Field(list[0], "targets")), ElementsAre("redis://u:***@127.0.0.1:1", "local"));
  EXPECT_THAT(list.ToString(), Not(HasSubstr("secret")));
  bed.Run("FLUSHTASK CREATE here EVERY 6h");
  bed.Run("FLUSHTASK TRIGGER here");
  bed.Operate();
  const Reply page = bed.Run("FLUSHTASK EXECUTIONS *");
  EXPECT_EQ(page.type, ReplyType::kMap);
  names.clear();
  const Reply execution = Field(page, "executions")[0];
  for (size_t i = 0; i < execution.size(); i += 2) names.push_back(execution[i].text);
  EXPECT_THAT(names, ElementsAre("id", "task", "trigger", "requested-by", "status", "reason",
                                 "scheduled-at", "started-at", "finished-at", "progress",
                                 "memory-percent", "scanned", "reclaimed", "orphans", "bytes-freed",
                                 "memory-before", "memory-after", "cpu-us", "targets"));
}

TEST(FlushTask, ChangesTasks) {
  TaskBed bed;
  EXPECT_EQ(bed.Run("FLUSHTASK CREATE t EVERY 6h MAXCPU 50"), "OK");
  EXPECT_EQ(bed.Run("FLUSHTASK CREATE t EVERY 6h"), "ERR task 't' exists already");
  EXPECT_EQ(bed.Run("FLUSHTASK CREATE u EVERY never"), bed.Run("FLUSHTASK CREATE u EVERY never"));
  EXPECT_TRUE(bed.Run("FLUSHTASK CREATE u EVERY never").IsError());
  EXPECT_EQ(bed.Run("FLUSHTASK UPDATE t EVERY 1h"), "OK");
  EXPECT_EQ(Text(bed.Show("t"), "when"), "1h");
  EXPECT_EQ(Number(bed.Show("t"), "maxcpu"), 50);
  EXPECT_EQ(bed.Run("FLUSHTASK PAUSE t"), "OK");
  EXPECT_EQ(Text(bed.Show("t"), "status"), "Paused");
  bed.StepTo("2025-12-30T05:00:00Z");
  EXPECT_THAT(bed.History("t"), IsEmpty());
  EXPECT_EQ(bed.Run("FLUSHTASK RESUME t"), "OK");
  EXPECT_EQ(Text(bed.Show("t"), "status"), "Active");
  EXPECT_EQ(bed.Run("FLUSHTASK DELETE t"), "OK");
  for (const char* line : {"SHOW t", "PAUSE t", "RESUME t", "DELETE t", "TRIGGER t",
                           "UPDATE t EVERY 1h", "EXECUTIONS t"}) {
    EXPECT_EQ(bed.Run(std::string("FLUSHTASK ") + line), "ERR no such task: t") << line;
  }
  EXPECT_EQ(bed.Run("FLUSHTASK EXECUTION 3"), "ERR no such execution: 3");
  EXPECT_EQ(bed.Run("FLUSHTASK CANCEL 3"), "ERR no such execution: 3");
  EXPECT_TRUE(bed.Run("FLUSHTASK CANCEL x").IsError());
}

TEST(FlushTask, PagesItsHistory) {
  TaskBed bed;
  bed.Run("FLUSHTASK CREATE a EVERY 1h");
  bed.Run("FLUSHTASK CREATE b EVERY 2h");
  bed.StepTo("2025-12-30T10:30:00Z");
  const Reply page = bed.Run("FLUSHTASK EXECUTIONS a 2 COUNT 4");
  EXPECT_EQ(Number(page, "page"), 2);
  EXPECT_EQ(Number(page, "page-size"), 4);
  EXPECT_EQ(Number(page, "total"), 10);
  std::vector<int64_t> times;
  for (const Reply& execution : Field(page, "executions").elements) {
    times.push_back((Number(execution, "scheduled-at") - At("2025-12-30T00:00:00Z")) / kHourMs);
  }
  EXPECT_THAT(times, ElementsAre(6, 5, 4, 3));
  EXPECT_EQ(Number(bed.Run("FLUSHTASK EXECUTIONS *"), "total"), 15);
  EXPECT_THAT(Field(bed.Run("FLUSHTASK EXECUTIONS a 9"), "executions").elements, IsEmpty());
  EXPECT_TRUE(bed.Run("FLUSHTASK EXECUTIONS a 0").IsError());
  EXPECT_TRUE(bed.Run("FLUSHTASK EXECUTIONS a COUNT 0").IsError());
}

TEST(FlushTask, RunsNamedDatabasesOneAfterTheOther) {
  TaskBed bed;
  for (int db = 0; db < 4; ++db) {
    bed.Run(fmt::format("SELECT {}", db));
    bed.AddExpired(10);
  }
  bed.Run("FLUSHTASK CREATE t EVERY 1d DB 1 3");
  bed.Run("FLUSHTASK TRIGGER t");
  for (int i = 0; i < 4; ++i) bed.Operate();
  const Reply execution = bed.Run("FLUSHTASK EXECUTION 1");
  EXPECT_EQ(Text(execution, "status"), "Success");
  EXPECT_EQ(Number(execution, "reclaimed"), 20);
  for (int db = 0; db < 4; ++db) {
    bed.Run(fmt::format("SELECT {}", db));
    EXPECT_EQ(bed.Run("DBSIZE"), db % 2 == 1 ? 0 : 10) << db;
  }
  bed.Run("FLUSHTASK UPDATE t DB 99");
  bed.Run("FLUSHTASK TRIGGER t");
  bed.Operate();
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 2"), "status"), "Failed");
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 2"), "reason"), "there is no database 99");
}

TEST(FlushTask, WaitsForARunThatIsGoing) {
  TaskBed bed;
  bed.AddExpired(10);
  bed.Run("FLUSHTASK CREATE t EVERY 1d");
  EXPECT_EQ(Text(bed.Run("FLUSHEXPIREKEYS ASYNC"), "state"), "running");
  bed.Run("FLUSHTASK TRIGGER t");
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "status"), "Queued");
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "reason"), "waiting for run 1 to end");
  bed.Operate();
  bed.Operate();
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "status"), "Success");
}

TEST(FlushTask, CancelsARun) {
  TaskBed bed;
  for (int i = 0; i < 20'000; ++i) bed.Run(fmt::format("SET k{} v", i));
  bed.Run("FLUSHTASK CREATE t EVERY 1d MAXCPU 1");
  bed.Run("FLUSHTASK TRIGGER t");
  EXPECT_EQ(bed.Run("FLUSHTASK CANCEL 1"), "OK");
  bed.Operate();
  const Reply execution = bed.Run("FLUSHTASK EXECUTION 1");
  EXPECT_EQ(Text(execution, "status"), "Cancelled");
  EXPECT_EQ(Text(execution, "reason"), "cancelled by default");
  EXPECT_EQ(bed.Run("FLUSHTASK CANCEL 1"), "ERR execution 1 is over");
}

TEST(FlushTask, RunsOnceWithoutATaskInItsWindow) {
  TaskBed bed;
  RunOptions options;
  options.window = DailyWindow::Parse("02:00Z-06:00Z").value();
  ASSERT_EQ(bed.tasks().RunOnce(options, Trigger::kApi, "carol").value(), 1u);
  bed.AddExpired(5);
  bed.StepTo("2025-12-30T01:59:00Z");
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "status"), "Waiting");
  bed.StepTo("2025-12-30T02:01:00Z");
  const Reply execution = bed.Run("FLUSHTASK EXECUTION 1");
  EXPECT_EQ(Text(execution, "status"), "Success");
  EXPECT_EQ(Text(execution, "task"), "");
  EXPECT_EQ(Text(execution, "trigger"), "api");
  EXPECT_EQ(Text(execution, "requested-by"), "carol");
}

TEST(FlushTask, IsInInfo) {
  TaskBed bed;
  bed.Run("FLUSHTASK CREATE t EVERY 1h");
  bed.Run("FLUSHTASK CREATE u EVERY 2h");
  bed.Run("FLUSHTASK PAUSE u");
  EXPECT_THAT(
      bed.Run("INFO expiry").text,
      AllOf(HasSubstr("flush_tasks:2\r\n"), HasSubstr("flush_tasks_active:1\r\n"),
            HasSubstr(fmt::format("flush_tasks_next_run_ms:{}\r\n", At("2025-12-30T01:00:00Z")))));
}

// --- who may do what ---

TEST(FlushTask, RightsAreSeparate) {
  TaskBed bed;
  bed.Run("FLUSHTASK CREATE t EVERY 1h");
  struct Part {
    std::string rules;
    std::vector<std::string> may;
  };
  const std::vector<std::string> lines = {"FLUSHTASK LIST",
                                          "FLUSHTASK SHOW t",
                                          "FLUSHTASK UPDATE t EVERY 2h",
                                          "FLUSHTASK PAUSE t",
                                          "FLUSHTASK RESUME t",
                                          "FLUSHTASK TRIGGER t",
                                          "FLUSHTASK EXECUTIONS *",
                                          "FLUSHTASK EXECUTION 1",
                                          "FLUSHEXPIREKEYS STATUS",
                                          "GET k"};
  const Part parts[] = {
      {"+@taskread", {lines[0], lines[1]}},
      {"+@taskwrite", {lines[2], lines[3], lines[4]}},
      {"+@tasktrigger", {lines[5]}},
      {"+@taskhistory", {lines[6], lines[7]}},
      {"+flushtask|list", {lines[0]}},
      {"+flushexpirekeys", {lines[8]}},
      {"+@expiry", {lines.begin(), lines.end() - 1}},
  };
  bed.Run("FLUSHTASK TRIGGER t");
  for (const Part& part : parts) {
    bed.Operate();
    bed.Run("ACL DELUSER bob");
    bed.Run("ACL SETUSER bob on nopass " + part.rules);
    Db::Client bob(bed.db());
    EXPECT_EQ(bob.Run("AUTH bob x"), "OK");
    for (const std::string& line : lines) {
      const bool may = std::ranges::find(part.may, line) != part.may.end();
      EXPECT_EQ(bob.Run(line).text.starts_with("NOPERM"), !may) << part.rules << ": " << line;
      bed.Operate();
    }
  }
}

TEST(FlushTask, RecordsWhoAsked) {
  TaskBed bed;
  bed.Run("ACL SETUSER bob on nopass +@taskwrite +@tasktrigger +flushexpirekeys");
  Db::Client bob(bed.db());
  bob.Run("AUTH bob x");
  EXPECT_EQ(bob.Run("FLUSHTASK CREATE t EVERY 1h"), "OK");
  EXPECT_EQ(Text(bed.Show("t"), "created-by"), "bob");
  EXPECT_EQ(bob.Run("FLUSHTASK TRIGGER t"), 1);
  bed.Operate();
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 1"), "requested-by"), "bob");
  EXPECT_EQ(Text(bob.Run("FLUSHEXPIREKEYS STATUS"), "requested-by"), "bob");
  EXPECT_EQ(Text(bob.Run("FLUSHEXPIREKEYS"), "requested-by"), "bob");
  bed.Run("FLUSHTASK TRIGGER t");
  bed.Operate();
  EXPECT_EQ(Text(bed.Run("FLUSHTASK EXECUTION 2"), "requested-by"), "default");
}

// --- what survives ---

TEST(FlushTaskFile, OutlivesTheServer) {
  const ScratchFile file;
  {
    TaskBed bed;
    bed.tasks().Open(file.path());
    bed.Run("FLUSHTASK CREATE flush CRON \"0 4,16 * * *\" ON local redis://u:secret@h:1");
    bed.Run("FLUSHTASK CREATE here EVERY 6h START 2025-12-30T03:00:00Z");
    bed.StepTo("2025-12-30T03:30:00Z");
    EXPECT_THAT(file.text(), HasSubstr("\"here\"")) << "it is written while the server runs";
  }
  TaskBed bed({}, "2025-12-30T16:30:00Z");
  bed.tasks().Open(file.path());
  EXPECT_THAT(bed.Run("FLUSHTASK LIST").elements, SizeIs(2));
  EXPECT_THAT(bed.History("here"), SizeIs(1));
  bed.Operate();
  ASSERT_THAT(bed.History("here"), SizeIs(2));
  EXPECT_THAT(Text(bed.History("here")[0], "reason"), HasSubstr("makes up for 2 firings"));
  EXPECT_EQ(Number(bed.History("here")[0], "scheduled-at"), At("2025-12-30T15:00:00Z"));
  const auto mode = std::filesystem::status(file.path()).permissions();
  EXPECT_EQ(mode & std::filesystem::perms::others_read, std::filesystem::perms::none);
}

TEST(FlushTaskFile, ACorruptOneIsSetAside) {
  for (const char* text :
       {"", "{\"version\":1,\"tasks\":[{\"na", "{\"version\":1,\"tasks\":[{}]}"}) {
    const ScratchFile file;
    file.Write(text);
    TaskBed bed;
    bed.tasks().Open(file.path());
    EXPECT_THAT(bed.Run("FLUSHTASK LIST").elements, IsEmpty());
    EXPECT_THAT(file.names(), ElementsAre(HasSubstr("flush-tasks.json.corrupt-")));
    bed.Run("FLUSHTASK CREATE t EVERY 1h");
    bed.Operate();
    EXPECT_THAT(file.names(), SizeIs(2)) << "and a good one takes its place";
  }
}

TEST(FlushTaskFile, IsNotWrittenWithoutAChange) {
  const ScratchFile file;
  TaskBed bed;
  bed.tasks().Open(file.path());
  for (int i = 0; i < 10; ++i) bed.Step(10'000);
  EXPECT_THAT(file.names(), IsEmpty());
}

Config WithTask(std::string_view line) {
  Config config;
  EXPECT_TRUE(ApplyConfigText(line, "test", config).ok());
  return config;
}

TEST(FlushTaskLines, DefineTasksAtTheStart) {
  const ScratchFile file;
  {
    TaskBed bed(WithTask("flush-task nightly cron \"0 4 * * *\" maxcpu 50\n"
                         "flush-task full memory 90\n"),
                "2023-11-15T00:00:00Z");
    bed.tasks().Open(file.path());
    EXPECT_EQ(Text(bed.Show("nightly"), "origin"), "config");
    EXPECT_EQ(Number(bed.Show("nightly"), "maxcpu"), 50);
    bed.Run("FLUSHTASK PAUSE full");
    bed.StepTo("2023-11-15T05:00:00Z");
    EXPECT_THAT(bed.History("nightly"), SizeIs(1));
  }
  TaskBed bed(WithTask("flush-task nightly cron \"0 5 * * *\"\n"), "2023-11-15T06:00:00Z");
  bed.tasks().Open(file.path());
  EXPECT_EQ(Text(bed.Show("nightly"), "when"), "0 5 * * *") << "the line decides what it is";
  EXPECT_EQ(Number(bed.Show("nightly"), "execution-count"), 1) << "the file what became of it";
  EXPECT_TRUE(bed.Show("full").IsError()) << "its line is gone";
}

TEST(FlushTaskLines, AreCheckedWhenTheyAreRead) {
  Config config;
  const auto error_of = [&config](std::string_view text) {
    return std::string(ApplyConfigText(text, "lapse.conf", config).message());
  };
  EXPECT_THAT(error_of("port 1\nflush-task x cron \"0 25 * * *\""),
              AllOf(HasSubstr("lapse.conf:2: "), HasSubstr("CRON: ")));
  EXPECT_THAT(error_of("flush-task x"), HasSubstr("needs one of"));
  EXPECT_THAT(error_of("flush-task"), HasSubstr("wrong number of arguments"));
  EXPECT_EQ(error_of("flush-task x every 1h"), "");
  EXPECT_THAT(error_of("flush-task x every 2h"), HasSubstr("is there already"));
}

TEST(FlushTaskLines, AreKeptByConfigRewrite) {
  const ScratchFile file;
  const std::string text =
      "# mine\nflush-task nightly cron '0 4 * * *' maxcpu 50 # not a comment\n";
  Config bad;
  EXPECT_FALSE(ApplyConfigText(text, "test", bad).ok());
  const std::string good =
      "# mine\nflush-task nightly cron '0 4 * * *'  maxcpu 50\n# yours\nflush-task b every 1h\n"
      "flush-task c every 2h\n";
  file.Write(good);
  Config config = WithTask(good);
  config.file = file.path();
  TaskBed bed(config);
  EXPECT_EQ(bed.Run("CONFIG REWRITE"), "OK");
  EXPECT_THAT(file.text(), testing::StartsWith(good)) << "lines that hold stay as they are";
  bed.Run("FLUSHTASK UPDATE b EVERY 3h");
  bed.Run("FLUSHTASK DELETE c");
  bed.Run("FLUSHTASK CREATE d EVERY 4h");
  EXPECT_EQ(bed.Run("CONFIG REWRITE"), "OK");
  EXPECT_THAT(file.text(),
              AllOf(HasSubstr("'0 4 * * *'  maxcpu 50\n# yours\nflush-task b EVERY 3h\n"),
                    Not(HasSubstr("flush-task c")), Not(HasSubstr("flush-task d"))))
      << "tasks made by command are the other file's";
}

}  // namespace
}  // namespace lapse
