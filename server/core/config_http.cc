// The directives of the HTTP port, and of what the managed service's API says of this server.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"
#include "server/core/maintenance_window.h"

namespace lapse {
namespace {

constexpr size_t kMaxAddresses = 16;
constexpr size_t kMaxAccessKeys = 1000;
constexpr size_t kMaxInstanceName = 64;

ConfigRow HttpBindRow() {
  return {.name = "http-bind",
          .type = ConfigType::kSpecial,
          .at_run_time = false,
          .values = "addresses",
          .doc = "The addresses to listen on for HTTP, written as those of `bind`.",
          .get = [](const Config& config) { return absl::StrJoin(config.http_bind, " "); },
          .set =
              [](Config& config, ConfigWordSpan words) {
                if (words.size() > kMaxAddresses)
                  return BadValue("Too many bind addresses specified.");
                config.http_bind.assign(words.begin(), words.end());
                std::erase(config.http_bind, "");
                return absl::OkStatus();
              }};
}

// One line for each key, or, as CONFIG REWRITE has it, all in one. A key that is given again is
// replaced; `""` alone removes all.
absl::Status SetAccessKeys(Config& config, ConfigWordSpan words) {
  if (words.empty() || (words.size() == 1 && words[0].empty())) {
    config.http_access_keys.clear();
    return absl::OkStatus();
  }
  if (words.size() % 3 != 0) {
    return BadValue("a key is three words: its id, its secret, and a user of the ACL");
  }
  std::vector<HttpAccessKey> keys = config.http_access_keys;
  for (size_t i = 0; i < words.size(); i += 3) {
    HttpAccessKey key{words[i], words[i + 1], words[i + 2]};
    if (key.id.empty() || key.secret.empty() || key.user.empty()) {
      return BadValue("a key's words must not be empty");
    }
    std::erase_if(keys, [&](const HttpAccessKey& other) { return other.id == key.id; });
    keys.push_back(std::move(key));
  }
  if (keys.size() > kMaxAccessKeys) return BadValue("too many keys");
  config.http_access_keys = std::move(keys);
  return absl::OkStatus();
}

ConfigRow AccessKeysRow() {
  return {.name = "http-access-key",
          .type = ConfigType::kSpecial,
          .at_run_time = false,
          .values = "id, secret, user; repeatedly",
          .doc =
              "Requests to the managed API that are signed with this key run as this user of the "
              "ACL. One line for each key.",
          .get =
              [](const Config& config) {
                return absl::StrJoin(config.http_access_keys, " ",
                                     [](std::string* out, const HttpAccessKey& key) {
                                       absl::StrAppend(out, key.id, " ", key.secret, " ", key.user);
                                     });
              },
          .set = SetAccessKeys};
}

ConfigRow InstanceNameRow() {
  return {.name = "instance-name",
          .type = ConfigType::kString,
          .at_run_time = true,
          .values = "up to 64 letters, digits, `-`, `_` and `.`",
          .doc = "What the managed API calls this server, as its name and its id.",
          .get = [](const Config& config) { return config.instance_name; },
          .set =
              [](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                const bool fits = !words[0].empty() && words[0].size() <= kMaxInstanceName &&
                                  std::ranges::all_of(words[0], [](char c) {
                                    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                           (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                                           c == '.';
                                  });
                if (!fits)
                  return BadValue("argument must be up to 64 letters, digits, '-', '_', '.'");
                config.instance_name = words[0];
                return absl::OkStatus();
              }};
}

ConfigRow MaintenanceWindowRow() {
  return {.name = "maintenance-window",
          .type = ConfigType::kString,
          .at_run_time = true,
          .values = "two times of day in UTC",
          .doc = "When runs start that the managed API is told to do at the time of maintenance.",
          .get = [](const Config& config) { return config.maintenance_window; },
          .set =
              [](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                if (!ParseMaintenanceWindow(words[0])) {
                  return BadValue("argument must be two different times of day, as 02:00Z-06:00Z");
                }
                config.maintenance_window = words[0];
                return absl::OkStatus();
              }};
}

}  // namespace

void AddHttpRows(std::vector<ConfigRow>& rows) {
  rows.push_back(NumberRow("http-port", ConfigTime::kAtStart, &Config::http_port, {0, 65535},
                           "The TCP port of the API, the metrics and the console. 0: none."));
  rows.push_back(HttpBindRow());
  rows.push_back(TextRow("http-tls-cert-file", ConfigTime::kAtStart, &Config::http_tls_cert_file,
                         "path", "The certificate chain (PEM) of the HTTP port. Empty: no TLS."));
  rows.push_back(TextRow("http-tls-key-file", ConfigTime::kAtStart, &Config::http_tls_key_file,
                         "path", "The private key (PEM) that belongs to http-tls-cert-file."));
  rows.push_back(AccessKeysRow());
  rows.push_back(NumberRow("http-maxclients", ConfigTime::kAnyTime, &Config::http_maxclients,
                           {1, 65535}, "How many connections the HTTP port has at once."));
  rows.push_back(InstanceNameRow());
  rows.push_back(MaintenanceWindowRow());
}

}  // namespace lapse
