// The table of what the HTTP port offers: method, path, the operation's name in docs/openapi.json,
// the command behind it, and the handler.
//
// A route is one command, run as the user who is logged in; the ACL alone decides what that user
// may do, so that HTTP can do nothing that the other port would not allow. A test compares the
// table with docs/openapi.json, which is written by hand.
//
// Thread: constants; handlers run on any worker.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/object.hpp"
#include "protocol/reply.h"
#include "server/http/message.h"
#include "server/http/target.h"
#include "server/services/executor.h"

namespace lapse {

// One request on its way through a handler.
struct ApiCall {
  Instance& instance;
  ExecutorPool& executors;
  const Caller& caller;
  const HttpTarget& target;
  std::vector<std::string> path;  // the path's variable parts, in order
  boost::json::object body;       // empty where there was none

  Reply Run(std::span<const std::string> words) const;
};

using ApiHandler = HttpResponse (*)(ApiCall&);

struct Route {
  HttpVerb method;
  std::string_view path;       // "/api/v1/tasks/{name}"
  std::string_view operation;  // the operationId
  std::string_view command;    // as ACL rules name it, "flushtask|list"; "": none
  ApiHandler handler;
  bool open = false;  // without login
};

std::span<const Route> Routes();

struct RouteMatch {
  const Route* route = nullptr;   // nullptr: not with this method, or no such path
  std::vector<std::string> path;  // the variable parts
  std::string allow;              // the methods that the path has; "": there is no such path
};
// HEAD is GET.
RouteMatch FindRoute(HttpVerb method, std::span<const std::string> segments);

// A command's error as a response: the code is its first word.
HttpResponse CommandError(const Reply& reply);

// docs/openapi.json.
std::string_view OpenApiText();

}  // namespace lapse
