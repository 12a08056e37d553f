#include "expiry/tasks/times.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "expiry/tasks/reading.h"

namespace lapse {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};

// Larger first; Format leaves weeks out.
constexpr std::array<Unit, 6> kUnits = {{
    {"w", 604'800'000},
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1000},
    {"ms", 1},
}};

absl::Status BadDuration(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("duration '{}': {}", text.substr(0, 64), what));
}

absl::Status BadInstant(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      fmt::format("time '{}': {}; write it like 2026-12-31T04:00:00Z", text.substr(0, 64), what));
}

absl::Status BadWindow(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(
      fmt::format("window '{}': {}; write it like 02:00Z-06:00Z", text.substr(0, 64), what));
}

// Takes two digits, or as many as `count` says, off the front; -1 when they are not there.
int TakeDigits(std::string_view& text, size_t count = 2) {
  const std::optional<int64_t> value = ReadDigits(text.substr(0, count));
  if (!value.has_value() || text.size() < count) return -1;
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Reads the parts of an instant, left to right.
class InstantReader {
 public:
  explicit InstantReader(std::string_view text) : whole_(text), rest_(text) {}

  absl::StatusOr<int64_t> Read(const TimeZone& zone) {
    absl::CivilSecond local;
    if (absl::Status status = ReadDate(local); !status.ok()) return status;
    if (rest_.empty()) return zone.InstantOf(local);
    if (!Take(rest_, 'T') && !Take(rest_, 't') && !Take(rest_, ' ')) {
      return BadInstant(whole_, "something other than a time follows the date");
    }
    int64_t ms = 0;
    if (absl::Status status = ReadTime(local, ms); !status.ok()) return status;
    if (rest_.empty()) return zone.InstantOf(local) + ms;
    if (SameWord(rest_, "Z")) return TimeZone().InstantOf(local) + ms;
    std::string offset(rest_);
    if (offset.size() == 3) offset += ":00";
    const bool shaped = offset.starts_with('+') || offset.starts_with('-');
    absl::StatusOr<TimeZone> fixed = TimeZone::Load(offset);
    if (!shaped || !fixed.ok()) {
      return BadInstant(whole_, fmt::format("'{}' is not an offset from UTC", rest_));
    }
    return fixed->InstantOf(local) + ms;
  }

 private:
  absl::Status ReadDate(absl::CivilSecond& local) {
    const int year = TakeDigits(rest_, 4);
    const int month = Take(rest_, '-') ? TakeDigits(rest_) : -1;
    const int day = Take(rest_, '-') ? TakeDigits(rest_) : -1;
    if (year < 0 || month < 0 || day < 0) return BadInstant(whole_, "does not start with a date");
    const absl::CivilDay date(year, month, day);
    // A civil day carries what does not fit over into the next month.
    if (date.month() != month || date.day() != day) {
      return BadInstant(whole_, "there is no such day");
    }
    local = absl::CivilSecond(date);
    return absl::OkStatus();
  }

  absl::Status ReadTime(absl::CivilSecond& local, int64_t& ms) {
    const int hour = TakeDigits(rest_);
    const int minute = Take(rest_, ':') ? TakeDigits(rest_) : -1;
    if (hour < 0 || minute < 0)
      return BadInstant(whole_, "the time of day needs hours and minutes");
    int second = 0;
    if (Take(rest_, ':')) {
      second = TakeDigits(rest_);
      if (Take(rest_, '.') && !TakeFraction(ms)) {
        return BadInstant(whole_, "a fraction needs digits");
      }
    }
    if (second < 0 || hour > 23 || minute > 59 || second > 59) {
      return BadInstant(whole_, "there is no such time of day");
    }
    local += hour * 3600 + minute * 60 + second;
    return absl::OkStatus();
  }

  // Rounds down to milliseconds.
  bool TakeFraction(int64_t& ms) {
    if (rest_.empty() || !IsDigit(rest_[0])) return false;
    for (int scale = 100; !rest_.empty() && IsDigit(rest_[0]); scale /= 10) {
      ms += (rest_[0] - '0') * scale;
      rest_.remove_prefix(1);
    }
    return true;
  }

  std::string_view whole_;
  std::string_view rest_;
};

// "02:00" and "02:00Z" as minutes of the day; 24:00 is the day's end.
struct ClockTime {
  int minute;
  bool utc;
};

std::optional<ClockTime> ReadClockTime(std::string_view text) {
  const int hour = TakeDigits(text);
  const int minute = Take(text, ':') ? TakeDigits(text) : -1;
  if (hour < 0 || minute < 0 || minute > 59) return std::nullopt;
  const bool utc = Take(text, 'Z') || Take(text, 'z');
  const int of_day = hour * 60 + minute;
  if (!text.empty() || of_day > 24 * 60) return std::nullopt;
  return ClockTime{of_day, utc};
}

}  // namespace

absl::StatusOr<int64_t> ParseDuration(std::string_view text) {
  std::string_view rest = WithoutBlanks(text);
  if (rest == "0") return 0;
  if (rest.empty()) return BadDuration(text, "is empty; write it like 90s, 10m or 1h30m");
  int64_t total = 0;
  size_t next_unit = 0;  // units before this one have had their turn
  while (!rest.empty()) {
    size_t digits = 0;
    while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
    const std::optional<int64_t> value = ReadDigits(rest.substr(0, digits));
    if (!value.has_value()) {
      return BadDuration(text, fmt::format("'{}' does not start with a whole number", rest));
    }
    rest.remove_prefix(digits);
    size_t letters = 0;
    while (letters < rest.size() && IsLetter(rest[letters])) ++letters;
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);

    size_t unit = 0;
    while (unit < kUnits.size() && !SameWord(kUnits[unit].name, name)) ++unit;
    if (unit == kUnits.size()) {
      return BadDuration(text, name.empty()
                                   ? fmt::format("{} has no unit (w, d, h, m, s, ms)", *value)
                                   : fmt::format("'{}' is not one of w, d, h, m, s, ms", name));
    }
    if (unit < next_unit) return BadDuration(text, "its units do not go from large to small");
    next_unit = unit + 1;
    if (*value > (kMaxDurationMs - total) / kUnits[unit].ms) {
      return BadDuration(text, "is longer than a hundred years");
    }
    total += *value * kUnits[unit].ms;
  }
  return total;
}

std::string FormatDuration(int64_t ms) {
  if (ms == 0) return "0s";
  std::string text = ms < 0 ? "-" : "";
  // Unsigned, since the lowest number has no positive counterpart.
  uint64_t rest = ms < 0 ? uint64_t{0} - static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<uint64_t>(unit.ms);
    if (unit.name == "w" || rest < size) continue;
    text += fmt::format("{}{}", rest / size, unit.name);
    rest %= size;
  }
  return text;
}

absl::StatusOr<int64_t> ParseInstant(std::string_view text, const TimeZone& zone) {
  return InstantReader(WithoutBlanks(text)).Read(zone);
}

std::string FormatInstant(int64_t unix_ms, const TimeZone& zone) {
  const absl::Time time = absl::FromUnixMillis(unix_ms);
  std::string format = "%Y-%m-%dT%H:%M:%S";
  const int64_t ms = unix_ms - FloorToSecond(unix_ms) * 1000;
  if (ms != 0) format += fmt::format(".{:03}", ms);
  format += zone.is_utc() ? "Z" : "%Ez";
  return absl::FormatTime(format, time, zone.zone());
}

absl::StatusOr<DailyWindow> DailyWindow::Parse(std::string_view text, const TimeZone& zone) {
  const std::vector<std::string_view> ends = SplitAt(WithoutBlanks(text), '-');
  if (ends.size() != 2) return BadWindow(text, "needs a start and an end");
  const std::optional<ClockTime> start = ReadClockTime(WithoutBlanks(ends[0]));
  const std::optional<ClockTime> end = ReadClockTime(WithoutBlanks(ends[1]));
  if (!start.has_value() || start->minute == 24 * 60) {
    return BadWindow(text, fmt::format("'{}' is not a time of day", ends[0]));
  }
  if (!end.has_value()) return BadWindow(text, fmt::format("'{}' is not a time of day", ends[1]));
  if (start->utc != end->utc) return BadWindow(text, "has a Z at one end only");
  const int end_minute = end->minute == 0 ? 24 * 60 : end->minute;
  if (start->minute == end_minute % (24 * 60)) {
    return BadWindow(text, "starts where it ends; for the whole day leave it out");
  }
  return DailyWindow(start->utc ? TimeZone() : zone, start->minute, end_minute);
}

DailyWindow::Occurrence DailyWindow::On(absl::CivilDay day) const {
  const absl::CivilDay end_day = end_minute_ > start_minute_ ? day : day + 1;
  return {zone_.InstantOf(absl::CivilSecond(day) + start_minute_ * 60),
          zone_.InstantOf(absl::CivilSecond(end_day) + end_minute_ * 60)};
}

template <typename Fits>
DailyWindow::Occurrence DailyWindow::FirstThat(int64_t unix_ms, Fits fits) const {
  // Two days back, since a change of the clock may repeat up to one. Then some days at most, for no
  // change swallows more than one.
  constexpr int kMostDays = 8;
  absl::CivilDay day = absl::CivilDay(zone_.LocalAt(unix_ms)) - 2;
  for (int i = 1; i < kMostDays; ++i, ++day) {
    const Occurrence occurrence = On(day);
    if (occurrence.start_ms < occurrence.end_ms && fits(occurrence)) return occurrence;
  }
  return On(day);
}

bool DailyWindow::Contains(int64_t unix_ms) const {
  return FirstThat(unix_ms, [&](const Occurrence& o) { return o.end_ms > unix_ms; }).start_ms <=
         unix_ms;
}

int64_t DailyWindow::NextStart(int64_t unix_ms) const {
  return FirstThat(unix_ms, [&](const Occurrence& o) { return o.start_ms > unix_ms; }).start_ms;
}

int64_t DailyWindow::NextEnd(int64_t unix_ms) const {
  return FirstThat(unix_ms, [&](const Occurrence& o) { return o.end_ms > unix_ms; }).end_ms;
}

std::string DailyWindow::text() const {
  const std::string_view mark = zone_.is_utc() ? "Z" : "";
  return fmt::format("{:02}:{:02}{}-{:02}:{:02}{}", start_minute_ / 60, start_minute_ % 60, mark,
                     end_minute_ / 60, end_minute_ % 60, mark);
}

}  // namespace lapse
