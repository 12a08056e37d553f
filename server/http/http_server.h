// The HTTP port: listens, admits connections up to a limit, and serves them on one thread of its
// own, with a few workers beside it that run the commands.
//
// It shares nothing with the io threads of the other port, so that whatever is asked of it (a
// scrape, a console that many have open, somebody hostile) costs Lapse's clients no more than the
// commands it runs.
//
// Thread: one owner; the rest happens on its own threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/instance.h"
#include "server/http/http_connection.h"
#include "server/http/site.h"

namespace lapse {

class HttpServer {
 public:
  struct Options {
    // Take whatever TCP port is free instead of config.http_port.
    bool any_port = false;
    HttpLimits limits;
    // Outlive the server.
    std::span<const ConsoleFile> files;
  };

  // Opens the sockets that the configuration names and serves. The instance outlives the server and
  // has its services.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Instance& instance, Options options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Closes everything and joins the threads; waits for commands that run, but not for those that
  // wait. A second call does nothing.
  void Stop();

  uint16_t port() const;
  const std::vector<std::string>& addresses() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace lapse
