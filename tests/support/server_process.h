// A real lapse-server for the wire tests: a process of its own, on a free port of the loopback
// interface, with a scratch directory, ended with the object.
//
// The program is named by the environment's LAPSE_SERVER, which CTest sets. Every wait is bounded.
//
// Thread: one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lapse {

// How long anything may take that must happen: a failing test's patience, never a measurement.
inline constexpr std::chrono::seconds kPatience{30};

// Asks again and again until it is so; false when patience runs out.
bool Eventually(const std::function<bool()>& is_so, std::chrono::milliseconds patience = kPatience);

// A port that nobody listens on at the moment.
int FreePort();

// Runs a shell command line for at most kPatience and returns what it printed, errors included;
// `status` gets its exit status.
std::string RunShell(const std::string& command, int* status = nullptr);
bool HaveProgram(const std::string& name);

// A program to start: where it is, and what it is told that it is called.
struct ServerProgram {
  std::string path;
  std::string name;
};

// The one that LAPSE_SERVER names.
ServerProgram LapseServer();
// Debian's redis-server, or nothing where there is none. It is one program with several names, of
// which only some may be installed, and acts by the `role` that it is called by.
std::optional<ServerProgram> ReferenceServer(const std::string& role = "redis-server");

class ServerProcess {
 public:
  // Starts `lapse-server --port <free> --dir <scratch> words...` and waits until it answers, or has
  // ended. A `port` in words comes last and so wins; say which by `port`. Another program may take
  // lapse-server's place that knows these directives.
  explicit ServerProcess(std::vector<std::string> words = {}, std::optional<int> port = {},
                         const ServerProgram& program = LapseServer());
  // Ends it by SIGTERM, by SIGKILL when that does not help.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::string& dir() const { return dir_; }
  bool running();
  void Signal(int signal);
  // The exit status, or 128 + signal; nullopt when it runs on for longer than kPatience.
  std::optional<int> WaitForExit();
  // What it has written so far.
  std::string Output() const;
  std::string Errors() const;
  // Bytes of memory that it has in use.
  int64_t ResidentBytes() const;

 private:
  void Launch(const ServerProgram& program, const std::vector<std::string>& words);
  bool Answers() const;

  int port_;
  pid_t pid_ = -1;
  std::optional<int> exit_status_;
  std::string dir_;
};

}  // namespace lapse
