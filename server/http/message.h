// Requests and responses of the HTTP layer: Beast's message types under names of ours, who sent
// one, and the responses that are made again and again.
//
// Everything above the connections works on these values and knows of no socket, so that tests and
// the fuzzer call it directly.
//
// Thread: plain values, pure functions.
#pragma once

#include <string>
#include <string_view>

#include "boost/beast/http/message.hpp"
#include "boost/beast/http/string_body.hpp"
#include "boost/json/value.hpp"
#include "server/http/text_view.h"

namespace lapse {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;
using HttpVerb = boost::beast::http::verb;
using HttpStatus = boost::beast::http::status;
using HttpField = boost::beast::http::field;

// Who sent a request, as the connection knows it.
struct HttpPeer {
  std::string host;           // "127.0.0.1"
  std::string address;        // "127.0.0.1:50012"
  std::string local_address;  // ours
  bool loopback = false;
  bool secure = false;  // TLS
};

// A header's value; "" when there is none.
std::string_view HeaderOf(const HttpRequest& request, HttpField name);
std::string_view HeaderOf(const HttpRequest& request, std::string_view name);

HttpResponse TextResponse(HttpStatus status, std::string_view content_type, std::string text);
HttpResponse JsonResponse(HttpStatus status, const boost::json::value& value);
HttpResponse EmptyResponse(HttpStatus status);
// {"error": {"code": ..., "message": ...}}.
HttpResponse ErrorResponse(HttpStatus status, std::string_view code, std::string_view message);

// Makes the response one for this request: what a browser may do with it, whether the connection
// stays, and no body for HEAD.
void FinishResponse(const HttpRequest& request, HttpResponse& response);
// The same where there is no request that could be read; the connection ends.
void FinishResponse(HttpResponse& response);

}  // namespace lapse
