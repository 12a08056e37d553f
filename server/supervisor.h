// What a server tells the service manager that started it: that it is ready, that it stops, that it
// is alive. systemd's protocol of Type=notify, which is a datagram of NAME=value lines to the unix
// socket that NOTIFY_SOCKET names; a leading '@' stands for the abstract namespace.
//
// Written here rather than linked, for it is one sendto, and libsystemd would come with a dozen
// libraries of its own. Without the variable nothing is sent. A manager that does not listen is no
// reason to stop serving, so failures are reported to the caller and otherwise harmless.
//
// Thread: the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lapse {

class Supervisor {
 public:
  // `socket` as in NOTIFY_SOCKET, empty for none; `watchdog_us`: how often at least it wants to
  // hear KeepAlive, 0 for never.
  explicit Supervisor(std::string socket, int64_t watchdog_us = 0)
      : socket_(std::move(socket)), watchdog_us_(watchdog_us) {}
  // Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which may mean another process.
  static Supervisor FromEnvironment();

  bool listens() const { return !socket_.empty(); }
  bool wants_keep_alive() const { return listens() && watchdog_us_ > 0; }
  int64_t watchdog_us() const { return watchdog_us_; }

  // Each returns whether the manager was told. `status` is one line for its display.
  bool Ready(std::string_view status) const;
  bool KeepAlive() const;
  bool Stopping(std::string_view status) const;

 private:
  bool Send(std::string_view text) const;

  const std::string socket_;
  const int64_t watchdog_us_;
};

}  // namespace lapse
