#include "tests/http/bed.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "boost/json/parse.hpp"
#include "protocol/number.h"
#include "tests/support/server_process.h"

namespace lapse {

std::string BasicOf(std::string_view login) {
  return "Basic " + absl::Base64Escape(absl::string_view(login.data(), login.size()));
}

HttpRequest RequestOf(const Ask& ask) {
  HttpRequest request;
  request.method(ask.method);
  request.target(ask.target);
  request.version(11);
  request.set(HttpField::host, "127.0.0.1:8080");
  if (ask.method != HttpVerb::get && ask.method != HttpVerb::head) {
    request.set(HttpField::content_type, "application/json");
  }
  if (!ask.login.empty()) request.set(HttpField::authorization, BasicOf(ask.login));
  for (const auto& [name, value] : ask.headers) {
    if (value.empty()) {
      request.erase(name);
    } else {
      request.set(name, value);
    }
  }
  request.body() = ask.body;
  request.prepare_payload();
  return request;
}

HttpBed::HttpBed(Config config, std::span<const ConsoleFile> files)
    : db_(std::move(config)), site_(db_.instance(), files) {}

Reply HttpBed::Run(std::string_view line) {
  Reply reply = db_.Run(line);
  EXPECT_FALSE(reply.IsError()) << line << ": " << reply.text;
  return reply;
}

int StatusOf(const HttpResponse& response) { return static_cast<int>(response.result_int()); }

boost::json::value JsonOf(const HttpResponse& response) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(response.body(), error);
  EXPECT_FALSE(error) << response.body();
  return value;
}

std::string CodeOf(const HttpResponse& response) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(response.body(), error);
  if (error || !value.is_object()) return "";
  const auto* const at = value.as_object().if_contains("error");
  if (at == nullptr) return "";
  return std::string(View(at->as_object().at("code").as_string()));
}

// --- sockets ---

HttpServerBed::HttpServerBed(HttpLimits limits, Config config, std::span<const ConsoleFile> files)
    : db_(std::move(config)) {
  HttpServer::Options options;
  options.any_port = true;
  options.limits = limits;
  options.files = files;
  auto server = HttpServer::Start(db_.instance(), options);
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  server_ = *std::move(server);
}

RawClient::RawClient(int port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{std::chrono::seconds(kPatience).count(), 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

RawClient::~RawClient() { close(fd_); }

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::Receive() {
  char bytes[16384];
  const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  input_.append(bytes, static_cast<size_t>(got));
  return true;
}

std::string RawClient::ReadResponse(bool has_body) {
  size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == input_.npos) {
    if (!Receive()) return std::exchange(input_, {});
  }
  size_t size = end + 4;
  constexpr std::string_view kLength = "Content-Length: ";
  const size_t length = input_.find(kLength);
  if (has_body && length != input_.npos && length < end) {
    const size_t from = length + kLength.size();
    int64_t bytes = 0;
    const std::string_view digits =
        std::string_view(input_).substr(from, input_.find('\r', from) - from);
    EXPECT_TRUE(ParseInt64(digits, bytes)) << digits;
    size += static_cast<size_t>(bytes);
  }
  while (input_.size() < size) {
    if (!Receive()) return std::exchange(input_, {});
  }
  std::string response = input_.substr(0, size);
  input_.erase(0, size);
  return response;
}

std::string RawClient::ReadAll() {
  while (Receive()) {
  }
  return std::exchange(input_, {});
}

int StatusOf(std::string_view response) {
  int64_t status = 0;
  if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return 0;
  EXPECT_TRUE(ParseInt64(response.substr(9, 3), status)) << response;
  return static_cast<int>(status);
}

}  // namespace lapse
