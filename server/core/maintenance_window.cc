#include "server/core/maintenance_window.h"

#include "fmt/format.h"

namespace lapse {
namespace {

bool TwoDigits(std::string_view text, int most, int& value) {
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return false;
  value = (text[0] - '0') * 10 + (text[1] - '0');
  return value <= most;
}

// "02:00Z" as a minute of the day.
std::optional<int> ParseMinute(std::string_view text) {
  int hour = 0;
  int minute = 0;
  if (text.size() != 6 || text[2] != ':' || text[5] != 'Z') return std::nullopt;
  if (!TwoDigits(text, 23, hour) || !TwoDigits(text.substr(3), 59, minute)) return std::nullopt;
  return hour * 60 + minute;
}

std::string Spell(int minute) { return fmt::format("{:02}:{:02}Z", minute / 60, minute % 60); }

}  // namespace

std::string MaintenanceWindow::start() const { return Spell(start_minute); }
std::string MaintenanceWindow::end() const { return Spell(end_minute); }

std::optional<MaintenanceWindow> ParseMaintenanceWindow(std::string_view start,
                                                        std::string_view end) {
  const std::optional<int> from = ParseMinute(start);
  const std::optional<int> to = ParseMinute(end);
  if (!from || !to || *from == *to) return std::nullopt;
  return MaintenanceWindow{*from, *to};
}

std::optional<MaintenanceWindow> ParseMaintenanceWindow(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  return ParseMaintenanceWindow(text.substr(0, dash), text.substr(dash + 1));
}

}  // namespace lapse
