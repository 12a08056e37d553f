// The executions: those under way, taken step by step from the queue to their end, and the history
// of those that are over.
//
// What holds an execution back is looked at afresh in every step, in this order: its maintenance
// window, the machine's CPU use (off-peak), a runner that is busy. Once it runs, the guard watches
// it: past its timeout or its window it is stopped, and while others load the machine it is slowed.
// An execution that a person triggered waits for neither window nor off-peak: "now" was said.
//
// Bounds: kMaxHistory executions in all and kMaxHistoryOfTask of one task are kept, the oldest go;
// kMaxLive are under way, and a further one is refused.
//
// Thread: one at a time; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expiry/tasks/execution.h"
#include "expiry/tasks/task_runs.h"

namespace lapse {

class Executions {
 public:
  static constexpr size_t kMaxHistory = 1000;
  static constexpr size_t kMaxHistoryOfTask = 200;
  static constexpr size_t kMaxLive = 64;
  // What never gets its turn is given up.
  static constexpr int64_t kLongestQueueMs = 48LL * 3'600'000;
  // While others load the machine beyond the off-peak limit, a run gets one part in so many of its
  // CPU.
  static constexpr int64_t kSlowedShare = 5;

  using Listener = std::function<void(const Execution&)>;

  // `on_over` is called for each execution that has come to its end, once.
  Executions(TaskRuns& runs, Listener on_over) : runs_(runs), on_over_(std::move(on_over)) {}

  // Puts the execution, of which id, status and targets are set here, into the queue. The id.
  // Requires: !full().
  uint64_t Queue(Execution execution);
  // Files one that will not run.
  uint64_t Skip(Execution execution, std::string reason, int64_t now_ms);
  // Says one more time, of one that was skipped, why.
  void SkipAgain(uint64_t id, std::string reason, int64_t now_ms);
  // False when there is none of this id under way.
  bool Cancel(uint64_t id, std::string reason, int64_t now_ms);
  void Step(int64_t now_ms);

  bool full() const { return live_.size() >= kMaxLive; }
  bool busy() const { return !live_.empty(); }
  size_t live_count() const { return live_.size(); }
  // The one of the task that is under way; 0: none.
  uint64_t LiveOf(std::string_view task) const;
  const Execution* Find(uint64_t id) const;
  // Of one task, or of all (nullopt), newest first.
  size_t Count(const std::optional<std::string>& task) const;
  std::vector<Execution> Page(const std::optional<std::string>& task, size_t offset,
                              size_t count) const;

  // All, oldest first, and back after a restart: what ran has failed, what waited goes on waiting.
  std::vector<Execution> All() const;
  void Restore(std::vector<Execution> executions, uint64_t last_id, int64_t now_ms);
  uint64_t last_id() const { return last_id_; }
  // Grows with every change but those of figures.
  uint64_t changes() const { return changes_; }

 private:
  struct Live {
    std::vector<uint64_t> handles;  // one for each target; 0: not started, or over
    std::string note;               // the reason it was queued with
    int64_t ready_ms = 0;           // since when its window lets it; 0: not yet
    int64_t limit_percent = 0;      // that its runs go at
    // It is being stopped, to end like this.
    std::optional<RunStatus> ending;
    std::string ending_reason;
  };

  void StepOne(Execution& execution, Live& live, int64_t now_ms);
  // Whether it may run now. If not, it waits, or it is over.
  bool MayRun(Execution& execution, Live& live, int64_t now_ms);
  bool OffpeakNow(Execution& execution, Live& live, int64_t now_ms);
  void LookAtTargets(Execution& execution, Live& live);
  void StartTargets(Execution& execution, Live& live, int64_t now_ms);
  // Starts one; whether a further one may be tried.
  bool StartTarget(Execution& execution, Live& live, size_t index, int64_t now_ms);
  void Guard(Execution& execution, Live& live, int64_t now_ms);
  // Has all runs stop, to end with this status.
  void Stop(Execution& execution, Live& live, RunStatus status, std::string reason);
  void EndIfDone(Execution& execution, Live& live, int64_t now_ms);
  void End(Execution& execution, RunStatus status, std::string reason, int64_t now_ms);
  void Set(Execution& execution, RunStatus status, std::string reason);
  void Trim();

  TaskRuns& runs_;
  const Listener on_over_;
  std::map<uint64_t, Execution> all_;
  std::map<uint64_t, Live> live_;
  uint64_t last_id_ = 0;
  uint64_t changes_ = 0;
};

}  // namespace lapse
