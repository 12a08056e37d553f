// The network side of an instance: its io threads and its listener, from Start to Stop.
//
// Used by the server's main program and by host programs that let others in (Engine::StartServer).
// While a NetServer exists its threads drive the instance's expiry; nobody else may.
//
// Thread: one owner, who is none of the io threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/instance.h"
#include "server/net/io_thread.h"
#include "server/net/listener.h"

namespace lapse {

class NetServer {
 public:
  static constexpr size_t kMaxThreads = 256;

  struct Options {
    // Take whatever TCP port is free instead of config.port.
    bool any_port = false;
  };

  // Opens the sockets that the instance's configuration names and starts serving. The instance
  // outlives the server, and nobody drives its expiry.
  static absl::StatusOr<std::unique_ptr<NetServer>> Start(Instance& instance, Options options);
  ~NetServer();
  NetServer(const NetServer&) = delete;
  NetServer& operator=(const NetServer&) = delete;

  // Stops accepting, closes all connections and joins the threads: it waits for the batch that each
  // thread is at, not for clients. A second call does nothing.
  void Stop();

  uint16_t port() const { return port_; }
  const std::vector<std::string>& addresses() const { return addresses_; }
  size_t thread_count() const { return threads_.size(); }
  // For what else is to run on the io threads.
  IoThread& thread(size_t i) { return *threads_[i]; }

 private:
  explicit NetServer(Instance& instance);
  void DriveExpiry();

  Instance& instance_;
  std::vector<std::shared_ptr<IoThread>> threads_;
  std::unique_ptr<Listener> listener_;  // gone after Stop
  uint16_t port_ = 0;
  std::vector<std::string> addresses_;
};

}  // namespace lapse
