#include "server/services/prometheus.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

#include "expiry/resident.h"
#include "expiry/strategy.h"
#include "fmt/format.h"
#include "server/core/command_name.h"
#include "server/core/version.h"
#include "server/services/services.h"
#include "server/services/tasks.h"

namespace lapse {
namespace {

// Text in the making: families of lines, each under its HELP and TYPE.
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins a family; its lines follow.
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  template <typename Value>
  void Line(Labels labels, Value value, std::string_view suffix = {}) {
    text_ += name_;
    text_ += suffix;
    char separator = '{';
    for (const auto& [label, text] : labels) {
      text_ += separator;
      separator = ',';
      text_ += label;
      text_ += "=\"";
      AddEscaped(text);
      text_ += '"';
    }
    if (labels.size() > 0) text_ += '}';
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
  }
  // Families of one line.
  template <typename Value>
  void Gauge(std::string_view name, std::string_view help, Value value) {
    Family(name, "gauge", help);
    Line({}, value);
  }
  template <typename Value>
  void Counter(std::string_view name, std::string_view help, Value value) {
    Family(name, "counter", help);
    Line({}, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  void AddEscaped(std::string_view text) {
    for (const char c : text) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n') {
        text_ += "\\n";
      } else {
        text_ += c;
      }
    }
  }

  std::string text_;
  std::string_view name_;
};

int64_t Load(const std::atomic<int64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void AddServer(Instance& instance, Exposition& page) {
  const int64_t now_ms = instance.clock.NowMs();
  page.Gauge("redis_up", "Whether the server answers", 1);
  page.Family("redis_instance_info", "gauge", "What this server is, as labels");
  page.Line({{"redis_version", kRedisVersion},
             {"lapse_version", kVersion},
             {"redis_mode", "standalone"},
             {"role", "master"},
             {"run_id", instance.run_id},
             {"tcp_port", fmt::to_string(instance.config.port)},
             {"process_id", fmt::to_string(::getpid())},
             {"maxmemory_policy", EvictionPolicyName(instance.config.maxmemory_policy)}},
            1);
  page.Gauge("redis_uptime_in_seconds", "Time since the start",
             (now_ms - instance.start_ms) / 1000);
  page.Gauge("redis_start_time_seconds", "When the server was started, since the Unix epoch",
             instance.start_ms / 1000);
  page.Gauge("redis_process_id", "Of the process", ::getpid());
  page.Gauge("redis_connected_slaves", "Replicas: there are none", 0);
  page.Gauge("process_start_time_seconds", "When the server was started, since the Unix epoch",
             instance.start_ms / 1000);
}

void AddClients(Instance& instance, Exposition& page) {
  page.Gauge("redis_connected_clients", "Connections of clients", instance.clients.connected());
  page.Gauge("redis_blocked_clients", "Clients that wait in a command that blocks",
             instance.clients.blocked());
  page.Gauge("redis_config_maxclients", "Connections that may be open at a time",
             instance.config.maxclients);
  page.Gauge("redis_tracking_clients", "Clients that keep a cache with server-assisted tracking",
             Services::Of(instance).tracking().client_count());
}

void AddMemory(Instance& instance, Exposition& page) {
  const int64_t used = instance.NotePeakMemory();
  const int64_t dataset = instance.keyspace.Totals().entry_bytes;
  const int64_t resident = ResidentBytes();
  page.Gauge("redis_memory_used_bytes", "Entries, table and connections' buffers", used);
  page.Gauge("redis_memory_used_rss_bytes", "Resident memory of the process", resident);
  page.Gauge("process_resident_memory_bytes", "Resident memory of the process", resident);
  page.Gauge("redis_memory_used_peak_bytes", "The most that redis_memory_used_bytes was",
             Load(instance.stats.peak_memory_bytes));
  page.Gauge("redis_memory_used_dataset_bytes", "Of the memory used, what entries take", dataset);
  page.Gauge("redis_memory_used_overhead_bytes", "Of the memory used, what is no entry's",
             used - dataset);
  page.Gauge("redis_memory_used_lua_bytes", "Of the script interpreters",
             Services::Of(instance).scripts().lua_bytes());
  page.Gauge("redis_memory_max_bytes", "The limit (maxmemory); 0: none", instance.config.maxmemory);
  page.Gauge("redis_config_maxmemory", "The limit (maxmemory); 0: none", instance.config.maxmemory);
  page.Gauge("redis_mem_clients_normal", "Of the memory used, connections' buffers",
             Load(instance.stats.connection_bytes));
  page.Gauge("redis_mem_fragmentation_bytes", "Resident memory beyond memory used",
             resident - used);
  page.Gauge("redis_mem_fragmentation_ratio", "Resident memory over memory used",
             used == 0 ? 0 : static_cast<double>(resident) / static_cast<double>(used));
}

void AddTraffic(Instance& instance, Exposition& page) {
  const ServerStats& stats = instance.stats;
  page.Counter("redis_connections_received_total", "Connections accepted",
               Load(stats.connections_received));
  page.Counter("redis_rejected_connections_total", "Connections refused because of maxclients",
               Load(stats.connections_rejected));
  page.Counter("redis_commands_processed_total", "Commands executed",
               Load(stats.commands_processed));
  page.Gauge("lapse_commands_per_second", "Commands executed in the latest second",
             Load(stats.ops_per_second));
  page.Counter("redis_net_input_bytes_total", "Bytes received from clients",
               Load(stats.net_input_bytes));
  page.Counter("redis_net_output_bytes_total", "Bytes sent to clients",
               Load(stats.net_output_bytes));
  page.Family("redis_errors_total", "counter", "Errors replied, by their first word");
  for (const auto& [kind, count] : Services::Of(instance).errors().Counts()) {
    page.Line({{"err", kind}}, count);
  }
  PubSub& pubsub = Services::Of(instance).pubsub();
  page.Gauge("redis_pubsub_channels", "Channels with subscribers",
             pubsub.NameCount(ChannelKind::kChannel));
  page.Gauge("redis_pubsub_patterns", "Patterns with subscribers",
             pubsub.NameCount(ChannelKind::kPattern));
  page.Gauge("redis_slowlog_length", "Entries in the slow log",
             Services::Of(instance).slow_log().size());
}

// Of all commands that ran: how often, how long, how they ended.
void AddCommands(Instance& instance, Exposition& page) {
  struct Command {
    std::string name;
    CommandTotals totals;
  };
  std::vector<Command> commands;
  CommandStatsBook& book = instance.command_stats;
  for (const CommandRegistry::Numbered& command : instance.registry.numbered()) {
    const CommandTotals totals = book.Totals(command.number);
    if (totals.calls == 0 && totals.rejected == 0 && totals.failed == 0) continue;
    commands.push_back({FullName(command.container, *command.row), totals});
  }
  const double seconds_per_cycle = book.scale().NsPerCycle() / 1e9;
  page.Family("redis_commands_total", "counter", "Calls of each command");
  for (const Command& c : commands) page.Line({{"cmd", c.name}}, c.totals.calls);
  page.Family("redis_commands_duration_seconds_total", "counter", "Time spent in each command");
  for (const Command& c : commands) {
    page.Line({{"cmd", c.name}}, static_cast<double>(c.totals.cycles) * seconds_per_cycle);
  }
  page.Family("redis_commands_rejected_calls_total", "counter",
              "Calls of each command that were refused before it ran");
  for (const Command& c : commands) page.Line({{"cmd", c.name}}, c.totals.rejected);
  page.Family("redis_commands_failed_calls_total", "counter",
              "Calls of each command that it answered with an error");
  for (const Command& c : commands) page.Line({{"cmd", c.name}}, c.totals.failed);
}

void AddCpu(Instance& instance, Exposition& page) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  page.Counter("redis_cpu_sys_seconds_total", "CPU time in the system", Seconds(usage.ru_stime));
  page.Counter("redis_cpu_user_seconds_total", "CPU time in the program", Seconds(usage.ru_utime));
  page.Counter("process_cpu_seconds_total", "CPU time of the process",
               Seconds(usage.ru_stime) + Seconds(usage.ru_utime));
  const auto sample = Services::Of(instance).samples().Latest();
  const double machine = sample ? (*sample)[SampleColumn::kCpuMachine] : std::nan("");
  if (std::isnan(machine)) return;
  page.Gauge("lapse_machine_cpu_ratio", "CPU use of the whole machine in the latest sample, 0..1",
             machine / 100);
}

void AddKeyspace(Instance& instance, Exposition& page) {
  Keyspace& keyspace = instance.keyspace;
  const int64_t now_ms = instance.clock.NowMs();
  std::vector<std::pair<std::string, KeyspaceTotals>> databases;
  for (size_t db = 0; db < keyspace.database_count(); ++db) {
    if (db > 0 && keyspace.FindDatabase(db) == nullptr) continue;
    databases.emplace_back(fmt::format("db{}", db), keyspace.Totals(db));
  }
  page.Family("redis_db_keys", "gauge", "Keys of each database");
  for (const auto& [db, totals] : databases) page.Line({{"db", db}}, totals.keys);
  page.Family("redis_db_keys_expiring", "gauge", "Of those, keys with a deadline");
  for (const auto& [db, totals] : databases) page.Line({{"db", db}}, totals.volatile_keys);
  page.Family("redis_db_avg_ttl_seconds", "gauge", "Mean time that is left to those");
  for (const auto& [db, totals] : databases) {
    if (totals.volatile_keys == 0) continue;
    const int64_t deadline_ms =
        keyspace.ticks().epoch_ms() + totals.deadline_ms_sum / totals.volatile_keys;
    page.Line({{"db", db}}, static_cast<double>(std::max<int64_t>(deadline_ms - now_ms, 0)) / 1e3);
  }
  page.Family("lapse_db_hashes_with_expiring_fields", "gauge",
              "Hashes of each database with fields that have deadlines");
  for (const auto& [db, totals] : databases) page.Line({{"db", db}}, totals.field_volatile_keys);
  const KeyspaceTotals totals = keyspace.Totals();
  page.Counter("redis_keyspace_hits_total", "Lookups that found their key", totals.hits);
  page.Counter("redis_keyspace_misses_total", "Lookups that did not", totals.misses);
  page.Counter("redis_evicted_keys_total", "Keys evicted because of maxmemory", totals.evicted);
  page.Counter("redis_expired_keys_total", "Keys deleted because their time was over",
               totals.expired());
  page.Family("lapse_expired_keys_total", "counter",
              "The same by what deleted them: an access, active expiry, or FLUSHEXPIREKEYS");
  page.Line({{"by", "lazy"}}, totals.expired_lazy);
  page.Line({{"by", "active"}}, totals.expired_active);
  page.Line({{"by", "flush"}}, totals.expired_flushed);
  page.Counter("lapse_expired_fields_total", "Fields of hashes deleted because their time was over",
               totals.expired_fields);
}

// The lag's histogram, coarser than it is kept: a bucket for each power of two.
void AddLag(const LagHistogram& lag, Exposition& page) {
  page.Family("lapse_expire_lag_seconds", "histogram",
              "How late expired keys were deleted; the sum is an estimate from the buckets");
  constexpr int kPerBucket = 4;
  constexpr int64_t kLastBoundMs = int64_t{1} << 26;  // 18 h: what is later goes to +Inf
  int64_t seen = 0;
  double sum_ms = 0;
  for (int bucket = 0; bucket < LagHistogram::kBuckets; ++bucket) {
    const int64_t count = lag.count(bucket);
    const int64_t bound_ms = LagHistogram::UpperBound(bucket);
    const int64_t least_ms = bucket == 0 ? 0 : LagHistogram::UpperBound(bucket - 1) + 1;
    seen += count;
    sum_ms += static_cast<double>(count) * static_cast<double>(least_ms + bound_ms) / 2;
    if (bucket % kPerBucket != kPerBucket - 1 || bound_ms >= kLastBoundMs) continue;
    page.Line({{"le", fmt::format("{}", static_cast<double>(bound_ms) / 1e3)}}, seen, "_bucket");
  }
  page.Line({{"le", "+Inf"}}, seen, "_bucket");
  page.Line({}, sum_ms / 1e3, "_sum");
  page.Line({}, seen, "_count");
}

void AddExpiry(Instance& instance, Exposition& page) {
  // In this order: counting the backlog corrects the dues that the counters read.
  const Backlog backlog = instance.expiry.EstimateBacklog();
  const ExpiryCounters counters = instance.expiry.counters();
  page.Family("lapse_expire_strategy_info", "gauge", "How active expiry works, as a label");
  page.Line({{"strategy", StrategyName(instance.config.expiry.strategy)}}, 1);
  page.Gauge("lapse_unreclaimed_keys", "Expired keys that are still held, an estimate",
             backlog.keys);
  page.Gauge("lapse_unreclaimed_bytes", "Memory of those, an estimate", backlog.bytes);
  page.Gauge("lapse_expire_oldest_due_seconds",
             "How late the latest of them is at most; 0: nothing is due",
             static_cast<double>(counters.oldest_due_ms) / 1e3);
  AddLag(instance.keyspace.lag(), page);
  page.Counter("lapse_expire_cpu_seconds_total", "CPU time of active expiry",
               static_cast<double>(counters.cycle_cpu_ns) / 1e9);
  page.Counter("lapse_expire_slices_total", "Slices of active expiry", counters.slices);
  page.Gauge("lapse_expire_longest_slice_seconds", "The longest slice of active expiry",
             static_cast<double>(counters.max_slice_ns) / 1e9);
  page.Counter("lapse_expire_slices_cut_short_total",
               "Slices that a time limit ended with work left", counters.time_cap_reached);
  page.Gauge("redis_expired_stale_percentage",
             "Share of keys that expired among those looked at (strategy sampled)",
             counters.stale_percent);
}

void AddFlush(Instance& instance, Exposition& page) {
  FlushRunner& flush = instance.expiry.flush();
  page.Counter("lapse_flush_runs_total", "Runs of FLUSHEXPIREKEYS that have ended", flush.runs());
  page.Gauge("lapse_flush_running", "Whether one is going", flush.running() ? 1 : 0);
  const std::optional<FlushRecord> run = flush.Find(std::nullopt);
  if (!run) return;
  page.Gauge("lapse_flush_last_started_seconds", "When the latest run began, since the Unix epoch",
             static_cast<double>(run->started_ms) / 1e3);
  page.Gauge("lapse_flush_last_finished_seconds",
             "When it ended, since the Unix epoch; 0: it has not",
             static_cast<double>(run->finished_ms) / 1e3);
  page.Gauge("lapse_flush_last_succeeded", "Whether it walked all it was to walk",
             run->state == FlushState::kSucceeded ? 1 : 0);
  page.Gauge("lapse_flush_last_scanned_keys", "Keys it passed", run->scanned);
  page.Gauge("lapse_flush_last_reclaimed_keys", "Expired keys it deleted", run->reclaimed);
  page.Gauge("lapse_flush_last_freed_bytes", "Memory of their entries", run->bytes_freed);
  page.Gauge("lapse_flush_last_cpu_seconds", "CPU time it took",
             static_cast<double>(run->cpu_ns) / 1e9);
  page.Gauge("lapse_flush_last_longest_slice_seconds", "Its longest slice",
             static_cast<double>(run->longest_slice_ns) / 1e9);
}

void AddTasks(Instance& instance, Exposition& page) {
  Tasks& service = Services::Of(instance).tasks();
  const std::vector<Task> tasks = service.Snapshot();
  page.Family("lapse_flush_tasks", "gauge", "Flush tasks by status");
  for (const TaskStatus status :
       {TaskStatus::kActive, TaskStatus::kPaused, TaskStatus::kCompleted}) {
    page.Line({{"status", TaskStatusName(status)}},
              std::ranges::count(tasks, status, &Task::status));
  }
  page.Gauge("lapse_flush_executions_live", "Executions of tasks that wait or run",
             service.totals().live_executions);
  if (tasks.empty()) return;
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    page.Family(name, type, help);
    for (const Task& task : tasks) page.Line({{"task", task.spec.name}}, value(task));
  };
  each("lapse_flush_task_executions_total", "counter", "Firings of the task, skipped ones included",
       [](const Task& task) { return task.execution_count; });
  each("lapse_flush_task_reclaimed_keys_total", "counter", "Expired keys that its runs deleted",
       [](const Task& task) { return task.reclaimed_total; });
  each("lapse_flush_task_last_failed", "gauge", "Whether its latest execution has failed",
       [](const Task& task) { return task.last_status == RunStatus::kFailed ? 1 : 0; });
  each("lapse_flush_task_last_success_seconds", "gauge",
       "When a run of it last succeeded, since the Unix epoch; 0: never",
       [](const Task& task) { return static_cast<double>(task.last_success_ms) / 1e3; });
  each("lapse_flush_task_next_run_seconds", "gauge",
       "When it fires next, since the Unix epoch; 0: at no known time",
       [](const Task& task) { return static_cast<double>(task.next_ms) / 1e3; });
}

}  // namespace

std::string PrometheusText(Instance& instance) {
  Exposition page;
  AddServer(instance, page);
  AddClients(instance, page);
  AddMemory(instance, page);
  AddTraffic(instance, page);
  AddCpu(instance, page);
  AddKeyspace(instance, page);
  AddExpiry(instance, page);
  AddFlush(instance, page);
  AddTasks(instance, page);
  AddCommands(instance, page);
  return page.Take();
}

}  // namespace lapse
