// The hours of a day in which maintenance may be done, in the managed service's spelling:
// "02:00Z-06:00Z", in UTC, with an end that may lie on the next day.
//
// Thread: pure functions on a plain value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lapse {

struct MaintenanceWindow {
  int start_minute = 0;  // of the day, 0..1439
  int end_minute = 0;    // another one

  // "02:00Z".
  std::string start() const;
  std::string end() const;
};

// "02:00Z" and "06:00Z"; nullopt when one is not such a time, or both are the same.
std::optional<MaintenanceWindow> ParseMaintenanceWindow(std::string_view start,
                                                        std::string_view end);
// "02:00Z-06:00Z".
std::optional<MaintenanceWindow> ParseMaintenanceWindow(std::string_view text);

}  // namespace lapse
