// FLUSHEXPIREKEYS: deletes every expired key now, or says what such runs did.
//
// The handler starts a run and goes; the expiry drivers walk, in slices. SYNC, the default, because
// a person at redis-cli wants to see what came of it, keeps the client waiting and nobody else. The
// run goes on when the client hangs up.

#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "expiry/flush.h"
#include "expiry/tasks/run_options.h"
#include "expiry/tasks/times.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/services/services.h"
#include "server/services/tasks.h"

namespace lapse {
namespace {

constexpr int64_t kMaxId = std::numeric_limits<int64_t>::max();
constexpr int64_t kDefaultHistory = 10;
constexpr size_t kShownArgument = 128;  // longer ones are cut in error texts
constexpr std::string_view kBadMaxCpu = "ERR MAXCPU must be a percentage between 1 and 100";
constexpr std::string_view kBadCount = "ERR count must be a positive integer";

std::string Busy(uint64_t run_id) {
  return fmt::format("BUSY FLUSHEXPIREKEYS run {} is still going; see FLUSHEXPIREKEYS STATUS {}",
                     run_id, run_id);
}

std::string NoSuchRun(int64_t run_id) { return fmt::format("ERR no such run: {}", run_id); }

void WriteRecord(ReplyWriter& reply, const FlushRecord& record) {
  size_t fields = 0;
  const auto name_field = [&](std::string_view name) {
    reply.Bulk(name);
    ++fields;
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    name_field(name);
    reply.Bulk(value);
  };
  const auto integer = [&](std::string_view name, int64_t value) {
    name_field(name);
    reply.Integer(value);
  };
  const size_t map = reply.BeginMap();
  integer("run-id", static_cast<int64_t>(record.run_id));
  text("trigger", record.trigger);
  text("requested-by", record.requested_by);
  text("state", FlushStateName(record.state));
  text("scan", ReadingName(record.reading));
  integer("dry-run", record.dry_run ? 1 : 0);
  integer("db", record.db.value_or(-1));
  integer("maxcpu", record.max_cpu_percent);
  integer("started-at", record.started_ms);
  integer("finished-at", record.finished_ms);
  integer("scanned", record.scanned);
  integer("reclaimed", record.reclaimed);
  integer("orphans", record.orphans);
  integer("bytes-freed", record.bytes_freed);
  integer("memory-before", record.memory_before);
  integer("memory-after", record.memory_after);
  integer("rss-before", record.rss_before);
  integer("rss-after", record.rss_after);
  integer("cpu-us", record.cpu_ns / 1000);
  integer("slices", record.slices);
  integer("longest-slice-us", record.longest_slice_ns / 1000);
  integer("release-us", record.release_ns / 1000);
  name_field("progress");
  reply.Double(record.progress);
  reply.EndMap(map, fields);
}

// --- looking at runs ---

void Status(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  std::optional<int64_t> run_id;
  if (in.More()) run_id = in.IntegerIn(0, kMaxId);
  if (in.More()) in.Fail(errors::kSyntax);
  if (!in.ok()) return ctx.reply.Error(in.error());
  std::optional<uint64_t> wanted;
  if (run_id) wanted = static_cast<uint64_t>(*run_id);
  const std::optional<FlushRecord> record = ctx.instance.expiry.flush().Find(wanted);
  if (record) return WriteRecord(ctx.reply, *record);
  ctx.reply.Error(run_id ? NoSuchRun(*run_id) : "ERR no FLUSHEXPIREKEYS run yet");
}

void History(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  int64_t count = kDefaultHistory;
  if (in.More()) count = in.IntegerIn(1, kMaxId, kBadCount);
  if (in.More()) in.Fail(errors::kSyntax);
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto records = ctx.instance.expiry.flush().History(static_cast<size_t>(count));
  ctx.reply.Array(records.size());
  for (const FlushRecord& record : records) WriteRecord(ctx.reply, record);
}

void Cancel(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t run_id = in.IntegerIn(0, kMaxId);
  if (in.More()) in.Fail(errors::kSyntax);
  if (!in.ok()) return ctx.reply.Error(in.error());
  FlushRunner& flush = ctx.instance.expiry.flush();
  if (flush.Cancel(static_cast<uint64_t>(run_id))) return ctx.reply.Ok();
  const bool known = flush.Find(static_cast<uint64_t>(run_id)).has_value();
  ctx.reply.Error(known ? fmt::format("ERR run {} has ended", run_id) : NoSuchRun(run_id));
}

void Help(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "FLUSHEXPIREKEYS [SYNC|ASYNC] [DB index] [MAXCPU percent] [SCAN EXHAUSTIVE|HINTED] [DRYRUN]",
      "    Delete all expired keys now, in slices between other clients' commands.",
      "    SYNC (the default) replies with the run's record when it has ended, ASYNC at its start.",
      "FLUSHEXPIREKEYS STATUS [run-id]",
      "    Return the record of a run, of the latest one without an id.",
      "FLUSHEXPIREKEYS CANCEL run-id",
      "    Stop a run where it is.",
      "FLUSHEXPIREKEYS HISTORY [count]",
      "    Return the records of the latest runs, newest first. Default: 10.",
      "FLUSHEXPIREKEYS TASK IMMEDIATELY|MAINTAINTIME",
      "    Queue an execution for now or for the maintenance window, and return its id; see",
      "    FLUSHTASK EXECUTION.",
      "FLUSHEXPIREKEYS HELP",
      "    Print this help.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
}

// --- starting one ---

struct Options {
  FlushRequest request;
  bool wait = true;
};

std::optional<Options> ParseOptions(CommandContext& ctx) {
  Options options;
  options.request.requested_by = ctx.session.user;
  bool mode_given = false;
  ArgumentReader in(ctx.args, 1);
  while (in.More()) {
    if (in.Match("DRYRUN")) {
      options.request.dry_run = true;
    } else if (in.Match("DB")) {
      const auto last = static_cast<int64_t>(ctx.keyspace().database_count()) - 1;
      options.request.db = static_cast<int>(in.IntegerIn(0, last, errors::kDbIndex));
    } else if (in.Match("MAXCPU")) {
      options.request.max_cpu_percent = in.IntegerIn(1, 100, kBadMaxCpu);
    } else if (in.Match("SCAN")) {
      const bool by_hints = in.Match("HINTED");
      if (!by_hints && !in.Match("EXHAUSTIVE")) in.Fail(errors::kSyntax);
      options.request.reading = by_hints ? SweepReading::kHints : SweepReading::kDeadlines;
    } else if (const bool async = in.Match("ASYNC"); async || in.Match("SYNC")) {
      if (mode_given) in.Fail(errors::kSyntax);
      mode_given = true;
      options.wait = !async;
    } else {
      in.Fail(fmt::format("ERR unknown option '{}' for 'flushexpirekeys' command",
                          in.Next().substr(0, kShownArgument)));
    }
  }
  if (in.ok()) return options;
  ctx.reply.Error(in.error());
  return std::nullopt;
}

void StartAndWait(CommandContext& ctx, FlushRequest request) {
  // Blocked first: the run may have ended before Start returns.
  DeferredReply deferred = ctx.Defer();
  request.on_done = [deferred](const FlushRecord& record) mutable {
    deferred.Complete([record](ReplyWriter& reply) { WriteRecord(reply, record); });
  };
  const FlushRunner::Started started = ctx.instance.expiry.flush().Start(std::move(request));
  if (!started.busy) return;
  deferred.Complete([id = started.run_id](ReplyWriter& reply) { reply.Error(Busy(id)); });
}

void StartAndGo(CommandContext& ctx, FlushRequest request) {
  FlushRunner& flush = ctx.instance.expiry.flush();
  const FlushRunner::Started started = flush.Start(std::move(request));
  if (started.busy) return ctx.reply.Error(Busy(started.run_id));
  const std::optional<FlushRecord> record = flush.Find(started.run_id);
  WriteRecord(ctx.reply, record.value_or(FlushRecord{}));
}

// As the managed service's API asks for it: an execution in the history of tasks, which waits for
// its turn and, if asked to, for the maintenance window.
void RunAsTask(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const bool in_window = in.Match("MAINTAINTIME");
  if (!in_window && !in.Match("IMMEDIATELY")) in.Fail(errors::kSyntax);
  if (in.More()) in.Fail(errors::kSyntax);
  if (!in.ok()) return ctx.reply.Error(in.error());
  RunOptions options;
  if (in_window) options.window = *DailyWindow::Parse(ctx.instance.config.maintenance_window);
  const absl::StatusOr<uint64_t> id =
      Services::Of(ctx.instance)
          .tasks()
          .RunOnce(std::move(options), Trigger::kApi, ctx.session.user);
  if (id.ok()) return ctx.reply.Integer(static_cast<int64_t>(*id));
  ctx.reply.Error(fmt::format("{} {}", absl::IsUnavailable(id.status()) ? "BUSY" : "ERR",
                              std::string(id.status().message())));
}

void FlushExpireKeys(CommandContext& ctx) {
  if (ctx.args.size() > 1) {
    const std::string_view word = ctx.args[1];
    if (EqualsIgnoreCase(word, "STATUS")) return Status(ctx);
    if (EqualsIgnoreCase(word, "HISTORY")) return History(ctx);
    if (EqualsIgnoreCase(word, "CANCEL")) return Cancel(ctx);
    if (EqualsIgnoreCase(word, "TASK")) return RunAsTask(ctx);
    if (EqualsIgnoreCase(word, "HELP") && ctx.args.size() == 2) return Help(ctx);
  }
  std::optional<Options> options = ParseOptions(ctx);
  if (!options) return;
  if (options->wait) {
    StartAndWait(ctx, std::move(options->request));
  } else {
    StartAndGo(ctx, std::move(options->request));
  }
}

constexpr CommandRow kRows[] = {
    {.name = "flushexpirekeys",
     .arity = -1,
     .flags = kAdmin | kNoScript | kNoMulti | kBlocking | kLocksItself,
     .categories = "expiry keyspace dangerous",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N), N keys, off the callers' way; with SCAN HINTED O(M), M of them expired",
     .summary = "Delete all expired keys now, or look at the runs that did",
     .syntax =
         "[SYNC | ASYNC] [DB index] [MAXCPU percent] [SCAN EXHAUSTIVE | SCAN HINTED] [DRYRUN] "
         "[STATUS [run-id] | CANCEL run-id | HISTORY [count] | "
         "TASK IMMEDIATELY | TASK MAINTAINTIME | HELP]",
     .handler = FlushExpireKeys},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> FlushExpireCommands() { return kRows; }

}  // namespace lapse
