// The directives of the process, of users and scripts, of logs and of what clients are told.

#include "absl/strings/str_join.h"
#include "protocol/number.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"
#include "server/core/event_classes.h"

namespace lapse {
namespace {

ConfigRow Percentiles() {
  ConfigRow row = TextRow("latency-tracking-info-percentiles", ConfigTime::kAnyTime,
                          &Config::latency_tracking_percentiles, "numbers from 0 to 100",
                          "The percentiles of INFO latencystats.");
  row.type = ConfigType::kSpecial;
  row.set = [](Config& config, ConfigWordSpan words) {
    for (const std::string& word : words) {
      double value = 0;
      if (!ParseDouble(word, value) || value < 0 || value > 100) {
        return BadValue(
            "latency-tracking-info-percentiles accepts only percentiles between 0 and 100");
      }
    }
    config.latency_tracking_percentiles = absl::StrJoin(words, " ");
    return absl::OkStatus();
  };
  return row;
}

ConfigRow NotifyRow() {
  return {
      .name = "notify-keyspace-events",
      .type = ConfigType::kString,
      .at_run_time = true,
      .values = "letters of `KEg$lshzxetdmnA`",
      .doc =
          "What happens to keys is published: to channels by key (`K`), by event (`E`), for the "
          "classes of events that the other letters stand for, as in Redis. Empty: nothing.",
      .get = [](const Config& config) { return FormatEventClasses(config.notify_keyspace_events); },
      .set =
          [](Config& config, ConfigWordSpan words) {
            if (words.size() != 1) return WrongCount();
            const auto classes = ParseEventClasses(words[0]);
            if (!classes) return BadValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
            config.notify_keyspace_events = *classes;
            return absl::OkStatus();
          }};
}

}  // namespace

void AddGeneralRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(TextRow("dir", kAtStart, &Config::dir, "path", "The working directory."));
  rows.push_back(TextRow("logfile", kAtStart, &Config::logfile, "path",
                         "Where the log goes. Empty: standard output."));
  rows.push_back(ChoiceRow("loglevel", kAnyTime, &Config::loglevel,
                           {"debug", "verbose", "notice", "warning"},
                           "The least urgent messages that are logged."));
  rows.push_back(FlagRow("daemonize", kAtStart, &Config::daemonize, "Runs in the background."));
  rows.push_back(TextRow("pidfile", kAtStart, &Config::pidfile, "path",
                         "A file that holds the process's id while it runs. Empty: none."));
  rows.push_back(NumberRow("databases", kAtStart, &Config::databases, {1, 16384},
                           "How many databases SELECT offers."));
  rows.push_back(TextRow("requirepass", kAnyTime, &Config::requirepass, "text",
                         "The password of the user `default`. Empty: none is needed."));
  rows.back().type = ConfigType::kPassword;
  rows.push_back(
      TextRow("aclfile", kAtStart, &Config::aclfile, "path",
              "The file that holds the users. Empty: `user` lines of the configuration."));
  rows.push_back(NumberRow("acllog-max-len", kAnyTime, &Config::acllog_max_len, {0, kAnyInteger},
                           "How many denials the ACL log keeps."));
  rows.push_back(ChoiceRow("enable-debug-command", kAtStart, &Config::enable_debug_command,
                           {"no", "yes", "local"},
                           "Who may use DEBUG; `local`: clients on this machine."));
  for (const std::string_view name : {"busy-reply-threshold", "lua-time-limit"}) {
    rows.push_back(
        NumberRow(name, kAnyTime, &Config::busy_reply_threshold_ms, {0, kAnyInteger},
                  "Milliseconds after which a script that still runs has others answered "
                  "BUSY; 0: never."));
  }
  rows.push_back(FlagRow("lazyfree-lazy-user-flush", kAnyTime, &Config::lazyfree_lazy_user_flush,
                         "Whether FLUSHALL and FLUSHDB mean ASYNC when they do not say."));
}

void AddMonitoringRows(std::vector<ConfigRow>& rows) {
  constexpr ConfigTime kAnyTime = ConfigTime::kAnyTime;
  rows.push_back(NumberRow("slowlog-log-slower-than", kAnyTime, &Config::slowlog_slower_than_us,
                           {-1, kAnyInteger, "us"},
                           "What a command must take to be in the slow log. -1: none is."));
  rows.push_back(NumberRow("slowlog-max-len", kAnyTime, &Config::slowlog_max_len, {0, kAnyInteger},
                           "How many commands the slow log keeps."));
  rows.push_back(NumberRow("latency-monitor-threshold", kAnyTime,
                           &Config::latency_monitor_threshold_ms, {0, kAnyInteger, "ms"},
                           "What a command must take to be a latency spike. 0: none is."));
  rows.push_back(FlagRow("latency-tracking", kAnyTime, &Config::latency_tracking,
                         "Whether INFO latencystats shows the commands' percentiles."));
  rows.push_back(Percentiles());
}

void AddServiceRows(std::vector<ConfigRow>& rows) {
  rows.push_back(NotifyRow());
  rows.push_back(
      NumberRow("tracking-table-max-keys", ConfigTime::kAnyTime, &Config::tracking_table_max_keys,
                {0, kAnyInteger},
                "How many keys are remembered for clients that cache them. 0: any number."));
}

}  // namespace lapse
