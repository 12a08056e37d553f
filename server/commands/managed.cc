// What the managed service's API asks of an instance, as commands: DESCRIBEINSTANCES,
// DESCRIBEHISTORYTASKS, MODIFYINSTANCEMAINTAINTIME. The API's actions of these names run them, so
// that the same ACL rules hold for both, and a user may be given just these.

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expiry/tasks/execution.h"
#include "expiry/tasks/executions.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/core/maintenance_window.h"
#include "server/core/version.h"
#include "server/services/services.h"
#include "server/services/tasks.h"

namespace lapse {
namespace {

constexpr int64_t kMostPages = 1'000'000;
constexpr int64_t kMostOnAPage = 1000;
constexpr int64_t kDefaultOnAPage = 10;
constexpr int64_t kMegabyte = int64_t{1} << 20;
constexpr std::string_view kStatuses[] = {"Scheduled", "Waiting", "Running",
                                          "Succeed",   "Failed",  "Canceled"};

// A map's fields, in order, with a count.
class FieldWriter {
 public:
  explicit FieldWriter(ReplyWriter& reply) : reply_(reply), mark_(reply.BeginMap()) {}
  void Text(std::string_view name, std::string_view value) {
    reply_.Bulk(name);
    reply_.Bulk(value);
    ++count_;
  }
  void Integer(std::string_view name, int64_t value) {
    reply_.Bulk(name);
    reply_.Integer(value);
    ++count_;
  }
  void Double(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
    ++count_;
  }
  // For a value that the caller writes next.
  void Name(std::string_view name) {
    reply_.Bulk(name);
    ++count_;
  }
  void End() { reply_.EndMap(mark_, count_); }

 private:
  ReplyWriter& reply_;
  const size_t mark_;
  size_t count_ = 0;
};

// --- the instance ---

void DescribeInstances(CommandContext& ctx) {
  const Config& config = ctx.instance.config;
  const MaintenanceWindow window = ParseMaintenanceWindow(config.maintenance_window).value();
  const bool flushing = ctx.instance.expiry.flush().running();
  ctx.reply.Array(1);
  FieldWriter fields(ctx.reply);
  fields.Text("instance-id", config.instance_name);
  fields.Text("instance-name", config.instance_name);
  fields.Text("instance-status", flushing ? "Flushing" : "Normal");
  fields.Text("instance-type", "Lapse");
  fields.Text("engine-version", kRedisVersion);
  fields.Text("architecture-type", "standard");
  fields.Integer("capacity", config.maxmemory / kMegabyte);
  fields.Integer("connections", config.maxclients);
  fields.Integer("qps", ctx.instance.stats.ops_per_second.load(std::memory_order_relaxed));
  fields.Text("connection-domain", config.bind.empty() ? "" : config.bind.front());
  fields.Integer("port", config.port);
  fields.Integer("create-time", ctx.instance.start_ms);
  fields.Integer("shard-count", 1);
  fields.Integer("replica-count", 0);
  fields.Text("config", fmt::format(R"({{"maxmemory-policy":"{}","hz":"{}"}})",
                                    EvictionPolicyName(config.maxmemory_policy), config.expiry.hz));
  fields.Text("maintain-start-time", window.start());
  fields.Text("maintain-end-time", window.end());
  fields.End();
}

// --- its history ---

struct HistoryQuery {
  int64_t page = 1;
  int64_t count = kDefaultOnAPage;
  std::string_view status;  // "": any
  std::optional<int64_t> id;
  int64_t from_ms = 0;
  int64_t to_ms = std::numeric_limits<int64_t>::max();
};

std::optional<HistoryQuery> ParseHistoryQuery(CommandContext& ctx) {
  HistoryQuery query;
  ArgumentReader in(ctx.args, 1);
  while (in.More()) {
    if (in.Match("PAGE")) {
      query.page = in.IntegerIn(1, kMostPages, "ERR the page has to be 1 or more");
    } else if (in.Match("COUNT")) {
      query.count = in.IntegerIn(1, kMostOnAPage, "ERR COUNT has to be from 1 to 1000");
    } else if (in.Match("ID")) {
      query.id = in.Integer();
    } else if (in.Match("FROM")) {
      query.from_ms = in.Integer();
    } else if (in.Match("TO")) {
      query.to_ms = in.Integer();
    } else if (in.Match("STATUS")) {
      const std::string_view word = in.Next();
      const auto found = std::ranges::find_if(
          kStatuses, [word](std::string_view one) { return EqualsIgnoreCase(one, word); });
      if (found == std::end(kStatuses)) {
        in.Fail("ERR there is no such status");
      } else {
        query.status = *found;
      }
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (in.ok()) return query;
  ctx.reply.Error(in.error());
  return std::nullopt;
}

std::string_view StatusOf(const Execution& execution) {
  switch (execution.status) {
    case RunStatus::kQueued:
      return "Scheduled";
    case RunStatus::kWaiting:
      return "Waiting";
    case RunStatus::kRunning:
      return "Running";
    case RunStatus::kSuccess:
      return "Succeed";
    case RunStatus::kFailed:
      return "Failed";
    case RunStatus::kCancelled:
    case RunStatus::kSkipped:
      break;
  }
  return "Canceled";
}

bool IsAskedFor(const HistoryQuery& query, const Execution& execution) {
  return (query.status.empty() || query.status == StatusOf(execution)) &&
         (!query.id || *query.id == static_cast<int64_t>(execution.id)) &&
         execution.scheduled_ms >= query.from_ms && execution.scheduled_ms <= query.to_ms;
}

// Seconds, as the part that is done lets one expect; 0 where nothing is known.
int64_t RemainingSeconds(const Execution& execution, double progress, int64_t now_ms) {
  if (execution.status != RunStatus::kRunning || progress <= 0) return 0;
  const auto spent_ms = static_cast<double>(now_ms - execution.started_ms);
  return static_cast<int64_t>(spent_ms * (1 - progress) / progress / 1000);
}

void WriteHistoryTask(CommandContext& ctx, const Execution& execution) {
  const double progress = execution.Progress();
  const bool by_user = execution.trigger == Trigger::kManual || execution.trigger == Trigger::kApi;
  FieldWriter fields(ctx.reply);
  fields.Integer("task-id", static_cast<int64_t>(execution.id));
  fields.Text("task-type", "FlushExpireKeys");
  fields.Text("status", StatusOf(execution));
  fields.Double("progress", progress * 100);
  fields.Integer("remain-time", RemainingSeconds(execution, progress, ctx.now_ms));
  fields.Integer("start-time",
                 execution.started_ms != 0 ? execution.started_ms : execution.scheduled_ms);
  fields.Integer("end-time", execution.finished_ms);
  fields.Text("current-step-name", execution.started_ms == 0 ? "" : "exec_task");
  fields.Text("reason-code",
              execution.reason.empty() ? TriggerName(execution.trigger) : execution.reason);
  fields.Text("caller-source", by_user ? "User" : "System");
  fields.Text("caller-uid", execution.requested_by);
  fields.Text("task-detail", execution.task);
  fields.Text("instance-id", ctx.instance.config.instance_name);
  fields.Text("instance-name", ctx.instance.config.instance_name);
  fields.End();
}

void DescribeHistoryTasks(CommandContext& ctx) {
  const std::optional<HistoryQuery> query = ParseHistoryQuery(ctx);
  if (!query) return;
  std::vector<Execution> found =
      Services::Of(ctx.instance)
          .tasks()
          .Executions(std::nullopt, 0, Executions::kMaxHistory + Executions::kMaxLive)
          .executions;
  std::erase_if(found, [&](const Execution& one) { return !IsAskedFor(*query, one); });
  const auto total = static_cast<int64_t>(found.size());
  const int64_t begin = std::min((query->page - 1) * query->count, total);
  const int64_t end = std::min(begin + query->count, total);
  FieldWriter fields(ctx.reply);
  fields.Integer("page-number", query->page);
  fields.Integer("page-size", query->count);
  fields.Integer("total-count", total);
  fields.Name("items");
  ctx.reply.Array(static_cast<size_t>(end - begin));
  for (int64_t i = begin; i < end; ++i) WriteHistoryTask(ctx, found[static_cast<size_t>(i)]);
  fields.End();
}

// --- its maintenance window ---

void ModifyInstanceMaintainTime(CommandContext& ctx) {
  const auto window = ParseMaintenanceWindow(ctx.args[1], ctx.args[2]);
  if (!window) {
    return ctx.reply.Error("ERR start and end have to be two different times of day, as 02:00Z");
  }
  ctx.instance.config.maintenance_window = fmt::format("{}-{}", window->start(), window->end());
  ctx.instance.hooks->OnConfigChanged();
  ctx.reply.Ok();
}

constexpr CommandRow kRows[] = {
    {.name = "describeinstances",
     .arity = 1,
     .flags = kLoading | kStale,
     .categories = "expiry",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "What this server is, in the managed service's words",
     .handler = DescribeInstances},
    {.name = "describehistorytasks",
     .arity = -1,
     .flags = kLoading | kStale,
     .categories = "expiry taskhistory",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N), N executions kept",
     .summary = "Runs of FLUSHEXPIREKEYS, in the managed service's words",
     .syntax = "[PAGE page] [COUNT count] [STATUS status] [ID id] [FROM unix-time-milliseconds] "
               "[TO unix-time-milliseconds]",
     .handler = DescribeHistoryTasks},
    {.name = "modifyinstancemaintaintime",
     .arity = 3,
     .flags = kAdmin | kNoScript | kExclusive,
     .categories = "expiry",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Set the maintenance window",
     .syntax = "start end",
     .handler = ModifyInstanceMaintainTime},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ManagedCommands() { return kRows; }

}  // namespace lapse
