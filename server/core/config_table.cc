// The directives. A row says everything about one: CONFIG GET and SET, the file, the command line,
// CONFIG REWRITE and docs/configuration.md know nothing else.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "expiry/strategy.h"
#include "protocol/number.h"
#include "server/core/arguments.h"
#include "server/core/config.h"
#include "server/core/config_rows.h"
#include "server/core/event_classes.h"

namespace lapse {
namespace {

using Words = std::span<const std::string>;
using Values = std::vector<std::string>;

constexpr int64_t kMegabyte = int64_t{1} << 20;
constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostInt = std::numeric_limits<int32_t>::max();
constexpr int64_t kLeastHz = 1;
constexpr int64_t kMostHz = 500;

enum class When : uint8_t { kAtStart, kAnyTime };

absl::Status Bad(std::string reason) { return absl::InvalidArgumentError(reason); }

absl::Status NotYesNo() { return Bad("argument must be 'yes' or 'no'"); }

absl::Status WrongNumber() { return Bad("wrong number of arguments"); }

// The struct that a field's owner type names, within the config.
template <typename Owner>
auto& PartOf(auto& config) {
  if constexpr (std::is_same_v<Owner, ExpirySettings>) {
    return config.expiry;
  } else {
    return config;
  }
}

bool ParseYesNo(const std::string& word, bool& value) {
  if (EqualsIgnoreCase(word, "yes")) return value = true, true;
  if (EqualsIgnoreCase(word, "no")) return value = false, true;
  return false;
}

absl::Status CheckRange(int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Bad(fmt::format("argument must be between {} and {} inclusive", least, most));
}

absl::Status CheckOneOf(std::string_view word, const Values& values) {
  for (const std::string& value : values) {
    if (EqualsIgnoreCase(word, value)) return absl::OkStatus();
  }
  return Bad("argument(s) must be one of the following: " + absl::StrJoin(values, ", "));
}

ConfigRow Flag(std::string_view name, When when, bool Config::*field, std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kBool,
          .at_run_time = when == When::kAnyTime,
          .values = "yes, no",
          .doc = doc,
          .get = [field](const Config& config) { return config.*field ? "yes" : "no"; },
          .set =
              [field](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                if (ParseYesNo(words[0], config.*field)) return absl::OkStatus();
                return NotYesNo();
              }};
}

struct Range {
  int64_t least;
  int64_t most;
  std::string_view unit = {};
};

template <typename Owner>
ConfigRow Number(std::string_view name, When when, int64_t Owner::*field, Range range,
                 std::string_view doc) {
  std::string values = range.most == kAnyInteger ? fmt::format("{} or more", range.least)
                                                 : fmt::format("{} to {}", range.least, range.most);
  if (!range.unit.empty()) values += fmt::format(" {}", range.unit);
  return {
      .name = name,
      .type = ConfigType::kInteger,
      .at_run_time = when == When::kAnyTime,
      .values = std::move(values),
      .doc = doc,
      .get = [field](const Config& config) { return FormatInt64(PartOf<Owner>(config).*field); },
      .set =
          [field, range](Config& config, Words words) {
            if (words.size() != 1) return WrongNumber();
            int64_t value = 0;
            if (!ParseInt64(words[0], value)) {
              return Bad("argument couldn't be parsed into an integer");
            }
            absl::Status status = CheckRange(value, range.least, range.most);
            if (status.ok()) PartOf<Owner>(config).*field = value;
            return status;
          }};
}

ConfigRow Memory(std::string_view name, When when, int64_t Config::*field, int64_t least,
                 std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kMemory,
          .at_run_time = when == When::kAnyTime,
          .values = fmt::format("{} bytes or more; 1mb is 1048576", least),
          .doc = doc,
          .get = [field](const Config& config) { return FormatInt64(config.*field); },
          .set =
              [field, least](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                const absl::StatusOr<int64_t> value = ParseMemory(words[0]);
                if (!value.ok()) return value.status();
                absl::Status status = CheckRange(*value, least, kAnyInteger);
                if (status.ok()) config.*field = *value;
                return status;
              }};
}

ConfigRow Text(std::string_view name, When when, std::string Config::*field, std::string values,
               std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kString,
          .at_run_time = when == When::kAnyTime,
          .values = std::move(values),
          .doc = doc,
          .get = [field](const Config& config) { return config.*field; },
          .set =
              [field](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                config.*field = words[0];
                return absl::OkStatus();
              }};
}

ConfigRow Choice(std::string_view name, When when, std::string Config::*field, Values values,
                 std::string_view doc) {
  ConfigRow row = Text(name, when, field, absl::StrJoin(values, ", "), doc);
  row.type = ConfigType::kEnum;
  row.set = [field, values](Config& config, Words words) {
    if (words.size() != 1) return WrongNumber();
    absl::Status status = CheckOneOf(words[0], values);
    if (status.ok()) config.*field = absl::AsciiStrToLower(words[0]);
    return status;
  };
  return row;
}

// A directive with one value that is true of Lapse at this stage; `why` completes "... not
// available".
ConfigRow Only(std::string_view name, std::string_view value, std::string_view why) {
  return {.name = name,
          .type = ConfigType::kSpecial,
          .at_run_time = true,
          .values = value.empty() ? "\"\"" : std::string(value),
          .doc = why,
          .get = [value](const Config&) { return std::string(value); },
          .set =
              [value, why](Config&, Words words) {
                if (EqualsIgnoreCase(absl::StrJoin(words, " "), value)) return absl::OkStatus();
                return Bad(
                    fmt::format("{}: the only value is {}", why, value.empty() ? "\"\"" : value));
              },
          .effect = ConfigEffect::kOneValue};
}

// A directive that is taken, kept and given back, and changes nothing. No values: any text.
ConfigRow Inert(std::string_view name, Values values, std::string_view otherwise,
                std::string_view doc) {
  return {.name = name,
          .type = values.empty() ? ConfigType::kString : ConfigType::kEnum,
          .at_run_time = true,
          .values = values.empty() ? "text" : absl::StrJoin(values, ", "),
          .doc = doc,
          .get =
              [name, otherwise](const Config& config) {
                const auto found = config.inert.find(name);
                return found == config.inert.end() ? std::string(otherwise) : found->second;
              },
          .set =
              [name, values](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                absl::Status status =
                    values.empty() ? absl::OkStatus() : CheckOneOf(words[0], values);
                if (status.ok()) {
                  config.inert[std::string(name)] =
                      values.empty() ? words[0] : absl::AsciiStrToLower(words[0]);
                }
                return status;
              },
          .effect = ConfigEffect::kNone};
}

ConfigRow InertFlag(std::string_view name, std::string_view otherwise, std::string_view doc) {
  ConfigRow row = Inert(name, {"yes", "no"}, otherwise, doc);
  row.set = [set = row.set](Config& config, Words words) {
    absl::Status status = set(config, words);
    return status.ok() || words.size() != 1 ? status : NotYesNo();
  };
  return row;
}

// --- The directives that are like no other. ---

ConfigRow BindRow() {
  constexpr size_t kMaxAddresses = 16;
  return {.name = "bind",
          .type = ConfigType::kSpecial,
          .at_run_time = false,
          .values = "addresses",
          .doc =
              "The addresses to listen on, up to 16. `*` stands for all; one with `-` before it "
              "may be unavailable.",
          .get = [](const Config& config) { return absl::StrJoin(config.bind, " "); },
          .set =
              [](Config& config, Words words) {
                if (words.size() > kMaxAddresses) return Bad("Too many bind addresses specified.");
                config.bind.assign(words.begin(), words.end());
                // bind "" listens on no address.
                std::erase(config.bind, "");
                return absl::OkStatus();
              }};
}

ConfigRow UnixSocketPermRow() {
  return {.name = "unixsocketperm",
          .type = ConfigType::kInteger,
          .at_run_time = false,
          .values = "0 to 777, octal",
          .doc = "The permissions of the unix socket. 0 leaves them to the process's umask.",
          .get = [](const Config& config) { return fmt::format("{:o}", config.unixsocketperm); },
          .set =
              [](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                const char* const end = words[0].data() + words[0].size();
                int64_t value = 0;
                const auto [at, error] = std::from_chars(words[0].data(), end, value, 8);
                if (error != std::errc() || at != end) {
                  return Bad("argument couldn't be parsed as an octal number");
                }
                if (value < 0 || value > 0777)
                  return Bad("argument must be between 0 and 777 inclusive");
                config.unixsocketperm = value;
                return absl::OkStatus();
              }};
}

OutputLimit* LimitOfClass(Config& config, std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) return &config.output_limit_normal;
  if (EqualsIgnoreCase(name, "replica")) return &config.output_limit_replica;
  if (EqualsIgnoreCase(name, "slave")) return &config.output_limit_replica;
  if (EqualsIgnoreCase(name, "pubsub")) return &config.output_limit_pubsub;
  return nullptr;
}

// Several groups of four words: class, hard limit, soft limit, seconds.
absl::Status SetOutputLimits(Config& config, Words words) {
  if (words.empty() || words.size() % 4 != 0) {
    return Bad("Wrong number of arguments in buffer limit configuration.");
  }
  Config changed = config;
  for (size_t i = 0; i < words.size(); i += 4) {
    OutputLimit* const limit = LimitOfClass(changed, words[i]);
    if (limit == nullptr)
      return Bad("Invalid client class specified in buffer limit configuration.");
    const absl::StatusOr<int64_t> hard = ParseMemory(words[i + 1]);
    const absl::StatusOr<int64_t> soft = ParseMemory(words[i + 2]);
    int64_t seconds = 0;
    if (!hard.ok() || !soft.ok() || !ParseInt64(words[i + 3], seconds) || seconds < 0) {
      return Bad("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    *limit = {*hard, *soft, seconds};
  }
  config = std::move(changed);
  return absl::OkStatus();
}

ConfigRow OutputLimitsRow() {
  return {.name = "client-output-buffer-limit",
          .type = ConfigType::kSpecial,
          .at_run_time = true,
          .values = "class, hard bytes, soft bytes, soft seconds; repeatedly",
          .doc =
              "Closes a client of the class (`normal`, `replica`, `pubsub`) whose unsent replies "
              "exceed the hard limit, or the soft one for that long. 0 means no limit.",
          .get =
              [](const Config& config) {
                const auto group = [](std::string_view name, const OutputLimit& limit) {
                  return fmt::format("{} {} {} {}", name, limit.hard_bytes, limit.soft_bytes,
                                     limit.soft_seconds);
                };
                return fmt::format("{} {} {}", group("normal", config.output_limit_normal),
                                   group("slave", config.output_limit_replica),
                                   group("pubsub", config.output_limit_pubsub));
              },
          .set = SetOutputLimits};
}

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
          [](Config& config, Words words) {
            if (words.size() != 1) return WrongNumber();
            if (ParseStrategy(absl::AsciiStrToLower(words[0]), config.expiry.strategy)) {
              return absl::OkStatus();
            }
            return CheckOneOf(words[0], {"hinted", "sampled", "fullscan"});
          }};
}

// Redis brings a value out of bounds to the nearest bound here, and here alone.
ConfigRow HzRow() {
  ConfigRow row =
      Number("hz", When::kAnyTime, &ExpirySettings::hz, {0, 2147483647},
             "How many times a second the strategy `sampled` takes its turn. Values out "
             "of bounds mean the nearest bound.");
  row.values = fmt::format("{} to {}", kLeastHz, kMostHz);
  row.set = [set = row.set](Config& config, Words words) {
    absl::Status status = set(config, words);
    config.expiry.hz = std::clamp(config.expiry.hz, kLeastHz, kMostHz);
    return status;
  };
  return row;
}

// --- The table. ---

void AddNetworkRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(BindRow());
  rows.push_back(UnixSocketPermRow());
  rows.push_back(OutputLimitsRow());
  rows.push_back(
      Number("port", kAtStart, &Config::port, {0, 65535}, "The TCP port to listen on. 0: no TCP."));
  rows.push_back(Text("unixsocket", kAtStart, &Config::unixsocket, "path",
                      "The path of a unix socket to listen on. Empty: none."));
  rows.push_back(Flag("protected-mode", kAnyTime, &Config::protected_mode,
                      "Refuses clients from other machines while there is no password."));
  rows.push_back(
      Number("tcp-backlog", kAtStart, &Config::tcp_backlog, {0, 2147483647},
             "How many connections may wait to be accepted; the system may allow fewer."));
  rows.push_back(
      Number("tcp-keepalive", kAnyTime, &Config::tcp_keepalive_seconds, {0, 2147483647, "seconds"},
             "Silence on a connection after which the system probes its peer. 0: never."));
  rows.push_back(Number("timeout", kAnyTime, &Config::timeout_seconds, {0, 2147483647, "seconds"},
                        "Closes a client that has been idle for so long. 0: never."));
  rows.push_back(Number("maxclients", kAnyTime, &Config::maxclients, {1, 4294967295},
                        "How many clients may be connected at once."));
  rows.push_back(Number("io-threads", kAtStart, &Config::threads, {0, 128},
                        "Threads that serve clients. 0: one for each core."));
  rows.push_back(Memory("client-query-buffer-limit", kAnyTime, &Config::client_query_buffer_limit,
                        kMegabyte, "Closes a client that sends a request longer than this."));
  rows.push_back(Memory("proto-max-bulk-len", kAnyTime, &Config::proto_max_bulk_len, kMegabyte,
                        "The longest single argument, and the longest string value."));
}

void AddGeneralRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Text("dir", kAtStart, &Config::dir, "path", "The working directory."));
  rows.push_back(Text("logfile", kAtStart, &Config::logfile, "path",
                      "Where the log goes. Empty: standard output."));
  rows.push_back(Choice("loglevel", kAnyTime, &Config::loglevel,
                        {"debug", "verbose", "notice", "warning"},
                        "The least urgent messages that are logged."));
  rows.push_back(Flag("daemonize", kAtStart, &Config::daemonize, "Runs in the background."));
  rows.push_back(Text("pidfile", kAtStart, &Config::pidfile, "path",
                      "A file that holds the process's id while it runs. Empty: none."));
  rows.push_back(Number("databases", kAtStart, &Config::databases, {1, 16384},
                        "How many databases SELECT offers."));
  rows.push_back(Text("requirepass", kAnyTime, &Config::requirepass, "text",
                      "The password of the user `default`. Empty: none is needed."));
  rows.back().type = ConfigType::kPassword;
  rows.push_back(Text("aclfile", kAtStart, &Config::aclfile, "path",
                      "The file that holds the users. Empty: `user` lines of the configuration."));
  rows.push_back(Number("acllog-max-len", kAnyTime, &Config::acllog_max_len, {0, kAnyInteger},
                        "How many denials the ACL log keeps."));
  rows.push_back(Choice("enable-debug-command", kAtStart, &Config::enable_debug_command,
                        {"no", "yes", "local"},
                        "Who may use DEBUG; `local`: clients on this machine."));
  for (const std::string_view name : {"busy-reply-threshold", "lua-time-limit"}) {
    rows.push_back(Number(name, kAnyTime, &Config::busy_reply_threshold_ms, {0, kAnyInteger},
                          "Milliseconds after which a script that still runs has others answered "
                          "BUSY; 0: never."));
  }
  rows.push_back(Flag("lazyfree-lazy-user-flush", kAnyTime, &Config::lazyfree_lazy_user_flush,
                      "Whether FLUSHALL and FLUSHDB mean ASYNC when they do not say."));
}

void AddExpiryRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(StrategyRow());
  rows.push_back(HzRow());
  rows.push_back(Number("active-expire-effort", kAnyTime, &ExpirySettings::effort, {1, 10},
                        "How hard the strategy `sampled` works, as in Redis."));
  rows.push_back(Number("active-expire-fullscan-period", kAnyTime,
                        &ExpirySettings::fullscan_period_ms, {100, 86'400'000, "ms"},
                        "How long the strategy `fullscan` takes for one pass over all keys."));
  rows.push_back(Number("active-expire-rest-percent", kAnyTime, &ExpirySettings::rest_percent,
                        {1, 100}, "The share of a CPU for expiry while nothing is late."));
  rows.push_back(Number("active-expire-behind-percent", kAnyTime, &ExpirySettings::behind_percent,
                        {1, 100},
                        "The share of a CPU for expiry while keys are late and clients wait."));
  rows.push_back(Number("active-expire-idle-percent", kAnyTime, &ExpirySettings::idle_percent,
                        {1, 100},
                        "The share of a CPU for expiry while keys are late and no client waits."));
  rows.push_back(
      Number("active-expire-slice-us", kAnyTime, &ExpirySettings::slice_us, {10, 100'000, "us"},
             "The longest that a thread works on expiry between two looks at its clients."));
  rows.push_back(Text("flush-task-file", kAtStart, &Config::flush_task_file, "path",
                      "The file that keeps flush tasks and their history. Empty: they last as long "
                      "as the process. Tasks may be lines of the configuration, too: `flush-task` "
                      "and the words of FLUSHTASK CREATE."));
}

void AddSetRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Number("set-max-intset-entries", kAnyTime, &Config::set_max_intset_entries,
                        {0, kAnyInteger},
                        "Up to so many members, a set of integers is a sorted array."));
  rows.push_back(Number("set-max-listpack-entries", kAnyTime, &Config::set_max_listpack_entries,
                        {0, kAnyInteger}, "Up to so many members, a set is a packed list."));
  rows.push_back(Number("set-max-listpack-value", kAnyTime, &Config::set_max_listpack_value,
                        {0, kAnyInteger, "bytes"},
                        "The longest member of a set that is a packed list."));
  rows.push_back(Memory("hll-sparse-max-bytes", kAnyTime, &Config::hll_sparse_max_bytes, 0,
                        "The longest HyperLogLog that is kept as runs of registers."));
}

ConfigRow Percentiles() {
  ConfigRow row = Text("latency-tracking-info-percentiles", When::kAnyTime,
                       &Config::latency_tracking_percentiles, "numbers from 0 to 100",
                       "The percentiles of INFO latencystats.");
  row.type = ConfigType::kSpecial;
  row.set = [](Config& config, Words words) {
    for (const std::string& word : words) {
      double value = 0;
      if (!ParseDouble(word, value) || value < 0 || value > 100) {
        return Bad("latency-tracking-info-percentiles accepts only percentiles between 0 and 100");
      }
    }
    config.latency_tracking_percentiles = absl::StrJoin(words, " ");
    return absl::OkStatus();
  };
  return row;
}

ConfigRow PolicyRow() {
  constexpr int kPolicies = 8;
  Values names;
  for (int i = 0; i < kPolicies; ++i) {
    names.emplace_back(EvictionPolicyName(static_cast<EvictionPolicy>(i)));
  }
  return {.name = "maxmemory-policy",
          .type = ConfigType::kEnum,
          .at_run_time = true,
          .values = absl::StrJoin(names, ", "),
          .doc = "Which keys go when memory is above the limit.",
          .get =
              [](const Config& config) {
                return std::string(EvictionPolicyName(config.maxmemory_policy));
              },
          .set =
              [names](Config& config, Words words) {
                if (words.size() != 1) return WrongNumber();
                for (size_t i = 0; i < names.size(); ++i) {
                  if (!EqualsIgnoreCase(words[0], names[i])) continue;
                  config.maxmemory_policy = static_cast<EvictionPolicy>(i);
                  return absl::OkStatus();
                }
                return CheckOneOf(words[0], names);
              }};
}

void AddMemoryRows(std::vector<ConfigRow>& rows) {
  constexpr When kAnyTime = When::kAnyTime;
  rows.push_back(Memory("maxmemory", kAnyTime, &Config::maxmemory, 0,
                        "The most that used_memory may be before keys are evicted or writes are "
                        "refused. 0: no limit."));
  rows.push_back(PolicyRow());
  rows.push_back(Number("maxmemory-samples", kAnyTime, &Config::maxmemory_samples, {1, kMostInt},
                        "How many keys an eviction compares."));
  rows.push_back(Number("lfu-log-factor", kAnyTime, &Config::lfu_log_factor, {0, kMostInt},
                        "How slowly the counter of accesses grows under an LFU policy."));
  rows.push_back(Number("lfu-decay-time", kAnyTime, &Config::lfu_decay_minutes,
                        {0, kMostInt, "minutes"},
                        "How long it takes the counter of accesses to lose one. 0: for ever."));
}

void AddMonitoringRows(std::vector<ConfigRow>& rows) {
  constexpr When kAnyTime = When::kAnyTime;
  rows.push_back(Number("slowlog-log-slower-than", kAnyTime, &Config::slowlog_slower_than_us,
                        {-1, kAnyInteger, "us"},
                        "What a command must take to be in the slow log. -1: none is."));
  rows.push_back(Number("slowlog-max-len", kAnyTime, &Config::slowlog_max_len, {0, kAnyInteger},
                        "How many commands the slow log keeps."));
  rows.push_back(Number("latency-monitor-threshold", kAnyTime,
                        &Config::latency_monitor_threshold_ms, {0, kAnyInteger, "ms"},
                        "What a command must take to be a latency spike. 0: none is."));
  rows.push_back(Flag("latency-tracking", kAnyTime, &Config::latency_tracking,
                      "Whether INFO latencystats shows the commands' percentiles."));
  rows.push_back(Percentiles());
}

// The row under a name that the directive had in older versions of Redis.
ConfigRow Formerly(std::string_view name, ConfigRow row) {
  row.now_called = row.name;
  row.name = name;
  row.doc = "The former name of the directive with `listpack` in its place.";
  return row;
}

void AddValueRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Number("hash-max-listpack-entries", kAnyTime, &Config::hash_max_listpack_entries,
                        {0, kAnyInteger}, "A hash of more fields becomes a table."));
  rows.push_back(Formerly("hash-max-ziplist-entries", rows.back()));
  rows.push_back(Memory("hash-max-listpack-value", kAnyTime, &Config::hash_max_listpack_value, 0,
                        "A hash with a longer name or value becomes a table."));
  rows.push_back(Formerly("hash-max-ziplist-value", rows.back()));
}

void AddListRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Number("list-max-listpack-size", kAnyTime, &Config::list_max_listpack_size,
                        {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()},
                        "What a node of a list may hold: so many elements or, from -1 to -5, 4, 8, "
                        "16, 32 or 64 KiB."));
}

void AddSortedSetRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Number("zset-max-listpack-entries", kAnyTime, &Config::zset_max_listpack_entries,
                        {0, kAnyInteger}, "Up to so many members, a sorted set is a packed list."));
  rows.push_back(Memory("zset-max-listpack-value", kAnyTime, &Config::zset_max_listpack_value, 0,
                        "The longest member of a sorted set that is a packed list."));
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
          [](Config& config, Words words) {
            if (words.size() != 1) return WrongNumber();
            const auto classes = ParseEventClasses(words[0]);
            if (!classes) return Bad("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
            config.notify_keyspace_events = *classes;
            return absl::OkStatus();
          }};
}

void AddServiceRows(std::vector<ConfigRow>& rows) {
  rows.push_back(NotifyRow());
  rows.push_back(Number(
      "tracking-table-max-keys", When::kAnyTime, &Config::tracking_table_max_keys, {0, kAnyInteger},
      "How many keys are remembered for clients that cache them. 0: any number."));
}

void AddOneValueRows(std::vector<ConfigRow>& rows) {
  constexpr std::string_view kPersistence = "persistence is not available yet";
  constexpr std::string_view kReplication = "replication is not available yet";
  rows.push_back(Only("save", "", kPersistence));
  rows.push_back(Only("appendonly", "no", kPersistence));
  rows.push_back(Only("replicaof", "", kReplication));
  rows.push_back(Only("slaveof", "", kReplication));
  rows.push_back(Only("cluster-enabled", "no", "cluster mode is not available"));
  rows.push_back(Only("tls-port", "0", "TLS is not available yet"));
  rows.push_back(Only("activedefrag", "no", "defragmentation is not available"));
  rows.push_back(Only("oom-score-adj", "no", "adjusting the OOM score is not available"));
}

void AddInertRows(std::vector<ConfigRow>& rows) {
  constexpr std::string_view kFreeing = "Large values are always destroyed outside of any lock.";
  constexpr std::string_view kSnapshot = "Tunes snapshots, and there are none.";
  constexpr std::string_view kLog = "Tunes the append-only file, and there is none.";
  constexpr std::string_view kReplicas = "Tunes replicas, and there are none.";
  constexpr std::string_view kShow = "There is no logo, and the process keeps its name.";
  rows.push_back(InertFlag("lazyfree-lazy-eviction", "no", kFreeing));
  rows.push_back(InertFlag("lazyfree-lazy-expire", "no", kFreeing));
  rows.push_back(InertFlag("lazyfree-lazy-server-del", "no", kFreeing));
  rows.push_back(InertFlag("lazyfree-lazy-user-del", "no", kFreeing));
  rows.push_back(InertFlag("always-show-logo", "no", kShow));
  rows.push_back(InertFlag("set-proc-title", "no", kShow));
  rows.push_back(Inert("proc-title-template", {}, "", kShow));
  rows.push_back(Inert("supervised", {"upstart", "systemd", "auto", "no"}, "no",
                       "A service manager that asks for it (`NOTIFY_SOCKET`) is always told."));
  rows.back().at_run_time = false;
  rows.push_back(
      InertFlag("activerehashing", "yes", "The table grows by pages, not by rehashing."));
  rows.push_back(InertFlag("dynamic-hz", "no", "Effort follows lag, not the number of clients."));
  rows.push_back(InertFlag("io-threads-do-reads", "yes", "Each thread reads, runs and writes."));
  rows.push_back(InertFlag("stop-writes-on-bgsave-error", "yes", kSnapshot));
  rows.push_back(InertFlag("rdbcompression", "yes", kSnapshot));
  rows.push_back(InertFlag("rdbchecksum", "yes", kSnapshot));
  rows.push_back(Inert("dbfilename", {}, "dump.rdb", kSnapshot));
  rows.push_back(Inert("appendfilename", {}, "appendonly.aof", kLog));
  rows.push_back(Inert("appendfsync", {"everysec", "always", "no"}, "everysec", kLog));
  rows.push_back(InertFlag("no-appendfsync-on-rewrite", "no", kLog));
  for (const std::string_view name : {"replica-serve-stale-data", "slave-serve-stale-data",
                                      "replica-read-only", "slave-read-only"}) {
    rows.push_back(InertFlag(name, "yes", kReplicas));
  }
  for (const std::string_view name : {"replica-lazy-flush", "slave-lazy-flush"}) {
    rows.push_back(InertFlag(name, "no", kReplicas));
  }
}

void AddStreamRows(std::vector<ConfigRow>& rows) {
  using enum When;
  rows.push_back(Memory("stream-node-max-bytes", kAnyTime, &Config::stream_node_max_bytes, 0,
                        "Entries of a stream are packed into blocks: of up to so many bytes, and "
                        "0 for any number."));
  rows.push_back(Number("stream-node-max-entries", kAnyTime, &Config::stream_node_max_entries,
                        {0, kAnyInteger},
                        "Entries of a stream are packed into blocks: of up to so many, and 0 for "
                        "any number."));
}

// What redis-server's own redis.conf sets for parts that do not exist here yet.
struct StockDirective {
  std::string_view name;
  std::string_view value;
  std::string_view doc;
};

constexpr std::string_view kNoAggregates = "Tunes how aggregates are packed, and there are none.";
constexpr std::string_view kNoReplication = "Tunes replication, and there is none.";
constexpr std::string_view kNoPersistence = "Tunes persistence, and there is none.";

constexpr StockDirective kStockDirectives[] = {
    {"list-compress-depth", "0", kNoAggregates},
    {"repl-disable-tcp-nodelay", "no", kNoReplication},
    {"repl-diskless-load", "disabled", kNoReplication},
    {"repl-diskless-sync", "yes", kNoReplication},
    {"repl-diskless-sync-delay", "5", kNoReplication},
    {"repl-diskless-sync-max-replicas", "0", kNoReplication},
    {"replica-priority", "100", kNoReplication},
    {"rdb-del-sync-files", "no", kNoPersistence},
    {"rdb-save-incremental-fsync", "yes", kNoPersistence},
    {"aof-load-truncated", "yes", kNoPersistence},
    {"aof-rewrite-incremental-fsync", "yes", kNoPersistence},
    {"aof-timestamp-enabled", "no", kNoPersistence},
    {"aof-use-rdb-preamble", "yes", kNoPersistence},
    {"appenddirname", "appendonlydir", kNoPersistence},
    {"auto-aof-rewrite-min-size", "64mb", kNoPersistence},
    {"auto-aof-rewrite-percentage", "100", kNoPersistence},
    {"disable-thp", "no", "Huge pages are wanted, where the system offers them on request."},
    {"jemalloc-bg-thread", "yes", "Tunes jemalloc, which is not used."},
    {"oom-score-adj-values", "0 200 800", "The OOM score is not adjusted."},
};

void AddStockRows(std::vector<ConfigRow>& rows) {
  for (const StockDirective& stock : kStockDirectives) {
    ConfigRow row = Inert(stock.name, {}, stock.value, stock.doc);
    // A file gives the numbers of a list as words, CONFIG SET as one.
    row.set = [set = row.set, gaps = std::ranges::count(stock.value, ' ')](Config& config,
                                                                           Words words) {
      const std::string joined = absl::StrJoin(words, " ");
      if (words.empty() || std::ranges::count(joined, ' ') != gaps) return WrongNumber();
      return set(config, {&joined, 1});
    };
    rows.push_back(std::move(row));
  }
}

std::vector<ConfigRow> AllRows() {
  std::vector<ConfigRow> rows;
  AddNetworkRows(rows);
  AddGeneralRows(rows);
  AddExpiryRows(rows);
  AddSetRows(rows);
  AddStreamRows(rows);
  AddMemoryRows(rows);
  AddMonitoringRows(rows);
  AddValueRows(rows);
  AddListRows(rows);
  AddSortedSetRows(rows);
  AddServiceRows(rows);
  AddOneValueRows(rows);
  AddInertRows(rows);
  AddStockRows(rows);
  AddHttpRows(rows);
  std::sort(rows.begin(), rows.end(),
            [](const ConfigRow& a, const ConfigRow& b) { return a.name < b.name; });
  return rows;
}

}  // namespace

std::span<const ConfigRow> ConfigTable() {
  static const std::vector<ConfigRow> rows = AllRows();
  return rows;
}

}  // namespace lapse
