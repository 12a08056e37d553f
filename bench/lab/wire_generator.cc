#include "bench/lab/wire_generator.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bench/lab/wire_server.h"
#include "fmt/format.h"

namespace lapse::wire {

absl::StatusOr<std::unique_ptr<Generator>> Generator::Open(int port) {
  std::unique_ptr<Generator> generator(new Generator());
  generator->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  generator->connections_.resize(kConnections);
  for (size_t i = 0; i < generator->connections_.size(); ++i) {
    Connection& connection = generator->connections_[i];
    connection.fd = ConnectTo(port);
    if (connection.fd < 0) {
      return absl::UnavailableError(fmt::format("cannot connect to port {}", port));
    }
    fcntl(connection.fd, F_SETFL, fcntl(connection.fd, F_GETFL) | O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(generator->epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }
  return generator;
}

Generator::~Generator() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) close(connection.fd);
  }
  if (epoll_ >= 0) close(epoll_);
}

absl::StatusOr<LoadResult> Generator::Run(RequestSource& source, double seconds) {
  LoadResult result;
  const int64_t begin = SteadyNs();
  end_ns_ = begin + static_cast<int64_t>(seconds * 1e9);
  busy_ = 0;
  for (Connection& connection : connections_) {
    if (absl::Status status = SendBatch(connection, source); !status.ok()) return status;
  }
  std::array<epoll_event, kConnections> events{};
  while (busy_ > 0) {
    const int ready = epoll_wait(epoll_, events.data(), kConnections, kPatienceMs);
    if (ready == 0) return absl::DeadlineExceededError("the server stopped answering");
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections_[events[static_cast<size_t>(i)].data.u64];
      if (absl::Status status = OnReady(connection, source, result); !status.ok()) return status;
    }
  }
  result.seconds = static_cast<double>(SteadyNs() - begin) / 1e9;
  for (const Connection& connection : connections_) {
    result.errors += connection.counter.errors();
    if (result.first_error.empty()) result.first_error = connection.counter.first_error();
  }
  return result;
}

absl::Status Generator::SendBatch(Connection& connection, RequestSource& source) {
  connection.owed = source.pipeline();
  connection.sent_ns = SteadyNs();
  ++busy_;
  return Flush(connection, source.Next());
}

absl::Status Generator::OnReady(Connection& connection, RequestSource& source, LoadResult& result) {
  if (!connection.unsent.empty()) {
    const std::string rest = std::exchange(connection.unsent, {});
    if (absl::Status status = Flush(connection, rest); !status.ok()) return status;
  }
  const ssize_t n = recv(connection.fd, piece_.data(), piece_.size(), 0);
  if (n == 0) return absl::UnavailableError("the server hung up");
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return absl::OkStatus();
    return absl::UnavailableError(fmt::format("receiving: {}", std::strerror(errno)));
  }
  connection.owed -= connection.counter.Count({piece_.data(), static_cast<size_t>(n)});
  if (connection.owed > 0) return absl::OkStatus();
  if (connection.owed < 0) return absl::DataLossError("more replies than requests");
  const int64_t now = SteadyNs();
  result.commands += source.pipeline();
  result.batch_latency.Add(now - connection.sent_ns);
  --busy_;
  return now < end_ns_ ? SendBatch(connection, source) : absl::OkStatus();
}

// Sends what the socket takes, and listens for room as long as there is a rest.
absl::Status Generator::Flush(Connection& connection, std::string_view bytes) {
  const ssize_t n = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    return absl::UnavailableError(fmt::format("sending: {}", std::strerror(errno)));
  }
  const size_t sent = n > 0 ? static_cast<size_t>(n) : 0;
  const bool wants_room = sent < bytes.size();
  if (wants_room != connection.wants_room) {
    connection.wants_room = wants_room;
    const auto index = static_cast<uint64_t>(&connection - connections_.data());
    epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
    if (wants_room) event.events |= EPOLLOUT;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }
  if (wants_room) connection.unsent = bytes.substr(sent);
  return absl::OkStatus();
}

}  // namespace lapse::wire
