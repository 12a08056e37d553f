// Durations, instants and daily windows as people write them, and back.
//
// Everything that a task's definition says about time besides its schedule: COOLDOWN 10m, START
// 2026-12-31T04:00:00Z, WINDOW 02:00Z-06:00Z. Values are what the rest of the program counts in:
// milliseconds, and Unix milliseconds. What Format gives, Parse reads back as the same value.
//
// Thread: pure functions and immutable values; any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "expiry/tasks/time_zone.h"

namespace lapse {

inline constexpr int64_t kMaxDurationMs = int64_t{36'500} * 86'400'000;  // a hundred years

// "90s", "10m", "2h", "1d", "1h30m", "500ms": whole numbers with the units w, d, h, m, s, ms,
// larger ones first, each once. "0" needs none. In milliseconds.
absl::StatusOr<int64_t> ParseDuration(std::string_view text);
// "1h30m"; "0s". Negative ones with a leading '-', which ParseDuration refuses.
std::string FormatDuration(int64_t ms);

// ISO 8601: "2026-12-31T04:00:00Z", the same with an offset such as +01:00, or without one, which
// is a local time of `zone`; seconds and their fraction may be left out, a blank may stand for the
// T, and a date alone is its midnight. In Unix milliseconds.
absl::StatusOr<int64_t> ParseInstant(std::string_view text, const TimeZone& zone = {});
// "2026-12-31T04:00:00Z", or with the offset that `zone` has then; milliseconds only when there are
// any.
std::string FormatInstant(int64_t unix_ms, const TimeZone& zone = {});

// A part of each day, its end excluded: "02:00Z-06:00Z", and across midnight "22:00Z-04:00Z". With
// Z at both ends in UTC, without at either in the zone given. On a day that a change of the clock
// makes of another length, the window's ends stay where the clock shows them; a window that the
// change swallows whole does not occur that day.
class DailyWindow {
 public:
  static absl::StatusOr<DailyWindow> Parse(std::string_view text, const TimeZone& zone = {});

  bool Contains(int64_t unix_ms) const;
  // The next one strictly after `unix_ms`.
  int64_t NextStart(int64_t unix_ms) const;
  int64_t NextEnd(int64_t unix_ms) const;

  // As Parse reads it, minutes alone: "02:00Z-06:00Z".
  std::string text() const;

 private:
  struct Occurrence {
    int64_t start_ms;
    int64_t end_ms;
  };

  DailyWindow(TimeZone zone, int start_minute, int end_minute)
      : zone_(std::move(zone)), start_minute_(start_minute), end_minute_(end_minute) {}
  // That which starts on `day`.
  Occurrence On(absl::CivilDay day) const;
  // Whether an occurrence fits, from the day before `unix_ms` on; and that one.
  template <typename Fits>
  Occurrence FirstThat(int64_t unix_ms, Fits fits) const;

  TimeZone zone_;
  int start_minute_;  // of the day, 0..1439
  int end_minute_;    // 1..1440
};

}  // namespace lapse
