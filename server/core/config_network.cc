// The directives of connections: where to listen, how many clients, what each may send and be owed.

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "absl/strings/str_join.h"
#include "protocol/number.h"
#include "server/core/arguments.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

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
              [](Config& config, ConfigWordSpan words) {
                if (words.size() > kMaxAddresses)
                  return BadValue("Too many bind addresses specified.");
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
              [](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                const char* const end = words[0].data() + words[0].size();
                int64_t value = 0;
                const auto [at, error] = std::from_chars(words[0].data(), end, value, 8);
                if (error != std::errc() || at != end) {
                  return BadValue("argument couldn't be parsed as an octal number");
                }
                if (value < 0 || value > 0777)
                  return BadValue("argument must be between 0 and 777 inclusive");
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
absl::Status SetOutputLimits(Config& config, ConfigWordSpan words) {
  if (words.empty() || words.size() % 4 != 0) {
    return BadValue("Wrong number of arguments in buffer limit configuration.");
  }
  Config changed = config;
  for (size_t i = 0; i < words.size(); i += 4) {
    OutputLimit* const limit = LimitOfClass(changed, words[i]);
    if (limit == nullptr)
      return BadValue("Invalid client class specified in buffer limit configuration.");
    const absl::StatusOr<int64_t> hard = ParseMemory(words[i + 1]);
    const absl::StatusOr<int64_t> soft = ParseMemory(words[i + 2]);
    int64_t seconds = 0;
    if (!hard.ok() || !soft.ok() || !ParseInt64(words[i + 3], seconds) || seconds < 0) {
      return BadValue("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
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

}  // namespace

void AddNetworkRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(BindRow());
  rows.push_back(UnixSocketPermRow());
  rows.push_back(OutputLimitsRow());
  rows.push_back(NumberRow("port", kAtStart, &Config::port, {0, 65535},
                           "The TCP port to listen on. 0: no TCP."));
  rows.push_back(TextRow("unixsocket", kAtStart, &Config::unixsocket, "path",
                         "The path of a unix socket to listen on. Empty: none."));
  rows.push_back(FlagRow("protected-mode", kAnyTime, &Config::protected_mode,
                         "Refuses clients from other machines while there is no password."));
  rows.push_back(
      NumberRow("tcp-backlog", kAtStart, &Config::tcp_backlog, {0, 2147483647},
                "How many connections may wait to be accepted; the system may allow fewer."));
  rows.push_back(NumberRow(
      "tcp-keepalive", kAnyTime, &Config::tcp_keepalive_seconds, {0, 2147483647, "seconds"},
      "Silence on a connection after which the system probes its peer. 0: never."));
  rows.push_back(NumberRow("timeout", kAnyTime, &Config::timeout_seconds,
                           {0, 2147483647, "seconds"},
                           "Closes a client that has been idle for so long. 0: never."));
  rows.push_back(NumberRow("maxclients", kAnyTime, &Config::maxclients, {1, 4294967295},
                           "How many clients may be connected at once."));
  rows.push_back(NumberRow("io-threads", kAtStart, &Config::threads, {0, 128},
                           "Threads that serve clients. 0: one for each core."));
  rows.push_back(MemoryRow("client-query-buffer-limit", kAnyTime,
                           &Config::client_query_buffer_limit, kMegabyte,
                           "Closes a client that sends a request longer than this."));
  rows.push_back(MemoryRow("proto-max-bulk-len", kAnyTime, &Config::proto_max_bulk_len, kMegabyte,
                           "The longest single argument, and the longest string value."));
}

}  // namespace lapse
