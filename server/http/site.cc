#include "server/http/site.h"

#include <optional>
#include <string>
#include <utility>

#include "boost/json/parse.hpp"
#include "fmt/format.h"
#include "server/http/routes.h"
#include "server/services/acl_user.h"

namespace lapse {
namespace {

constexpr size_t kMaxJsonDepth = 8;
constexpr size_t kTagDigits = 32;
constexpr std::string_view kFileMethods = "OPTIONS, GET, HEAD";
constexpr std::string_view kRootMethods = "OPTIONS, GET, HEAD, POST";  // the RPC's POST, too

bool IsKnown(HttpVerb method) {
  switch (method) {
    case HttpVerb::get:
    case HttpVerb::head:
    case HttpVerb::post:
    case HttpVerb::put:
    case HttpVerb::patch:
    case HttpVerb::delete_:
    case HttpVerb::options:
      return true;
    default:
      return false;
  }
}

HttpResponse WithAllow(HttpStatus status, std::string_view allow) {
  HttpResponse response =
      status == HttpStatus::method_not_allowed
          ? ErrorResponse(status, "METHOD", "not with this method; see the header Allow")
          : EmptyResponse(status);
  response.set(HttpField::allow, allow);
  return response;
}

HttpResponse NoSuchPath() {
  return ErrorResponse(HttpStatus::not_found, "PATH", "there is no such path");
}

// The body as a JSON object, empty when there is none; or what is wrong with it.
std::optional<HttpResponse> ReadBody(const HttpRequest& request, boost::json::object& object) {
  const auto bad = [](std::string_view message) {
    return ErrorResponse(HttpStatus::bad_request, "JSON", message);
  };
  if (request.body().empty()) return std::nullopt;
  if (!IsChange(request.method())) return bad("such a request has no body");
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(request.body(), error, {}, options);
  if (error) return bad(fmt::format("the body is no JSON: {}", error.message()));
  if (!value.is_object()) return bad("the body has to be a JSON object");
  object = std::move(value.get_object());
  return std::nullopt;
}

// One host, as HTTP/1.1 wants it: with two, or none, it is unclear which server is meant.
bool HasOneHost(const HttpRequest& request) {
  const size_t hosts = request.count(HttpField::host);
  return hosts == 1 || (hosts == 0 && request.version() < 11);
}

}  // namespace

HttpResponse HttpSite::Handle(const HttpRequest& request, const HttpPeer& peer) {
  HttpResponse response = Serve(request, peer);
  FinishResponse(request, response);
  return response;
}

bool HttpSite::IsInstant(const HttpRequest& request) const {
  const std::string_view target = View(request.target());
  if (request.method() != HttpVerb::get && request.method() != HttpVerb::head) return false;
  return target == "/healthz" || (target.find('?') == target.npos && FindFile(target) != nullptr);
}

HttpResponse HttpSite::Serve(const HttpRequest& request, const HttpPeer& peer) {
  if (request.target().size() > HttpTarget::kMaxBytes) {
    return ErrorResponse(HttpStatus::uri_too_long, "TARGET", "the target is too long");
  }
  if (!IsKnown(request.method())) {
    return ErrorResponse(HttpStatus::not_implemented, "METHOD", "no such method");
  }
  if (!HasOneHost(request)) {
    return ErrorResponse(HttpStatus::bad_request, "HOST", "there has to be one Host header");
  }
  if (request.method() == HttpVerb::options && request.target() == "*") {
    return WithAllow(HttpStatus::no_content, "OPTIONS, GET, HEAD, POST, PUT, PATCH, DELETE");
  }
  const std::optional<HttpTarget> target = ParseTarget(View(request.target()));
  if (!target) {
    return ErrorResponse(HttpStatus::bad_request, "TARGET", "the target is malformed");
  }
  if (auto refusal = admission_.CheckProtectedMode(peer)) return *std::move(refusal);
  if (target->segments.empty() && RpcService::IsFor(request, *target)) {
    return rpc_.Handle(request, *target, peer);
  }
  return ServePath(request, peer, *target);
}

HttpResponse HttpSite::ServePath(const HttpRequest& request, const HttpPeer& peer,
                                 const HttpTarget& target) {
  RouteMatch match = FindRoute(request.method(), target.segments);
  const ConsoleFile* const file = match.allow.empty() ? FindFile(target.path()) : nullptr;
  const bool is_root = target.segments.empty();
  const bool is_change = IsChange(request.method());
  if (match.allow.empty() && file == nullptr && !is_root) {
    return NoSuchPath();
  }
  const std::string_view allow = is_root           ? kRootMethods
                                 : file != nullptr ? kFileMethods
                                                   : std::string_view(match.allow);
  if (request.method() == HttpVerb::options) return WithAllow(HttpStatus::no_content, allow);
  if (file != nullptr && !is_change) return ServeFile(request, *file);
  if (is_root && !is_change) return NoSuchPath();
  if (match.route == nullptr) return WithAllow(HttpStatus::method_not_allowed, allow);

  if (is_change) {
    if (auto refusal = CheckOrigin(request, peer)) return *std::move(refusal);
    if (auto refusal = CheckContentType(request)) return *std::move(refusal);
  }
  Caller caller = CallerAt(peer);
  if (!match.route->open) {
    if (auto refusal = admission_.LogIn(request, peer, caller)) return *std::move(refusal);
  }
  ApiCall call{instance_, executors_, caller, target, std::move(match.path), {}};
  if (auto refusal = ReadBody(request, call.body)) return *std::move(refusal);
  return match.route->handler(call);
}

// A browser asks each time whether its copy is still good, so that an upgrade is seen at once.
HttpResponse HttpSite::ServeFile(const HttpRequest& request, const ConsoleFile& file) const {
  const std::string tag = fmt::format("\"{}\"", Sha256Hex(file.bytes).substr(0, kTagDigits));
  HttpResponse response =
      HeaderOf(request, HttpField::if_none_match) == tag
          ? EmptyResponse(HttpStatus::not_modified)
          : TextResponse(HttpStatus::ok, file.content_type, std::string(file.bytes));
  response.set(HttpField::etag, tag);
  response.set(HttpField::cache_control, "no-cache");
  return response;
}

const ConsoleFile* HttpSite::FindFile(std::string_view path) const {
  if (path == "/") path = "/index.html";
  for (const ConsoleFile& file : files_) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace lapse
