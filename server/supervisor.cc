#include "server/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "protocol/number.h"

namespace lapse {
namespace {

std::string_view Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Supervisor Supervisor::FromEnvironment() {
  int64_t watchdog_us = 0;
  if (!ParseInt64(Variable("WATCHDOG_USEC"), watchdog_us) || watchdog_us < 0) watchdog_us = 0;
  const std::string_view pid = Variable("WATCHDOG_PID");
  if (!pid.empty() && pid != fmt::format("{}", getpid())) watchdog_us = 0;
  return Supervisor(std::string(Variable("NOTIFY_SOCKET")), watchdog_us);
}

bool Supervisor::Ready(std::string_view status) const {
  return Send(fmt::format("READY=1\nSTATUS={}\n", status));
}

bool Supervisor::KeepAlive() const { return Send("WATCHDOG=1\n"); }

bool Supervisor::Stopping(std::string_view status) const {
  return Send(fmt::format("STOPPING=1\nSTATUS={}\n", status));
}

bool Supervisor::Send(std::string_view text) const {
  sockaddr_un address = {};
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size() +
                                           (socket_[0] == '@' ? 0 : 1));

  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const ssize_t sent = sendto(fd, text.data(), text.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), size);
  close(fd);
  return sent == static_cast<ssize_t>(text.size());
}

}  // namespace lapse
