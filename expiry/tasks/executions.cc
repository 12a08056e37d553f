#include "expiry/tasks/executions.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace lapse {
namespace {

size_t CountOf(const std::vector<TargetRun>& targets, RunStatus status) {
  return static_cast<size_t>(std::ranges::count(targets, status, &TargetRun::status));
}

bool IsRunning(const TargetRun& run) { return run.status == RunStatus::kRunning; }

// A person who triggers a task, or asks for a run at once, does not wait for a better time.
bool WaitsForItsTime(const Execution& execution) { return execution.trigger != Trigger::kManual; }

std::string FirstFailure(const Execution& execution) {
  for (const TargetRun& run : execution.targets) {
    if (run.status != RunStatus::kFailed) continue;
    if (execution.targets.size() == 1) return run.reason;
    return fmt::format("{}: {}", MaskTarget(run.target), run.reason);
  }
  return "";
}

}  // namespace

uint64_t Executions::Queue(Execution execution) {
  execution.id = ++last_id_;
  execution.status = RunStatus::kQueued;
  execution.targets.clear();
  for (const std::string& target : execution.options.targets) {
    execution.targets.push_back({.target = target});
  }
  Live live;
  live.handles.resize(execution.targets.size());
  live.note = execution.reason;
  const uint64_t id = execution.id;
  live_.emplace(id, std::move(live));
  all_.emplace(id, std::move(execution));
  ++changes_;
  return id;
}

uint64_t Executions::Skip(Execution execution, std::string reason, int64_t now_ms) {
  execution.id = ++last_id_;
  const uint64_t id = execution.id;
  End(all_.emplace(id, std::move(execution)).first->second, RunStatus::kSkipped, std::move(reason),
      now_ms);
  Trim();
  return id;
}

void Executions::SkipAgain(uint64_t id, std::string reason, int64_t now_ms) {
  const auto found = all_.find(id);
  if (found == all_.end() || found->second.status != RunStatus::kSkipped) return;
  found->second.reason = std::move(reason);
  found->second.finished_ms = now_ms;
  ++changes_;
}

bool Executions::Cancel(uint64_t id, std::string reason, int64_t now_ms) {
  const auto live = live_.find(id);
  if (live == live_.end()) return false;
  Execution& execution = all_.at(id);
  Stop(execution, live->second, RunStatus::kCancelled, std::move(reason));
  StepOne(execution, live->second, now_ms);
  if (IsOver(execution.status)) live_.erase(live);
  return true;
}

void Executions::Step(int64_t now_ms) {
  bool any_over = false;
  for (auto at = live_.begin(); at != live_.end();) {
    Execution& execution = all_.at(at->first);
    StepOne(execution, at->second, now_ms);
    const bool over = IsOver(execution.status);
    any_over |= over;
    at = over ? live_.erase(at) : std::next(at);
  }
  if (any_over) Trim();
}

void Executions::StepOne(Execution& execution, Live& live, int64_t now_ms) {
  LookAtTargets(execution, live);
  const bool begun = execution.started_ms != 0;
  if (!live.ending && !begun && !MayRun(execution, live, now_ms)) return;
  if (!live.ending) StartTargets(execution, live, now_ms);
  if (!live.ending && execution.started_ms != 0) Guard(execution, live, now_ms);
  EndIfDone(execution, live, now_ms);
}

bool Executions::MayRun(Execution& execution, Live& live, int64_t now_ms) {
  if (now_ms - execution.scheduled_ms > kLongestQueueMs) {
    End(execution, RunStatus::kFailed, "gave up waiting: " + execution.reason, now_ms);
    return false;
  }
  if (!WaitsForItsTime(execution)) return true;
  const auto& window = execution.options.window;
  if (window && !window->Contains(now_ms)) {
    live.ready_ms = 0;
    Set(execution, RunStatus::kWaiting,
        fmt::format("waiting for the maintenance window {}", window->text()));
    return false;
  }
  if (live.ready_ms == 0) live.ready_ms = now_ms;
  return execution.options.offpeak_cpu == 0 || OffpeakNow(execution, live, now_ms);
}

bool Executions::OffpeakNow(Execution& execution, Live& live, int64_t now_ms) {
  const std::optional<CpuUse> use = runs_.Cpu();
  const auto limit = static_cast<double>(execution.options.offpeak_cpu);
  if (use && use->machine_percent <= limit) return true;
  std::string why =
      use ? fmt::format("machine CPU at {:.0f} %, limit {:.0f} %", use->machine_percent, limit)
          : "the machine's CPU use is being measured";
  const int64_t within_ms = execution.options.offpeak_within_ms;
  if (within_ms != 0 && now_ms - live.ready_ms >= within_ms) {
    End(execution, RunStatus::kSkipped,
        fmt::format("no off-peak time within {}: {}", FormatDuration(within_ms), why), now_ms);
    return false;
  }
  Set(execution, RunStatus::kWaiting, "waiting for off-peak: " + why);
  return false;
}

void Executions::LookAtTargets(Execution& execution, Live& live) {
  for (size_t i = 0; i < execution.targets.size(); ++i) {
    if (live.handles[i] == 0) continue;
    TargetRun& run = execution.targets[i];
    RunLook look = runs_.Look(live.handles[i]);
    run.figures = look.figures;
    run.progress = look.progress;
    run.run_id = look.run_id;
    if (!IsOver(look.status)) continue;
    run.status = look.status;
    run.reason = std::move(look.reason);
    live.handles[i] = 0;
    ++changes_;
  }
}

void Executions::StartTargets(Execution& execution, Live& live, int64_t now_ms) {
  auto running = static_cast<int64_t>(std::ranges::count_if(execution.targets, IsRunning));
  const auto failed = static_cast<int64_t>(CountOf(execution.targets, RunStatus::kFailed));
  const bool too_many = failed > execution.options.max_errors;
  for (size_t i = 0; i < execution.targets.size(); ++i) {
    TargetRun& run = execution.targets[i];
    if (run.status != RunStatus::kQueued) continue;
    if (too_many) {
      run.status = RunStatus::kSkipped;
      run.reason =
          fmt::format("not begun: {} of {} targets failed", failed, execution.targets.size());
    } else if (running < execution.options.concurrency) {
      running += StartTarget(execution, live, i, now_ms) ? 1 : 0;
    }
  }
}

bool Executions::StartTarget(Execution& execution, Live& live, size_t index, int64_t now_ms) {
  TargetRun& run = execution.targets[index];
  const RunStart start = runs_.Start({.execution_id = execution.id,
                                      .task = execution.task,
                                      .target = run.target,
                                      .trigger = execution.trigger,
                                      .requested_by = execution.requested_by,
                                      .dbs = execution.options.dbs,
                                      .max_cpu_percent = execution.options.max_cpu_percent});
  if (start.busy) {
    run.reason = start.reason;
    if (execution.started_ms == 0) Set(execution, RunStatus::kQueued, start.reason);
    return false;
  }
  if (execution.started_ms == 0) execution.started_ms = now_ms;
  Set(execution, RunStatus::kRunning, live.note);
  if (start.handle == 0) {
    run.status = RunStatus::kFailed;
    run.reason = start.reason;
    return false;
  }
  run.status = RunStatus::kRunning;
  run.reason.clear();
  live.handles[index] = start.handle;
  live.limit_percent = execution.options.max_cpu_percent;
  return true;
}

void Executions::Guard(Execution& execution, Live& live, int64_t now_ms) {
  const RunOptions& options = execution.options;
  if (options.timeout_ms != 0 && now_ms - execution.started_ms >= options.timeout_ms) {
    return Stop(execution, live, RunStatus::kFailed,
                fmt::format("timed out after {}", FormatDuration(options.timeout_ms)));
  }
  if (!WaitsForItsTime(execution)) return;
  if (options.window && !options.window->Contains(now_ms)) {
    return Stop(execution, live, RunStatus::kCancelled,
                fmt::format("the maintenance window {} closed", options.window->text()));
  }
  const std::optional<CpuUse> use = options.offpeak_cpu == 0 ? std::nullopt : runs_.Cpu();
  if (!use) return;
  // What the run itself may take is not held against it.
  const double own = static_cast<double>(options.max_cpu_percent) / std::max(use->cores, 1.0);
  const bool peak = use->machine_percent > static_cast<double>(options.offpeak_cpu) + own;
  const int64_t full = options.max_cpu_percent;
  const int64_t limit = peak ? std::max<int64_t>(full / kSlowedShare, 1) : full;
  if (limit == live.limit_percent) return;
  live.limit_percent = limit;
  for (const uint64_t handle : live.handles) {
    if (handle != 0) runs_.Limit(handle, limit);
  }
  Set(execution, RunStatus::kRunning,
      peak ? fmt::format("slowed: machine CPU at {:.0f} %, limit {} %", use->machine_percent,
                         options.offpeak_cpu)
           : live.note);
}

void Executions::Stop(Execution& execution, Live& live, RunStatus status, std::string reason) {
  if (live.ending) return;
  live.ending = status;
  live.ending_reason = std::move(reason);
  for (size_t i = 0; i < execution.targets.size(); ++i) {
    TargetRun& run = execution.targets[i];
    if (live.handles[i] != 0) {
      runs_.Cancel(live.handles[i]);
    } else if (run.status == RunStatus::kQueued) {
      run.status = RunStatus::kCancelled;
      run.reason = "not begun";
    }
  }
}

void Executions::EndIfDone(Execution& execution, Live& live, int64_t now_ms) {
  const bool all_over = std::ranges::all_of(
      execution.targets, [](const TargetRun& run) { return IsOver(run.status); });
  if (!all_over || IsOver(execution.status)) return;
  const size_t failed = CountOf(execution.targets, RunStatus::kFailed);
  const bool stopped = CountOf(execution.targets, RunStatus::kCancelled) > 0;
  // What was over before the order to stop reached it has succeeded all the same.
  if (live.ending && (stopped || failed > 0)) {
    return End(execution, *live.ending, live.ending_reason, now_ms);
  }
  if (static_cast<int64_t>(failed) > execution.options.max_errors) {
    return End(execution, RunStatus::kFailed, FirstFailure(execution), now_ms);
  }
  if (stopped) {
    return End(execution, RunStatus::kCancelled, "cancelled by FLUSHEXPIREKEYS CANCEL", now_ms);
  }
  std::string reason = live.note;
  if (failed > 0) {
    reason = fmt::format("{} of {} targets failed; {}", failed, execution.targets.size(),
                         FirstFailure(execution));
  }
  End(execution, RunStatus::kSuccess, std::move(reason), now_ms);
}

void Executions::End(Execution& execution, RunStatus status, std::string reason, int64_t now_ms) {
  for (TargetRun& run : execution.targets) {
    if (!IsOver(run.status)) run.status = status;
  }
  execution.finished_ms = now_ms;
  Set(execution, status, std::move(reason));
  on_over_(execution);
}

void Executions::Set(Execution& execution, RunStatus status, std::string reason) {
  if (execution.status != status) ++changes_;
  execution.status = status;
  execution.reason = std::move(reason);
}

void Executions::Trim() {
  std::map<std::string, size_t, std::less<>> kept_of;
  size_t kept = 0;
  for (auto at = all_.end(); at != all_.begin();) {
    --at;
    if (live_.contains(at->first) && !IsOver(at->second.status)) continue;
    const bool keep = kept < kMaxHistory && kept_of[at->second.task] < kMaxHistoryOfTask;
    if (keep) {
      ++kept;
      ++kept_of[at->second.task];
    } else {
      at = all_.erase(at);
    }
  }
}

// --- looking ---

uint64_t Executions::LiveOf(std::string_view task) const {
  for (const auto& [id, live] : live_) {
    const Execution& execution = all_.at(id);
    if (execution.task == task && !IsOver(execution.status)) return id;
  }
  return 0;
}

const Execution* Executions::Find(uint64_t id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

size_t Executions::Count(const std::optional<std::string>& task) const {
  if (!task) return all_.size();
  return static_cast<size_t>(
      std::ranges::count_if(all_, [&](const auto& entry) { return entry.second.task == *task; }));
}

std::vector<Execution> Executions::Page(const std::optional<std::string>& task, size_t offset,
                                        size_t count) const {
  std::vector<Execution> page;
  for (auto at = all_.rbegin(); at != all_.rend() && page.size() < count; ++at) {
    if (task && at->second.task != *task) continue;
    if (offset > 0) {
      --offset;
    } else {
      page.push_back(at->second);
    }
  }
  return page;
}

std::vector<Execution> Executions::All() const {
  std::vector<Execution> all;
  for (const auto& [id, execution] : all_) all.push_back(execution);
  return all;
}

void Executions::Restore(std::vector<Execution> executions, uint64_t last_id, int64_t now_ms) {
  last_id_ = std::max(last_id_, last_id);
  for (Execution& execution : executions) {
    const uint64_t id = execution.id;
    last_id_ = std::max(last_id_, id);
    Execution& restored = all_.insert_or_assign(id, std::move(execution)).first->second;
    if (IsOver(restored.status)) continue;
    if (restored.status == RunStatus::kRunning) {
      End(restored, RunStatus::kFailed, "the server stopped while it ran", now_ms);
    } else {
      live_[id].handles.resize(restored.targets.size());
      restored.started_ms = 0;
    }
  }
  Trim();
}

}  // namespace lapse
