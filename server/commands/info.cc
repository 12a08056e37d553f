// INFO: the server's numbers, section by section, under Redis's names where Redis has the number.
// A field of Redis's that would be made up here is left out, but for the constants that clients
// look at before they trust a server (loading:0, role:master).

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "expiry/resident.h"
#include "expiry/strategy.h"
#include "fmt/format.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/command_name.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/core/version.h"
#include "server/core/words.h"
#include "server/services/services.h"
#include "server/services/tasks.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

// Text in the making: "name:value" lines.
class Page {
 public:
  // A new section. A blank line separates it from the one before.
  void Title(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += fmt::format("# {}\r\n", title);
  }
  template <typename Value>
  void Line(std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{}:{}\r\n", name, value);
  }
  void Fraction(std::string_view name, double value) {
    fmt::format_to(std::back_inserter(text_), "{}:{:.2f}\r\n", name, value);
  }
  void Percentage(std::string_view name, int64_t part, int64_t whole) {
    const double percent = whole == 0 ? 0 : 100.0 * static_cast<double>(part) / whole;
    fmt::format_to(std::back_inserter(text_), "{}:{:.2f}%\r\n", name, percent);
  }
  // The number, and once more for people to read.
  void Bytes(std::string_view name, int64_t bytes) {
    Line(name, bytes);
    Line(fmt::format("{}_human", name), Human(bytes));
  }
  const std::string& text() const { return text_; }

 private:
  static std::string Human(int64_t bytes) {
    constexpr std::string_view kUnits = "KMGTPE";
    if (bytes < 1024) return fmt::format("{}B", bytes);
    double amount = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
    return fmt::format("{:.2f}{}", amount, kUnits[unit]);
  }

  std::string text_;
};

int64_t Load(const std::atomic<int64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

std::string Executable() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof(path));
  return length < 0 ? "" : std::string(path, static_cast<size_t>(length));
}

std::string OperatingSystem() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

void AddServer(CommandContext& ctx, Page& page) {
  const Instance& instance = ctx.instance;
  const int64_t uptime_seconds = (ctx.now_ms - instance.start_ms) / 1000;
  page.Title("Server");
  page.Line("redis_version", kRedisVersion);
  page.Line("lapse_version", kVersion);
  page.Line("redis_mode", "standalone");
  page.Line("os", OperatingSystem());
  page.Line("arch_bits", 8 * sizeof(void*));
  page.Line("multiplexing_api", "epoll");
#ifdef __VERSION__
  page.Line("gcc_version", __VERSION__);
#endif
  page.Line("process_id", ::getpid());
  page.Line("run_id", instance.run_id);
  page.Line("tcp_port", instance.config.port);
  page.Line("server_time_usec", instance.clock.NowUs());
  page.Line("uptime_in_seconds", uptime_seconds);
  page.Line("uptime_in_days", uptime_seconds / 86'400);
  page.Line("hz", instance.config.expiry.hz);
  page.Line("configured_hz", instance.config.expiry.hz);
  page.Line("executable", Executable());
  page.Line("config_file", instance.config.file);
}

void AddClients(CommandContext& ctx, Page& page) {
  page.Title("Clients");
  page.Line("connected_clients", ctx.instance.clients.connected());
  page.Line("cluster_connections", 0);
  page.Line("maxclients", ctx.instance.config.maxclients);
  page.Line("blocked_clients", ctx.instance.clients.blocked());
  page.Line("tracking_clients", Services::Of(ctx.instance).tracking().client_count());
  page.Line("clients_in_timeout_table", Services::Of(ctx.instance).blocking().timeouts());
  page.Line("total_blocking_keys", Services::Of(ctx.instance).blocking().key_count());
}

void AddMemory(CommandContext& ctx, Page& page) {
  Instance& instance = ctx.instance;
  const int64_t used = instance.NotePeakMemory();
  const int64_t peak = Load(instance.stats.peak_memory_bytes);
  const int64_t clients = Load(instance.stats.connection_bytes);
  const int64_t dataset = instance.keyspace.Totals().entry_bytes;
  const int64_t resident = ResidentBytes();
  page.Title("Memory");
  page.Bytes("used_memory", used);
  page.Bytes("used_memory_rss", resident);
  page.Bytes("used_memory_peak", peak);
  page.Percentage("used_memory_peak_perc", used, peak);
  page.Line("used_memory_overhead", used - dataset);
  page.Line("used_memory_dataset", dataset);
  page.Percentage("used_memory_dataset_perc", dataset, used);
  struct sysinfo system {};
  if (::sysinfo(&system) == 0) {
    page.Bytes("total_system_memory", static_cast<int64_t>(system.totalram) * system.mem_unit);
  }
  page.Bytes("maxmemory", instance.config.maxmemory);
  const Scripts& scripts = Services::Of(instance).scripts();
  const FunctionLibraries& functions = Services::Of(instance).functions();
  page.Bytes("used_memory_lua", scripts.lua_bytes());
  page.Line("used_memory_vm_eval", scripts.lua_bytes());
  page.Bytes("used_memory_scripts", scripts.text_bytes());
  page.Line("used_memory_scripts_eval", scripts.text_bytes());
  page.Line("number_of_cached_scripts", scripts.count());
  page.Line("number_of_functions", functions.function_count());
  page.Line("number_of_libraries", functions.library_count());
  page.Line("maxmemory_policy", EvictionPolicyName(instance.config.maxmemory_policy));
  page.Fraction("mem_fragmentation_ratio",
                used == 0 ? 0 : static_cast<double>(resident) / static_cast<double>(used));
  page.Line("mem_fragmentation_bytes", resident - used);
  page.Line("mem_clients_normal", clients);
  page.Line("mem_allocator", AllocatorName());
  page.Line("lazyfree_pending_objects", instance.keyspace.reaper().pending());
  page.Line("lazyfreed_objects", instance.keyspace.reaper().destroyed());
}

void AddPersistence(CommandContext&, Page& page) {
  page.Title("Persistence");
  page.Line("loading", 0);
  page.Line("async_loading", 0);
  page.Line("rdb_bgsave_in_progress", 0);
  page.Line("aof_enabled", 0);
  page.Line("aof_rewrite_in_progress", 0);
  page.Line("aof_rewrite_scheduled", 0);
}

void AddStats(CommandContext& ctx, Page& page) {
  const ServerStats& stats = ctx.instance.stats;
  const KeyspaceTotals totals = ctx.instance.keyspace.Totals();
  const ExpiryCounters expiry = ctx.instance.expiry.counters();
  page.Title("Stats");
  page.Line("total_connections_received", Load(stats.connections_received));
  page.Line("total_commands_processed", Load(stats.commands_processed));
  page.Line("instantaneous_ops_per_sec", Load(stats.ops_per_second));
  page.Line("total_net_input_bytes", Load(stats.net_input_bytes));
  page.Line("total_net_output_bytes", Load(stats.net_output_bytes));
  page.Line("rejected_connections", Load(stats.connections_rejected));
  page.Line("expired_keys", totals.expired());
  page.Line("expired_subkeys", totals.expired_fields);
  page.Fraction("expired_stale_perc", expiry.stale_percent);
  page.Line("expired_time_cap_reached_count", expiry.time_cap_reached);
  page.Line("expire_cycle_cpu_milliseconds", expiry.cycle_cpu_ns / 1'000'000);
  page.Line("evicted_keys", totals.evicted);
  page.Line("keyspace_hits", totals.hits);
  page.Line("keyspace_misses", totals.misses);
  Services& services = Services::Of(ctx.instance);
  page.Line("pubsub_channels", services.pubsub().NameCount(ChannelKind::kChannel));
  page.Line("pubsub_patterns", services.pubsub().NameCount(ChannelKind::kPattern));
  page.Line("pubsubshard_channels", services.pubsub().NameCount(ChannelKind::kShard));
  page.Line("latest_fork_usec", 0);
  page.Line("total_forks", 0);
  page.Line("tracking_total_keys", services.tracking().key_count());
  page.Line("tracking_total_items", services.tracking().item_count());
  page.Line("tracking_total_prefixes", services.tracking().prefix_count());
  page.Line("total_error_replies", Load(stats.error_replies));
  page.Line("total_reads_processed", Load(stats.reads_processed));
  page.Line("total_writes_processed", Load(stats.writes_processed));
  page.Line("client_query_buffer_limit_disconnections", Load(stats.query_limit_disconnections));
  page.Line("client_output_buffer_limit_disconnections", Load(stats.output_limit_disconnections));
}

// The latest run of FLUSHEXPIREKEYS, or the one that is going.
void AddLastFlush(const FlushRecord& run, Page& page) {
  page.Line("flushexpirekeys_last_run_id", run.run_id);
  page.Line("flushexpirekeys_last_trigger", run.trigger);
  page.Line("flushexpirekeys_last_requested_by", run.requested_by);
  page.Line("flushexpirekeys_last_state", FlushStateName(run.state));
  page.Line("flushexpirekeys_last_dry_run", run.dry_run ? 1 : 0);
  page.Line("flushexpirekeys_last_started_ms", run.started_ms);
  page.Line("flushexpirekeys_last_finished_ms", run.finished_ms);
  page.Line("flushexpirekeys_last_scanned", run.scanned);
  page.Line("flushexpirekeys_last_reclaimed", run.reclaimed);
  page.Line("flushexpirekeys_last_orphans", run.orphans);
  page.Line("flushexpirekeys_last_bytes_freed", run.bytes_freed);
  page.Line("flushexpirekeys_last_cpu_us", run.cpu_ns / 1000);
  page.Line("flushexpirekeys_last_longest_slice_us", run.longest_slice_ns / 1000);
}

void AddExpiry(CommandContext& ctx, Page& page) {
  Instance& instance = ctx.instance;
  const KeyspaceTotals totals = instance.keyspace.Totals();
  // In this order: counting the backlog corrects the dues that the counters read.
  const Backlog backlog = instance.expiry.EstimateBacklog();
  const ExpiryCounters counters = instance.expiry.counters();
  const LagHistogram& lag = instance.keyspace.lag();
  page.Title("Expiry");
  page.Line("expire_strategy", StrategyName(instance.config.expiry.strategy));
  page.Line("expire_active", instance.config.expiry.active ? 1 : 0);
  page.Line("expired_keys_active", totals.expired_active);
  page.Line("expired_keys_lazy", totals.expired_lazy);
  page.Line("expired_keys_flushed", totals.expired_flushed);
  page.Line("expire_lag_ms_p50", lag.Percentile(0.50));
  page.Line("expire_lag_ms_p99", lag.Percentile(0.99));
  page.Line("expire_lag_ms_max", lag.max_ms());
  page.Line("expire_oldest_due_ms", counters.oldest_due_ms);
  page.Line("expire_unreclaimed_keys", backlog.keys);
  page.Line("expire_unreclaimed_bytes", backlog.bytes);
  page.Line("expire_unreclaimed_exact", backlog.exact ? 1 : 0);
  page.Line("expire_max_slice_us", counters.max_slice_ns / 1000);
  page.Line("expire_cpu_ns_per_key",
            counters.reclaimed == 0 ? 0 : counters.cycle_cpu_ns / counters.reclaimed);
  page.Line("expire_segments_swept", counters.segments_swept);
  page.Line("flushexpirekeys_runs", instance.expiry.flush().runs());
  if (const auto run = instance.expiry.flush().Find(std::nullopt)) AddLastFlush(*run, page);
  const Tasks::Totals tasks = Services::Of(instance).tasks().totals();
  page.Line("flush_tasks", tasks.tasks);
  page.Line("flush_tasks_active", tasks.active);
  page.Line("flush_tasks_next_run_ms", tasks.next_ms);
  page.Line("flush_executions_live", tasks.live_executions);
  // What their guard goes by: of all cores, and of one.
  page.Fraction("flush_guard_machine_cpu_percent", tasks.cpu ? tasks.cpu->machine_percent : 0);
  page.Fraction("flush_guard_process_cpu_percent", tasks.cpu ? tasks.cpu->process_percent : 0);
}

void AddReplication(CommandContext&, Page& page) {
  page.Title("Replication");
  page.Line("role", "master");
  page.Line("connected_slaves", 0);
}

void AddCpu(CommandContext&, Page& page) {
  const auto add = [&page](int who, std::string_view suffix) {
    rusage usage{};
    if (::getrusage(who, &usage) != 0) return;
    const auto line = [&](std::string_view name, const timeval& time) {
      page.Line(fmt::format("{}{}", name, suffix),
                fmt::format("{}.{:06}", time.tv_sec, time.tv_usec));
    };
    line("used_cpu_sys", usage.ru_stime);
    line("used_cpu_user", usage.ru_utime);
  };
  page.Title("CPU");
  add(RUSAGE_SELF, "");
  add(RUSAGE_CHILDREN, "_children");
}

void AddModules(CommandContext&, Page& page) { page.Title("Modules"); }

void AddCluster(CommandContext&, Page& page) {
  page.Title("Cluster");
  page.Line("cluster_enabled", 0);
}

void AddKeyspace(CommandContext& ctx, Page& page) {
  Keyspace& keyspace = ctx.instance.keyspace;
  page.Title("Keyspace");
  for (size_t db = 0; db < keyspace.database_count(); ++db) {
    const KeyspaceTotals totals = keyspace.Totals(db);
    if (totals.keys == 0) continue;
    int64_t mean_ttl_ms = 0;
    if (totals.volatile_keys > 0) {
      const int64_t mean_deadline =
          keyspace.ticks().epoch_ms() + totals.deadline_ms_sum / totals.volatile_keys;
      mean_ttl_ms = std::max<int64_t>(mean_deadline - ctx.now_ms, 0);
    }
    page.Line(fmt::format("db{}", db),
              fmt::format("keys={},expires={},avg_ttl={},subexpiry={}", totals.keys,
                          totals.volatile_keys, mean_ttl_ms, totals.field_volatile_keys));
  }
}

void AddCommandStats(CommandContext& ctx, Page& page) {
  CommandStatsBook& book = ctx.instance.command_stats;
  const double us_per_cycle = book.scale().NsPerCycle() / 1000;
  page.Title("Commandstats");
  for (const CommandRegistry::Numbered& command : ctx.instance.registry.numbered()) {
    const CommandTotals totals = book.Totals(command.number);
    if (totals.calls == 0 && totals.rejected == 0 && totals.failed == 0) continue;
    const double us = static_cast<double>(totals.cycles) * us_per_cycle;
    page.Line(fmt::format("cmdstat_{}", FullName(command.container, *command.row)),
              fmt::format("calls={},usec={:.0f},usec_per_call={:.2f},rejected_calls={},"
                          "failed_calls={}",
                          totals.calls, us, totals.calls == 0 ? 0 : us / totals.calls,
                          totals.rejected, totals.failed));
  }
}

void AddErrorStats(CommandContext& ctx, Page& page) {
  page.Title("Errorstats");
  for (const auto& [kind, count] : Services::Of(ctx.instance).errors().Counts()) {
    page.Line(fmt::format("errorstat_{}", kind), fmt::format("count={}", count));
  }
}

void AddLatencyStats(CommandContext& ctx, Page& page) {
  CommandStatsBook& book = ctx.instance.command_stats;
  page.Title("Latencystats");
  if (!ctx.instance.config.latency_tracking) return;
  const auto percentiles = SplitWords(ctx.instance.config.latency_tracking_percentiles);
  for (const CommandRegistry::Numbered& command : ctx.instance.registry.numbered()) {
    const CommandTotals totals = book.Totals(command.number);
    if (totals.calls == 0 || !percentiles || percentiles->empty()) continue;
    std::string text;
    for (const std::string& percentile : *percentiles) {
      double percent = 0;
      if (!ParseDouble(percentile, percent)) continue;
      const double us = totals.Percentile(percent / 100) * book.scale().NsPerCycle() / 1000;
      text += fmt::format("{}p{}={:.3f}", text.empty() ? "" : ",", percentile, us);
    }
    page.Line(fmt::format("latency_percentiles_usec_{}", FullName(command.container, *command.row)),
              text);
  }
}

struct Section {
  std::string_view name;
  void (*add)(CommandContext&, Page&);
  bool by_default = true;
};

constexpr Section kSections[] = {
    {"server", AddServer},
    {"clients", AddClients},
    {"memory", AddMemory},
    {"persistence", AddPersistence},
    {"stats", AddStats},
    {"expiry", AddExpiry},
    {"replication", AddReplication},
    {"cpu", AddCpu},
    {"modules", AddModules},
    {"commandstats", AddCommandStats, false},
    {"errorstats", AddErrorStats},
    {"latencystats", AddLatencyStats, false},
    {"cluster", AddCluster},
    {"keyspace", AddKeyspace},
};

bool Asked(const CommandContext& ctx, const Section& section) {
  if (ctx.args.size() == 1) return section.by_default;
  return std::any_of(ctx.args.begin() + 1, ctx.args.end(), [&](std::string_view word) {
    return EqualsIgnoreCase(word, section.name) || EqualsIgnoreCase(word, "all") ||
           EqualsIgnoreCase(word, "everything") ||
           (section.by_default && EqualsIgnoreCase(word, "default"));
  });
}

// Sections come in this file's order, each once, whatever the order of the arguments; an unknown
// one adds nothing. As in Redis.
void Info(CommandContext& ctx) {
  Page page;
  for (const Section& section : kSections) {
    if (Asked(ctx, section)) section.add(ctx, page);
  }
  ctx.reply.Verbatim("txt", page.text());
}

constexpr CommandRow kRows[] = {
    {.name = "info",
     .arity = -1,
     .flags = kLoading | kStale,
     .categories = "dangerous",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N), N shards in use",
     .summary = "The server's numbers",
     .syntax = "[section [section ...]]",
     .handler = Info,
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> InfoCommands() { return kRows; }

}  // namespace lapse
