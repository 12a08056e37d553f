// The directives of expiry and of flush tasks.

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "expiry/strategy.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

constexpr int64_t kLeastHz = 1;
constexpr int64_t kMostHz = 500;

ConfigRow StrategyRow() {
  return {
      .name = "active-expire-strategy",
      .type = ConfigType::kEnum,
      .at_run_time = true,
      .values = "hinted, sampled, fullscan",
      .doc =
          "How expired keys are found: by the due hints in the table, by Redis's sampling, or "
          "by a steady walk over all keys.",
      .get = [](const Config& config) { return std::string(StrategyName(config.expiry.strategy)); },
      .set =
          [](Config& config, ConfigWordSpan words) {
            if (words.size() != 1) return WrongCount();
            if (ParseStrategy(absl::AsciiStrToLower(words[0]), config.expiry.strategy)) {
              return absl::OkStatus();
            }
            return CheckOneOf(words[0], {"hinted", "sampled", "fullscan"});
          }};
}

// Redis brings a value out of bounds to the nearest bound here, and here alone.
ConfigRow HzRow() {
  ConfigRow row =
      NumberRow("hz", ConfigTime::kAnyTime, &ExpirySettings::hz, {0, 2147483647},
                "How many times a second the strategy `sampled` takes its turn. Values out "
                "of bounds mean the nearest bound.");
  row.values = fmt::format("{} to {}", kLeastHz, kMostHz);
  row.set = [set = row.set](Config& config, ConfigWordSpan words) {
    absl::Status status = set(config, words);
    config.expiry.hz = std::clamp(config.expiry.hz, kLeastHz, kMostHz);
    return status;
  };
  return row;
}

}  // namespace

void AddExpiryRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(StrategyRow());
  rows.push_back(HzRow());
  rows.push_back(NumberRow("active-expire-effort", kAnyTime, &ExpirySettings::effort, {1, 10},
                           "How hard the strategy `sampled` works, as in Redis."));
  rows.push_back(NumberRow("active-expire-fullscan-period", kAnyTime,
                           &ExpirySettings::fullscan_period_ms, {100, 86'400'000, "ms"},
                           "How long the strategy `fullscan` takes for one pass over all keys."));
  rows.push_back(NumberRow("active-expire-rest-percent", kAnyTime, &ExpirySettings::rest_percent,
                           {1, 100}, "The share of a CPU for expiry while nothing is late."));
  rows.push_back(NumberRow("active-expire-behind-percent", kAnyTime,
                           &ExpirySettings::behind_percent, {1, 100},
                           "The share of a CPU for expiry while keys are late and clients wait."));
  rows.push_back(
      NumberRow("active-expire-idle-percent", kAnyTime, &ExpirySettings::idle_percent, {1, 100},
                "The share of a CPU for expiry while keys are late and no client waits."));
  rows.push_back(
      NumberRow("active-expire-slice-us", kAnyTime, &ExpirySettings::slice_us, {10, 100'000, "us"},
                "The longest that a thread works on expiry between two looks at its clients."));
  rows.push_back(
      TextRow("flush-task-file", kAtStart, &Config::flush_task_file, "path",
              "The file that keeps flush tasks and their history. Empty: they last as long "
              "as the process. Tasks may be lines of the configuration, too: `flush-task` "
              "and the words of FLUSHTASK CREATE."));
}

}  // namespace lapse
