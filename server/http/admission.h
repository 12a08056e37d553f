// Who may come in: whether a browser sends a request on its own page's behalf, and which user of
// the ACL is behind it.
//
// A browser attaches a user's credentials to whatever any page makes it send, so a request that
// changes something is taken only when the browser says that it comes from a page of ours
// (Sec-Fetch-Site, Origin) and when it has the content type application/json, which no form can
// have. Programs send neither header and are let through.
//
// Without credentials a client is the user `default`, where that one needs no password; then a page
// of somebody else's might reach the server under a name that it has bent to this machine's address
// (DNS rebinding), so the host that the request names must be an address or localhost.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "server/http/login_throttle.h"
#include "server/http/message.h"
#include "server/services/executor.h"

namespace lapse {

bool IsChange(HttpVerb method);
// Why the request may not have come from where it says; nullopt when it may.
std::optional<HttpResponse> CheckOrigin(const HttpRequest& request, const HttpPeer& peer);
// The same for a change's content type.
std::optional<HttpResponse> CheckContentType(const HttpRequest& request);
// Whether the media type is this one, parameters aside.
bool HasContentType(const HttpRequest& request, std::string_view type);

class Admission {
 public:
  Admission(Instance& instance, ExecutorPool& executors)
      : instance_(instance), executors_(executors) {}

  // Sets whose request it is, or says why it is nobody's: 401, 403 or 429.
  std::optional<HttpResponse> LogIn(const HttpRequest& request, const HttpPeer& peer,
                                    Caller& caller);
  // As listeners of the other port do with `protected-mode`.
  std::optional<HttpResponse> CheckProtectedMode(const HttpPeer& peer);

  LoginThrottle& throttle() { return throttle_; }
  // 429, with when to come again.
  static HttpResponse TooManyFailures(int64_t retry_after_ms);

 private:
  Instance& instance_;
  ExecutorPool& executors_;
  LoginThrottle throttle_;
};

Caller CallerAt(const HttpPeer& peer);

}  // namespace lapse
