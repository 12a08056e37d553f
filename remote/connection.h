// A connection to one server that blocks: connect, call, get the reply, each within a time.
//
// TCP or a Unix socket, plain or TLS. Asio runs underneath with an event loop of the connection's
// own, which lives for as long as a call does: that is what gives blocking calls a time-out and
// lets a stop end them, which blocking system calls have neither of. Several commands may be
// pipelined; their replies come in order.
//
// An error reply is a Reply, not a failed call: what failed is the way to the server. After a
// failed call the connection is closed, for it is not known what is still on its way.
//
// Thread: one at a time; the stop may come from any.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/reply.h"
#include "remote/target.h"

namespace lapse {

// What a server wants to know of who comes.
struct RemoteLogin {
  std::string user;
  std::string password;
};

class RemoteConnection {
 public:
  // Connects, encrypts if `tls`, and authenticates with what the login gives.
  static absl::StatusOr<RemoteConnection> Open(const RemoteAddress& address, bool tls,
                                               const RemoteLogin& login,
                                               const RemoteConnectOptions& options,
                                               std::stop_token stop);
  ~RemoteConnection();
  RemoteConnection(RemoteConnection&&) noexcept;
  RemoteConnection& operator=(RemoteConnection&&) noexcept;

  // Sends a command and waits for its reply. Fails as kCancelled after a stop, as
  // kDeadlineExceeded after reply_timeout, else as kUnavailable.
  absl::StatusOr<Reply> Call(std::span<const std::string> words);
  absl::StatusOr<Reply> Call(std::initializer_list<std::string_view> words);

  // How long the latest call took, as seen from here.
  std::chrono::nanoseconds last_call() const;

 private:
  struct Parts;
  explicit RemoteConnection(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// An error reply as a status: what has to do with permission or authentication is
// kPermissionDenied, an unknown command kUnimplemented, any other kFailedPrecondition. OK for other
// replies.
absl::Status StatusOfReply(const Reply& reply);

}  // namespace lapse
