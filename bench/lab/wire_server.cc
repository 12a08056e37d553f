#include "bench/lab/wire_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kStartNs = 15 * kSecondNs;
constexpr int64_t kStopNs = 5 * kSecondNs;
constexpr int64_t kAskAgainNs = 10'000'000;
constexpr size_t kLogTailBytes = 1000;

int64_t ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * kSecondNs + time.tv_nsec;
}

// Nobody listens there now; that nobody will within the next milliseconds is likely, and a server
// that finds it taken says so.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) {
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  }
  close(fd);
  return ntohs(address.sin_port);
}

// Splits at blanks; '...' and "..." hold a word together, and may be empty.
std::vector<std::string> SplitCommand(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : command) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ') {
      if (std::exchange(in_word, false)) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

// In the child, between fork and exec: nothing here may allocate.
[[noreturn]] void Become(char* const* words, int log, const cpu_set_t* cores) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (cores != nullptr) sched_setaffinity(0, sizeof(*cores), cores);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execvp(words[0], words);
  _exit(127);
}

cpu_set_t CoreSet(std::optional<int> core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  for (int i = 0; i < cores && i < CPU_SETSIZE; ++i) {
    if (!core || *core == i) CPU_SET(i, &set);
  }
  return set;
}

bool HasSeveralCores() { return sysconf(_SC_NPROCESSORS_ONLN) > 1; }

}  // namespace

int64_t SteadyNs() { return ReadClock(CLOCK_MONOTONIC); }

int64_t WallMs() { return ReadClock(CLOCK_REALTIME) / 1'000'000; }

void SleepUntilNs(int64_t steady_ns) {
  const timespec until{.tv_sec = steady_ns / kSecondNs, .tv_nsec = steady_ns % kSecondNs};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

void SleepSeconds(double seconds) {
  SleepUntilNs(SteadyNs() + static_cast<int64_t>(seconds * kSecondNs));
}

void PinTo(std::optional<int> core) {
  if (!HasSeveralCores()) return;
  const cpu_set_t set = CoreSet(core);
  sched_setaffinity(0, sizeof(set), &set);
}

// The fields of /proc/stat's first line: user nice system idle iowait irq softirq steal.
double MachineBusySeconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  double busy = 0;
  for (int field = 0; field < 8; ++field) {
    double ticks = 0;
    file >> ticks;
    if (field != 3 && field != 4) busy += ticks;
  }
  return busy / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double OwnCpuSeconds() { return static_cast<double>(ReadClock(CLOCK_PROCESS_CPUTIME_ID)) / 1e9; }

absl::StatusOr<std::unique_ptr<MeasuredServer>> MeasuredServer::Start(const ServerSpec& spec,
                                                                      const Placement& placement) {
  std::unique_ptr<MeasuredServer> server(new MeasuredServer());
  absl::Status status = server->Launch(spec, placement);
  if (status.ok()) status = server->AwaitReady();
  if (!status.ok()) return status;
  return server;
}

absl::Status MeasuredServer::Launch(const ServerSpec& spec, const Placement& placement) {
  name_ = spec.name;
  std::string scratch = (std::filesystem::temp_directory_path() / "lapse-lab-XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr) return absl::UnavailableError("no scratch directory");
  directory_ = scratch;
  port_ = FreePort();
  const std::string command =
      absl::StrReplaceAll(spec.command, {{"{port}", std::to_string(port_)},
                                         {"{threads}", std::to_string(placement.threads)},
                                         {"{dir}", directory_}});
  std::vector<std::string> words = SplitCommand(command);
  if (words.empty()) return absl::InvalidArgumentError(name_ + ": an empty command");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const std::string log_name = directory_ + "/log";
  const int log = open(log_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool pin = placement.pinned && HasSeveralCores();
  const cpu_set_t cores = CoreSet(pin ? std::optional<int>(kServerCore) : std::nullopt);
  pid_ = fork();
  if (pid_ == 0) Become(argv.data(), log, &cores);
  close(log);
  return pid_ > 0 ? absl::OkStatus() : absl::UnavailableError(name_ + ": cannot fork");
}

absl::Status MeasuredServer::AwaitReady() {
  const int64_t end = SteadyNs() + kStartNs;
  while (SteadyNs() < end && !HasEnded()) {
    absl::StatusOr<Client> client = Client::Connect(port_);
    if (client.ok() && !client->Call({"PING"}).IsError()) return absl::OkStatus();
    SleepUntilNs(SteadyNs() + kAskAgainNs);
  }
  return absl::UnavailableError(fmt::format("{} did not start: {}", name_, LogTail()));
}

bool MeasuredServer::HasEnded() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

std::string MeasuredServer::LogTail() const {
  std::ifstream file(directory_ + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  return all.empty() ? "it said nothing"
                     : all.substr(all.size() - std::min(all.size(), kLogTailBytes));
}

MeasuredServer::~MeasuredServer() {
  if (!HasEnded()) {
    kill(pid_, SIGTERM);
    const int64_t end = SteadyNs() + kStopNs;
    while (!HasEnded() && SteadyNs() < end) SleepUntilNs(SteadyNs() + kAskAgainNs);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

int64_t MeasuredServer::CpuNs() const {
  clockid_t clock{};
  if (clock_getcpuclockid(pid_, &clock) != 0) return 0;
  return ReadClock(clock);
}

int64_t MeasuredServer::RssBytes() const {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid_));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Rss:")) return std::atoll(line.c_str() + 4) * 1024;
  }
  return 0;
}

std::string MeasuredServer::Version() const {
  absl::StatusOr<Client> client = Client::Connect(port_);
  if (!client.ok()) return "";
  const auto info = client->Info();
  for (const char* const field : {"lapse_version", "valkey_version", "redis_version"}) {
    if (const auto found = info.find(field); found != info.end()) return found->second;
  }
  return "";
}

}  // namespace lapse::wire
