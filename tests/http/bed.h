// What tests of the HTTP layer stand on: an instance with a fake clock and a site in front of it,
// asked without sockets; and a raw client for those that need one.
//
// Thread: one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "boost/json/value.hpp"
#include "server/http/http_server.h"
#include "server/http/message.h"
#include "server/http/site.h"
#include "tests/support/db.h"

namespace lapse {

// A request in the making. Changes get the content type that they need unless told otherwise.
struct Ask {
  HttpVerb method = HttpVerb::get;
  std::string target;
  std::string body = {};
  std::string login = {};  // "user:password"
  std::vector<std::pair<std::string, std::string>> headers = {};
};

HttpRequest RequestOf(const Ask& ask);
// "Basic dXNlcjpwYXNz".
std::string BasicOf(std::string_view login);

class HttpBed {
 public:
  explicit HttpBed(Config config = {}, std::span<const ConsoleFile> files = {});

  HttpResponse Send(const Ask& ask) { return site_.Handle(RequestOf(ask), peer); }
  HttpResponse Get(std::string target, std::string login = {}) {
    return Send({.target = std::move(target), .login = std::move(login)});
  }
  HttpResponse Post(std::string target, std::string body = {}, std::string login = {}) {
    return Send({HttpVerb::post, std::move(target), std::move(body), std::move(login)});
  }
  // Runs a command that must succeed.
  Reply Run(std::string_view line);

  Db& db() { return db_; }
  HttpSite& site() { return site_; }

  HttpPeer peer{"127.0.0.1", "127.0.0.1:50012", "127.0.0.1:8080", true, false};

 private:
  Db db_;
  HttpSite site_;
};

// The status as a number, and the body's parts.
int StatusOf(const HttpResponse& response);
boost::json::value JsonOf(const HttpResponse& response);
// {"error": {"code": ...}}, or "".
std::string CodeOf(const HttpResponse& response);

// A server on a free port of the loopback interface, over an instance of its own.
class HttpServerBed {
 public:
  explicit HttpServerBed(HttpLimits limits = {}, Config config = {},
                         std::span<const ConsoleFile> files = {});

  int port() const { return server_->port(); }
  Db& db() { return db_; }
  HttpServer& server() { return *server_; }

 private:
  Db db_;
  std::unique_ptr<HttpServer> server_;
};

// Bytes over a socket, as a hostile client would send them.
class RawClient {
 public:
  explicit RawClient(int port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False when the other side has gone.
  bool Send(std::string_view bytes);
  // One response: its header and as much body as it announces; what came when the connection ends
  // before. `has_body` is false after HEAD.
  std::string ReadResponse(bool has_body = true);
  // Everything until the connection ends.
  std::string ReadAll();
  bool ReadsEnd() { return ReadAll().empty(); }

 private:
  bool Receive();

  int fd_ = -1;
  std::string input_;
};

// "HTTP/1.1 404 Not Found..." as 404; 0 when it is no response.
int StatusOf(std::string_view response);

}  // namespace lapse
