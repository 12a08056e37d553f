#include "expiry/tasks/time_zone.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "expiry/tasks/reading.h"

namespace lapse {
namespace {

bool ShapedLikeAName(std::string_view name) {
  if (name.empty() || name.size() > TimeZone::kMaxNameLength) return false;
  if (!IsLetter(name.front())) return false;
  for (const char c : name) {
    const bool allowed = IsLetter(c) || IsDigit(c) || c == '/' || c == '_' || c == '-' || c == '+';
    if (!allowed) return false;
  }
  // What the database's reader would take for something else than a zone.
  return name.back() != '/' && name != "localtime";
}

// "+02:00" and "-0330".
std::optional<int> FixedOffsetSeconds(std::string_view name) {
  if (name.size() < 5 || (name[0] != '+' && name[0] != '-')) return std::nullopt;
  std::string digits(name.substr(1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  if (digits.size() != 4) return std::nullopt;
  const std::optional<int64_t> number = ReadDigits(digits);
  if (!number.has_value()) return std::nullopt;
  const int hours = static_cast<int>(*number / 100);
  const int minutes = static_cast<int>(*number % 100);
  if (hours > 18 || minutes > 59) return std::nullopt;
  const int seconds = hours * 3600 + minutes * 60;
  return name[0] == '-' ? -seconds : seconds;
}

}  // namespace

absl::StatusOr<TimeZone> TimeZone::Load(std::string_view name) {
  if (SameWord(name, "UTC") || SameWord(name, "Z")) return TimeZone();
  if (const std::optional<int> offset = FixedOffsetSeconds(name)) {
    return TimeZone(absl::FixedTimeZone(*offset), std::string(name));
  }
  if (!ShapedLikeAName(name)) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is not the name of a time zone; write it like Europe/Berlin, UTC or +02:00",
        name.substr(0, kMaxNameLength)));
  }
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(std::string(name), &zone)) {
    return absl::NotFoundError(fmt::format(
        "time zone '{}' is not in this system's database (package tzdata); case matters", name));
  }
  return TimeZone(zone, std::string(name));
}

absl::CivilSecond TimeZone::LocalAt(int64_t unix_ms) const {
  return absl::ToCivilSecond(absl::FromUnixSeconds(FloorToSecond(unix_ms)), zone_);
}

int64_t TimeZone::InstantOf(absl::CivilSecond local) const {
  const absl::TimeZone::TimeInfo info = zone_.At(local);
  const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
  return absl::ToUnixMillis(skipped ? info.trans : info.pre);
}

int64_t FloorToSecond(int64_t unix_ms) {
  const int64_t seconds = unix_ms / 1000;
  return unix_ms % 1000 < 0 ? seconds - 1 : seconds;
}

}  // namespace lapse
