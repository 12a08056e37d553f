#include "expiry/tasks/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "expiry/tasks/times.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TimeZone Zone(std::string_view name) {
  absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(TimeZone());
}

// The next `count` times after `from`, in the zone's own time; "never" ends the list.
std::vector<std::string> Next(std::string_view cron, std::string_view from, int count,
                              const TimeZone& zone = {}) {
  const absl::StatusOr<CronExpression> parsed = CronExpression::Parse(cron);
  if (!parsed.ok()) return {std::string(parsed.status().message())};
  std::vector<std::string> times;
  int64_t at = *ParseInstant(from, zone);
  while (static_cast<int>(times.size()) < count) {
    const std::optional<int64_t> next = parsed->NextAfter(at, zone);
    if (!next.has_value()) {
      times.emplace_back("never");
      break;
    }
    at = *next;
    times.push_back(FormatInstant(at, zone));
  }
  return times;
}

std::string Error(std::string_view cron) {
  const absl::StatusOr<CronExpression> parsed = CronExpression::Parse(cron);
  return parsed.ok() ? "no error" : std::string(parsed.status().message());
}

TEST(CronTest, TwiceADay) {
  EXPECT_THAT(Next("0 4,16 * * *", "2026-12-30T04:00:00Z", 3),
              ElementsAre("2026-12-30T16:00:00Z", "2026-12-31T04:00:00Z", "2026-12-31T16:00:00Z"));
}

TEST(CronTest, IsStrictlyAfterAndCountsFromMilliseconds) {
  const CronExpression cron = *CronExpression::Parse("* * * * *");
  EXPECT_EQ(cron.NextAfter(60'000, TimeZone()), 120'000);
  EXPECT_EQ(cron.NextAfter(59'999, TimeZone()), 60'000);
  EXPECT_EQ(cron.NextAfter(-1, TimeZone()), 0);
  EXPECT_EQ(cron.NextAfter(-60'001, TimeZone()), -60'000);
}

TEST(CronTest, SecondsComeFirst) {
  EXPECT_THAT(Next("*/20 30 4 * * *", "2026-01-01T04:30:20Z", 3),
              ElementsAre("2026-01-01T04:30:40Z", "2026-01-02T04:30:00Z", "2026-01-02T04:30:20Z"));
}

TEST(CronTest, ListsRangesStepsAndNames) {
  EXPECT_THAT(Next("5,10-12,50/5 8 * jan-Mar MON-fri", "2026-01-02T08:10:30Z", 5),
              ElementsAre("2026-01-02T08:11:00Z", "2026-01-02T08:12:00Z", "2026-01-02T08:50:00Z",
                          "2026-01-02T08:55:00Z", "2026-01-05T08:05:00Z"));
  EXPECT_THAT(Next("0 0-8/4 1 * *", "2026-01-01", 3),
              ElementsAre("2026-01-01T04:00:00Z", "2026-01-01T08:00:00Z", "2026-02-01T00:00:00Z"));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  const auto sundays = ElementsAre("2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z");
  for (const char* cron : {"0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "@weekly", "0 0 ? * sun"}) {
    EXPECT_THAT(Next(cron, "2026-01-01", 2), sundays) << cron;
  }
  EXPECT_THAT(Next("0 0 * * SAT-SUN", "2026-01-01", 3),
              ElementsAre("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-10T00:00:00Z"));
}

TEST(CronTest, RestrictedDaysAreEitherOr) {
  // The 13th, and every Friday.
  EXPECT_THAT(Next("0 0 13 * 5", "2026-01-01", 4),
              ElementsAre("2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z",
                          "2026-01-16T00:00:00Z"));
}

TEST(CronTest, AStarWithAStepIsNotARestriction) {
  // Odd days that are Fridays.
  EXPECT_THAT(Next("0 0 */2 * 5", "2026-01-01", 3),
              ElementsAre("2026-01-09T00:00:00Z", "2026-01-23T00:00:00Z", "2026-02-13T00:00:00Z"));
}

TEST(CronTest, LastDayOfTheMonth) {
  EXPECT_THAT(Next("0 0 L * *", "2028-01-31", 3),
              ElementsAre("2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z", "2028-04-30T00:00:00Z"));
  EXPECT_THAT(Next("0 0 15,L 2 ?", "2027-01-01", 3),
              ElementsAre("2027-02-15T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-15T00:00:00Z"));
}

TEST(CronTest, RareDaysAndNever) {
  EXPECT_THAT(Next("0 0 29 2 *", "2096-03-01", 1), ElementsAre("2104-02-29T00:00:00Z"));
  EXPECT_THAT(Next("0 0 */28 2 1", "2033-02-01", 3),
              ElementsAre("2038-02-01T00:00:00Z", "2044-02-01T00:00:00Z", "2044-02-29T00:00:00Z"));
  EXPECT_THAT(Next("0 0 30 2 *", "2026-01-01", 1), ElementsAre("never"));
  EXPECT_THAT(Next("0 0 31 4,6,9,11 ?", "2026-01-01", 1), ElementsAre("never"));
}

TEST(CronTest, Words) {
  EXPECT_THAT(Next("@yearly", "2026-05-05", 1), ElementsAre("2027-01-01T00:00:00Z"));
  EXPECT_THAT(Next("@Monthly", "2026-05-05", 1), ElementsAre("2026-06-01T00:00:00Z"));
  EXPECT_THAT(Next("@daily", "2026-05-05", 1), ElementsAre("2026-05-06T00:00:00Z"));
  EXPECT_THAT(Next("@hourly", "2026-05-05", 1), ElementsAre("2026-05-05T01:00:00Z"));
  EXPECT_EQ(CronExpression::Parse("  @daily ")->text(), "@daily");
  EXPECT_EQ(CronExpression::Parse(" 0  4\t* * * ")->text(), "0 4 * * *");
}

// 2026-03-29 has no 02:00 to 03:00 in Berlin.
TEST(CronTest, SkippedTimesOfDayFireOnceAtTheChange) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_THAT(Next("30 2 * * *", "2026-03-28T02:00", 3, berlin),
              ElementsAre("2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00",
                          "2026-03-30T02:30:00+02:00"));
  // Several skipped ones, and one that is due right then, are one firing.
  EXPECT_THAT(Next("0,30 1-3 * * *", "2026-03-29T01:00", 4, berlin),
              ElementsAre("2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00",
                          "2026-03-29T03:30:00+02:00", "2026-03-30T01:00:00+02:00"));
}

// 2026-10-25 has 02:00 to 03:00 twice.
TEST(CronTest, RepeatedTimesOfDayFireTheFirstTime) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_THAT(Next("0,30 2 * * *", "2026-10-25T01:00", 3, berlin),
              ElementsAre("2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00",
                          "2026-10-26T02:00:00+01:00"));
  // Asked in the second pass, every second of which the first one has had.
  EXPECT_THAT(Next("* * 2,3 * * *", "2026-10-25T02:10:00+01:00", 1, berlin),
              ElementsAre("2026-10-25T03:00:00+01:00"));
}

TEST(CronTest, RhythmsFollowTheElapsedTime) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_THAT(Next("30 * * * *", "2026-03-29T00:30", 3, berlin),
              ElementsAre("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00",
                          "2026-03-29T04:30:00+02:00"));
  for (const char* cron : {"0 * * * *", "0 0-23 * * *", "@hourly"}) {
    EXPECT_THAT(Next(cron, "2026-10-25T01:00", 4, berlin),
                ElementsAre("2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00",
                            "2026-10-25T03:00:00+01:00", "2026-10-25T04:00:00+01:00"))
        << cron;
  }
}

// Changes of half an hour, at midnight, and of a whole day.
TEST(CronTest, OddChangesOfOffset) {
  EXPECT_THAT(Next("15 2 * * *", "2026-10-03T12:00", 2, Zone("Australia/Lord_Howe")),
              ElementsAre("2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"));
  EXPECT_THAT(Next("0 0 * * *", "2018-11-03T12:00", 2, Zone("America/Sao_Paulo")),
              ElementsAre("2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"));
  // Samoa had no 30 December 2011.
  EXPECT_THAT(Next("0 12 * * *", "2011-12-29T00:00", 3, Zone("Pacific/Apia")),
              ElementsAre("2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00",
                          "2011-12-31T12:00:00+14:00"));
}

TEST(CronTest, ErrorsNameTheFieldAndTheFault) {
  EXPECT_THAT(Error(""), HasSubstr("has 0 fields; five are needed"));
  EXPECT_THAT(Error("* * * *"), HasSubstr("has 4 fields"));
  EXPECT_THAT(Error("* * * * * * *"), HasSubstr("has 7 fields"));
  EXPECT_EQ(Error("61 * * * *"),
            "cron expression '61 * * * *': minute field: '61' is not a number from 0 to 59");
  EXPECT_THAT(Error("* 24 * * *"), HasSubstr("hour field: '24' is not a number from 0 to 23"));
  EXPECT_THAT(Error("* * 0 * *"), HasSubstr("day-of-month field: '0'"));
  EXPECT_THAT(Error("* * * FOO *"), HasSubstr("or a name such as JAN"));
  EXPECT_THAT(Error("* * * * 8"), HasSubstr("day-of-week field: '8'"));
  EXPECT_THAT(Error("60 * * * * *"), HasSubstr("second field: '60'"));
  EXPECT_THAT(Error("* 22-2 * * *"), HasSubstr("'22-2' runs backwards; write 22-23,0-2"));
  EXPECT_THAT(Error("*/0 * * * *"), HasSubstr("minute field: '0' is not a step from 1 to 60"));
  EXPECT_THAT(Error("*/90 * * * *"), HasSubstr("'90' is not a step from 1 to 60"));
  EXPECT_THAT(Error("1,,2 * * * *"), HasSubstr("a list has an empty member"));
  EXPECT_THAT(Error("? * * * *"), HasSubstr("minute field: '?'"));
  EXPECT_THAT(Error("* * * * L"), HasSubstr("day-of-week field: 'L'"));
  EXPECT_THAT(Error("1- * * * *"), HasSubstr("minute field: ''"));
  EXPECT_THAT(Error("-5 * * * *"), HasSubstr("minute field: ''"));
  EXPECT_THAT(Error("@reboot"), HasSubstr("names no time"));
  EXPECT_THAT(Error("@often"), HasSubstr("unknown word"));
  EXPECT_THAT(Error(std::string(1000, '*')), HasSubstr("at most 512 characters"));
}

}  // namespace
}  // namespace lapse
