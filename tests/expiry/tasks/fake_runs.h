// The world of a scheduler under test: runs that end when the test says so, and meters that show
// what it sets.
//
// Thread: one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "expiry/tasks/task_runs.h"

namespace lapse {

class FakeRuns final : public TaskRuns {
 public:
  RunStart Start(const RunOrder& order) override {
    if (!busy_reason.empty()) return {.busy = true, .reason = busy_reason};
    if (unreachable == order.target) return {.reason = "connection refused"};
    started.push_back(order);
    looks[++last_handle] = {};
    if (instant) looks[last_handle] = Ended(RunStatus::kSuccess);
    return {.handle = last_handle};
  }
  RunLook Look(uint64_t handle) override {
    const RunLook look = looks.at(handle);
    if (IsOver(look.status)) looks.erase(handle);
    return look;
  }
  void Cancel(uint64_t handle) override {
    RunLook look = looks.at(handle);
    look.status = RunStatus::kCancelled;
    looks[handle] = look;
  }
  void Limit(uint64_t handle, int64_t max_cpu_percent) override {
    limits.push_back({handle, max_cpu_percent});
  }
  std::optional<CpuUse> Cpu() override { return cpu; }
  MemoryUse Memory() override { return {memory_percent, true}; }
  int64_t DueKeys() override { return due_keys; }

  RunLook Ended(RunStatus status, std::string reason = "") const {
    return {.status = status,
            .reason = std::move(reason),
            .run_id = 1,
            .progress = 1,
            .figures = {.scanned = 10, .reclaimed = 3, .bytes_freed = 300}};
  }
  // Ends every run that is going.
  void EndAll(RunStatus status = RunStatus::kSuccess, const std::string& reason = "") {
    for (auto& [handle, look] : looks) look = Ended(status, reason);
  }

  bool instant = true;  // runs end as they begin
  std::string busy_reason;
  std::string unreachable;
  std::vector<RunOrder> started;
  std::map<uint64_t, RunLook> looks;
  struct Limited {
    uint64_t handle;
    int64_t percent;
  };
  std::vector<Limited> limits;
  uint64_t last_handle = 0;
  std::optional<CpuUse> cpu = CpuUse{.machine_percent = 5, .process_percent = 5, .cores = 4};
  double memory_percent = 10;
  int64_t due_keys = 1;
};

}  // namespace lapse
