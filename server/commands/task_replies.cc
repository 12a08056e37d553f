#include "server/commands/task_replies.h"

#include <string>
#include <string_view>

#include "server/core/words.h"

namespace lapse {
namespace {

// A map in the making: its fields in the order in which they are written.
class MapReply {
 public:
  explicit MapReply(ReplyWriter& reply) : reply_(reply), mark_(reply.BeginMap()) {}
  void End() { reply_.EndMap(mark_, fields_); }

  // The writer, for a value that is neither a text nor a number.
  ReplyWriter& Name(std::string_view name) {
    reply_.Bulk(name);
    ++fields_;
    return reply_;
  }
  void Text(std::string_view name, std::string_view value) { Name(name).Bulk(value); }
  void Number(std::string_view name, int64_t value) { Name(name).Integer(value); }
  void Real(std::string_view name, double value) { Name(name).Double(value); }

 private:
  ReplyWriter& reply_;
  const size_t mark_;
  size_t fields_ = 0;
};

// As FLUSHTASK CREATE takes them, in one text.
std::string Definition(const TaskSpec& spec) {
  TaskSpec shown = spec;
  for (std::string& target : shown.run.targets) target = MaskTarget(target);
  std::string text = spec.name;
  for (const std::string& word : TaskWords(shown)) text += ' ' + QuoteWord(word);
  return text;
}

void WriteOptions(ReplyWriter& reply, MapReply& map, const TaskSpec& spec) {
  const RunOptions& run = spec.run;
  map.Number("maxcpu", run.max_cpu_percent);
  map.Number("offpeak-cpu", run.offpeak_cpu);
  map.Number("offpeak-within-ms", run.offpeak_within_ms);
  map.Text("window", run.window ? run.window->text() : "");
  map.Number("cooldown-ms", spec.cooldown_ms);
  map.Number("timeout-ms", run.timeout_ms);
  map.Number("for-ms", spec.kind == TaskKind::kMemory ? spec.for_ms : 0);
  map.Number("silence-ms", spec.kind == TaskKind::kMemory ? spec.silence_ms : 0);
  map.Text("missed", MissedPolicyName(spec.missed));
  map.Name("db").Array(run.dbs.size());
  for (const int db : run.dbs) reply.Integer(db);
}

void WriteFigures(MapReply& map, const RunFigures& figures) {
  map.Number("scanned", figures.scanned);
  map.Number("reclaimed", figures.reclaimed);
  map.Number("orphans", figures.orphans);
  map.Number("bytes-freed", figures.bytes_freed);
  map.Number("memory-before", figures.memory_before);
  map.Number("memory-after", figures.memory_after);
  map.Number("cpu-us", figures.cpu_us);
}

void WriteTarget(ReplyWriter& reply, const TargetRun& run) {
  MapReply map(reply);
  map.Text("target", MaskTarget(run.target));
  map.Text("status", RunStatusName(run.status));
  map.Text("reason", run.reason);
  map.Number("run-id", static_cast<int64_t>(run.run_id));
  map.Real("progress", run.progress);
  WriteFigures(map, run.figures);
  map.Number("rss-before", run.figures.rss_before);
  map.Number("rss-after", run.figures.rss_after);
  map.Number("longest-slice-us", run.figures.longest_slice_us);
  map.End();
}

}  // namespace

void WriteTask(ReplyWriter& reply, const TaskView& view) {
  const Task& task = view.task;
  const TaskSpec& spec = task.spec;
  MapReply map(reply);
  map.Text("name", spec.name);
  map.Text("status", TaskStatusName(task.status));
  map.Text("kind", TaskKindName(spec.kind));
  map.Text("when", spec.When());
  map.Text("timezone", spec.zone.name());
  map.Number("start-at", spec.start_ms);
  map.Number("until", spec.until_ms);
  WriteOptions(reply, map, spec);
  map.Name("targets").Array(spec.run.targets.size());
  for (const std::string& target : spec.run.targets) reply.Bulk(MaskTarget(target));
  map.Number("concurrency", spec.run.concurrency);
  map.Number("maxerrors", spec.run.max_errors);
  map.Text("origin", task.from_config ? "config" : "command");
  map.Number("created-at", task.created_ms);
  map.Text("created-by", task.created_by);
  map.Number("changed-at", task.changed_ms);
  map.Number("next-run-at", task.next_ms);
  map.Name("next-runs").Array(view.next_runs.size());
  for (const int64_t at : view.next_runs) reply.Integer(at);
  map.Number("last-run-at", task.last_run_ms);
  map.Text("last-status", task.last_status ? RunStatusName(*task.last_status) : "");
  map.Number("last-success-at", task.last_success_ms);
  map.Number("execution-count", task.execution_count);
  map.Number("reclaimed-total", task.reclaimed_total);
  map.Number("running", static_cast<int64_t>(view.running));
  map.Text("definition", Definition(spec));
  map.End();
}

void WriteExecution(ReplyWriter& reply, const Execution& execution) {
  MapReply map(reply);
  map.Number("id", static_cast<int64_t>(execution.id));
  map.Text("task", execution.task);
  map.Text("trigger", TriggerName(execution.trigger));
  map.Text("requested-by", execution.requested_by);
  map.Text("status", RunStatusName(execution.status));
  map.Text("reason", execution.reason);
  map.Number("scheduled-at", execution.scheduled_ms);
  map.Number("started-at", execution.started_ms);
  map.Number("finished-at", execution.finished_ms);
  map.Real("progress", execution.Progress());
  map.Real("memory-percent", execution.memory_percent);
  WriteFigures(map, execution.Sum());
  map.Name("targets").Array(execution.targets.size());
  for (const TargetRun& run : execution.targets) WriteTarget(reply, run);
  map.End();
}

}  // namespace lapse
