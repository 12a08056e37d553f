#include "expiry/tasks/cron.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <span>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "expiry/tasks/reading.h"

namespace lapse {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED",
                                                       "THU", "FRI", "SAT"};

struct Field {
  std::string_view name;
  int first;
  int last;
  std::span<const std::string_view> names = {};  // of first, first + 1 ...
  bool is_day = false;                           // `?` is allowed
  bool has_last_day = false;                     // `L` is allowed
};

constexpr Field kSecond{"second", 0, 59};
constexpr Field kMinute{"minute", 0, 59};
constexpr Field kHour{"hour", 0, 23};
constexpr Field kDay{"day-of-month", 1, 31, {}, true, true};
constexpr Field kMonth{"month", 1, 12, kMonths};
constexpr Field kWeekday{"day-of-week", 0, 7, kWeekdays, true};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

constexpr uint64_t kAllHours = (uint64_t{1} << 24) - 1;

uint64_t Bit(int n) { return uint64_t{1} << n; }

// The lowest value of `set` that is at least `from`; -1: none.
int AtLeast(uint64_t set, int from) {
  if (from >= 64) return -1;
  const uint64_t rest = set >> from;
  return rest == 0 ? -1 : from + std::countr_zero(rest);
}

bool StartsWithAny(std::string_view text) { return text[0] == '*' || text[0] == '?'; }

}  // namespace

// Reads the fields one by one; each function's error says which field and what of it.
class CronParser {
 public:
  explicit CronParser(std::string_view text) : text_(text) {}
  absl::StatusOr<CronExpression> Parse();

 private:
  struct Values {
    uint64_t set = 0;
    bool last_day = false;
  };

  absl::Status Error(const Field& field, std::string_view what) const {
    return absl::InvalidArgumentError(
        fmt::format("cron expression '{}': {} field: {}", text_, field.name, what));
  }
  absl::Status Error(std::string_view what) const {
    return absl::InvalidArgumentError(fmt::format("cron expression '{}': {}", text_, what));
  }

  absl::StatusOr<CronExpression> ParseWord() const;
  absl::Status ParseInto(CronExpression& into, std::span<const std::string_view> fields) const;
  absl::StatusOr<Values> ParseField(const Field& field, std::string_view text) const;
  // One member of a list.
  absl::Status AddItem(const Field& field, std::string_view item, Values& values) const;
  absl::StatusOr<int> ParseStep(const Field& field, std::string_view text) const;
  absl::StatusOr<int> ParseValue(const Field& field, std::string_view text) const;

  std::string_view text_;
};

absl::StatusOr<CronExpression> CronParser::Parse() {
  text_ = WithoutBlanks(text_);
  if (text_.size() > CronExpression::kMaxLength) {
    return absl::InvalidArgumentError(
        fmt::format("a cron expression has at most {} characters", CronExpression::kMaxLength));
  }
  if (text_.starts_with('@')) return ParseWord();

  const std::vector<std::string_view> fields = SplitAtBlanks(text_);
  if (fields.size() != 5 && fields.size() != 6) {
    return Error(fmt::format(
        "has {} field{}; five are needed (minute hour day-of-month month day-of-week), or six "
        "with the second first",
        fields.size(), fields.size() == 1 ? "" : "s"));
  }
  CronExpression cron;
  cron.text_ = fmt::format("{}", fmt::join(fields, " "));
  if (absl::Status status = ParseInto(cron, fields); !status.ok()) return status;
  return cron;
}

absl::StatusOr<CronExpression> CronParser::ParseWord() const {
  for (const auto& [word, meaning] : kWords) {
    if (!SameWord(word, text_)) continue;
    absl::StatusOr<CronExpression> cron = CronParser(meaning).Parse();
    if (cron.ok()) cron->text_ = std::string(text_);
    return cron;
  }
  if (SameWord(text_, "@reboot")) {
    return Error("@reboot names no time");
  }
  return Error("unknown word; there are @yearly, @monthly, @weekly, @daily and @hourly");
}

absl::Status CronParser::ParseInto(CronExpression& into,
                                   std::span<const std::string_view> fields) const {
  if (fields.size() == 6) {
    absl::StatusOr<Values> seconds = ParseField(kSecond, fields[0]);
    if (!seconds.ok()) return seconds.status();
    into.seconds_ = seconds->set;
    fields = fields.subspan(1);
  }
  absl::StatusOr<Values> minutes = ParseField(kMinute, fields[0]);
  if (!minutes.ok()) return minutes.status();
  absl::StatusOr<Values> hours = ParseField(kHour, fields[1]);
  if (!hours.ok()) return hours.status();
  absl::StatusOr<Values> days = ParseField(kDay, fields[2]);
  if (!days.ok()) return days.status();
  absl::StatusOr<Values> months = ParseField(kMonth, fields[3]);
  if (!months.ok()) return months.status();
  absl::StatusOr<Values> weekdays = ParseField(kWeekday, fields[4]);
  if (!weekdays.ok()) return weekdays.status();

  into.minutes_ = minutes->set;
  into.hours_ = hours->set;
  into.days_ = days->set;
  into.last_day_ = days->last_day;
  into.months_ = months->set;
  into.weekdays_ = weekdays->set;
  if ((into.weekdays_ & Bit(7)) != 0) into.weekdays_ = (into.weekdays_ & ~Bit(7)) | Bit(0);
  into.any_day_ = StartsWithAny(fields[2]);
  into.any_weekday_ = StartsWithAny(fields[4]);
  into.rhythm_ = StartsWithAny(fields[1]) || into.hours_ == kAllHours;
  return absl::OkStatus();
}

absl::StatusOr<CronParser::Values> CronParser::ParseField(const Field& field,
                                                          std::string_view text) const {
  Values values;
  for (const std::string_view item : SplitAt(text, ',')) {
    if (absl::Status status = AddItem(field, item, values); !status.ok()) return status;
  }
  return values;
}

absl::Status CronParser::AddItem(const Field& field, std::string_view item, Values& values) const {
  if (item.empty()) return Error(field, "a list has an empty member");
  if (field.has_last_day && SameWord(item, "L")) {
    values.last_day = true;
    return absl::OkStatus();
  }

  int step = 1;
  const size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  if (slash != std::string_view::npos) {
    absl::StatusOr<int> parsed = ParseStep(field, item.substr(slash + 1));
    if (!parsed.ok()) return parsed.status();
    step = *parsed;
  }

  int from = field.first;
  int to = field.last;
  if (range != "*" && !(field.is_day && range == "?")) {
    const size_t dash = range.find('-');
    absl::StatusOr<int> parsed = ParseValue(field, range.substr(0, dash));
    if (!parsed.ok()) return parsed.status();
    from = *parsed;
    if (dash != std::string_view::npos) {
      parsed = ParseValue(field, range.substr(dash + 1));
      if (!parsed.ok()) return parsed.status();
      to = *parsed;
      // SAT-SUN: a week's end is its Sunday.
      if (&field == &kWeekday && to == 0 && from > 0) to = 7;
    } else if (slash == std::string_view::npos) {
      to = from;
    }
    if (to < from) {
      return Error(field, fmt::format("'{}' runs backwards; write {}-{},{}-{}", range, from,
                                      field.last, field.first, to));
    }
  }
  for (int n = from; n <= to; n += step) values.set |= Bit(n);
  return absl::OkStatus();
}

absl::StatusOr<int> CronParser::ParseStep(const Field& field, std::string_view text) const {
  const int most = field.last - field.first + 1;
  const std::optional<int64_t> step = ReadDigits(text);
  if (!step.has_value() || *step < 1 || *step > most) {
    return Error(field, fmt::format("'{}' is not a step from 1 to {}", text, most));
  }
  return static_cast<int>(*step);
}

absl::StatusOr<int> CronParser::ParseValue(const Field& field, std::string_view text) const {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (SameWord(text, field.names[i])) return field.first + static_cast<int>(i);
  }
  const std::optional<int64_t> value = ReadDigits(text);
  if (value.has_value() && *value >= field.first && *value <= field.last) {
    return static_cast<int>(*value);
  }
  std::string what =
      fmt::format("'{}' is not a number from {} to {}", text, field.first, field.last);
  if (!field.names.empty()) what += fmt::format(" or a name such as {}", field.names[0]);
  return Error(field, what);
}

absl::StatusOr<CronExpression> CronExpression::Parse(std::string_view text) {
  return CronParser(text).Parse();
}

bool CronExpression::FitsDay(absl::CivilDay day) const {
  const bool last = last_day_ && (day + 1).day() == 1;
  const bool by_day = last || (days_ & Bit(day.day())) != 0;
  // absl counts from Monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  const bool by_weekday = (weekdays_ & Bit(weekday)) != 0;
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<absl::CivilDay> CronExpression::FirstDay(absl::CivilDay day,
                                                       absl::CivilDay horizon) const {
  while (day <= horizon) {
    if ((months_ & Bit(day.month())) == 0) {
      day = absl::CivilDay(absl::CivilMonth(day) + 1);
    } else if (!FitsDay(day)) {
      ++day;
    } else {
      return day;
    }
  }
  return std::nullopt;
}

std::optional<absl::CivilSecond> CronExpression::First(absl::CivilSecond local,
                                                       absl::CivilDay horizon) const {
  std::optional<absl::CivilDay> day = FirstDay(absl::CivilDay(local), horizon);
  if (!day.has_value()) return std::nullopt;
  if (*day == absl::CivilDay(local)) {
    // The rest of this very day: of the minute, then of the hour, then of the day.
    const bool hour_fits = (hours_ & Bit(local.hour())) != 0;
    if (hour_fits && (minutes_ & Bit(local.minute())) != 0) {
      const int second = AtLeast(seconds_, local.second());
      if (second >= 0) return absl::CivilSecond(absl::CivilMinute(local)) + second;
    }
    const absl::CivilSecond first_second = absl::CivilSecond(*day) + AtLeast(seconds_, 0);
    const int minute = hour_fits ? AtLeast(minutes_, local.minute() + 1) : -1;
    if (minute >= 0) return first_second + local.hour() * 3600 + minute * 60;
    const int hour = AtLeast(hours_, local.hour() + 1);
    if (hour >= 0) return first_second + hour * 3600 + AtLeast(minutes_, 0) * 60;
    day = FirstDay(*day + 1, horizon);
    if (!day.has_value()) return std::nullopt;
  }
  return absl::CivilSecond(*day) + AtLeast(hours_, 0) * 3600 + AtLeast(minutes_, 0) * 60 +
         AtLeast(seconds_, 0);
}

std::optional<int64_t> CronExpression::NextAfter(int64_t unix_ms, const TimeZone& zone) const {
  return rhythm_ ? NextOfRhythm(unix_ms, zone) : NextTimeOfDay(unix_ms, zone);
}

// Walks local time. Local times map to instants in order, so the first that lies after the instant
// given is the answer.
std::optional<int64_t> CronExpression::NextTimeOfDay(int64_t unix_ms, const TimeZone& zone) const {
  absl::CivilSecond from = zone.LocalAt(unix_ms) + 1;
  const absl::CivilDay horizon(from.year() + kHorizonYears, 12, 31);
  while (true) {
    const std::optional<absl::CivilSecond> local = First(from, horizon);
    if (!local.has_value()) return std::nullopt;
    const int64_t instant = zone.InstantOf(*local);
    if (instant > unix_ms) return instant;
    // In the second pass of a repeated hour: all of its times were in the first. What follows is
    // the end of the hour, on the clock as it was before the change.
    const absl::TimeZone::TimeInfo info = zone.zone().At(*local);
    const bool repeated = info.kind == absl::TimeZone::TimeInfo::REPEATED;
    const absl::CivilSecond end =
        absl::ToCivilSecond(info.trans - absl::Seconds(1), zone.zone()) + 1;
    from = repeated && end > *local ? end : *local + 1;
  }
}

// Walks the stretches of time between changes of offset, in each of which local time and instants
// go in step.
std::optional<int64_t> CronExpression::NextOfRhythm(int64_t unix_ms, const TimeZone& zone) const {
  absl::CivilSecond from = zone.LocalAt(unix_ms) + 1;
  int64_t from_second = FloorToSecond(unix_ms) + 1;
  const absl::CivilDay horizon(from.year() + kHorizonYears, 12, 31);
  // The change may fall on the second that is looked at first, hence one back.
  absl::Time at = absl::FromUnixSeconds(from_second - 1);
  while (absl::CivilDay(from) <= horizon) {
    const std::optional<absl::CivilSecond> local = First(from, horizon);
    absl::TimeZone::CivilTransition change;
    const bool changes = zone.zone().NextTransition(at, &change);
    const absl::Time change_at = changes ? zone.zone().At(change.to).post : absl::InfiniteFuture();
    if (local.has_value()) {
      const absl::Time fits = absl::FromUnixSeconds(from_second + (*local - from));
      if (fits < change_at) return absl::ToUnixMillis(fits);
    }
    if (!changes) return std::nullopt;
    from = change.to;
    from_second = absl::ToUnixSeconds(change_at);
    at = change_at;
  }
  return std::nullopt;
}

}  // namespace lapse
