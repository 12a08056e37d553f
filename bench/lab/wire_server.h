// A server under measurement: a process of its own on a free port of the loopback interface, in a
// scratch directory, and what the kernel knows of it.
//
// CPU time comes from the process's CPU clock, to the nanosecond and with the threads that have
// ended; /proc/PID/stat counts in ticks of 10 ms. RSS is smaps_rollup's, which is exact where
// /proc/PID/statm lags by up to 64 pages a thread.
//
// The process dies with the lab, even when that is killed.
//
// Thread: one; the readings from any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bench/lab/wire_client.h"
#include "bench/lab/wire_options.h"

namespace lapse::wire {

// Nanoseconds of the monotonic clock.
int64_t SteadyNs();
// Milliseconds of the wall clock, which deadlines are in.
int64_t WallMs();
void SleepUntilNs(int64_t steady_ns);
void SleepSeconds(double seconds);

// Puts the calling thread, and those it starts later, on one core, or on all. Does nothing on a
// machine with a single core.
void PinTo(std::optional<int> core);
inline constexpr int kServerCore = 0;
inline constexpr int kLabCore = 1;

// CPU seconds that the whole machine has used so far, by anybody.
double MachineBusySeconds();
// CPU seconds of this process.
double OwnCpuSeconds();

class MeasuredServer {
 public:
  struct Placement {
    int64_t threads = 1;
    bool pinned = false;  // to kServerCore
  };

  // Starts it and waits until it answers.
  static absl::StatusOr<std::unique_ptr<MeasuredServer>> Start(const ServerSpec& spec,
                                                               const Placement& placement);
  // Ends it: SIGTERM, and SIGKILL when that does not do.
  ~MeasuredServer();
  MeasuredServer(const MeasuredServer&) = delete;
  MeasuredServer& operator=(const MeasuredServer&) = delete;

  const std::string& name() const { return name_; }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }

  int64_t CpuNs() const;
  int64_t RssBytes() const;
  // What INFO says of its version; empty when it says nothing.
  std::string Version() const;

 private:
  MeasuredServer() = default;
  absl::Status Launch(const ServerSpec& spec, const Placement& placement);
  absl::Status AwaitReady();
  bool HasEnded();
  std::string LogTail() const;

  std::string name_;
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace lapse::wire
