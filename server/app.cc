#include "server/app.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/console/console.h"
#include "server/core/config.h"
#include "server/core/instance.h"
#include "server/core/version.h"
#include "server/help.h"
#include "server/http/http_server.h"
#include "server/net/net_server.h"
#include "server/operations_thread.h"
#include "server/process.h"
#include "server/services/services.h"
#include "server/services/tasks.h"
#include "server/supervisor.h"
#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/null_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"
#include "storage/allocator.h"
#include "storage/clock.h"

namespace lapse {
namespace {

// Files beside the clients': the log, listeners, each thread's reactor.
constexpr int64_t kReservedFiles = 128;
// How often the log level is compared with the configuration's.
constexpr int64_t kLevelCheckSeconds = 1;

int Fail(std::string_view reason) {
  fmt::print(stderr, "lapse-server: {}\n", reason);
  return 1;
}

int Fail(const absl::Status& status) {
  return Fail(std::string_view(status.message().data(), status.message().size()));
}

// Takes care of the words that are no directives. Returns whether that was all.
bool Inform(std::span<const std::string> words) {
  if (words.size() != 1) return false;
  const std::string& word = words[0];
  if (word == "--version" || word == "-v") {
    fmt::print("lapse-server {} (commands as Redis {}), {}\n", kVersion, kRedisVersion,
               AllocatorName());
  } else if (word == "--help" || word == "-h") {
    fmt::print("{}", HelpText());
  } else if (word == "--print-config-docs") {
    fmt::print("{}", ConfigMarkdown());
  } else {
    return false;
  }
  return true;
}

absl::Status ReadConfig(std::span<const std::string> words, Config& config) {
  std::vector<std::string> spelled(words.begin(), words.end());
  for (std::string& word : spelled) {
    if (word == "--threads" || word.starts_with("--threads=")) word.insert(2, "io-");
  }
  return ApplyCommandLine(spelled, config);
}

spdlog::level::level_enum LevelOf(std::string_view name) {
  if (name == "debug") return spdlog::level::trace;
  if (name == "verbose") return spdlog::level::debug;
  if (name == "notice") return spdlog::level::info;
  return spdlog::level::warn;
}

absl::Status OpenLog(const Config& config) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (config.logfile.empty() && config.daemonize) {
    sink = std::make_shared<spdlog::sinks::null_sink_mt>();
  } else if (config.logfile.empty()) {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else {
    // The library reports failure by an exception alone, so the file is tried first.
    std::FILE* const file = std::fopen(config.logfile.c_str(), "ae");
    if (file == nullptr) {
      return absl::NotFoundError(
          fmt::format("cannot write logfile {}: {}", config.logfile, std::strerror(errno)));
    }
    std::fclose(file);
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.logfile);
  }
  auto logger = std::make_shared<spdlog::logger>("lapse", std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
  logger->set_level(LevelOf(config.loglevel));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

// Makes room for maxclients connections, or lowers maxclients to the room that there is.
absl::Status FitClientsToFiles(Config& config) {
  const int64_t reserved = kReservedFiles + (config.http_port != 0 ? config.http_maxclients : 0);
  const int64_t limit = RaiseOpenFileLimit(config.maxclients + reserved);
  if (limit >= config.maxclients + reserved) return absl::OkStatus();
  if (limit <= reserved) {
    return absl::ResourceExhaustedError(
        fmt::format("the limit of {} open files is too low to serve anybody", limit));
  }
  spdlog::warn("maxclients lowered from {} to {}: the process may open {} files (ulimit -n)",
               config.maxclients, limit - reserved, limit);
  config.maxclients = limit - reserved;
  return absl::OkStatus();
}

// What precedes the instance. Afterwards the log works.
absl::Status Prepare(Config& config, Daemon& daemon) {
  if (config.daemonize) {
    if (const absl::Status status = daemon.Fork(); !status.ok()) return status;
  }
  if (chdir(config.dir.c_str()) != 0) {
    return absl::NotFoundError(
        fmt::format("cannot change to directory {}: {}", config.dir, std::strerror(errno)));
  }
  if (const absl::Status status = OpenLog(config); !status.ok()) return status;
  return FitClientsToFiles(config);
}

// Requires: inside the gate.
void FollowLogLevel(const Instance& instance, uint64_t epoch, uint64_t& seen_epoch) {
  if (epoch == seen_epoch) return;
  seen_epoch = epoch;
  spdlog::set_level(LevelOf(instance.config.loglevel));
}

std::string_view WaitForStop(StopSignal& stop, Instance& instance, const Supervisor& supervisor) {
  // None yet: clients may have changed the level since it was taken for the log.
  uint64_t epoch = ~uint64_t{0};
  for (;;) {
    const std::string_view reason = stop.Wait(kLevelCheckSeconds);
    Gate& gate = instance.keyspace.gate();
    // A server that is stuck here keeps silent. Nobody waits, or it could not be told to stop.
    if (gate.TryEnter()) {
      FollowLogLevel(instance, gate.epoch(), epoch);
      if (supervisor.wants_keep_alive()) supervisor.KeepAlive();
      gate.Leave();
    }
    if (!reason.empty()) return reason;
  }
}

// nullptr when no HTTP port is configured.
absl::StatusOr<std::unique_ptr<HttpServer>> StartHttp(Instance& instance) {
  if (instance.config.http_port == 0) return nullptr;
  absl::StatusOr<std::unique_ptr<HttpServer>> http =
      HttpServer::Start(instance, {.files = ConsoleFiles()});
  if (http.ok()) {
    spdlog::info("{} on {}", instance.config.http_tls_cert_file.empty() ? "http" : "https",
                 absl::StrJoin((*http)->addresses(), ", "));
  }
  return http;
}

// Serves until told to stop. Returns only when start-up fails.
absl::Status Serve(Config start_config, Daemon& daemon) {
  StopSignal stop;
  const SystemClock clock;
  const std::string pidfile = start_config.pidfile;
  Instance instance(std::move(start_config), clock, AllCommandFamilies());
  if (const absl::Status status = InstallServices(instance); !status.ok()) return status;
  Services::Of(instance).tasks().Open(instance.config.flush_task_file);
  instance.request_shutdown = [&stop] { stop.Request(); };
  OperationsThread operations(instance);
  operations.Start();
  absl::StatusOr<std::unique_ptr<NetServer>> server = NetServer::Start(instance, {});
  if (!server.ok()) return server.status();
  absl::StatusOr<std::unique_ptr<HttpServer>> http = StartHttp(instance);
  if (!http.ok()) return http.status();
  if (!pidfile.empty()) {
    if (const absl::Status status = WritePidFile(pidfile); !status.ok()) return status;
  }
  spdlog::info("lapse {} pid {}: {} io threads, port {}, {}", kVersion, getpid(),
               (*server)->thread_count(), (*server)->port(), AllocatorName());
  const std::string addresses = absl::StrJoin((*server)->addresses(), ", ");
  spdlog::info("ready to accept connections on {}", addresses);
  daemon.Detach();
  const Supervisor supervisor = Supervisor::FromEnvironment();
  supervisor.Ready(fmt::format("serving on {}", addresses));

  const std::string_view reason = WaitForStop(stop, instance, supervisor);
  spdlog::info("shutting down: {}", reason);
  supervisor.Stopping(fmt::format("shutting down: {}", reason));
  StopSignal::EndAtNextSignal();
  // What is stopped first may wait for one.
  Services::Of(instance).script_watch().set_ending(true);
  if (*http != nullptr) (*http)->Stop();
  operations.Stop();
  Services::Of(instance).tasks().Save();
  (*server)->Stop();
  if (!pidfile.empty()) unlink(pidfile.c_str());
  spdlog::info("stopped");
  spdlog::shutdown();
  std::fflush(nullptr);
  // Destroying tens of millions of entries one by one takes seconds, and the system takes the
  // memory back anyway.
  std::_Exit(0);
}

}  // namespace

int RunServer(std::span<const std::string> words) {
  if (Inform(words)) return 0;
  Config config;
  if (const absl::Status status = ReadConfig(words, config); !status.ok()) return Fail(status);
  Daemon daemon;
  if (const absl::Status status = Prepare(config, daemon); !status.ok()) return Fail(status);
  return Fail(Serve(std::move(config), daemon));
}

}  // namespace lapse
