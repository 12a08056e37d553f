#include "server/http/admission.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "boost/asio/ip/address.hpp"
#include "fmt/format.h"
#include "protocol/number.h"
#include "server/core/arguments.h"
#include "server/services/acl.h"

namespace lapse {
namespace {

constexpr std::string_view kBasic = "Basic ";
constexpr size_t kMaxCredentials = 4096;
constexpr std::string_view kRealm = "realm=\"lapse\", charset=\"UTF-8\"";

std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == host.npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool NamesAnAddress(std::string_view host) {
  const std::string name(WithoutPort(host));
  if (EqualsIgnoreCase(name, "localhost")) return true;
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

struct Credentials {
  std::string user;
  std::string password;
};

std::optional<Credentials> ParseBasic(std::string_view header) {
  if (header.size() > kMaxCredentials ||
      !EqualsIgnoreCase(header.substr(0, kBasic.size()), kBasic)) {
    return std::nullopt;
  }
  header.remove_prefix(kBasic.size());
  std::string text;
  if (!absl::Base64Unescape(absl::string_view(header.data(), header.size()), &text)) {
    return std::nullopt;
  }
  const size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

// A browser asks the user by itself when it is told `Basic`, which is right for an address that was
// typed and wrong for a request of the console, which has a form of its own.
HttpResponse Unauthorized(const HttpRequest& request, std::string_view message) {
  HttpResponse response = ErrorResponse(HttpStatus::unauthorized, "NOAUTH", message);
  const std::string_view mode = HeaderOf(request, "Sec-Fetch-Mode");
  const std::string_view scheme = mode.empty() || mode == "navigate" ? "Basic" : "X-Basic";
  response.set(HttpField::www_authenticate, fmt::format("{} {}", scheme, kRealm));
  return response;
}

HttpResponse Forbidden(std::string_view message) {
  return ErrorResponse(HttpStatus::forbidden, "FORBIDDEN", message);
}

}  // namespace

bool IsChange(HttpVerb method) {
  return method != HttpVerb::get && method != HttpVerb::head && method != HttpVerb::options;
}

std::optional<HttpResponse> CheckOrigin(const HttpRequest& request, const HttpPeer& peer) {
  const std::string_view site = HeaderOf(request, "Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return Forbidden("requests from pages of other origins are refused");
  }
  const std::string_view origin = HeaderOf(request, HttpField::origin);
  if (origin.empty()) return std::nullopt;
  const std::string expected =
      fmt::format("{}://{}", peer.secure ? "https" : "http", HeaderOf(request, HttpField::host));
  if (EqualsIgnoreCase(origin, expected)) return std::nullopt;
  return Forbidden("the request's origin is not this server");
}

bool HasContentType(const HttpRequest& request, std::string_view type) {
  std::string_view value = HeaderOf(request, HttpField::content_type);
  value = value.substr(0, value.find(';'));
  while (value.ends_with(' ')) value.remove_suffix(1);
  return EqualsIgnoreCase(value, type);
}

std::optional<HttpResponse> CheckContentType(const HttpRequest& request) {
  if (request.method() == HttpVerb::delete_ || HasContentType(request, "application/json")) {
    return std::nullopt;
  }
  return ErrorResponse(HttpStatus::unsupported_media_type, "UNSUPPORTED",
                       "the content type has to be application/json");
}

Caller CallerAt(const HttpPeer& peer) {
  return {std::string(Acl::kDefaultUser), peer.address, peer.local_address, "http"};
}

HttpResponse Admission::TooManyFailures(int64_t retry_after_ms) {
  HttpResponse response = ErrorResponse(HttpStatus::too_many_requests, "THROTTLED",
                                        "too many failed logins; wait before the next");
  response.set(HttpField::retry_after, FormatInt64((retry_after_ms + 999) / 1000));
  return response;
}

std::optional<HttpResponse> Admission::CheckProtectedMode(const HttpPeer& peer) {
  if (peer.loopback) return std::nullopt;
  const Gate::Shared inside(instance_.keyspace.gate());
  const Config& config = instance_.config;
  if (!config.protected_mode || !config.requirepass.empty()) return std::nullopt;
  return Forbidden(
      "the server runs in protected mode and has no password: only clients of its own machine are "
      "served until requirepass is set or protected-mode is no");
}

std::optional<HttpResponse> Admission::LogIn(const HttpRequest& request, const HttpPeer& peer,
                                             Caller& caller) {
  caller = CallerAt(peer);
  const std::string_view header = HeaderOf(request, HttpField::authorization);
  if (header.empty()) {
    Session probe;
    {
      const Gate::Shared inside(instance_.keyspace.gate());
      instance_.hooks->OnSessionStart(probe);
    }
    if (!probe.authenticated) return Unauthorized(request, "log in as a user of the ACL");
    if (NamesAnAddress(HeaderOf(request, HttpField::host))) return std::nullopt;
    return Forbidden("without a login, the server has to be called by its address");
  }
  const std::optional<Credentials> credentials = ParseBasic(header);
  if (!credentials) return Unauthorized(request, "the Authorization header is not understood");
  const int64_t now_ms = instance_.clock.NowMs();
  const int64_t wait_ms = throttle_.RetryAfterMs(peer.host, credentials->user, now_ms);
  if (wait_ms > 0) return TooManyFailures(wait_ms);
  caller.user = credentials->user;
  if (executors_.Authenticate(caller, credentials->password)) return std::nullopt;
  throttle_.NoteFailure(peer.host, credentials->user, now_ms);
  return Unauthorized(request, "wrong user name or password, or the user is off");
}

}  // namespace lapse
