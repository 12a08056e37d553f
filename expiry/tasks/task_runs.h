// What the scheduler asks of the world: to run a flush on a target and tell how it goes, and what
// the machine and the memory are doing. The scheduler owns no thread and starts nothing itself, so
// that a test can be the world.
//
// Thread: as the scheduler's, whose lock is held during each call: nothing here may block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "expiry/tasks/cpu_window.h"
#include "expiry/tasks/execution.h"

namespace lapse {

// One target's share of an execution.
struct RunOrder {
  uint64_t execution_id = 0;
  std::string task;
  std::string target;  // kLocalTarget or a URL
  Trigger trigger = Trigger::kSchedule;
  std::string requested_by;
  std::vector<int> dbs;  // empty: all
  int64_t max_cpu_percent = 100;
};

struct RunStart {
  uint64_t handle = 0;  // 0: it did not start
  bool busy = false;    // it may start later; `reason` says what it waits for
  std::string reason;
};

struct RunLook {
  RunStatus status = RunStatus::kRunning;  // or kSuccess, kFailed, kCancelled
  std::string reason;
  uint64_t run_id = 0;
  double progress = 0;
  RunFigures figures;
};

// What memory use is now.
struct MemoryUse {
  double percent = 0;  // of the limit, or of the machine's memory where there is none
  bool known = false;  // false: alerts wait
};

class TaskRuns {
 public:
  virtual ~TaskRuns() = default;

  virtual RunStart Start(const RunOrder& order) = 0;
  // A handle is forgotten once a look has shown its end.
  virtual RunLook Look(uint64_t handle) = 0;
  // Asks a run to stop; looks show when it has.
  virtual void Cancel(uint64_t handle) = 0;
  // Has a run use no more than so many percent of a CPU from now on.
  virtual void Limit(uint64_t handle, int64_t max_cpu_percent) = 0;

  virtual std::optional<CpuUse> Cpu() = 0;
  virtual MemoryUse Memory() = 0;
  // Expired keys that the local keyspace still holds, or kUnknownDueKeys.
  static constexpr int64_t kUnknownDueKeys = -1;
  virtual int64_t DueKeys() = 0;
};

}  // namespace lapse
