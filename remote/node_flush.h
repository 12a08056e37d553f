// The flush of one server: what a thread of FlushRemotes does for one node.
//
//   connect, INFO --+-- knows FLUSHEXPIREKEYS: start a run, look at it until it has ended
//                   +-- a replica, or still loading: an error
//                   +-- else: for each database, SELECT and SCAN to the end
//   INFO again: what came of it
//
// A connection that is lost is made anew a few times. The server's run id tells whether it is still
// the same process, and only then does the cursor mean anything.
//
// Thread: one. Progress is reported from it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "remote/connection.h"
#include "remote/discovery.h"
#include "remote/flush.h"
#include "remote/info.h"
#include "remote/pacer.h"

namespace lapse {

// One node's part of a RemoteFlushProgress.
struct RemoteNodeProgress {
  double fraction = 0;
  int64_t scanned = 0;
  int64_t expired = 0;
  int64_t memory_before = 0;
  int64_t memory = 0;
  double cpu_percent = 0;
  bool slowed = false;
};

class NodeFlush {
 public:
  using Report = std::function<void(const RemoteNodeProgress&)>;

  NodeFlush(const RemoteTarget& target, const RemoteNode& node, const RemoteFlushOptions& options,
            Report report, std::stop_token stop);

  // Once.
  RemoteNodeResult Run();

 private:
  absl::Status Connect();
  // A connection that the stop which has come does not end, for what is to be said after it.
  absl::Status ConnectAfterStop();
  absl::Status ReadInfo(RemoteInfo& info);
  absl::StatusOr<Reply> Ask(std::initializer_list<std::string_view> words);

  // By SCAN.
  absl::Status ScanAll();
  absl::Status ScanDatabase(int db, double done_before, double share);
  absl::StatusOr<Reply> CallScan(const std::string& cursor, int db);
  absl::Status Reconnect(int db, const absl::Status& why);
  absl::Status Select(int db);
  absl::Status TakeSample();
  void TakeAfter(const RemoteInfo& info);
  absl::Status JudgeEffect(const RemoteInfo& after);
  CursorOrder OrderOfCursors() const;
  std::vector<int> ChooseDatabases() const;

  // By FLUSHEXPIREKEYS.
  absl::Status RunThere();
  absl::Status RunThere(std::optional<int> db, double done_before, double share);
  absl::StatusOr<Reply> WatchRun(const std::string& run_id, double done_before, double share);
  absl::StatusOr<Reply> CancelRun(const std::string& run_id);
  void TellRun(const Reply& record, double done_before, double share);

  // Waits; false when a stop came first.
  bool Wait(std::chrono::nanoseconds time);
  void Tell(double fraction);

  const RemoteTarget& target_;
  const RemoteNode& node_;
  const RemoteFlushOptions& options_;
  const Report report_;
  const std::stop_token stop_;

  std::optional<RemoteConnection> connection_;
  RemoteInfo before_;
  RemoteInfo latest_;
  ScanPacer pacer_;
  RemoteNodeResult result_;
  RemoteNodeProgress progress_;
  int64_t returned_ = 0;       // keys that SCAN gave
  int64_t returned_here_ = 0;  // of the database under way
  std::chrono::steady_clock::time_point last_sample_{};
  std::chrono::steady_clock::time_point last_told_{};
};

}  // namespace lapse
