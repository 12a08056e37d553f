// A time zone by name: what a task's schedule is read in.
//
// A value over absl::TimeZone that is cheap to copy, knows the name that it was asked for, and
// loads with an error instead of falling back to UTC. Names are those of the IANA database ("UTC",
// "Europe/Berlin"), which comes with the system's tzdata, or a fixed offset ("+02:00"). UTC needs
// no database. Names come from clients, so what is not shaped like one is refused before the
// database's reader sees it as a path.
//
// Two conversions, with one rule for local times that a change of offset removes or repeats: one
// that is skipped stands for the instant of the change, one that occurs twice for the first time.
// The conversion from local time never decreases, then, which CronExpression relies on.
//
// Thread: immutable; any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace lapse {

class TimeZone {
 public:
  static constexpr size_t kMaxNameLength = 64;

  // UTC.
  TimeZone() : zone_(absl::UTCTimeZone()), name_("UTC") {}
  // InvalidArgument: not a zone's name. NotFound: the system's database lacks it.
  static absl::StatusOr<TimeZone> Load(std::string_view name);

  const std::string& name() const { return name_; }
  bool is_utc() const { return name_ == "UTC"; }
  const absl::TimeZone& zone() const { return zone_; }

  // The local time at an instant, rounded down to the second.
  absl::CivilSecond LocalAt(int64_t unix_ms) const;
  // The instant of a local time, as said above.
  int64_t InstantOf(absl::CivilSecond local) const;

 private:
  TimeZone(absl::TimeZone zone, std::string name) : zone_(zone), name_(std::move(name)) {}

  absl::TimeZone zone_;
  std::string name_;
};

// `ms` as Unix seconds, rounded down before 1970 too.
int64_t FloorToSecond(int64_t unix_ms);

}  // namespace lapse
