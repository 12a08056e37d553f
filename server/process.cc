#include "server/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "fmt/format.h"

namespace lapse {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

absl::Status SystemError(std::string_view what) {
  return absl::InternalError(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

StopSignal::StopSignal() : main_thread_(pthread_self()) {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void StopSignal::Request() {
  requested_.store(true);
  pthread_kill(main_thread_, SIGTERM);
}

std::string_view StopSignal::Wait(int64_t seconds) {
  const sigset_t signals = StopSignals();
  const timespec timeout = {seconds, 0};
  const int received = sigtimedwait(&signals, nullptr, &timeout);
  if (requested_.load()) return "SHUTDOWN";
  if (received == SIGTERM) return "SIGTERM";
  if (received == SIGINT) return "SIGINT";
  return "";
}

void StopSignal::EndAtNextSignal() {
  struct sigaction action = {};
  action.sa_handler = [](int) { _exit(1); };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

int64_t RaiseOpenFileLimit(int64_t files) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return files;
  const auto wanted = static_cast<rlim_t>(files);
  if (limit.rlim_cur >= wanted) return static_cast<int64_t>(limit.rlim_cur);
  // The hard limit may be raised by a privileged process alone.
  rlimit raised = {wanted, std::max(limit.rlim_max, wanted)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return files;
  raised = {std::min(limit.rlim_max, wanted), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return static_cast<int64_t>(raised.rlim_cur);
  return static_cast<int64_t>(limit.rlim_cur);
}

absl::Status Daemon::Fork() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("cannot daemonize");
  const pid_t child = fork();
  if (child < 0) return SystemError("cannot daemonize");
  if (child > 0) {
    close(ends[1]);
    char ready = 0;
    ssize_t n;
    do {
      n = read(ends[0], &ready, 1);
    } while (n < 0 && errno == EINTR);
    std::_Exit(n == 1 ? 0 : 1);
  }
  close(ends[0]);
  ready_pipe_ = ends[1];
  setsid();
  return absl::OkStatus();
}

void Daemon::Detach() {
  if (ready_pipe_ < 0) return;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    close(null);
  }
  const char ready = 1;
  [[maybe_unused]] const ssize_t n = write(ready_pipe_, &ready, 1);
  close(ready_pipe_);
  ready_pipe_ = -1;
}

absl::Status WritePidFile(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return SystemError(fmt::format("cannot write pidfile {}", path));
  fmt::print(file, "{}\n", getpid());
  std::fclose(file);
  return absl::OkStatus();
}

}  // namespace lapse
