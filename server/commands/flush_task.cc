// FLUSHTASK: flush runs that happen by themselves, and their history. docs/tasks.md says what the
// words mean; here they are passed on, and what comes back is written.

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/commands/task_replies.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/services/services.h"
#include "server/services/tasks.h"

namespace lapse {
namespace {

constexpr int64_t kDefaultPageSize = 20;
constexpr int64_t kMostPageSize = 1000;
constexpr int64_t kMaxId = std::numeric_limits<int64_t>::max();
constexpr std::string_view kBadId = "ERR an execution's id is a positive integer";

Tasks& TasksOf(CommandContext& ctx) { return Services::Of(ctx.instance).tasks(); }

std::string ErrorText(const absl::Status& status) {
  const std::string_view code = absl::IsUnavailable(status) ? "BUSY" : "ERR";
  return fmt::format("{} {}", code, std::string(status.message()));
}

void ReplyStatus(CommandContext& ctx, const absl::Status& status) {
  if (status.ok()) return ctx.reply.Ok();
  ctx.reply.Error(ErrorText(status));
}

// --- reading tasks ---

void List(CommandContext& ctx) {
  const std::vector<TaskView> views = TasksOf(ctx).List();
  ctx.reply.Array(views.size());
  for (const TaskView& view : views) WriteTask(ctx.reply, view);
}

void Show(CommandContext& ctx) {
  const std::optional<TaskView> view = TasksOf(ctx).Show(ctx.args[2]);
  if (view) return WriteTask(ctx.reply, *view);
  ctx.reply.Error(fmt::format("ERR no such task: {}", ctx.args[2].substr(0, 128)));
}

// --- changing tasks ---

void Create(CommandContext& ctx) {
  ReplyStatus(ctx, TasksOf(ctx).Create(ctx.args[2], ctx.args.subspan(3), ctx.session.user));
}

void Update(CommandContext& ctx) {
  ReplyStatus(ctx, TasksOf(ctx).Update(ctx.args[2], ctx.args.subspan(3)));
}

void Pause(CommandContext& ctx) { ReplyStatus(ctx, TasksOf(ctx).Pause(ctx.args[2])); }

void Resume(CommandContext& ctx) { ReplyStatus(ctx, TasksOf(ctx).Resume(ctx.args[2])); }

void Delete(CommandContext& ctx) { ReplyStatus(ctx, TasksOf(ctx).Delete(ctx.args[2])); }

// --- runs ---

void TriggerTask(CommandContext& ctx) {
  const absl::StatusOr<uint64_t> id = TasksOf(ctx).Trigger(ctx.args[2], ctx.session.user);
  if (!id.ok()) return ctx.reply.Error(ErrorText(id.status()));
  ctx.reply.Integer(static_cast<int64_t>(*id));
}

// The only argument of the subcommand, which is an execution's id.
std::optional<uint64_t> ReadId(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t id = in.IntegerIn(1, kMaxId, kBadId);
  if (in.ok()) return static_cast<uint64_t>(id);
  ctx.reply.Error(in.error());
  return std::nullopt;
}

void Cancel(CommandContext& ctx) {
  const std::optional<uint64_t> id = ReadId(ctx);
  if (id) ReplyStatus(ctx, TasksOf(ctx).Cancel(*id, ctx.session.user));
}

// --- history ---

void ExecutionById(CommandContext& ctx) {
  const std::optional<uint64_t> id = ReadId(ctx);
  if (!id) return;
  const std::optional<Execution> execution = TasksOf(ctx).FindExecution(*id);
  if (execution) return WriteExecution(ctx.reply, *execution);
  ctx.reply.Error(fmt::format("ERR no such execution: {}", *id));
}

void ExecutionPage(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const std::string_view name = in.Next();
  int64_t page = 1;
  int64_t count = kDefaultPageSize;
  bool page_given = false;
  while (in.More()) {
    if (in.Match("COUNT")) {
      count = in.IntegerIn(1, kMostPageSize, "ERR COUNT must be between 1 and 1000");
    } else if (page_given) {
      in.Fail(errors::kSyntax);
    } else {
      page = in.IntegerIn(1, kMaxId / kMostPageSize, "ERR the page must be a positive integer");
      page_given = true;
    }
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  std::optional<std::string> task;
  if (name != "*") task = name;
  const auto offset = static_cast<size_t>((page - 1) * count);
  const Tasks::Page found = TasksOf(ctx).Executions(task, offset, static_cast<size_t>(count));
  // The history of a task that was deleted is still there.
  if (task && found.total == 0 && !TasksOf(ctx).Show(*task)) {
    return ctx.reply.Error(fmt::format("ERR no such task: {}", name.substr(0, 128)));
  }
  ReplyWriter& reply = ctx.reply;
  reply.Map(4);
  reply.Bulk("page");
  reply.Integer(page);
  reply.Bulk("page-size");
  reply.Integer(count);
  reply.Bulk("total");
  reply.Integer(static_cast<int64_t>(found.total));
  reply.Bulk("executions");
  reply.Array(found.executions.size());
  for (const Execution& execution : found.executions) WriteExecution(reply, execution);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kNoMulti;
// Their words may hold passwords.
constexpr uint32_t kSecret = kFlags | kSkipMonitor | kSkipSlowlog;
constexpr CommandRow Sub(std::string_view name, int arity, uint32_t flags,
                         std::string_view categories, std::string_view complexity,
                         std::string_view summary, std::string_view syntax, Handler handler) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .categories = categories,
          .group = "server",
          .since = "1.0.0",
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax,
          .handler = handler};
}

constexpr std::string_view kRead = "expiry taskread";
constexpr std::string_view kChange = "expiry taskwrite";
constexpr std::string_view kRun = "expiry tasktrigger";
constexpr std::string_view kHistory = "expiry taskhistory";

constexpr CommandRow kSubcommands[] = {
    Sub("cancel", 3, kFlags, kRun, "O(1)", "Stop an execution, or take it out of the queue", "id",
        Cancel),
    Sub("create", -5, kSecret, kChange, "O(1)", "Make a task that flushes expired keys",
        "name <CRON expression | EVERY duration | AT time | MEMORY percent> [FOR duration] "
        "[SILENCE duration] [TZ zone] [START time] [UNTIL time] [MAXCPU percent] "
        "[OFFPEAK CPU percent [WITHIN duration]] [WINDOW window] [COOLDOWN duration] "
        "[TIMEOUT duration] [MISSED ONCE | MISSED SKIP] [DB index [index ...]] "
        "[ON target [target ...]] [CONCURRENCY count] [MAXERRORS count]",
        Create),
    Sub("delete", 3, kFlags, kChange, "O(1)", "Delete a task; its history stays", "name", Delete),
    Sub("execution", 3, kFlags, kHistory, "O(1)", "The details of an execution", "id",
        ExecutionById),
    Sub("executions", -3, kFlags, kHistory, "O(N), N executions kept",
        "The executions of a task or, with *, of all, newest first", "name [page] [COUNT count]",
        ExecutionPage),
    Sub("help", 2, kLoading | kStale, "expiry", "O(1)", "List the subcommands", "",
        ReplySubcommandHelp),
    Sub("list", 2, kFlags, kRead, "O(N), N tasks", "All tasks", "", List),
    Sub("pause", 3, kFlags, kChange, "O(1)", "Have a task not fire until it is resumed", "name",
        Pause),
    Sub("resume", 3, kFlags, kChange, "O(1)", "Have a paused task fire again", "name", Resume),
    Sub("show", 3, kFlags, kRead, "O(1)", "A task", "name", Show),
    Sub("trigger", 3, kFlags, kRun, "O(1)", "Have a task run now", "name", TriggerTask),
    Sub("update", -4, kSecret, kChange, "O(1)", "Change what is said of a task",
        "name option [option ...]", Update),
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "flushtask",
     .arity = -2,
     .categories = "expiry",
     .group = "server",
     .since = "1.0.0",
     .complexity = "That of the subcommand",
     .summary = "A container for commands about tasks that flush expired keys",
     .subcommands = kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> FlushTaskCommands() { return kRows; }

}  // namespace lapse
