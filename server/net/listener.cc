#include "server/net/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace lapse {
namespace {

// A refusal is written to a socket that nobody serves, so it has to fit its empty buffer.
constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr std::string_view kProtected =
    "-DENIED Lapse is in protected mode: no password is set for the default user, so only clients "
    "on the loopback interface may connect. To serve others, either set a password (the "
    "'requirepass' directive, or from a local client CONFIG SET requirepass), or turn protected "
    "mode off ('protected-mode no' in the configuration file or on the command line, or from a "
    "local client CONFIG SET protected-mode no) if nobody but trusted hosts can reach this "
    "port.\r\n";

// An IP address with its port, or "" for other families.
std::string IpText(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return fmt::format("{}:{}", text, ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return fmt::format("[{}]:{}", text, ntohs(v6.sin6_port));
  }
  return "";
}

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
  }
  return true;
}

uint16_t PortOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// Reasons why an address cannot be had on this machine at all, as against being taken.
bool IsUnavailable(int reason) {
  return reason == EADDRNOTAVAIL || reason == EAFNOSUPPORT || reason == EPFNOSUPPORT ||
         reason == EPROTONOSUPPORT || reason == ESOCKTNOSUPPORT || reason == ENOPROTOOPT;
}

absl::Status CannotListen(std::string_view where, std::string_view why) {
  return absl::UnavailableError(fmt::format("cannot listen on {}: {}", where, why));
}

}  // namespace

Listener::Listener(Instance& instance, std::span<const std::shared_ptr<IoThread>> threads)
    : instance_(instance), threads_(threads), pause_(threads.front()->executor()) {}

Listener::~Listener() { Close(); }

absl::Status Listener::Open(bool any_port) {
  const Config& config = instance_.config;
  port_ = static_cast<uint16_t>(config.port);
  if (port_ != 0 || any_port) {
    for (const std::string& name : config.bind) {
      if (const absl::Status status = OpenAddress(name); !status.ok()) return status;
    }
    if (sockets_.empty() && !config.bind.empty()) {
      return CannotListen(fmt::format("port {}", port_), "none of the addresses is available");
    }
  }
  if (config.unixsocket.empty()) return absl::OkStatus();
  return OpenUnix(config.unixsocket, config.unixsocketperm);
}

absl::Status Listener::OpenAddress(const std::string& name) {
  std::string host = name;
  const bool optional = absl::StartsWith(host, "-");
  if (optional) host.erase(0, 1);
  const bool all_v4 = host == "*";
  const bool all_v6 = host == "::*";
  if (all_v6) host = "::";

  addrinfo hints = {};
  hints.ai_family = all_v4 ? AF_INET : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure =
      getaddrinfo(all_v4 ? nullptr : host.c_str(), std::to_string(port_).c_str(), &hints, &found);
  if (failure != 0) {
    if (optional) return absl::OkStatus();
    return CannotListen(fmt::format("{}:{}", host, port_), gai_strerror(failure));
  }
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };

  sockaddr_storage address = {};
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  const StreamProtocol::endpoint endpoint(found->ai_addr, found->ai_addrlen);
  if (const ErrorCode error = Listen(endpoint, false, found->ai_family == AF_INET6); error) {
    if (optional && IsUnavailable(error.value())) return absl::OkStatus();
    return CannotListen(IpText(address), std::strerror(error.value()));
  }
  if (port_ == 0) {
    port_ = PortOf(sockets_.back()->acceptor.native_handle());
    addresses_.push_back(fmt::format("{}:{}", host, port_));
  } else {
    addresses_.push_back(IpText(address));
  }
  return absl::OkStatus();
}

absl::Status Listener::OpenUnix(const std::string& path, int64_t permissions) {
  sockaddr_un address = {};
  if (path.size() >= sizeof(address.sun_path)) return CannotListen(path, "path too long");
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  // What a server that crashed has left behind; one that lives and listens there is not asked, as
  // with redis-server.
  unlink(path.c_str());
  const StreamProtocol::endpoint endpoint(&address, sizeof(address));
  if (const ErrorCode error = Listen(endpoint, true, false); error) {
    return CannotListen(path, std::strerror(error.value()));
  }
  unix_path_ = path;
  addresses_.push_back(path);
  if (permissions != 0 && chmod(path.c_str(), static_cast<mode_t>(permissions)) != 0) {
    return CannotListen(path, std::strerror(errno));
  }
  return absl::OkStatus();
}

ErrorCode Listener::Listen(const StreamProtocol::endpoint& endpoint, bool is_unix, bool only_v6) {
  auto socket = std::make_unique<Socket>(Socket{Acceptor(threads_.front()->executor()), is_unix});
  Acceptor& acceptor = socket->acceptor;
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  const int on = 1;
  setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (only_v6) {
    setsockopt(acceptor.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  acceptor.bind(endpoint, error);
  if (error) return error;
  acceptor.listen(static_cast<int>(instance_.config.tcp_backlog), error);
  if (error) return error;
  acceptor.non_blocking(true, error);
  if (!error) sockets_.push_back(std::move(socket));
  return error;
}

void Listener::Start() {
  for (const auto& socket : sockets_) Wait(*socket);
}

void Listener::Close() {
  ErrorCode ignored;
  for (const auto& socket : sockets_) socket->acceptor.close(ignored);
  pause_.cancel();
  if (!unix_path_.empty()) unlink(std::exchange(unix_path_, {}).c_str());
}

void Listener::Wait(Socket& socket) {
  socket.acceptor.async_wait(Acceptor::wait_read, [this, &socket](const ErrorCode& error) {
    if (!error) Accept(socket);
  });
}

void Listener::Accept(Socket& socket) {
  if (paused_) return;  // the pause ends with a Wait for every socket
  const Rules rules = ReadRules();
  for (int i = 0; i < kMaxAccepts; ++i) {
    if (!AcceptOne(socket, rules)) break;
  }
  if (!paused_) Wait(socket);
}

// Returns false when there is nobody to accept, or no way to.
bool Listener::AcceptOne(Socket& socket, const Rules& rules) {
  sockaddr_storage peer = {};
  socklen_t peer_size = sizeof(peer);
  const int listening = socket.acceptor.native_handle();
  const int fd = accept4(listening, reinterpret_cast<sockaddr*>(&peer), &peer_size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    const int reason = errno;
    if (reason == ECONNABORTED || reason == EINTR) return true;
    if (reason != EAGAIN && reason != EWOULDBLOCK) Pause(reason);
    return false;
  }

  AcceptedSocket accepted;
  accepted.fd = fd;
  accepted.unix_socket = socket.is_unix;
  if (socket.is_unix) {
    accepted.protocol = StreamProtocol(AF_UNIX, 0);
    accepted.address = accepted.local_address = unix_path_ + ":0";
  } else {
    sockaddr_storage own = {};
    socklen_t own_size = sizeof(own);
    getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size);
    accepted.protocol = StreamProtocol(peer.ss_family, IPPROTO_TCP);
    accepted.address = IpText(peer);
    accepted.local_address = IpText(own);
  }
  if (!Admit(accepted, IsLoopback(peer), rules)) {
    close(fd);
    return true;
  }
  const auto fewest =
      std::min_element(threads_.begin(), threads_.end(),
                       [](const auto& a, const auto& b) { return a->assigned() < b->assigned(); });
  (*fewest)->Adopt(std::move(accepted), rules.keepalive_seconds);
  return true;
}

// Decides about a newcomer, and tells one that is turned away why.
bool Listener::Admit(const AcceptedSocket& accepted, bool is_loopback, const Rules& rules) {
  std::string_view refusal;
  if (open_connections() >= rules.maxclients) {
    refusal = kTooManyClients;
  } else if (rules.protected_mode && !accepted.unix_socket && !is_loopback) {
    refusal = kProtected;
  }
  ServerStats& stats = instance_.stats;
  if (refusal.empty()) {
    stats.connections_received.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  stats.connections_rejected.fetch_add(1, std::memory_order_relaxed);
  // Best effort: the socket is new, so its buffer has room.
  [[maybe_unused]] const ssize_t sent =
      send(accepted.fd, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return false;
}

void Listener::Pause(int reason) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_complaint_ >= std::chrono::seconds(1)) {
    last_complaint_ = now;
    spdlog::warn("cannot accept connections: {}", std::strerror(reason));
  }
  paused_ = true;
  pause_.expires_after(std::chrono::milliseconds(kPauseMs));
  pause_.async_wait([this](const ErrorCode& error) {
    if (error) return;
    paused_ = false;
    // Those that wait already are made to wait anew, rather than remembering which do.
    ErrorCode ignored;
    for (const auto& socket : sockets_) {
      if (!socket->acceptor.is_open()) continue;  // closed while this handler was queued
      socket->acceptor.cancel(ignored);
      Wait(*socket);
    }
  });
}

Listener::Rules Listener::ReadRules() {
  const Gate::Shared inside(instance_.keyspace.gate());
  const Config& config = instance_.config;
  return {config.maxclients, config.tcp_keepalive_seconds,
          config.protected_mode && config.requirepass.empty()};
}

int64_t Listener::open_connections() const {
  int64_t open = 0;
  for (const auto& thread : threads_) open += thread->assigned();
  return open;
}

}  // namespace lapse
