// The world as tasks see it: runs of FLUSHEXPIREKEYS on the local keyspace, flushes of other
// servers on threads of their own, and what the machine's CPUs and the memory are doing.
//
// A local run goes through the FlushRunner, database by database where some were named. Nothing
// here waits: the runner is stepped by the expiry drivers, and a remote flush leaves its figures
// where a look finds them.
//
// Thread: one at a time, inside the gate (the owner locks); Sample outside of the gate.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "expiry/flush.h"
#include "expiry/tasks/task_runs.h"
#include "server/core/instance.h"
#include "server/services/remote_run.h"

namespace lapse {

class InstanceTaskRuns final : public TaskRuns {
 public:
  // `on_over` is called from any thread, outside of the gate, when a local run has ended.
  InstanceTaskRuns(Instance& instance, std::function<void()> on_over)
      : instance_(instance), on_over_(std::move(on_over)) {}
  ~InstanceTaskRuns() override;

  // Flushes of other servers at the same time, each a thread and those of its nodes.
  static constexpr size_t kMaxRemoteRuns = 64;

  // What Cpu, Memory and DueKeys answer until the next call.
  struct Sample {
    CpuCounters cpu;
    int64_t resident_bytes = 0;
    int64_t machine_bytes = 0;
    MemoryUse memory;
    int64_t due_keys = kUnknownDueKeys;
  };
  // Reads files of the proc file system: outside of the gate.
  static Sample TakeSample();
  // Adds what the instance knows; expired keys are counted only when memory use is at least
  // `due_from_percent`. Locks shards, so that no lock that commands wait for may be held.
  static void AddMemory(Instance& instance, double due_from_percent, Sample& sample);
  void Note(const Sample& sample, int64_t now_ms);

  RunStart Start(const RunOrder& order) override;
  RunLook Look(uint64_t handle) override;
  void Cancel(uint64_t handle) override;
  void Limit(uint64_t handle, int64_t max_cpu_percent) override;
  std::optional<CpuUse> Cpu() override { return cpu_.Use(); }
  MemoryUse Memory() override { return latest_.memory; }
  int64_t DueKeys() override { return latest_.due_keys; }

 private:
  struct Outcome;  // where a run's record arrives
  struct LocalRun {
    RunOrder order;
    size_t dbs_begun = 0;
    uint64_t run_id = 0;
    std::shared_ptr<Outcome> outcome;  // nullptr: the next database waits for the runner
    RunFigures done;                   // of the databases before
    bool cancelled = false;
  };

  RunStart StartLocal(const RunOrder& order);
  RunStart StartRemote(const RunOrder& order);
  // Starts the run's next database. The record's id, or 0: the runner is busy with `busy_with`.
  uint64_t StartNext(LocalRun& run, uint64_t& busy_with);
  RunLook LookAtLocal(LocalRun& run);

  Instance& instance_;
  const std::function<void()> on_over_;
  uint64_t last_handle_ = 0;
  std::map<uint64_t, LocalRun> local_;
  std::map<uint64_t, std::unique_ptr<RemoteRun>> remote_;
  CpuWindow cpu_;
  Sample latest_;
};

}  // namespace lapse
