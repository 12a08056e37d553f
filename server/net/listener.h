// The listening sockets: opens what the configuration names, accepts, turns away those that may not
// come in, and hands each connection to the io thread that has fewest.
//
// One acceptor for all threads, on thread 0, because SO_REUSEPORT spreads connections by hash and
// so leaves threads idle when connections are few. Accepting is rare next to requests, so one
// thread is enough for it.
//
// Bounded: at most kMaxAccepts connections are accepted before other work has its turn, and when
// the process is out of file descriptors accepting pauses for kPauseMs instead of spinning.
//
// Thread: Open and Start before thread 0 runs; everything else on thread 0.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "boost/asio/basic_socket_acceptor.hpp"
#include "server/core/instance.h"
#include "server/net/io_thread.h"
#include "server/net/sockets.h"

namespace lapse {

class Listener {
 public:
  static constexpr int kMaxAccepts = 64;
  static constexpr int64_t kPauseMs = 100;

  // Both outlive the listener.
  Listener(Instance& instance, std::span<const std::shared_ptr<IoThread>> threads);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Opens the sockets of config.bind, port and unixsocket. `any_port`: the system picks a free port
  // for the first address, and the others follow. An error names the address and the reason.
  absl::Status Open(bool any_port);
  // Begins to accept.
  void Start();
  // Stops accepting; pending accepts' handlers are queued when it returns.
  void Close();

  // The TCP port; 0 when there is none.
  uint16_t port() const { return port_; }
  // What is listened on: "127.0.0.1:6379".
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<StreamProtocol, IoExecutor>;

  struct Socket {
    Acceptor acceptor;
    bool is_unix;
  };

  // What decides about newcomers, read from the configuration once a round.
  struct Rules {
    int64_t maxclients;
    int64_t keepalive_seconds;
    bool protected_mode;  // and no password is set
  };

  absl::Status OpenAddress(const std::string& name);
  absl::Status OpenUnix(const std::string& path, int64_t permissions);
  ErrorCode Listen(const StreamProtocol::endpoint& endpoint, bool is_unix, bool only_v6);
  void Wait(Socket& socket);
  void Accept(Socket& socket);
  bool AcceptOne(Socket& socket, const Rules& rules);
  void Pause(int reason);
  Rules ReadRules();
  bool Admit(const AcceptedSocket& accepted, bool is_loopback, const Rules& rules);
  int64_t open_connections() const;

  Instance& instance_;
  const std::span<const std::shared_ptr<IoThread>> threads_;
  uint16_t port_ = 0;
  std::string unix_path_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  IoTimer pause_;
  bool paused_ = false;
  std::chrono::steady_clock::time_point last_complaint_;
};

}  // namespace lapse
