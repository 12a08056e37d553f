// When tasks fire and when they do not, on a clock that is a number.

#include "expiry/tasks/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "expiry/tasks/task_file.h"
#include "fmt/format.h"
#include "tests/expiry/tasks/fake_runs.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

int64_t At(std::string_view text, std::string_view zone = "UTC") {
  return ParseInstant(text, TimeZone::Load(zone).value()).value();
}

class SchedulerTest : public ::testing::Test {
 protected:
  absl::Status Create(const std::string& name, std::vector<std::string_view> words) {
    absl::StatusOr<TaskSpec> spec = ParseTask({.name = name}, words, true);
    if (!spec.ok()) return spec.status();
    return scheduler_->Create(*std::move(spec), "alice", now_);
  }
  void StepTo(int64_t end, int64_t by = kSecond) {
    while (now_ < end) {
      now_ = std::min(now_ + by, end);
      scheduler_->Step(now_);
      // Where runs end as they begin, this look shows it.
      if (runs_.instant) scheduler_->Step(now_);
    }
  }
  void Step(int64_t ms = 0) { StepTo(now_ + std::max<int64_t>(ms, 1), std::max<int64_t>(ms, 1)); }
  // As after a restart: what was saved is read by another scheduler.
  void Restart(int64_t later) {
    const std::string saved = WriteTaskState(scheduler_->Save());
    now_ += later;
    runs_.looks.clear();
    scheduler_ = std::make_unique<Scheduler>(runs_);
    scheduler_->Restore(ReadTaskState(saved).value(), now_);
  }
  std::vector<Execution> History(const std::optional<std::string>& task = std::nullopt) {
    return scheduler_->executions().Page(task, 0, 1000);
  }
  // "14 04:00 Success", oldest first.
  std::vector<std::string> Log() {
    std::vector<std::string> log;
    for (const Execution& execution : scheduler_->executions().All()) {
      const std::string at = FormatInstant(execution.scheduled_ms);
      log.push_back(fmt::format("{} {} {}", at.substr(8, 2), at.substr(11, 5),
                                RunStatusName(execution.status)));
    }
    return log;
  }
  Execution Latest() { return History().at(0); }
  const Task& Get(std::string_view name) { return *scheduler_->Find(name); }

  FakeRuns runs_;
  int64_t now_ = At("2025-11-14T00:00:00Z");
  std::unique_ptr<Scheduler> scheduler_ = std::make_unique<Scheduler>(runs_);
};

TEST_F(SchedulerTest, FiresAtFourAndSixteenUntilItsEnd) {
  ASSERT_TRUE(Create("nightly", {"CRON", "0 4,16 * * *", "UNTIL", "2025-11-16T00:00:00Z"}).ok());
  EXPECT_THAT(scheduler_->NextFirings(Get("nightly"), 5),
              ElementsAre(At("2025-11-14T04:00:00Z"), At("2025-11-14T16:00:00Z"),
                          At("2025-11-15T04:00:00Z"), At("2025-11-15T16:00:00Z")));
  StepTo(At("2025-11-15T23:59:59Z"), 17 * kSecond);
  EXPECT_THAT(Log(), ElementsAre("14 04:00 Success", "14 16:00 Success", "15 04:00 Success",
                                 "15 16:00 Success"));
  EXPECT_EQ(Get("nightly").status, TaskStatus::kActive) << "until its end it shows as active";
  StepTo(At("2025-11-16T00:00:00Z"));
  EXPECT_EQ(Get("nightly").status, TaskStatus::kCompleted);
  EXPECT_EQ(Get("nightly").next_ms, 0);
  StepTo(now_ + 2 * kDay, kMinute);
  EXPECT_EQ(Get("nightly").execution_count, 4);
  EXPECT_EQ(Get("nightly").reclaimed_total, 12);
  EXPECT_EQ(Get("nightly").last_status, RunStatus::kSuccess);
}

TEST_F(SchedulerTest, RecordsWhoAndWhy) {
  ASSERT_TRUE(Create("t", {"EVERY", "1h", "MAXCPU", "40", "DB", "1", "2"}).ok());
  StepTo(now_ + kHour);
  ASSERT_THAT(runs_.started, SizeIs(1));
  EXPECT_EQ(runs_.started[0].requested_by, "alice");
  EXPECT_EQ(runs_.started[0].max_cpu_percent, 40);
  EXPECT_THAT(runs_.started[0].dbs, ElementsAre(1, 2));
  EXPECT_EQ(Latest().trigger, Trigger::kSchedule);
  EXPECT_EQ(scheduler_->Fire("t", Trigger::kManual, "bob", now_).value(), 2u);
  Step();
  EXPECT_EQ(Latest().trigger, Trigger::kManual);
  EXPECT_EQ(Latest().requested_by, "bob");
  EXPECT_EQ(Latest().task, "t");
  EXPECT_EQ(Latest().Sum().bytes_freed, 300);
}

TEST_F(SchedulerTest, EveryCountsFromItsStart) {
  ASSERT_TRUE(Create("t", {"EVERY", "6h", "START", "2025-11-14T01:00:00Z"}).ok());
  StepTo(At("2025-11-14T20:00:00Z"), kMinute);
  EXPECT_THAT(Log(), ElementsAre("14 01:00 Success", "14 07:00 Success", "14 13:00 Success",
                                 "14 19:00 Success"));
}

TEST_F(SchedulerTest, AtFiresOnceAndCompletes) {
  ASSERT_TRUE(Create("once", {"AT", "2025-11-14T04:00:00Z"}).ok());
  StepTo(At("2025-11-14T06:00:00Z"));
  EXPECT_THAT(Log(), ElementsAre("14 04:00 Success"));
  EXPECT_EQ(Get("once").status, TaskStatus::kCompleted);
  EXPECT_FALSE(Create("late", {"AT", "2025-11-14T04:00:00Z"}).ok());
}

TEST_F(SchedulerTest, SkipsWhatOverlaps) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"EVERY", "10m"}).ok());
  StepTo(now_ + 45 * kMinute);
  ASSERT_THAT(History(), SizeIs(2)) << "skips for one reason are one record";
  EXPECT_EQ(Latest().status, RunStatus::kSkipped);
  EXPECT_THAT(Latest().reason, HasSubstr("execution 1 of the task is still under way (3 times)"));
  EXPECT_FALSE(scheduler_->Fire("t", Trigger::kManual, "bob", now_).ok());
  runs_.EndAll();
  StepTo(now_ + 10 * kMinute);
  EXPECT_EQ(Latest().status, RunStatus::kRunning);
  EXPECT_EQ(scheduler_->executions().LiveOf("t"), Latest().id);
}

TEST_F(SchedulerTest, MakesUpOnceForWhatWasMissed) {
  ASSERT_TRUE(Create("t", {"CRON", "0 * * * *"}).ok());
  Restart(5 * kHour + kMinute * 30);
  Step();
  EXPECT_THAT(Log(), ElementsAre("14 05:00 Success"));
  EXPECT_THAT(Latest().reason, HasSubstr("makes up for 5 firings since 2025-11-14T01:00:00Z"));
  StepTo(At("2025-11-14T06:00:00Z"));
  EXPECT_EQ(Log().back(), "14 06:00 Success");
}

TEST_F(SchedulerTest, OrSkipsIt) {
  ASSERT_TRUE(Create("t", {"CRON", "0 * * * *", "MISSED", "SKIP"}).ok());
  Restart(5 * kHour + kMinute * 30);
  Step();
  EXPECT_THAT(Log(), ElementsAre("14 05:00 Skipped"));
  EXPECT_THAT(Latest().reason, HasSubstr("missed 5 firings"));
  EXPECT_THAT(runs_.started, IsEmpty());
}

TEST_F(SchedulerTest, MissesNothingInAShortRestart) {
  ASSERT_TRUE(Create("t", {"CRON", "0 * * * *"}).ok());
  StepTo(At("2025-11-14T00:59:50Z"));
  Restart(30 * kSecond);
  Step();
  EXPECT_THAT(Log(), ElementsAre("14 01:00 Success"));
  EXPECT_EQ(Latest().reason, "");
  Restart(5 * kSecond);
  Step();
  EXPECT_THAT(Log(), SizeIs(1)) << "and fires nothing twice";
}

TEST_F(SchedulerTest, WhatItsEndHasOvertakenIsNotMadeUpFor) {
  ASSERT_TRUE(Create("t", {"CRON", "0 4 * * *", "UNTIL", "2025-11-14T06:00:00Z"}).ok());
  Restart(kDay);
  Step();
  EXPECT_THAT(Log(), ElementsAre("14 04:00 Skipped"));
  EXPECT_THAT(Latest().reason, HasSubstr("the task has ended"));
  EXPECT_EQ(Get("t").status, TaskStatus::kCompleted);
}

TEST_F(SchedulerTest, AClockThatJumpsForwardMissesFirings) {
  ASSERT_TRUE(Create("t", {"CRON", "0 4,16 * * *"}).ok());
  Step(2 * kDay + 5 * kHour);
  EXPECT_THAT(Log(), ElementsAre("16 04:00 Success"));
  EXPECT_THAT(Latest().reason, HasSubstr("5 firings"));
}

TEST_F(SchedulerTest, AClockThatStepsBackFiresNothingTwice) {
  ASSERT_TRUE(Create("t", {"CRON", "0 * * * *"}).ok());
  StepTo(At("2025-11-14T01:00:01Z"));
  now_ -= 2 * kMinute;
  StepTo(At("2025-11-14T01:30:00Z"));
  EXPECT_THAT(Log(), ElementsAre("14 01:00 Success"));
}

TEST_F(SchedulerTest, AClockThatWasFarAheadIsForgotten) {
  ASSERT_TRUE(Create("t", {"CRON", "0 * * * *"}).ok());
  Step(365 * kDay);
  now_ = At("2025-11-14T00:10:00Z");
  scheduler_->Step(now_);
  EXPECT_EQ(Get("t").next_ms, At("2025-11-14T01:00:00Z"));
}

TEST_F(SchedulerTest, EvenIfTheServerWasRestartedMeanwhile) {
  ASSERT_TRUE(Create("cron", {"CRON", "0 * * * *"}).ok());
  Step(365 * kDay);
  ASSERT_TRUE(Create("every", {"EVERY", "1h"}).ok());
  ASSERT_TRUE(Create("full", {"MEMORY", "90"}).ok());
  runs_.memory_percent = 95;
  StepTo(now_ + 5 * kMinute);
  const size_t before = History().size();
  Restart(At("2025-11-14T00:10:00Z") - now_);
  StepTo(now_ + kHour + kMinute);
  EXPECT_EQ(Get("cron").next_ms, At("2025-11-14T02:00:00Z"));
  EXPECT_EQ(History("every").size(), 1u);
  EXPECT_GE(History().size(), before + 2);
}

TEST_F(SchedulerTest, DaylightSavingIsAsCronUsersExpect) {
  now_ = At("2026-03-28T00:00:00Z");
  ASSERT_TRUE(Create("skipped", {"CRON", "30 2 * * *", "TZ", "Europe/Berlin"}).ok());
  StepTo(At("2026-03-30T12:00:00Z"), kMinute);
  std::vector<int64_t> times;
  for (const Execution& execution : scheduler_->executions().All()) {
    times.push_back(execution.scheduled_ms);
  }
  EXPECT_THAT(times, ElementsAre(At("2026-03-28T01:30:00Z"), At("2026-03-29T01:00:00Z"),
                                 At("2026-03-30T00:30:00Z")))
      << "02:30 does not exist on the 29th: it fires at the change";
  now_ = At("2026-10-24T12:00:00Z");
  scheduler_ = std::make_unique<Scheduler>(runs_);
  ASSERT_TRUE(Create("repeated", {"CRON", "30 2 * * *", "TZ", "Europe/Berlin"}).ok());
  StepTo(At("2026-10-25T12:00:00Z"), kMinute);
  ASSERT_THAT(History(), SizeIs(1)) << "02:30 exists twice on the 25th: it fires the first time";
  EXPECT_EQ(Latest().scheduled_ms, At("2026-10-25T00:30:00Z"));
}

TEST_F(SchedulerTest, PausedTasksDoNotFireAndMissNothing) {
  ASSERT_TRUE(Create("t", {"EVERY", "1h"}).ok());
  ASSERT_TRUE(scheduler_->Pause("t", now_).ok());
  EXPECT_EQ(Get("t").next_ms, 0);
  StepTo(now_ + 5 * kHour, kMinute);
  EXPECT_THAT(History(), IsEmpty());
  ASSERT_TRUE(scheduler_->Resume("t", now_).ok());
  Step();
  EXPECT_THAT(History(), IsEmpty());
  StepTo(now_ + kHour, kMinute);
  EXPECT_THAT(History(), SizeIs(1));
}

TEST_F(SchedulerTest, WaitsForOffpeakAndRuns) {
  ASSERT_TRUE(Create("t", {"EVERY", "1h", "OFFPEAK", "CPU", "30", "WITHIN", "30m"}).ok());
  runs_.cpu->machine_percent = 71;
  StepTo(now_ + kHour);
  EXPECT_EQ(Latest().status, RunStatus::kWaiting);
  EXPECT_EQ(Latest().reason, "waiting for off-peak: machine CPU at 71 %, limit 30 %");
  Restart(kSecond);
  StepTo(now_ + 10 * kMinute);
  EXPECT_EQ(Latest().status, RunStatus::kWaiting) << "and goes on waiting after a restart";
  runs_.cpu->machine_percent = 30;
  Step();
  Step();
  EXPECT_EQ(Latest().status, RunStatus::kSuccess);
}

TEST_F(SchedulerTest, GivesOffpeakUpAfterAWhile) {
  ASSERT_TRUE(Create("t", {"EVERY", "1h", "OFFPEAK", "CPU", "30", "WITHIN", "30m"}).ok());
  runs_.cpu->machine_percent = 71;
  StepTo(now_ + kHour + 29 * kMinute);
  EXPECT_EQ(Latest().status, RunStatus::kWaiting);
  StepTo(now_ + kMinute + kSecond);
  EXPECT_EQ(Latest().status, RunStatus::kSkipped);
  EXPECT_THAT(Latest().reason, HasSubstr("no off-peak time within 30m"));
  EXPECT_EQ(Latest().started_ms, 0);
}

TEST_F(SchedulerTest, SlowsWhileOthersLoadTheMachine) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"EVERY", "1h", "MAXCPU", "50", "OFFPEAK", "CPU", "30"}).ok());
  StepTo(now_ + kHour);
  ASSERT_EQ(Latest().status, RunStatus::kRunning);
  runs_.cpu->machine_percent = 42;  // 12.5 of these may be its own: 50 % of one of four cores
  Step();
  EXPECT_THAT(runs_.limits, IsEmpty());
  runs_.cpu->machine_percent = 80;
  Step();
  ASSERT_THAT(runs_.limits, SizeIs(1));
  EXPECT_EQ(runs_.limits[0].percent, 10);
  EXPECT_EQ(Latest().reason, "slowed: machine CPU at 80 %, limit 30 %");
  runs_.cpu->machine_percent = 20;
  Step();
  ASSERT_THAT(runs_.limits, SizeIs(2));
  EXPECT_EQ(runs_.limits[1].percent, 50);
  EXPECT_EQ(Latest().reason, "");
}

TEST_F(SchedulerTest, KeepsToTheMaintenanceWindow) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"AT", "2025-11-14T00:30:00Z", "WINDOW", "02:00Z-06:00Z"}).ok());
  StepTo(At("2025-11-14T01:59:00Z"));
  EXPECT_EQ(Latest().status, RunStatus::kWaiting);
  EXPECT_EQ(Latest().reason, "waiting for the maintenance window 02:00Z-06:00Z");
  StepTo(At("2025-11-14T02:00:00Z"));
  EXPECT_EQ(Latest().status, RunStatus::kRunning);
  StepTo(At("2025-11-14T06:00:02Z"));
  EXPECT_EQ(Latest().status, RunStatus::kCancelled);
  EXPECT_THAT(Latest().reason, HasSubstr("window 02:00Z-06:00Z closed"));
}

TEST_F(SchedulerTest, ATriggerByHandWaitsForNothing) {
  runs_.cpu->machine_percent = 99;
  ASSERT_TRUE(Create("t", {"EVERY", "1d", "WINDOW", "02:00Z-06:00Z", "OFFPEAK", "CPU", "10"}).ok());
  ASSERT_TRUE(scheduler_->Fire("t", Trigger::kManual, "bob", now_).ok());
  Step();
  EXPECT_EQ(Latest().status, RunStatus::kSuccess);
}

TEST_F(SchedulerTest, TimesOut) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"EVERY", "1h", "TIMEOUT", "5m"}).ok());
  StepTo(now_ + kHour + 4 * kMinute);
  EXPECT_EQ(Latest().status, RunStatus::kRunning);
  StepTo(now_ + kMinute + 2 * kSecond);
  EXPECT_EQ(Latest().status, RunStatus::kFailed);
  EXPECT_EQ(Latest().reason, "timed out after 5m");
  EXPECT_EQ(Get("t").last_success_ms, 0);
}

TEST_F(SchedulerTest, CancelsWhatRunsAndWhatWaits) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"EVERY", "1h"}).ok());
  StepTo(now_ + kHour);
  ASSERT_TRUE(scheduler_->Cancel(1, "bob", now_).ok());
  EXPECT_EQ(Latest().status, RunStatus::kCancelled);
  EXPECT_EQ(Latest().reason, "cancelled by bob");
  EXPECT_TRUE(absl::IsFailedPrecondition(scheduler_->Cancel(1, "bob", now_)));
  EXPECT_TRUE(absl::IsNotFound(scheduler_->Cancel(7, "bob", now_)));
  runs_.busy_reason = "waiting for run 9 to end";
  StepTo(now_ + kHour);
  EXPECT_EQ(Latest().status, RunStatus::kQueued);
  EXPECT_EQ(Latest().reason, "waiting for run 9 to end");
  ASSERT_TRUE(scheduler_->Cancel(2, "bob", now_).ok());
  EXPECT_EQ(Latest().status, RunStatus::kCancelled) << "at once: it had not begun";
}

TEST_F(SchedulerTest, RestsBetweenRuns) {
  ASSERT_TRUE(Create("t", {"EVERY", "10m", "COOLDOWN", "25m"}).ok());
  StepTo(now_ + kHour);
  std::vector<std::string> statuses;
  for (const std::string& line : Log()) statuses.push_back(line.substr(3));
  EXPECT_THAT(statuses,
              ElementsAre("00:10 Success", "00:20 Skipped", "00:40 Success", "00:50 Skipped"));
  EXPECT_THAT(Latest().reason, HasSubstr("in its cooldown until 2025-11-14T01:05:0"));
}

TEST_F(SchedulerTest, AnAlertFlushesOnceInItsSilenceTime) {
  ASSERT_TRUE(Create("full", {"MEMORY", "90", "FOR", "60s", "SILENCE", "1h"}).ok());
  StepTo(now_ + 5 * kMinute);
  EXPECT_THAT(History(), IsEmpty());
  runs_.memory_percent = 95;
  const int64_t rise = now_;
  while (History().empty()) Step(kSecond);
  EXPECT_GE(now_ - rise, 55 * kSecond) << "the average counts";
  EXPECT_EQ(Latest().trigger, Trigger::kAlert);
  EXPECT_GE(Latest().memory_percent, 90);
  StepTo(rise + kHour);
  EXPECT_THAT(History(), SizeIs(1)) << "silence, although it is still above";
  StepTo(rise + kHour + 2 * kMinute);
  EXPECT_THAT(History(), SizeIs(2)) << "repeated after it";
  runs_.memory_percent = 50;
  StepTo(now_ + 2 * kHour);
  EXPECT_THAT(History(), SizeIs(2));
  runs_.memory_percent = 92;
  StepTo(now_ + 2 * kMinute);
  EXPECT_THAT(History(), SizeIs(3)) << "a new rise";
}

TEST_F(SchedulerTest, SilenceOutlastsARestart) {
  ASSERT_TRUE(Create("full", {"MEMORY", "90", "SILENCE", "1h"}).ok());
  runs_.memory_percent = 95;
  StepTo(now_ + 2 * kMinute);
  ASSERT_THAT(History(), SizeIs(1));
  Restart(kMinute);
  StepTo(now_ + 50 * kMinute);
  EXPECT_THAT(History(), SizeIs(1));
}

TEST_F(SchedulerTest, AnAlertWithNothingDueSaysSo) {
  ASSERT_TRUE(Create("full", {"MEMORY", "90"}).ok());
  runs_.memory_percent = 95;
  runs_.due_keys = 0;
  StepTo(now_ + 2 * kMinute);
  ASSERT_THAT(History(), SizeIs(1));
  EXPECT_EQ(Latest().status, RunStatus::kSkipped);
  EXPECT_THAT(Latest().reason, HasSubstr("nothing to do"));
  EXPECT_THAT(runs_.started, IsEmpty());
}

TEST_F(SchedulerTest, RunsTargetsAFewAtATimeAndStopsAtErrors) {
  runs_.instant = false;
  ASSERT_TRUE(Create("fleet", {"EVERY", "1h", "ON", "redis://a", "redis://b", "redis://c", "local",
                               "CONCURRENCY", "2"})
                  .ok());
  StepTo(now_ + kHour);
  ASSERT_THAT(runs_.started, SizeIs(2));
  runs_.looks.begin()->second = runs_.Ended(RunStatus::kFailed, "connection reset");
  Step();
  EXPECT_THAT(runs_.started, SizeIs(2)) << "none after the first error: MAXERRORS is 0";
  runs_.EndAll();
  Step();
  const Execution done = Latest();
  EXPECT_EQ(done.status, RunStatus::kFailed);
  EXPECT_EQ(done.reason, "redis://a:6379: connection reset");
  EXPECT_EQ(done.targets[1].status, RunStatus::kSuccess);
  EXPECT_EQ(done.targets[2].status, RunStatus::kSkipped);
  EXPECT_EQ(done.targets[3].status, RunStatus::kSkipped);
}

TEST_F(SchedulerTest, ToleratesAsManyErrorsAsItIsTold) {
  runs_.unreachable = "redis://b";
  ASSERT_TRUE(
      Create("fleet", {"EVERY", "1h", "ON", "redis://a", "redis://b", "local", "MAXERRORS", "1"})
          .ok());
  StepTo(now_ + kHour + kSecond);
  EXPECT_EQ(Latest().status, RunStatus::kSuccess);
  EXPECT_THAT(Latest().reason,
              HasSubstr("1 of 3 targets failed; redis://b:6379: connection refused"));
  EXPECT_THAT(runs_.started, SizeIs(2));
}

TEST_F(SchedulerTest, WhatRanAtACrashHasFailed) {
  runs_.instant = false;
  ASSERT_TRUE(Create("t", {"EVERY", "1h"}).ok());
  StepTo(now_ + kHour);
  Restart(kSecond);
  EXPECT_EQ(Latest().status, RunStatus::kFailed);
  EXPECT_EQ(Latest().reason, "the server stopped while it ran");
  EXPECT_EQ(scheduler_->executions().LiveOf("t"), 0u);
  EXPECT_EQ(scheduler_->Fire("t", Trigger::kManual, "bob", now_).value(), 2u) << "ids go on";
}

TEST_F(SchedulerTest, KeepsABoundedHistory) {
  ASSERT_TRUE(Create("often", {"EVERY", "1s"}).ok());
  ASSERT_TRUE(Create("seldom", {"EVERY", "1h"}).ok());
  StepTo(now_ + 2 * kHour);
  EXPECT_EQ(scheduler_->executions().Count("often"), Executions::kMaxHistoryOfTask);
  EXPECT_EQ(scheduler_->executions().Count("seldom"), 2u);
  EXPECT_EQ(Get("often").execution_count, 7200);
}

TEST_F(SchedulerTest, ChangesTasks) {
  ASSERT_TRUE(Create("t", {"CRON", "0 4 * * *", "MAXCPU", "50", "ON", "redis://u:secret@h"}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Create("t", {"EVERY", "1h"})));
  const std::string_view words[] = {"EVERY", "2h", "ON", "redis://u:***@h:6379", "local"};
  ASSERT_TRUE(scheduler_->Update("t", words, now_).ok());
  EXPECT_EQ(Get("t").spec.run.max_cpu_percent, 50) << "what is not said stays";
  EXPECT_EQ(Get("t").next_ms, now_ + 2 * kHour);
  EXPECT_THAT(Get("t").spec.run.targets, ElementsAre("redis://u:secret@h", "local"))
      << "a masked password stands for the one that is kept";
  const std::string_view over[] = {"UNTIL", "2020-01-01T00:00:00Z"};
  EXPECT_FALSE(scheduler_->Update("t", over, now_).ok());
  ASSERT_TRUE(scheduler_->Delete("t").ok());
  EXPECT_TRUE(absl::IsNotFound(scheduler_->Delete("t")));
}

// Whatever happens: firings never go back in time, no execution of a task runs beside another, and
// what was saved comes back as it was.
TEST_F(SchedulerTest, HoldsItsInvariantsUnderRandomLives) {
  std::mt19937 dice(7);
  const auto roll = [&dice](int sides) { return static_cast<int>(dice() % sides); };
  runs_.instant = false;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(Create(fmt::format("t{}", i),
                       {i % 2 == 0 ? "EVERY" : "CRON", i % 2 == 0 ? "7m" : "*/5 * * * *"})
                    .ok());
  }
  for (int round = 0; round < 1500; ++round) {
    const std::string name = fmt::format("t{}", roll(6));
    switch (roll(12)) {
      case 0:
        scheduler_->Pause(name, now_).IgnoreError();
        break;
      case 1:
        scheduler_->Resume(name, now_).IgnoreError();
        break;
      case 2:
        scheduler_->Fire(name, Trigger::kManual, "x", now_).IgnoreError();
        break;
      case 3:
        runs_.EndAll(roll(2) == 0 ? RunStatus::kSuccess : RunStatus::kFailed, "x");
        break;
      case 4:
        scheduler_->Cancel(scheduler_->executions().LiveOf(name), "x", now_).IgnoreError();
        break;
      case 5:
        runs_.cpu->machine_percent = roll(100);
        break;
      case 6:
        if (roll(20) == 0) Restart(roll(2) == 0 ? kSecond : kHour);
        break;
      case 7:
        if (roll(20) == 0) now_ -= 10 * kSecond;
        break;
      default:
        Step(roll(1000) * 100);
        break;
    }
    std::map<std::string, int> live;
    for (const Execution& execution : scheduler_->executions().All()) {
      if (!IsOver(execution.status)) ++live[execution.task];
    }
    for (const auto& [task, count] : live) ASSERT_EQ(count, 1) << task;
  }
  const std::string saved = WriteTaskState(scheduler_->Save());
  Scheduler copy(runs_);
  runs_.EndAll();
  Step(1);
  const std::string quiet = WriteTaskState(scheduler_->Save());
  copy.Restore(ReadTaskState(quiet).value(), now_);
  EXPECT_EQ(WriteTaskState(copy.Save()), quiet);
  EXPECT_FALSE(saved.empty());
}

}  // namespace
}  // namespace lapse
