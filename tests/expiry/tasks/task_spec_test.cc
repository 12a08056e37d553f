// A task's words: what they mean, what is refused, and that they come back.

#include "expiry/tasks/task_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Views = std::vector<std::string_view>;

absl::StatusOr<TaskSpec> Parse(const Views& words) { return ParseTask({.name = "t"}, words, true); }

std::string ErrorOf(const Views& words) {
  const absl::StatusOr<TaskSpec> spec = Parse(words);
  return spec.ok() ? "" : std::string(spec.status().message());
}

TEST(TaskSpec, ReadsEveryOption) {
  const TaskSpec spec = Parse({"cron",
                               "0 4,16 * * *",
                               "tz",
                               "Europe/Berlin",
                               "start",
                               "2026-01-01T00:00:00",
                               "until",
                               "2027-01-01T00:00:00Z",
                               "maxcpu",
                               "50",
                               "offpeak",
                               "cpu",
                               "30",
                               "within",
                               "2h",
                               "window",
                               "02:00Z-06:00Z",
                               "cooldown",
                               "10m",
                               "timeout",
                               "30m",
                               "db",
                               "0",
                               "3",
                               "on",
                               "local",
                               "redis://h:1",
                               "concurrency",
                               "4",
                               "maxerrors",
                               "2",
                               "missed",
                               "skip"})
                            .value();
  EXPECT_EQ(spec.kind, TaskKind::kCron);
  EXPECT_EQ(spec.When(), "0 4,16 * * *");
  EXPECT_EQ(spec.zone.name(), "Europe/Berlin");
  EXPECT_EQ(FormatInstant(spec.start_ms), "2025-12-31T23:00:00Z") << "a time of the task's zone";
  EXPECT_EQ(FormatInstant(spec.until_ms), "2027-01-01T00:00:00Z");
  EXPECT_EQ(spec.run.max_cpu_percent, 50);
  EXPECT_EQ(spec.run.offpeak_cpu, 30);
  EXPECT_EQ(spec.run.offpeak_within_ms, 7'200'000);
  EXPECT_EQ(spec.run.window->text(), "02:00Z-06:00Z");
  EXPECT_EQ(spec.cooldown_ms, 600'000);
  EXPECT_EQ(spec.run.timeout_ms, 1'800'000);
  EXPECT_THAT(spec.run.dbs, ElementsAre(0, 3));
  EXPECT_THAT(spec.run.targets, ElementsAre("local", "redis://h:1"));
  EXPECT_EQ(spec.run.concurrency, 4);
  EXPECT_EQ(spec.run.max_errors, 2);
  EXPECT_EQ(spec.missed, MissedPolicy::kSkip);
}

TEST(TaskSpec, ComesBackFromItsWords) {
  const Views texts[] = {
      {"CRON", "*/5 * * * *"},
      {"EVERY", "1h30m", "DB", "1", "2", "MAXCPU", "10"},
      {"AT", "2031-12-31T04:00:00Z", "WINDOW", "22:00-02:00", "TZ", "Asia/Tokyo"},
      {"MEMORY", "90", "FOR", "2m", "SILENCE", "0", "OFFPEAK", "CPU", "5", "WITHIN", "90s"},
      {"EVERY", "6h", "ON", "redis://u:p@h:1/2", "rediss://h", "CONCURRENCY", "1", "MISSED",
       "SKIP"},
  };
  for (const Views& text : texts) {
    const TaskSpec spec = Parse(text).value();
    const std::vector<std::string> words = TaskWords(spec);
    const TaskSpec again = Parse({words.begin(), words.end()}).value();
    EXPECT_EQ(TaskWords(again), words);
    EXPECT_EQ(again.start_ms, spec.start_ms);
    EXPECT_EQ(again.run.targets, spec.run.targets);
    EXPECT_EQ(again.When(), spec.When());
  }
}

TEST(TaskSpec, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("needs one of CRON, EVERY, AT and MEMORY"));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "CRON", "0 4 * * *"}), HasSubstr("has one of"));
  EXPECT_THAT(ErrorOf({"CRON", "61 * * * *"}), HasSubstr("CRON: "));
  EXPECT_THAT(ErrorOf({"AT", ""}), HasSubstr("AT: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "UNTIL", ""}), HasSubstr("UNTIL: "));
  EXPECT_THAT(ErrorOf({"EVERY", "soon"}), HasSubstr("EVERY: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1ms"}), HasSubstr("at least 1s"));
  EXPECT_THAT(ErrorOf({"EVERY"}), HasSubstr("EVERY needs a value"));
  EXPECT_THAT(ErrorOf({"MEMORY", "101"}), HasSubstr("between 1 and 100"));
  EXPECT_THAT(ErrorOf({"MEMORY", "90", "FOR", "2h"}), HasSubstr("at most 1h"));
  EXPECT_THAT(ErrorOf({"AT", "noon"}), HasSubstr("AT: "));
  EXPECT_THAT(ErrorOf({"AT", "0818-01-01"}), HasSubstr("AT must be after 1970"));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "TZ", "Mars/Olympus"}), HasSubstr("TZ: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "TZ", "../../etc/passwd"}), HasSubstr("TZ: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "WINDOW", "2-6"}), HasSubstr("WINDOW: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "OFFPEAK", "30"}), HasSubstr("OFFPEAK"));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "ON"}), HasSubstr("ON must be followed by"));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "ON", "http://h"}), HasSubstr("ON: "));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "NONSENSE"}), HasSubstr("unknown word 'NONSENSE'"));
  EXPECT_THAT(ErrorOf({"EVERY", "1h", "START", "2026-01-02", "UNTIL", "2026-01-01"}),
              HasSubstr("UNTIL must be after START"));
  for (const std::string_view name : {"", "a b", "*", "a/b", "x\n"}) {
    EXPECT_FALSE(ParseTask({.name = std::string(name)}, Views{"EVERY", "1h"}, true).ok()) << name;
  }
  EXPECT_FALSE(ParseTask({.name = std::string(65, 'a')}, Views{"EVERY", "1h"}, true).ok());
}

TEST(TaskSpec, TakesWordsBack) {
  TaskSpec spec = Parse({"EVERY", "1h", "UNTIL", "2031-01-01", "OFFPEAK", "CPU", "30", "WINDOW",
                         "02:00Z-06:00Z", "DB", "1"})
                      .value();
  spec = ParseTask(spec, Views{"UNTIL", "NONE", "OFFPEAK", "NONE", "WINDOW", "NONE", "DB", "ALL"},
                   false)
             .value();
  EXPECT_THAT(TaskWords(spec), ElementsAre("EVERY", "1h"));
}

TEST(TaskSpec, ALocalWindowFollowsTheZone) {
  TaskSpec spec = Parse({"EVERY", "1h", "WINDOW", "02:00-06:00", "TZ", "Europe/Berlin"}).value();
  const int64_t winter = ParseInstant("2026-01-15T01:30:00Z").value();
  EXPECT_TRUE(spec.run.window->Contains(winter));
  spec = ParseTask(spec, Views{"TZ", "Asia/Tokyo"}, false).value();
  EXPECT_FALSE(spec.run.window->Contains(winter));
  EXPECT_TRUE(spec.run.window->Contains(ParseInstant("2026-01-14T17:30:00Z").value()));
}

TEST(MaskTarget, HidesPasswordsAlone) {
  EXPECT_EQ(MaskTarget("local"), "local");
  EXPECT_EQ(MaskTarget("redis://h"), "redis://h:6379");
  EXPECT_EQ(MaskTarget("redis://user@h:1"), "redis://user@h:1");
  EXPECT_EQ(MaskTarget("redis://user:s3cret@h:1/2"), "redis://user:***@h:1/2");
  EXPECT_EQ(MaskTarget("nonsense:s3cret"), "(no target)");
}

}  // namespace
}  // namespace lapse
