// Any stream of bytes at the HTTP port: parsed as a connection parses it, cut anywhere, and every
// request that comes out of it answered by a site over a whole instance. Nothing may crash, every
// response has a proper status, a request gets the same reading however it was cut, and what was
// refused has changed nothing.
//
// Input: 1 byte of options, 1 byte that sizes the pieces, then the stream. An option makes the
// stream the body of a request for one of the routes, so that JSON and parameters are reached
// without the fuzzer having to find the framing first.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "boost/asio/buffer.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/json/parse.hpp"
#include "server/commands/families.h"
#include "server/core/arguments.h"
#include "server/core/instance.h"
#include "server/http/http_connection.h"
#include "server/http/routes.h"
#include "server/http/site.h"
#include "server/services/services.h"

namespace {

constexpr size_t kOptionBytes = 2;
constexpr size_t kRequestsOfOneInstance = 1000;
constexpr lapse::ConsoleFile kFiles[] = {{"/index.html", "text/html", "<!doctype html>"}};

void Require(bool holds) {
  if (!holds) std::abort();
}

// An instance that lets everybody do everything, so that no input ends at a login.
struct World {
  World() : instance(MakeConfig(), clock, lapse::AllCommandFamilies(), 42) {
    lapse::InstallServices(instance).IgnoreError();
  }
  static lapse::Config MakeConfig() {
    lapse::Config config;
    config.http_access_keys = {{"id", "secret", "default"}};
    return config;
  }

  lapse::ManualClock clock;
  lapse::Instance instance;
  lapse::HttpSite site{instance, kFiles};
};

void Answer(World& world, const lapse::HttpRequest& request) {
  const lapse::HttpPeer peer{"127.0.0.1", "127.0.0.1:1", "127.0.0.1:2", true, false};
  const lapse::HttpResponse response = world.site.Handle(request, peer);
  const unsigned status = response.result_int();
  Require(status >= 200 && status <= 505);
  // A browser's request that changes something comes from a page of ours or is refused.
  const std::string_view origin = lapse::HeaderOf(request, "Origin");
  const std::string own = "http://" + std::string(lapse::HeaderOf(request, "Host"));
  if (request.target().starts_with("/api/") && lapse::IsChange(request.method()) &&
      !origin.empty() && !lapse::EqualsIgnoreCase(origin, own)) {
    Require(status >= 400);
  }
}

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// The first request of the stream, if it is whole, read in pieces of at most this size.
std::optional<lapse::HttpRequest> ParseRequest(std::string_view stream, size_t piece) {
  const lapse::HttpLimits limits;
  Parser parser;
  parser.eager(true);
  // The parser's limit depends on the pieces; the connection keeps the sum.
  parser.header_limit(std::numeric_limits<uint32_t>::max());
  parser.body_limit(limits.body_bytes);
  std::string held;
  size_t fed = 0;
  while (!parser.is_done()) {
    boost::system::error_code error;
    const size_t used = held.empty() ? 0 : parser.put(boost::asio::buffer(held), error);
    held.erase(0, used);
    if (error && error != boost::beast::http::error::need_more) return std::nullopt;
    if (parser.is_done()) break;
    if (fed == stream.size()) return std::nullopt;
    const size_t more = std::min(piece, stream.size() - fed);
    held.append(stream.substr(fed, more));
    fed += more;
  }
  return parser.release();
}

bool SameRequest(const lapse::HttpRequest& a, const lapse::HttpRequest& b) {
  return a.method_string() == b.method_string() && a.target() == b.target() &&
         a.body() == b.body() &&
         std::distance(a.begin(), a.end()) == std::distance(b.begin(), b.end());
}

// A request for one of the routes, or the RPC, with these bytes as its body or its parameters.
lapse::HttpRequest RequestWith(uint8_t choice, std::string_view bytes) {
  lapse::HttpRequest request;
  request.version(11);
  request.set(lapse::HttpField::host, "127.0.0.1:2");
  request.set(lapse::HttpField::content_type, "application/json");
  const auto routes = lapse::Routes();
  const size_t number = choice % (routes.size() + 2);
  if (number < routes.size()) {
    request.method(routes[number].method);
    request.target(routes[number].path);
    if (lapse::IsChange(routes[number].method)) {
      request.body() = bytes;
    } else {
      request.target(std::string(routes[number].path) + "?" + std::string(bytes));
    }
  } else {
    request.method(lapse::HttpVerb::post);
    request.target(number == routes.size() ? "/?" + std::string(bytes) : std::string("/"));
    request.set(lapse::HttpField::content_type, "application/x-www-form-urlencoded");
    request.body() = bytes;
  }
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kOptionBytes) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + kOptionBytes,
                                size - kOptionBytes);
  // A new one now and then, so that what earlier inputs have changed does not pile up.
  static std::unique_ptr<World> world;
  static size_t answered = 0;
  if (world == nullptr || ++answered % kRequestsOfOneInstance == 0) {
    world.reset();
    world = std::make_unique<World>();
  }
  world->clock.AdvanceMs(lapse::LoginThrottle::kWindowMs / 10);
  if ((data[0] & 1) != 0) {
    Answer(*world, RequestWith(data[0] >> 1, stream));
    return 0;
  }
  const std::optional<lapse::HttpRequest> whole =
      ParseRequest(stream, std::max<size_t>(stream.size(), 1));
  const std::optional<lapse::HttpRequest> pieces = ParseRequest(stream, 1 + data[1] % 32);
  Require(whole.has_value() == pieces.has_value());
  if (!whole) return 0;
  Require(SameRequest(*whole, *pieces));
  Answer(*world, *whole);
  return 0;
}
