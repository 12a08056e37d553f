// What a server process settles with the operating system: signals, file descriptors, going into
// the background, the pid file.
//
// Thread: the main thread, before others are started, unless said otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include <pthread.h>

#include "absl/status/status.h"

namespace lapse {

// The order to stop. Signals are blocked in every thread and waited for by one, so that no code
// runs in a signal handler.
class StopSignal {
 public:
  // Blocks SIGTERM and SIGINT and ignores SIGPIPE, for this thread and those it starts later.
  StopSignal();

  // Asks to stop, as a signal would. Any thread.
  void Request();
  // Waits up to `seconds`. Returns why to stop ("SIGTERM"), or "" when there is no reason yet.
  std::string_view Wait(int64_t seconds);
  // From now on a signal ends the process at once.
  static void EndAtNextSignal();

 private:
  const pthread_t main_thread_;
  std::atomic<bool> requested_{false};
};

// Raises the limit of open files so that it suffices for so many, as far as the system allows, and
// returns the limit that holds now.
int64_t RaiseOpenFileLimit(int64_t files);

// Continues in a child process in a session of its own. The parent waits until the child calls
// Detach, and exits with 0, or with 1 when the child has ended before.
class Daemon {
 public:
  absl::Status Fork();
  // Tells the parent that start-up has succeeded, and lets go of the terminal.
  void Detach();

 private:
  int ready_pipe_ = -1;
};

absl::Status WritePidFile(const std::string& path);

}  // namespace lapse
