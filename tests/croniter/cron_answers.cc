// Answers questions about schedules, one a line, for tests/croniter/compare.py:
//
//   <unix ms> <zone> <cron expression>   ->   <unix ms> | never | error: <what>
#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <string>
#include <string_view>

#include "expiry/tasks/cron.h"

namespace {

std::string Answer(std::string_view question) {
  const size_t first = question.find(' ');
  const size_t second = question.find(' ', first + 1);
  if (second == std::string_view::npos) return "error: not a question";
  int64_t from_ms = 0;
  std::from_chars(question.data(), question.data() + first, from_ms);
  const auto zone = lapse::TimeZone::Load(question.substr(first + 1, second - first - 1));
  if (!zone.ok()) return fmt::format("error: {}", std::string(zone.status().message()));
  const auto cron = lapse::CronExpression::Parse(question.substr(second + 1));
  if (!cron.ok()) return fmt::format("error: {}", std::string(cron.status().message()));
  const std::optional<int64_t> next = cron->NextAfter(from_ms, *zone);
  return next.has_value() ? fmt::format("{}", *next) : "never";
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << Answer(line) << '\n';
}
