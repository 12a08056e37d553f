#include "server/http/message.h"

#include <utility>

#include "boost/json/serialize.hpp"

namespace lapse {
namespace {

// The console's own files and nothing else; nobody frames it; no form leaves it.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

void SetIfAbsent(HttpResponse& response, HttpField name, std::string_view value) {
  if (response.find(name) == response.end()) response.set(name, value);
}

void AddSecurityHeaders(HttpResponse& response) {
  response.set("Content-Security-Policy", kContentPolicy);
  response.set("X-Frame-Options", "DENY");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  SetIfAbsent(response, HttpField::cache_control, "no-store");
}

bool HasNoBody(HttpStatus status) {
  return status == HttpStatus::no_content || status == HttpStatus::not_modified;
}

}  // namespace

std::string_view HeaderOf(const HttpRequest& request, HttpField name) {
  const auto found = request.find(name);
  return found == request.end() ? std::string_view() : View(found->value());
}

std::string_view HeaderOf(const HttpRequest& request, std::string_view name) {
  const auto found = request.find(name);
  return found == request.end() ? std::string_view() : View(found->value());
}

HttpResponse TextResponse(HttpStatus status, std::string_view content_type, std::string text) {
  HttpResponse response;
  response.result(status);
  response.set(HttpField::content_type, content_type);
  response.body() = std::move(text);
  return response;
}

HttpResponse JsonResponse(HttpStatus status, const boost::json::value& value) {
  return TextResponse(status, "application/json", boost::json::serialize(value));
}

HttpResponse EmptyResponse(HttpStatus status) {
  HttpResponse response;
  response.result(status);
  return response;
}

HttpResponse ErrorResponse(HttpStatus status, std::string_view code, std::string_view message) {
  boost::json::object error;
  error["code"] = code;
  error["message"] = message;
  boost::json::object body;
  body["error"] = std::move(error);
  return JsonResponse(status, body);
}

void FinishResponse(const HttpRequest& request, HttpResponse& response) {
  response.version(11);
  response.keep_alive(request.keep_alive() && response.keep_alive());
  AddSecurityHeaders(response);
  if (!HasNoBody(response.result())) response.content_length(response.body().size());
  // The length stays: it is what GET would have sent.
  if (request.method() == HttpVerb::head) response.body().clear();
}

void FinishResponse(HttpResponse& response) {
  response.version(11);
  response.keep_alive(false);
  AddSecurityHeaders(response);
  response.content_length(response.body().size());
}

}  // namespace lapse
