#include "remote/flush_program.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "remote/flush.h"
#include "remote/flush_arguments.h"
#include "remote/flush_report.h"

namespace lapse {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr int kBySignal = 128;
constexpr size_t kPlainColumns = 160;  // where no terminal says
constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::chrono::seconds kPlainLineEvery{10};
constexpr timespec kLookForSignal = {0, 50'000'000};
// What ends a program may signal it and then its whole group, as timeout(1) does: that is one
// request to stop, and not two.
constexpr std::chrono::milliseconds kEcho{500};

// SIGINT and SIGTERM as a stop; a second one ends the program where it stands.
class Signals {
 public:
  Signals() {
    sigemptyset(&awaited_);
    sigaddset(&awaited_, SIGINT);
    sigaddset(&awaited_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::jthread([this](const std::stop_token& over) { Watch(over); });
  }

  std::stop_token stop() const { return source_.get_token(); }
  int received() const { return received_; }

 private:
  void Watch(const std::stop_token& over) {
    while (!over.stop_requested()) {
      const int signal = sigtimedwait(&awaited_, nullptr, &kLookForSignal);
      if (signal <= 0) continue;
      if (received_ == 0) {
        received_ = signal;
        first_at_ = SteadyClock::now();
        source_.request_stop();
      } else if (SteadyClock::now() - first_at_ >= kEcho) {
        _exit(kBySignal + signal);
      }
    }
  }

  sigset_t awaited_;
  std::stop_source source_;
  std::atomic<int> received_{0};
  SteadyClock::time_point first_at_;  // the watching thread's
  std::jthread thread_;
};

// Draws the line of progress now and then, over itself on a terminal.
class Screen {
 public:
  Screen(size_t targets, bool shown) : is_terminal_(isatty(STDERR_FILENO) == 1), line_(targets) {
    if (!shown) return;
    thread_ = std::jthread([this](const std::stop_token& over) { Show(over); });
  }
  ~Screen() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (is_terminal_) fmt::print(stderr, "\r\033[K");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void Update(size_t target, const RemoteFlushProgress& progress) {
    const std::lock_guard lock(mutex_);
    line_.Update(target, progress);
  }

 private:
  static size_t Columns() {
    winsize size = {};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
    return size.ws_col;
  }

  void Show(const std::stop_token& over) {
    std::unique_lock lock(mutex_);
    std::condition_variable_any never;
    const std::chrono::milliseconds every = is_terminal_ ? kRedrawEvery : kPlainLineEvery;
    while (!over.stop_requested()) {
      never.wait_for(lock, over, every, [] { return false; });
      if (over.stop_requested()) return;
      // The last column is left free, for some terminals begin a new line after it.
      const std::string line =
          line_.Draw(SteadyClock::now(), is_terminal_ ? Columns() - 1 : kPlainColumns);
      if (is_terminal_) {
        fmt::print(stderr, "\r{}\033[K", line);
      } else {
        fmt::print(stderr, "{}\n", line);
      }
      std::fflush(stderr);
    }
  }

  const bool is_terminal_;
  std::mutex mutex_;
  FlushProgressLine line_;
  std::jthread thread_;
};

int Fail(std::string_view reason) {
  fmt::print(stderr, "lapse-flush: {}\n", reason);
  return kWrongUsage;
}

// A line from the terminal that is not shown, or from standard input when there is none.
std::string AskPassword() {
  termios before = {};
  const bool hide = tcgetattr(STDIN_FILENO, &before) == 0;
  if (hide) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    fmt::print(stderr, "Password: ");
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string password;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) {
    password += static_cast<char>(c);
  }
  if (hide) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return password;
}

std::string Password(const FlushArguments& arguments) {
  if (arguments.ask_password) return AskPassword();
  const char* const set = std::getenv("REDISCLI_AUTH");
  return set == nullptr ? "" : set;
}

void Print(const FlushArguments& arguments, const std::vector<RemoteFlushResult>& results) {
  if (arguments.json) fmt::print("{}", FlushJson(results));
  if (!arguments.json && !arguments.quiet) fmt::print("{}", FlushTable(results));
  if (!arguments.quiet) return;
  for (const RemoteFlushResult& result : results) {
    if (result.state == RemoteFlushState::kSucceeded) continue;
    fmt::print(stderr, "lapse-flush: {}: {}: {}\n", result.target,
               RemoteFlushStateName(result.state), result.reason);
  }
}

}  // namespace

int RunFlushProgram(std::span<const std::string> words, std::string_view version) {
  absl::StatusOr<FlushArguments> arguments = ParseFlushArguments(words);
  if (!arguments.ok()) return Fail(std::string(arguments.status().message()));
  if (arguments->help) {
    fmt::print("{}", FlushHelp());
    return 0;
  }
  if (arguments->version) {
    fmt::print("lapse-flush {}\n", version);
    return 0;
  }
  // Before signals are blocked, so that Ctrl-C at the prompt ends the program.
  FillIn(arguments->user, Password(*arguments), arguments->targets);

  const Signals signals;
  std::vector<RemoteFlushResult> results;
  {
    Screen screen(arguments->targets.size(), !arguments->quiet && !arguments->json);
    results = FlushRemotes(
        arguments->targets, arguments->options,
        [&screen](size_t target, const RemoteFlushProgress& progress) {
          screen.Update(target, progress);
        },
        signals.stop());
  }
  Print(*arguments, results);
  if (signals.received() != 0) return kBySignal + signals.received();
  const bool good = std::ranges::all_of(results, [](const RemoteFlushResult& result) {
    return result.state == RemoteFlushState::kSucceeded;
  });
  return good ? 0 : kFailed;
}

}  // namespace lapse
