#include "server/services/task_runs.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "expiry/resident.h"
#include "fmt/format.h"
#include "storage/lock.h"

namespace lapse {
namespace {

RunFigures FiguresOf(const FlushRecord& record) {
  return {.scanned = record.scanned,
          .reclaimed = record.reclaimed,
          .orphans = record.orphans,
          .bytes_freed = record.bytes_freed,
          .memory_before = record.memory_before,
          .memory_after = record.memory_after,
          .cpu_us = record.cpu_ns / 1000,
          .rss_before = record.rss_before,
          .rss_after = record.rss_after,
          .longest_slice_us = record.longest_slice_ns / 1000};
}

// What databases one after the other came to.
RunFigures Joined(const RunFigures& before, const RunFigures& more) {
  RunFigures sum = more;
  sum.scanned += before.scanned;
  sum.reclaimed += before.reclaimed;
  sum.orphans += before.orphans;
  sum.bytes_freed += before.bytes_freed;
  sum.memory_before = before.memory_before;
  sum.cpu_us += before.cpu_us;
  sum.rss_before = before.rss_before;
  sum.longest_slice_us = std::max(before.longest_slice_us, more.longest_slice_us);
  return sum;
}

}  // namespace

struct InstanceTaskRuns::Outcome {
  Mutex mu;
  std::optional<FlushRecord> record ABSL_GUARDED_BY(mu);

  void Put(const FlushRecord& ended) {
    MutexGuard guard(mu);
    record = ended;
  }
  std::optional<FlushRecord> Get() {
    MutexGuard guard(mu);
    return record;
  }
};

InstanceTaskRuns::~InstanceTaskRuns() = default;

InstanceTaskRuns::Sample InstanceTaskRuns::TakeSample() {
  Sample sample;
  sample.cpu = ReadCpuCounters();
  sample.resident_bytes = ResidentBytes();
  struct sysinfo system {};
  if (::sysinfo(&system) == 0) {
    sample.machine_bytes = static_cast<int64_t>(system.totalram) * system.mem_unit;
  }
  return sample;
}

void InstanceTaskRuns::AddMemory(Instance& instance, double due_from_percent, Sample& sample) {
  const int64_t limit = instance.config.maxmemory;
  const int64_t used = limit > 0 ? instance.UsedMemory() : sample.resident_bytes;
  const int64_t whole = limit > 0 ? limit : sample.machine_bytes;
  sample.memory.known = whole > 0;
  if (whole > 0) {
    sample.memory.percent = 100 * static_cast<double>(used) / static_cast<double>(whole);
  }
  if (sample.memory.percent >= due_from_percent) {
    sample.due_keys = instance.expiry.EstimateBacklog().keys;
  }
}

void InstanceTaskRuns::Note(const Sample& sample, int64_t now_ms) {
  cpu_.Add(now_ms, sample.cpu);
  latest_ = sample;
}

RunStart InstanceTaskRuns::Start(const RunOrder& order) {
  if (order.target == kLocalTarget) return StartLocal(order);
  return StartRemote(order);
}

RunStart InstanceTaskRuns::StartRemote(const RunOrder& order) {
  if (remote_.size() >= kMaxRemoteRuns) {
    return {.busy = true, .reason = "waiting for flushes of other servers to end"};
  }
  absl::StatusOr<RemoteTarget> target = ParseRemoteUrl(order.target);
  if (!target.ok()) return {.reason = std::string(target.status().message())};
  const uint64_t handle = ++last_handle_;
  remote_.emplace(handle, std::make_unique<RemoteRun>(*std::move(target), order));
  return {.handle = handle};
}

RunStart InstanceTaskRuns::StartLocal(const RunOrder& order) {
  for (const int db : order.dbs) {
    if (static_cast<size_t>(db) >= instance_.keyspace.database_count()) {
      return {.reason = fmt::format("there is no database {}", db)};
    }
  }
  LocalRun run{.order = order};
  uint64_t busy_with = 0;
  if (StartNext(run, busy_with) == 0) {
    return {.busy = true, .reason = fmt::format("waiting for run {} to end", busy_with)};
  }
  const uint64_t handle = ++last_handle_;
  local_.emplace(handle, std::move(run));
  return {.handle = handle};
}

uint64_t InstanceTaskRuns::StartNext(LocalRun& run, uint64_t& busy_with) {
  auto outcome = std::make_shared<Outcome>();
  FlushRequest request;
  request.trigger = TriggerName(run.order.trigger);
  request.requested_by = run.order.requested_by;
  if (!run.order.dbs.empty()) request.db = run.order.dbs[run.dbs_begun];
  request.max_cpu_percent = run.order.max_cpu_percent;
  request.on_done = [outcome, on_over = on_over_](const FlushRecord& record) {
    outcome->Put(record);
    on_over();
  };
  const FlushRunner::Started started = instance_.expiry.flush().Start(std::move(request));
  if (started.busy) {
    busy_with = started.run_id;
    return 0;
  }
  ++run.dbs_begun;
  run.run_id = started.run_id;
  run.outcome = std::move(outcome);
  return run.run_id;
}

RunLook InstanceTaskRuns::Look(uint64_t handle) {
  if (const auto local = local_.find(handle); local != local_.end()) {
    RunLook look = LookAtLocal(local->second);
    if (IsOver(look.status)) local_.erase(local);
    return look;
  }
  const auto remote = remote_.find(handle);
  if (remote == remote_.end()) return {.status = RunStatus::kFailed, .reason = "unknown run"};
  RunLook look = remote->second->Look();
  if (IsOver(look.status)) remote_.erase(remote);
  return look;
}

RunLook InstanceTaskRuns::LookAtLocal(LocalRun& run) {
  const size_t dbs = std::max<size_t>(run.order.dbs.size(), 1);
  RunLook look{.run_id = run.run_id};
  const auto progress = [&](size_t done, double more) {
    return (static_cast<double>(done) + more) / static_cast<double>(dbs);
  };
  std::optional<FlushRecord> ended = run.outcome ? run.outcome->Get() : std::nullopt;
  if (ended) {
    run.done = run.dbs_begun == 1 ? FiguresOf(*ended) : Joined(run.done, FiguresOf(*ended));
    run.outcome.reset();
    const bool cut_short = ended->state == FlushState::kCancelled;
    if (cut_short || run.dbs_begun == dbs) {
      look.status = cut_short ? RunStatus::kCancelled : RunStatus::kSuccess;
      look.progress = cut_short ? progress(run.dbs_begun - 1, ended->progress) : 1;
      look.figures = run.done;
      return look;
    }
  }
  if (!run.outcome && run.cancelled) {
    look.status = RunStatus::kCancelled;
  } else if (uint64_t busy_with = 0; !run.outcome && StartNext(run, busy_with) == 0) {
    look.reason = fmt::format("waiting for run {} to end", busy_with);
  }
  look.run_id = run.run_id;
  look.figures = run.done;
  look.progress = progress(run.outcome ? run.dbs_begun - 1 : run.dbs_begun, 0);
  if (!run.outcome) return look;
  const std::optional<FlushRecord> live = instance_.expiry.flush().Find(run.run_id);
  if (!live) return look;
  look.figures = run.dbs_begun == 1 ? FiguresOf(*live) : Joined(run.done, FiguresOf(*live));
  look.progress = progress(run.dbs_begun - 1, live->progress);
  return look;
}

void InstanceTaskRuns::Cancel(uint64_t handle) {
  if (const auto local = local_.find(handle); local != local_.end()) {
    local->second.cancelled = true;
    instance_.expiry.flush().Cancel(local->second.run_id);
  }
  if (const auto remote = remote_.find(handle); remote != remote_.end()) remote->second->Cancel();
}

void InstanceTaskRuns::Limit(uint64_t handle, int64_t max_cpu_percent) {
  const auto local = local_.find(handle);
  if (local == local_.end()) return;
  local->second.order.max_cpu_percent = max_cpu_percent;
  instance_.expiry.flush().Limit(local->second.run_id, max_cpu_percent);
}

}  // namespace lapse
