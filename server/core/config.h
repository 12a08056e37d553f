// The configuration: its values, and the table of directives that names, documents and checks them.
//
// Directives have Redis's names, syntax and defaults where Redis has them. Values come from a
// redis.conf style file, then from `--name value` words on the command line, then from CONFIG SET.
// Each directive is one row of the table (server/core/config_table.cc): name, type, default,
// bounds, whether it can change at run time, and one sentence of documentation;
// docs/configuration.md is generated from the rows.
//
// Thread: a Config is plain data. The instance's is read inside the gate and changed in the gate's
// exclusive form.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "expiry/settings.h"
#include "storage/eviction_policy.h"

namespace lapse {

// Of one class of clients; zero means no limit. Redis's client-output-buffer-limit.
struct OutputLimit {
  int64_t hard_bytes = 0;
  int64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

// Who signs requests with this key's secret is this user of the ACL.
struct HttpAccessKey {
  std::string id;
  std::string secret;
  std::string user;
};

struct Config {
  // Network.
  int64_t port = 6379;                                    // 0: no TCP
  std::vector<std::string> bind = {"127.0.0.1", "-::1"};  // '-': may be unavailable; "*": all
  std::string unixsocket;
  int64_t unixsocketperm = 0;  // octal in the file; 0: the umask decides
  bool protected_mode = true;
  int64_t tcp_backlog = 511;
  int64_t tcp_keepalive_seconds = 300;
  int64_t timeout_seconds = 0;
  int64_t maxclients = 10000;
  int64_t threads = 0;  // 0: one for each core
  OutputLimit output_limit_normal;
  OutputLimit output_limit_replica = {int64_t{256} << 20, int64_t{64} << 20, 60};
  OutputLimit output_limit_pubsub = {int64_t{32} << 20, int64_t{8} << 20, 60};
  int64_t client_query_buffer_limit = int64_t{1} << 30;
  int64_t proto_max_bulk_len = int64_t{512} << 20;

  // HTTP.
  int64_t http_port = 0;  // 0: no HTTP
  std::vector<std::string> http_bind = {"127.0.0.1", "-::1"};
  std::string http_tls_cert_file;  // "": no TLS
  std::string http_tls_key_file;
  std::vector<HttpAccessKey> http_access_keys;
  int64_t http_maxclients = 128;
  std::string instance_name = "lapse";  // the managed API's InstanceId
  std::string maintenance_window = "02:00Z-06:00Z";

  // General.
  std::string dir = ".";
  std::string logfile;  // "": standard output
  std::string loglevel = "notice";
  bool daemonize = false;
  std::string pidfile;
  int64_t databases = 16;
  std::string requirepass;
  std::string aclfile;
  int64_t acllog_max_len = 128;
  std::vector<std::string> users;  // "user alice on ...": no directive, but lines of the file
  std::string enable_debug_command = "no";  // no, yes, local
  bool lazyfree_lazy_user_flush = false;
  int64_t maxmemory = 0;  // bytes; 0: no limit
  EvictionPolicy maxmemory_policy = EvictionPolicy::kNone;
  int64_t maxmemory_samples = 5;
  int64_t lfu_log_factor = 10;
  int64_t lfu_decay_minutes = 1;
  int64_t slowlog_slower_than_us = 10'000;  // negative: none is noted
  int64_t slowlog_max_len = 128;
  int64_t latency_monitor_threshold_ms = 0;  // 0: off
  bool latency_tracking = true;
  std::string latency_tracking_percentiles = "50 99 99.9";
  int64_t busy_reply_threshold_ms = 5000;  // 0: scripts may run for ever

  // How sets and HyperLogLogs are packed.
  int64_t set_max_intset_entries = 512;
  int64_t set_max_listpack_entries = 128;
  int64_t set_max_listpack_value = 64;
  int64_t hll_sparse_max_bytes = 3000;
  // Up to where a hash is packed: fields, and bytes of a name or value.
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value = 64;

  // Of each node of a list: its elements or (negative) its bytes.
  int64_t list_max_listpack_size = -2;
  // Up to where a sorted set is packed: members, and bytes of one.
  int64_t zset_max_listpack_entries = 128;
  int64_t zset_max_listpack_value = 64;

  // Expiry.
  ExpirySettings expiry;
  std::string flush_task_file = "flush-tasks.json";  // "": tasks are not kept
  // "flush-task nightly cron ...": no directive, but lines of the file, one for each task; the
  // words of each from its name on.
  std::vector<std::vector<std::string>> flush_tasks;

  // Where a stream's block is full; 0: no such limit.
  int64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;

  // Services.
  uint32_t notify_keyspace_events = 0;  // bits of event_classes.h
  int64_t tracking_table_max_keys = 1'000'000;

  // Values, as they were set, of directives that are taken for redis.conf's sake and change
  // nothing.
  std::map<std::string, std::string, std::less<>> inert;

  // Where the values came from, as an absolute path: CONFIG REWRITE's and INFO's config_file.
  std::string file;
};

enum class ConfigType : uint8_t { kBool, kInteger, kMemory, kString, kEnum, kPassword, kSpecial };

// What comes of setting a directive: something; nothing, for it has the one value that is true of
// Lapse at this stage; or nothing, for it tunes what Lapse does otherwise or not at all.
enum class ConfigEffect : uint8_t { kWorks, kOneValue, kNone };

// One directive. `get` and `set` translate between the Config's field and the directive's words.
struct ConfigRow {
  std::string_view name;
  ConfigType type;
  bool at_run_time;    // whether CONFIG SET may change it
  std::string values;  // what it takes, for the documentation: "1..10", "bytes", "yes | no"
  std::string_view doc;
  // One text, also of directives with several words ("normal 0 0 0 replica ...").
  std::function<std::string(const Config&)> get;
  // Applies the words (one for most directives), or says what is wrong with them in Redis's
  // wording.
  std::function<absl::Status(Config&, std::span<const std::string> words)> set;
  ConfigEffect effect = ConfigEffect::kWorks;
  // What the directive is called now, where this is a name it had: CONFIG REWRITE writes that.
  std::string_view now_called = {};
};

// All directives, sorted by name.
std::span<const ConfigRow> ConfigTable();
const ConfigRow* FindConfig(std::string_view name);  // letter case aside

// The words of a value that is given as one text (CONFIG SET): split at spaces where the directive
// takes several, else the text itself.
std::vector<std::string> ConfigWords(const ConfigRow& row, std::string_view value);

// Redis's spelling of amounts: "100mb" (2^20), "1k" (1000), "1gb"; plain numbers are bytes.
absl::StatusOr<int64_t> ParseMemory(std::string_view text);

// Reads a redis.conf style text into the config. An error is one line that names where and why:
// "lapse.conf:3: bad directive or wrong number of arguments: 'prot 1'". `origin` is what to call
// the text. Relative `include` paths are as seen from the working directory, as in Redis.
absl::Status ApplyConfigText(std::string_view text, std::string_view origin, Config& config);
absl::Status ApplyConfigFile(const std::string& path, Config& config);
// Takes a command line's words after the program's name: an optional file name first, then
// `--name value ...` groups, as redis-server takes them, or `--name=value`.
absl::Status ApplyCommandLine(std::span<const std::string> words, Config& config);

// CONFIG REWRITE: brings the lines of a redis.conf style text up to date with the config, keeps its
// comments and order, and appends what differs from the defaults and was not there.
std::string RewriteConfigText(std::string_view text, const Config& config);
// The same for config.file, replaced in one step, so that a crash leaves the old one or the new
// one.
absl::Status RewriteConfigFile(const Config& config);

// docs/configuration.md.
std::string ConfigMarkdown();

}  // namespace lapse
