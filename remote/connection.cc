#include "remote/connection.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "protocol/buffer.h"
#include "protocol/reply_parser.h"

namespace lapse {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Socket = asio::generic::stream_protocol::socket;
using TlsStream = asio::ssl::stream<Socket&>;

constexpr size_t kReadBytes = 65536;

std::string Encode(std::span<const std::string_view> words) {
  std::string bytes = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    bytes += fmt::format("${}\r\n", word.size());
    bytes.append(word);
    bytes += "\r\n";
  }
  return bytes;
}

absl::Status Unavailable(std::string_view what, const error_code& error) {
  return absl::UnavailableError(fmt::format("{}: {}", what, error.message()));
}

bool IsIpAddress(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// Everything that an encrypted connection is told before it begins.
absl::Status PrepareTls(const RemoteTls& tls, asio::ssl::context& context) {
  error_code error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1,
                      error);
  if (!tls.verify) {
    context.set_verify_mode(asio::ssl::verify_none, error);
  } else {
    context.set_verify_mode(asio::ssl::verify_peer, error);
    if (tls.ca_file.empty()) {
      context.set_default_verify_paths(error);
    } else {
      context.load_verify_file(tls.ca_file, error);
    }
    if (error) return Unavailable(fmt::format("cannot read CA file {}", tls.ca_file), error);
  }
  if (!tls.cert_file.empty()) {
    context.use_certificate_chain_file(tls.cert_file, error);
    if (error) return Unavailable(fmt::format("cannot read certificate {}", tls.cert_file), error);
    const std::string& key = tls.key_file.empty() ? tls.cert_file : tls.key_file;
    context.use_private_key_file(key, asio::ssl::context::pem, error);
    if (error) return Unavailable(fmt::format("cannot read key {}", key), error);
  }
  return absl::OkStatus();
}

}  // namespace

struct RemoteConnection::Parts {
  Parts(const RemoteConnectOptions& options, std::stop_token stop)
      : options(options), stop(std::move(stop)), socket(io) {}

  const RemoteConnectOptions options;
  const std::stop_token stop;
  asio::io_context io;
  Socket socket;
  std::optional<asio::ssl::context> context;
  std::optional<TlsStream> tls;
  Buffer input;
  ReplyParser parser;
  std::chrono::nanoseconds last_call{0};

  // Starts something by `start`, which is to set `done`, and drives it until it has, or the
  // deadline or a stop comes: then the socket is closed, and what was under way is abandoned.
  absl::Status Drive(Clock::time_point deadline, bool& done, const std::function<void()>& start) {
    done = false;
    io.restart();
    start();
    {
      // The loop may be stopped from another thread, and nothing else of it touched.
      const std::stop_callback on_stop(stop, [this] { io.stop(); });
      while (!done && !stop.stop_requested() && io.run_one_until(deadline) > 0) {
      }
    }
    if (done) return absl::OkStatus();
    error_code ignored;
    socket.close(ignored);
    if (stop.stop_requested()) return absl::CancelledError("stopped");
    return absl::DeadlineExceededError("no answer in time");
  }

  // The same for an operation that ends with an error code.
  template <class Begin>
  absl::Status Await(Clock::time_point deadline, std::string_view what, Begin begin) {
    bool done = false;
    error_code result;
    const absl::Status driven = Drive(deadline, done, [&] {
      begin([&done, &result](const error_code& error, const auto&...) {
        // An operation that was abandoned must not write to a frame that is gone.
        if (error == asio::error::operation_aborted) return;
        done = true;
        result = error;
      });
    });
    if (driven.code() == absl::StatusCode::kDeadlineExceeded) {
      return absl::DeadlineExceededError(fmt::format("{}: timed out", what));
    }
    if (!driven.ok()) return driven;
    if (!result) return absl::OkStatus();
    error_code ignored;
    socket.close(ignored);
    return Unavailable(what, result);
  }

  absl::Status ConnectTcp(const RemoteAddress& address, Clock::time_point deadline);
  absl::Status ConnectUnix(const RemoteAddress& address, Clock::time_point deadline);
  absl::Status Encrypt(const RemoteAddress& address, Clock::time_point deadline);
  absl::Status Send(std::string_view bytes, Clock::time_point deadline);
  absl::Status Receive(Clock::time_point deadline);
  absl::StatusOr<Reply> Call(std::span<const std::string_view> words, Clock::time_point deadline);
  absl::Status Authenticate(const RemoteLogin& login, Clock::time_point deadline);
};

absl::Status RemoteConnection::Parts::ConnectTcp(const RemoteAddress& address,
                                                 Clock::time_point deadline) {
  asio::ip::tcp::resolver resolver(io);
  asio::ip::tcp::resolver::results_type found;
  absl::Status status = Await(deadline, "cannot resolve", [&](auto done) {
    resolver.async_resolve(address.host, std::to_string(address.port),
                           [&found, done](const error_code& error, auto results) mutable {
                             if (!error) found = std::move(results);
                             done(error);
                           });
  });
  if (!status.ok()) return status;
  // Each of the host's addresses in turn, for a name may have one that nobody listens on.
  status = absl::UnavailableError("cannot connect: no address");
  for (const auto& entry : found) {
    error_code error;
    socket.close(error);
    const asio::generic::stream_protocol::endpoint endpoint(entry.endpoint());
    status =
        Await(deadline, "cannot connect", [&](auto done) { socket.async_connect(endpoint, done); });
    if (status.ok()) {
      socket.set_option(asio::ip::tcp::no_delay(true), error);
      return status;
    }
    if (status.code() != absl::StatusCode::kUnavailable) return status;
  }
  return status;
}

absl::Status RemoteConnection::Parts::ConnectUnix(const RemoteAddress& address,
                                                  Clock::time_point deadline) {
  // The endpoint's constructor throws for a path that does not fit.
  if (address.path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("cannot connect: the socket's path is too long");
  }
  const asio::generic::stream_protocol::endpoint endpoint(
      asio::local::stream_protocol::endpoint(address.path));
  return Await(deadline, "cannot connect",
               [&](auto done) { socket.async_connect(endpoint, done); });
}

absl::Status RemoteConnection::Parts::Encrypt(const RemoteAddress& address,
                                              Clock::time_point deadline) {
  context.emplace(asio::ssl::context::tls_client);
  if (absl::Status status = PrepareTls(options.tls, *context); !status.ok()) return status;
  tls.emplace(socket, *context);
  const std::string& name =
      options.tls.server_name.empty() ? address.host : options.tls.server_name;
  // An address is no name to ask for, though it may be one to verify.
  if (!IsIpAddress(name)) SSL_set_tlsext_host_name(tls->native_handle(), name.c_str());
  if (options.tls.verify) {
    error_code error;
    tls->set_verify_callback(asio::ssl::host_name_verification(name), error);
    if (error) return Unavailable("TLS", error);
  }
  const absl::Status status = Await(deadline, "TLS", [&](auto done) {
    tls->async_handshake(asio::ssl::stream_base::client, done);
  });
  const long verdict = SSL_get_verify_result(tls->native_handle());
  if (status.ok() || verdict == X509_V_OK) return status;
  // The library's own message says only that something about the certificate was wrong.
  return absl::Status(status.code(), fmt::format("{}: {}", std::string(status.message()),
                                                 X509_verify_cert_error_string(verdict)));
}

absl::Status RemoteConnection::Parts::Send(std::string_view bytes, Clock::time_point deadline) {
  return Await(deadline, "connection lost", [&](auto done) {
    if (tls) {
      asio::async_write(*tls, asio::buffer(bytes), done);
    } else {
      asio::async_write(socket, asio::buffer(bytes), done);
    }
  });
}

absl::Status RemoteConnection::Parts::Receive(Clock::time_point deadline) {
  const asio::mutable_buffer room(input.Prepare(kReadBytes), kReadBytes);
  size_t received = 0;
  const absl::Status status = Await(deadline, "connection lost", [&](auto done) {
    const auto take = [&received, done](const error_code& error, size_t bytes) {
      if (!error) received = bytes;
      done(error);
    };
    if (tls) {
      tls->async_read_some(room, take);
    } else {
      socket.async_read_some(room, take);
    }
  });
  input.Commit(received);
  return status;
}

absl::StatusOr<Reply> RemoteConnection::Parts::Call(std::span<const std::string_view> words,
                                                    Clock::time_point deadline) {
  if (!socket.is_open()) return absl::UnavailableError("connection lost: it is closed");
  const std::string request = Encode(words);
  const Clock::time_point began = Clock::now();
  if (absl::Status status = Send(request, deadline); !status.ok()) return status;
  for (;;) {
    Reply reply;
    size_t consumed = 0;
    const ReplyParser::Result result = parser.Parse(input.view(), consumed, reply);
    input.Consume(consumed);
    if (result == ReplyParser::Result::kReply) {
      last_call = Clock::now() - began;
      return reply;
    }
    if (result == ReplyParser::Result::kError) {
      error_code ignored;
      socket.close(ignored);
      return absl::UnavailableError(fmt::format("this is no Redis protocol: {}", parser.error()));
    }
    if (absl::Status status = Receive(deadline); !status.ok()) return status;
  }
}

absl::Status RemoteConnection::Parts::Authenticate(const RemoteLogin& login,
                                                   Clock::time_point deadline) {
  if (!login.password.empty() || !login.user.empty()) {
    std::vector<std::string_view> words = {"AUTH"};
    if (!login.user.empty()) words.push_back(login.user);
    words.push_back(login.password);
    const absl::StatusOr<Reply> reply = Call(words, deadline);
    if (!reply.ok()) return reply.status();
    if (absl::Status status = StatusOfReply(*reply); !status.ok()) return status;
  }
  if (options.client_name.empty()) return absl::OkStatus();
  // For those who look at the list of clients; a user who may not is none the worse.
  const std::string_view name[] = {"CLIENT", "SETNAME", options.client_name};
  return Call(name, deadline).status();
}

RemoteConnection::RemoteConnection(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RemoteConnection::~RemoteConnection() = default;
RemoteConnection::RemoteConnection(RemoteConnection&&) noexcept = default;
RemoteConnection& RemoteConnection::operator=(RemoteConnection&&) noexcept = default;

absl::StatusOr<RemoteConnection> RemoteConnection::Open(const RemoteAddress& address, bool tls,
                                                        const RemoteLogin& login,
                                                        const RemoteConnectOptions& options,
                                                        std::stop_token stop) {
  const Clock::time_point deadline = Clock::now() + options.connect_timeout;
  auto parts = std::make_unique<Parts>(options, std::move(stop));
  absl::Status status = address.path.empty() ? parts->ConnectTcp(address, deadline)
                                             : parts->ConnectUnix(address, deadline);
  if (status.ok() && tls) status = parts->Encrypt(address, deadline);
  if (status.ok()) status = parts->Authenticate(login, deadline);
  if (!status.ok()) return status;
  return RemoteConnection(std::move(parts));
}

absl::StatusOr<Reply> RemoteConnection::Call(std::span<const std::string> words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return parts_->Call(views, Clock::now() + parts_->options.reply_timeout);
}

absl::StatusOr<Reply> RemoteConnection::Call(std::initializer_list<std::string_view> words) {
  return parts_->Call(std::span(words.begin(), words.size()),
                      Clock::now() + parts_->options.reply_timeout);
}

std::chrono::nanoseconds RemoteConnection::last_call() const { return parts_->last_call; }

absl::Status StatusOfReply(const Reply& reply) {
  if (!reply.IsError()) return absl::OkStatus();
  const std::string_view text = reply.text;
  for (const std::string_view code : {"NOAUTH", "NOPERM", "WRONGPASS"}) {
    if (text.starts_with(code)) return absl::PermissionDeniedError(reply.text);
  }
  // Redis 5 and older have no code for a wrong password.
  if (text.find("invalid password") != std::string_view::npos)
    return absl::PermissionDeniedError(reply.text);
  if (text.starts_with("ERR unknown command") || text.starts_with("ERR Unknown subcommand") ||
      text.starts_with("ERR unknown subcommand")) {
    return absl::UnimplementedError(reply.text);
  }
  return absl::FailedPreconditionError(reply.text);
}

}  // namespace lapse
