// Cron expressions: when a task runs, told as crontab(5) tells it.
//
//    [second]  minute  hour  day-of-month  month  day-of-week
//      0-59     0-59   0-23      1-31       1-12      0-7       0 and 7 are Sunday; JAN, MON ...
//
// Five fields, or six of which the first is the second (as in Quartz and Spring; croniter has it
// last). A field is a list of `*`, `a`, `a-b`, each with an optional `/step`; `a/step` runs from a
// to the field's end. `?` stands for `*` in the two day fields, `L` for the last day of the month.
// @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly are what they say.
//
// Two rules of cron's that surprise:
//
//   1. When both day fields are restricted, a day that fits either is a match. A field that starts
//      with `*`, as `*/2` does, is not restricted in this sense, and then both have to fit.
//   2. Changes of the clock. An expression whose hour is fixed stands for times of day: one that
//      the change skips fires at the instant of the change, all of them together once, and one
//      that the change repeats fires the first time only. An expression whose hour is `*`, `*/n`
//      or all hours stands for a rhythm: it fires whenever the wall clock fits, so every hour of
//      the 23 or 25.
//
// Cost: NextAfter looks at the days of kHorizonYears at most, and at none of months that do not
// fit: microseconds in practice. Beyond the horizon the answer is "never"; of the dates that exist,
// those that return most rarely (29 February, a weekday on a given date) do so within 12 years.
//
// Thread: immutable; any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "expiry/tasks/time_zone.h"

namespace lapse {

class CronExpression {
 public:
  static constexpr size_t kMaxLength = 512;
  static constexpr int kHorizonYears = 28;

  // InvalidArgument, naming the field and what is wrong in it.
  static absl::StatusOr<CronExpression> Parse(std::string_view text);

  // The first time strictly after `unix_ms`, in Unix milliseconds; nullopt: never.
  std::optional<int64_t> NextAfter(int64_t unix_ms, const TimeZone& zone) const;

  // As it was given, with single spaces.
  const std::string& text() const { return text_; }

 private:
  friend class CronParser;
  CronExpression() = default;

  bool FitsDay(absl::CivilDay day) const;
  // The first day that fits, from `day` on.
  std::optional<absl::CivilDay> FirstDay(absl::CivilDay day, absl::CivilDay horizon) const;
  // The first time that fits, from `local` on.
  std::optional<absl::CivilSecond> First(absl::CivilSecond local, absl::CivilDay horizon) const;
  std::optional<int64_t> NextTimeOfDay(int64_t unix_ms, const TimeZone& zone) const;
  std::optional<int64_t> NextOfRhythm(int64_t unix_ms, const TimeZone& zone) const;

  std::string text_;
  // Bit n is set when n fits.
  uint64_t seconds_ = 1;
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t days_ = 0;
  uint64_t months_ = 0;
  uint64_t weekdays_ = 0;  // 0..6, Sunday first
  bool last_day_ = false;
  // The field starts with `*` or `?`: rule 1.
  bool any_day_ = false;
  bool any_weekday_ = false;
  bool rhythm_ = false;  // rule 2
};

}  // namespace lapse
