#include "expiry/tasks/times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace lapse {
namespace {

using ::testing::HasSubstr;

TimeZone Zone(std::string_view name) { return TimeZone::Load(name).value(); }

int64_t At(std::string_view text, const TimeZone& zone = {}) {
  absl::StatusOr<int64_t> instant = ParseInstant(text, zone);
  EXPECT_TRUE(instant.ok()) << instant.status();
  return instant.value_or(-1);
}

template <typename T>
std::string Error(const absl::StatusOr<T>& result) {
  return result.ok() ? "no error" : std::string(result.status().message());
}

TEST(TimeZoneTest, LoadsByNameAndByOffset) {
  EXPECT_EQ(TimeZone().name(), "UTC");
  EXPECT_TRUE(Zone("utc").is_utc());
  EXPECT_TRUE(Zone("Z").is_utc());
  EXPECT_EQ(Zone("Europe/Berlin").name(), "Europe/Berlin");
  EXPECT_EQ(FormatInstant(0, Zone("+05:30")), "1970-01-01T05:30:00+05:30");
  EXPECT_EQ(FormatInstant(0, Zone("-0330")), "1969-12-31T20:30:00-03:30");
}

TEST(TimeZoneTest, RefusesWhatIsNoZone) {
  EXPECT_THAT(Error(TimeZone::Load("Europe/Atlantis")),
              HasSubstr("time zone 'Europe/Atlantis' is not in this system's database"));
  for (const char* name :
       {"", "/etc/localtime", "../../etc/passwd", "file:/etc/localtime", "localtime", "Europe/",
        "Europe/../UTC", "+25:00", "+2", "+02:60", "a b"}) {
    EXPECT_THAT(Error(TimeZone::Load(name)), HasSubstr("is not the name of a time zone")) << name;
  }
  EXPECT_THAT(Error(TimeZone::Load(std::string(65, 'a'))), HasSubstr("is not the name"));
}

TEST(DurationTest, ReadsUnits) {
  EXPECT_EQ(ParseDuration("90s").value(), 90'000);
  EXPECT_EQ(ParseDuration("10m").value(), 600'000);
  EXPECT_EQ(ParseDuration("2h").value(), 7'200'000);
  EXPECT_EQ(ParseDuration("1d").value(), 86'400'000);
  EXPECT_EQ(ParseDuration("1w").value(), 604'800'000);
  EXPECT_EQ(ParseDuration("1H30M").value(), 5'400'000);
  EXPECT_EQ(ParseDuration("1s500ms").value(), 1500);
  EXPECT_EQ(ParseDuration(" 05m ").value(), 300'000);
  EXPECT_EQ(ParseDuration("0").value(), 0);
  EXPECT_EQ(ParseDuration("0s").value(), 0);
  EXPECT_EQ(ParseDuration("36500d").value(), kMaxDurationMs);
}

TEST(DurationTest, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(Error(ParseDuration("")), HasSubstr("is empty"));
  EXPECT_THAT(Error(ParseDuration("90")), HasSubstr("duration '90': 90 has no unit"));
  EXPECT_THAT(Error(ParseDuration("3y")), HasSubstr("'y' is not one of w, d, h, m, s, ms"));
  EXPECT_THAT(Error(ParseDuration("1.5h")), HasSubstr("has no unit"));
  EXPECT_THAT(Error(ParseDuration("-5m")), HasSubstr("'-5m' does not start with a whole number"));
  EXPECT_THAT(Error(ParseDuration("m")), HasSubstr("does not start with a whole number"));
  EXPECT_THAT(Error(ParseDuration("30m1h")), HasSubstr("do not go from large to small"));
  EXPECT_THAT(Error(ParseDuration("1m1m")), HasSubstr("do not go from large to small"));
  EXPECT_THAT(Error(ParseDuration("36501d")), HasSubstr("longer than a hundred years"));
  EXPECT_THAT(Error(ParseDuration("999999999999999w")), HasSubstr("longer than a hundred years"));
  EXPECT_THAT(Error(ParseDuration("9999999999999999s")), HasSubstr("whole number"));
}

TEST(DurationTest, FormatIsReadBack) {
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(5'400'000), "1h30m");
  EXPECT_EQ(FormatDuration(86'400'000 * 14), "14d");
  EXPECT_EQ(FormatDuration(-1500), "-1s500ms");
  EXPECT_EQ(FormatDuration(std::numeric_limits<int64_t>::min()).front(), '-');
  for (const int64_t ms : {int64_t{1}, int64_t{999}, int64_t{61'001}, int64_t{90'061'001},
                           int64_t{604'800'000}, kMaxDurationMs}) {
    EXPECT_EQ(ParseDuration(FormatDuration(ms)).value(), ms);
  }
}

TEST(InstantTest, ReadsIso8601) {
  const int64_t expected = 1'798'689'600'000;
  for (const char* text :
       {"2026-12-31T04:00:00Z", "2026-12-31T04:00Z", "2026-12-31 04:00:00z", "2026-12-31t04:00:00",
        "2026-12-31T05:00:00+01:00", "2026-12-31T05:00+0100", "2026-12-31T05:00:00.000+01",
        "2026-12-30T23:30:00-04:30"}) {
    EXPECT_EQ(At(text), expected) << text;
  }
  EXPECT_EQ(At("2026-12-31T04:00:00.0259Z"), expected + 25);
  EXPECT_EQ(At("2026-12-31T05:00:00", Zone("Europe/Berlin")), expected);
  EXPECT_EQ(At("2026-12-31", Zone("+01:00")), expected - 5 * 3'600'000);
  EXPECT_EQ(At("1969-12-31T23:59:59.5Z"), -500);
}

TEST(InstantTest, LocalTimesAroundAChangeOfTheClock) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(FormatInstant(At("2026-03-29T02:30", berlin), berlin), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(FormatInstant(At("2026-10-25T02:30", berlin), berlin), "2026-10-25T02:30:00+02:00");
}

TEST(InstantTest, ErrorsSayWhatIsWrong) {
  const auto error = [](std::string_view text) { return Error(ParseInstant(text)); };
  EXPECT_EQ(error("tomorrow"),
            "time 'tomorrow': does not start with a date; write it like 2026-12-31T04:00:00Z");
  EXPECT_THAT(error("1798689600000"), HasSubstr("does not start with a date"));
  EXPECT_THAT(error("2026-2-3"), HasSubstr("does not start with a date"));
  EXPECT_THAT(error("2026-02-30"), HasSubstr("there is no such day"));
  EXPECT_THAT(error("2026-13-01"), HasSubstr("there is no such day"));
  EXPECT_THAT(error("2026-00-01"), HasSubstr("there is no such day"));
  EXPECT_THAT(error("2026-12-31X"), HasSubstr("something other than a time"));
  EXPECT_THAT(error("2026-12-31T04"), HasSubstr("needs hours and minutes"));
  EXPECT_THAT(error("2026-12-31T24:00"), HasSubstr("no such time of day"));
  EXPECT_THAT(error("2026-12-31T04:00:60Z"), HasSubstr("no such time of day"));
  EXPECT_THAT(error("2026-12-31T04:00:"), HasSubstr("no such time of day"));
  EXPECT_THAT(error("2026-12-31T04:00:00.Z"), HasSubstr("a fraction needs digits"));
  EXPECT_THAT(error("2026-12-31T04:00:00 CET"), HasSubstr("' CET' is not an offset from UTC"));
  EXPECT_THAT(error("2026-12-31T04:00:00UTC"), HasSubstr("is not an offset"));
  EXPECT_THAT(error("2026-12-31T04:00:00+99"), HasSubstr("is not an offset"));
}

TEST(InstantTest, FormatIsReadBack) {
  const TimeZone zones[] = {TimeZone(), Zone("America/New_York"), Zone("Asia/Kathmandu")};
  for (const TimeZone& zone : zones) {
    for (const int64_t ms : {int64_t{0}, int64_t{-1}, int64_t{1'798'689'600'025},
                             int64_t{1'792'888'200'000}, int64_t{1'792'891'800'000}}) {
      EXPECT_EQ(At(FormatInstant(ms, zone)), ms) << FormatInstant(ms, zone);
    }
  }
  EXPECT_EQ(FormatInstant(25, TimeZone()), "1970-01-01T00:00:00.025Z");
}

DailyWindow Window(std::string_view text, const TimeZone& zone = {}) {
  return DailyWindow::Parse(text, zone).value();
}

TEST(DailyWindowTest, OfOneDay) {
  const DailyWindow window = Window("02:00Z-06:00Z", Zone("Europe/Berlin"));
  EXPECT_EQ(window.text(), "02:00Z-06:00Z");
  EXPECT_FALSE(window.Contains(At("2026-01-01T01:59:59.999Z")));
  EXPECT_TRUE(window.Contains(At("2026-01-01T02:00Z")));
  EXPECT_TRUE(window.Contains(At("2026-01-01T05:59:59.999Z")));
  EXPECT_FALSE(window.Contains(At("2026-01-01T06:00Z")));
  EXPECT_EQ(window.NextStart(At("2026-01-01T01:00Z")), At("2026-01-01T02:00Z"));
  EXPECT_EQ(window.NextStart(At("2026-01-01T02:00Z")), At("2026-01-02T02:00Z"));
  EXPECT_EQ(window.NextEnd(At("2026-01-01T02:00Z")), At("2026-01-01T06:00Z"));
  EXPECT_EQ(window.NextEnd(At("2026-01-01T06:00Z")), At("2026-01-02T06:00Z"));
}

TEST(DailyWindowTest, AcrossMidnight) {
  const DailyWindow window = Window("22:00Z-04:30Z");
  EXPECT_TRUE(window.Contains(At("2026-01-01T23:00Z")));
  EXPECT_TRUE(window.Contains(At("2026-01-02T04:29Z")));
  EXPECT_FALSE(window.Contains(At("2026-01-02T04:30Z")));
  EXPECT_EQ(window.NextEnd(At("2026-01-01T23:00Z")), At("2026-01-02T04:30Z"));
  EXPECT_EQ(window.NextStart(At("2026-01-01T23:00Z")), At("2026-01-02T22:00Z"));
}

TEST(DailyWindowTest, ToMidnight) {
  for (const char* text : {"20:00Z-24:00Z", "20:00Z-00:00Z"}) {
    const DailyWindow window = Window(text);
    EXPECT_TRUE(window.Contains(At("2026-01-01T23:59:59Z")));
    EXPECT_FALSE(window.Contains(At("2026-01-02T00:00Z")));
    EXPECT_EQ(window.text(), "20:00Z-24:00Z");
  }
}

TEST(DailyWindowTest, LocalTimeAcrossAChangeOfTheClock) {
  const TimeZone berlin = Zone("Europe/Berlin");
  const DailyWindow window = Window("01:00-04:00", berlin);
  EXPECT_EQ(window.text(), "01:00-04:00");
  const int64_t start = window.NextStart(At("2026-03-29", berlin));
  EXPECT_EQ(window.NextEnd(start) - start, 2 * 3'600'000);
  // The hour that is skipped has no window; the next one is tomorrow's.
  const DailyWindow skipped = Window("02:00-03:00", berlin);
  EXPECT_FALSE(skipped.Contains(At("2026-03-29T03:00", berlin)));
  EXPECT_EQ(skipped.NextStart(At("2026-03-29", berlin)), At("2026-03-30T02:00", berlin));
  EXPECT_EQ(skipped.NextEnd(At("2026-03-29", berlin)), At("2026-03-30T03:00", berlin));
}

TEST(DailyWindowTest, ErrorsSayWhatIsWrong) {
  const auto error = [](std::string_view text) { return Error(DailyWindow::Parse(text)); };
  EXPECT_EQ(error("02:00Z"),
            "window '02:00Z': needs a start and an end; write it like 02:00Z-06:00Z");
  EXPECT_THAT(error("2:00Z-06:00Z"), HasSubstr("'2:00Z' is not a time of day"));
  EXPECT_THAT(error("02:00Z-25:00Z"), HasSubstr("'25:00Z' is not a time of day"));
  EXPECT_THAT(error("02:00Z-06:60Z"), HasSubstr("'06:60Z' is not a time of day"));
  EXPECT_THAT(error("24:00Z-06:00Z"), HasSubstr("'24:00Z' is not a time of day"));
  EXPECT_THAT(error("02:00Z-06:00"), HasSubstr("a Z at one end only"));
  EXPECT_THAT(error("02:00Z-02:00Z"), HasSubstr("starts where it ends"));
  EXPECT_THAT(error("00:00Z-24:00Z"), HasSubstr("starts where it ends"));
}

}  // namespace
}  // namespace lapse
