#include "server/http/http_server.h"

#include <pthread.h>

#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ip/v6_only.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/steady_timer.hpp"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace lapse {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// After accepting has failed for want of file descriptors.
constexpr std::chrono::milliseconds kPause{100};
constexpr int kBacklog = 128;

std::string Text(const Tcp::endpoint& endpoint) {
  return endpoint.address().is_v6()
             ? fmt::format("[{}]:{}", endpoint.address().to_string(), endpoint.port())
             : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

absl::Status CannotListen(std::string_view where, const error_code& error) {
  return absl::UnavailableError(
      fmt::format("cannot listen for HTTP on {}: {}", where, error.message()));
}

absl::StatusOr<std::unique_ptr<asio::ssl::context>> LoadTls(const Config& config) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  const auto failed = [](const std::string& path, const error_code& error) {
    return absl::InvalidArgumentError(
        fmt::format("cannot use '{}' for HTTP: {}", path, error.message()));
  };
  error_code error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                   error);
  tls->use_certificate_chain_file(config.http_tls_cert_file, error);
  if (error) return failed(config.http_tls_cert_file, error);
  tls->use_private_key_file(config.http_tls_key_file, asio::ssl::context::pem, error);
  if (error) return failed(config.http_tls_key_file, error);
  return tls;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Instance& instance, Options options)
      : instance_(instance),
        site_(instance, options.files),
        shared_{site_, workers_, options.limits} {}
  ~Impl() { Stop(); }

  absl::Status Open(bool any_port);
  void Run();
  void Stop();

  uint16_t port() const { return port_; }
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), pause(io) {}
    Tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  absl::Status OpenAddress(std::string name);
  error_code Listen(const Tcp::endpoint& endpoint);
  void Accept(Listener& listener);
  void Admit(Tcp::socket socket, const Tcp::endpoint& peer);
  void CloseAll();
  size_t MostConnections();

  Instance& instance_;
  // The thread's own. Each connection is kept alive by its operations, and so ends with io_ at the
  // latest.
  std::set<HttpConnection*> connections_;
  asio::io_context io_{1};
  std::unique_ptr<asio::ssl::context> tls_;
  HttpSite site_;
  WorkerPool workers_;
  HttpShared shared_;
  uint16_t port_ = 0;
  std::vector<std::string> addresses_;
  std::thread thread_;

  // The thread's own.
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool closed_ = false;
};

absl::Status HttpServer::Impl::Open(bool any_port) {
  const Config& config = instance_.config;
  if (!config.http_tls_cert_file.empty() || !config.http_tls_key_file.empty()) {
    auto tls = LoadTls(config);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
    shared_.tls = tls_.get();
  }
  port_ = any_port ? 0 : static_cast<uint16_t>(config.http_port);
  for (const std::string& name : config.http_bind) {
    if (const absl::Status status = OpenAddress(name); !status.ok()) return status;
  }
  if (!listeners_.empty()) return absl::OkStatus();
  return absl::UnavailableError("cannot listen for HTTP: none of the addresses is available");
}

absl::Status HttpServer::Impl::OpenAddress(std::string name) {
  const bool optional = name.starts_with('-');
  if (optional) name.erase(0, 1);
  if (name == "*") name = "0.0.0.0";
  if (name == "::*") name = "::";
  error_code error;
  Tcp::resolver resolver(io_);
  const auto found = resolver.resolve(
      name, std::to_string(port_), Tcp::resolver::passive | Tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return optional ? absl::OkStatus() : CannotListen(name, error);
  }
  const Tcp::endpoint endpoint = found.begin()->endpoint();
  error = Listen(endpoint);
  if (!error) return absl::OkStatus();
  // An address that this machine lacks is as if it were not named; one that is taken is not.
  if (optional && error != asio::error::address_in_use) return absl::OkStatus();
  return CannotListen(Text(endpoint), error);
}

error_code HttpServer::Impl::Listen(const Tcp::endpoint& endpoint) {
  auto listener = std::make_unique<Listener>(io_);
  Tcp::acceptor& acceptor = listener->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  acceptor.bind(endpoint, error);
  if (error) return error;
  acceptor.listen(kBacklog, error);
  if (error) return error;
  const Tcp::endpoint local = acceptor.local_endpoint(error);
  if (error) return error;
  port_ = local.port();
  addresses_.push_back(Text(local));
  listeners_.push_back(std::move(listener));
  return {};
}

void HttpServer::Impl::Run() {
  for (const auto& listener : listeners_) Accept(*listener);
  workers_.Start();
  thread_ = std::thread([this] {
    const auto guard = asio::make_work_guard(io_);
    io_.run();
  });
  pthread_setname_np(thread_.native_handle(), "lapse-http");
}

void HttpServer::Impl::Stop() {
  if (!thread_.joinable()) return;
  site_.Interrupt();
  io_.stop();
  thread_.join();
  workers_.Stop();
  // From here on nobody else touches a connection: those that are left are held by their operations
  // and by what the workers have posted.
  CloseAll();
  io_.restart();
  io_.poll();
  listeners_.clear();
}

void HttpServer::Impl::CloseAll() {
  closed_ = true;
  for (const auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  for (HttpConnection* const connection : connections_) connection->Close();
}

void HttpServer::Impl::Accept(Listener& listener) {
  listener.acceptor.async_accept([this, &listener](const error_code& error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || closed_) return;
    if (!error) {
      error_code gone;
      const Tcp::endpoint peer = socket.remote_endpoint(gone);
      if (!gone) Admit(std::move(socket), peer);
      return Accept(listener);
    }
    spdlog::warn("cannot accept HTTP connections: {}", error.message());
    listener.pause.expires_after(kPause);
    listener.pause.async_wait([this, &listener](const error_code& cancelled) {
      if (!cancelled) Accept(listener);
    });
  });
}

void HttpServer::Impl::Admit(Tcp::socket socket, const Tcp::endpoint& peer) {
  error_code ignored;
  if (connections_.size() >= MostConnections()) {
    // Best effort: the socket is new, so its buffer has room. With TLS the client would not
    // understand it.
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n"
        "Retry-After: 1\r\n\r\n";
    socket.non_blocking(true, ignored);
    if (tls_ == nullptr) socket.write_some(asio::buffer(kFull.data(), kFull.size()), ignored);
    return;
  }
  socket.set_option(Tcp::no_delay(true), ignored);
  HttpPeer who;
  who.host = peer.address().to_string();
  who.address = Text(peer);
  who.local_address = Text(socket.local_endpoint(ignored));
  who.loopback = peer.address().is_loopback();
  const auto connection =
      HttpConnection::Make(shared_, std::move(socket), std::move(who),
                           [this](HttpConnection* ended) { connections_.erase(ended); });
  connections_.insert(connection.get());
  connection->Start();
}

size_t HttpServer::Impl::MostConnections() {
  const Gate::Shared inside(instance_.keyspace.gate());
  return static_cast<size_t>(instance_.config.http_maxclients);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Instance& instance, Options options) {
  auto impl = std::make_unique<Impl>(instance, options);
  if (const absl::Status status = impl->Open(options.any_port); !status.ok()) return status;
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Stop() { impl_->Stop(); }

uint16_t HttpServer::port() const { return impl_->port(); }

const std::vector<std::string>& HttpServer::addresses() const { return impl_->addresses(); }

}  // namespace lapse
