#include "tests/support/server_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/wire_client.h"

namespace lapse {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string MakeScratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "lapse-wire-XXXXXX").string();
  return mkdtemp(pattern.data()) != nullptr ? pattern : "";
}

std::optional<std::string> FindOnPath(const std::string& program) {
  const char* const path = std::getenv("PATH");
  if (path == nullptr) return std::nullopt;
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = folder + "/" + program;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

}  // namespace

bool Eventually(const std::function<bool()>& is_so, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int port = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(fd);
  EXPECT_NE(port, 0);
  return port;
}

std::string RunShell(const std::string& command, int* status) {
  const std::string bounded =
      "timeout " + std::to_string(kPatience.count()) + " sh -c '" + command + "' 2>&1";
  std::FILE* const pipe = popen(bounded.c_str(), "re");
  EXPECT_NE(pipe, nullptr);
  if (pipe == nullptr) return "";
  std::string output;
  char block[4096];
  for (size_t n; (n = std::fread(block, 1, sizeof(block), pipe)) > 0;) output.append(block, n);
  const int ended = pclose(pipe);
  if (status != nullptr) *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  return output;
}

bool HaveProgram(const std::string& name) {
  int status = 0;
  RunShell("command -v " + name, &status);
  return status == 0;
}

ServerProgram LapseServer() {
  const char* const path = std::getenv("LAPSE_SERVER");
  return {path != nullptr ? path : "", "lapse-server"};
}

std::optional<ServerProgram> ReferenceServer(const std::string& role) {
  for (const char* const program : {"redis-server", "redis-check-rdb"}) {
    if (const auto path = FindOnPath(program)) return ServerProgram{*path, role};
  }
  return std::nullopt;
}

ServerProcess::ServerProcess(std::vector<std::string> words, std::optional<int> port,
                             const ServerProgram& program)
    : port_(port.value_or(0)), dir_(MakeScratch()) {
  if (port_ == 0) port_ = FreePort();
  std::vector<std::string> all = {"--port", std::to_string(port_), "--dir", dir_};
  // A configuration file has to be the first word.
  if (!words.empty() && !words[0].starts_with("--")) {
    all.insert(all.begin(), words[0]);
    words.erase(words.begin());
  }
  all.insert(all.end(), words.begin(), words.end());
  Launch(program, all);
  EXPECT_TRUE(Eventually([&] { return !running() || Answers(); })) << Output() << Errors();
}

ServerProcess::~ServerProcess() {
  if (running()) {
    Signal(SIGTERM);
    if (!WaitForExit()) {
      Signal(SIGKILL);
      WaitForExit();
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

void ServerProcess::Launch(const ServerProgram& program, const std::vector<std::string>& words) {
  ASSERT_FALSE(program.path.empty()) << "set LAPSE_SERVER to the server's program";
  const std::string output = dir_ + "/stdout", errors = dir_ + "/stderr";
  std::vector<char*> argv = {const_cast<char*>(program.name.c_str())};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  ASSERT_GE(pid_, 0);
  if (pid_ > 0) return;
  // Between fork and exec nothing may allocate, for the parent may have threads.
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that dies leaves no server behind
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  execv(program.path.c_str(), argv.data());
  _exit(127);
}

// Whether it lets clients in; with a password or in a state that forbids PING, too.
bool ServerProcess::Answers() const {
  WireClient client;
  return client.Connect(port_) && !client.Call({"PING"}).text.empty();
}

bool ServerProcess::running() {
  if (pid_ <= 0 || exit_status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void ServerProcess::Signal(int signal) {
  if (running()) kill(pid_, signal);
}

std::optional<int> ServerProcess::WaitForExit() {
  Eventually([this] { return !running(); });
  return exit_status_;
}

std::string ServerProcess::Output() const { return ReadAll(dir_ + "/stdout"); }

std::string ServerProcess::Errors() const { return ReadAll(dir_ + "/stderr"); }

int64_t ServerProcess::ResidentBytes() const {
  std::istringstream numbers(ReadAll("/proc/" + std::to_string(pid_) + "/statm"));
  int64_t total = 0, resident = 0;
  numbers >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace lapse
