// The directives that change nothing: those with the one value that is true of Lapse, and those
// that are taken for the sake of a redis.conf.

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

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

}  // namespace

void AddOneValueRows(std::vector<ConfigRow>& rows) {
  constexpr std::string_view kPersistence = "persistence is not available yet";
  constexpr std::string_view kReplication = "replication is not available yet";
  rows.push_back(OneValueRow("save", "", kPersistence));
  rows.push_back(OneValueRow("appendonly", "no", kPersistence));
  rows.push_back(OneValueRow("replicaof", "", kReplication));
  rows.push_back(OneValueRow("slaveof", "", kReplication));
  rows.push_back(OneValueRow("cluster-enabled", "no", "cluster mode is not available"));
  rows.push_back(OneValueRow("tls-port", "0", "TLS is not available yet"));
  rows.push_back(OneValueRow("activedefrag", "no", "defragmentation is not available"));
  rows.push_back(OneValueRow("oom-score-adj", "no", "adjusting the OOM score is not available"));
}

void AddInertRows(std::vector<ConfigRow>& rows) {
  constexpr std::string_view kFreeing =
      "Large collections are always destroyed by a thread of their own.";
  constexpr std::string_view kSnapshot = "Tunes snapshots, and there are none.";
  constexpr std::string_view kLog = "Tunes the append-only file, and there is none.";
  constexpr std::string_view kReplicas = "Tunes replicas, and there are none.";
  constexpr std::string_view kShow = "There is no logo, and the process keeps its name.";
  rows.push_back(InertFlagRow("lazyfree-lazy-eviction", "no", kFreeing));
  rows.push_back(InertFlagRow("lazyfree-lazy-expire", "no", kFreeing));
  rows.push_back(InertFlagRow("lazyfree-lazy-server-del", "no", kFreeing));
  rows.push_back(InertFlagRow("lazyfree-lazy-user-del", "no", kFreeing));
  rows.push_back(InertFlagRow("always-show-logo", "no", kShow));
  rows.push_back(InertFlagRow("set-proc-title", "no", kShow));
  rows.push_back(InertRow("proc-title-template", {}, "", kShow));
  rows.push_back(InertRow("supervised", {"upstart", "systemd", "auto", "no"}, "no",
                          "A service manager that asks for it (`NOTIFY_SOCKET`) is always told."));
  rows.back().at_run_time = false;
  rows.push_back(
      InertFlagRow("activerehashing", "yes", "The table grows by pages, not by rehashing."));
  rows.push_back(
      InertFlagRow("dynamic-hz", "no", "Effort follows lag, not the number of clients."));
  rows.push_back(InertFlagRow("io-threads-do-reads", "yes", "Each thread reads, runs and writes."));
  rows.push_back(InertFlagRow("stop-writes-on-bgsave-error", "yes", kSnapshot));
  rows.push_back(InertFlagRow("rdbcompression", "yes", kSnapshot));
  rows.push_back(InertFlagRow("rdbchecksum", "yes", kSnapshot));
  rows.push_back(InertRow("dbfilename", {}, "dump.rdb", kSnapshot));
  rows.push_back(InertRow("appendfilename", {}, "appendonly.aof", kLog));
  rows.push_back(InertRow("appendfsync", {"everysec", "always", "no"}, "everysec", kLog));
  rows.push_back(InertFlagRow("no-appendfsync-on-rewrite", "no", kLog));
  for (const std::string_view name : {"replica-serve-stale-data", "slave-serve-stale-data",
                                      "replica-read-only", "slave-read-only"}) {
    rows.push_back(InertFlagRow(name, "yes", kReplicas));
  }
  for (const std::string_view name : {"replica-lazy-flush", "slave-lazy-flush"}) {
    rows.push_back(InertFlagRow(name, "no", kReplicas));
  }
}

void AddStockRows(std::vector<ConfigRow>& rows) {
  for (const StockDirective& stock : kStockDirectives) {
    ConfigRow row = InertRow(stock.name, {}, stock.value, stock.doc);
    // A file gives the numbers of a list as words, CONFIG SET as one.
    row.set = [set = row.set, gaps = std::ranges::count(stock.value, ' ')](Config& config,
                                                                           ConfigWordSpan words) {
      const std::string joined = absl::StrJoin(words, " ");
      if (words.empty() || std::ranges::count(joined, ' ') != gaps) return WrongCount();
      return set(config, {&joined, 1});
    };
    rows.push_back(std::move(row));
  }
}

}  // namespace lapse
