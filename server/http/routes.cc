#include "server/http/routes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"
#include "protocol/number.h"
#include "server/core/registry.h"
#include "server/core/version.h"
#include "server/http/reply_json.h"
#include "server/http/task_words.h"
#include "server/services/services.h"

namespace lapse {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kExpiryDirectives = "active-expire-";
constexpr std::string_view kOtherDirectives[] = {"hz", "maintenance-window"};

HttpResponse BadRequest(std::string_view message) {
  return ErrorResponse(HttpStatus::bad_request, "ERR", message);
}

// --- the forms of answers ---

HttpResponse Answer(const ApiCall& call, const Words& words, HttpStatus status = HttpStatus::ok) {
  const Reply reply = call.Run(words);
  return reply.IsError() ? CommandError(reply) : JsonResponse(status, ReplyToJson(reply));
}

HttpResponse Done(const ApiCall& call, const Words& words) {
  const Reply reply = call.Run(words);
  return reply.IsError() ? CommandError(reply) : EmptyResponse(HttpStatus::no_content);
}

HttpResponse Accepted(const ApiCall& call, const Words& words) {
  const Reply reply = call.Run(words);
  if (reply.IsError()) return CommandError(reply);
  boost::json::object body;
  body["execution"] = reply.AsInteger();
  return JsonResponse(HttpStatus::accepted, body);
}

// Reads the query's parameters and remembers what is wrong with them.
class QueryReader {
 public:
  explicit QueryReader(const ApiCall& call) : call_(call) {}

  // The parameter's value, and takes it for known.
  std::optional<std::string> Text(std::string_view name) {
    known_.push_back(name);
    std::optional<std::string> value;
    for (const QueryParameter& parameter : call_.target.query) {
      if (parameter.name == name) value = parameter.value;
    }
    return value;
  }
  std::optional<std::string> Number(std::string_view name) {
    std::optional<std::string> value = Text(name);
    int64_t number = 0;
    if (value && (!ParseInt64(*value, number) || number < 0)) {
      error_ = fmt::format("the parameter {} has to be a whole number", name);
    }
    return value;
  }
  // What is wrong, or "". To be asked when all that the route knows have been read.
  std::string error() const {
    for (const QueryParameter& parameter : call_.target.query) {
      if (std::ranges::find(known_, parameter.name) == known_.end()) {
        return fmt::format("there is no parameter {}", ValidUtf8(parameter.name));
      }
    }
    return error_;
  }

 private:
  const ApiCall& call_;
  std::vector<std::string_view> known_;
  std::string error_;
};

// --- monitoring ---

HttpResponse Health(ApiCall&) {
  return TextResponse(HttpStatus::ok, "text/plain; charset=utf-8", "ok\n");
}

HttpResponse Metrics(ApiCall& call) {
  const Reply reply = call.Run(Words{"METRICS"});
  if (reply.IsError()) return CommandError(reply);
  return TextResponse(HttpStatus::ok, kMetricsType, reply.text);
}

HttpResponse OpenApi(ApiCall&) {
  return TextResponse(HttpStatus::ok, "application/json", std::string(OpenApiText()));
}

// Whether the user may run the command, keys and channels aside.
bool May(Acl& acl, const AclUser& user, std::string_view command, int64_t now_ms) {
  if (command.empty()) return true;
  const size_t id = acl.commands().Find(command);
  if (id == acl.commands().size()) return false;
  const AclCommands::Command& found = acl.commands().at(id);
  std::vector<std::string_view> args;
  if (found.container != nullptr) args.push_back(found.container->name);
  args.push_back(found.row->name);
  const Request request{args, found.container, found.row, now_ms};
  return user.Check(acl.commands(), request).denial == AclDenial::kNone;
}

HttpResponse SessionOf(ApiCall& call) {
  const int64_t now_ms = call.instance.clock.NowMs();
  boost::json::object may;
  boost::json::object body;
  {
    const Gate::Shared inside(call.instance.keyspace.gate());
    Acl& acl = Services::Of(call.instance).acl();
    const AclUser* const user = acl.Find(call.caller.user);
    for (const Route& route : Routes()) {
      may[route.operation] = user != nullptr && May(acl, *user, route.command, now_ms);
    }
    body["instance"] = call.instance.config.instance_name;
  }
  body["user"] = ValidUtf8(call.caller.user);
  body["version"] = kVersion;
  body["now"] = now_ms;
  body["may"] = std::move(may);
  return JsonResponse(HttpStatus::ok, body);
}

HttpResponse Info(ApiCall& call) {
  QueryReader query(call);
  const std::string section = query.Text("section").value_or("everything");
  if (!query.error().empty()) return BadRequest(query.error());
  const Reply reply = call.Run(Words{"INFO", section});
  if (reply.IsError()) return CommandError(reply);
  return JsonResponse(HttpStatus::ok, InfoToJson(reply.text));
}

HttpResponse MetricsHistory(ApiCall& call) {
  QueryReader query(call);
  Words words{"METRICS", "HISTORY"};
  if (const auto since = query.Number("since")) words.insert(words.end(), {"SINCE", *since});
  if (const auto step = query.Number("step")) words.insert(words.end(), {"STEP", *step});
  if (!query.error().empty()) return BadRequest(query.error());
  return Answer(call, words);
}

// --- configuration ---

bool IsOfExpiry(std::string_view directive) {
  return directive.starts_with(kExpiryDirectives) ||
         std::ranges::find(kOtherDirectives, directive) != std::end(kOtherDirectives);
}

HttpResponse GetConfig(ApiCall& call) {
  Words words{"CONFIG", "GET", std::string(kExpiryDirectives) + "*"};
  words.insert(words.end(), std::begin(kOtherDirectives), std::end(kOtherDirectives));
  return Answer(call, words);
}

HttpResponse SetConfig(ApiCall& call) {
  Words words{"CONFIG", "SET"};
  for (const auto& [name, value] : call.body) {
    const std::string directive = WordOfJsonName(View(name));
    if (!IsOfExpiry(directive)) {
      return BadRequest(fmt::format("{} is no directive of expiry", ValidUtf8(directive)));
    }
    const std::optional<std::string> word = WordOf(value);
    if (!word) return BadRequest(fmt::format("{} has to be a text or a number", directive));
    words.insert(words.end(), {directive, *word});
  }
  if (call.body.empty()) return BadRequest("nothing to change");
  return Done(call, words);
}

// --- runs ---

HttpResponse ListFlushes(ApiCall& call) {
  QueryReader query(call);
  Words words{"FLUSHEXPIREKEYS", "HISTORY"};
  if (const auto count = query.Number("count")) words.push_back(*count);
  if (!query.error().empty()) return BadRequest(query.error());
  return Answer(call, words);
}

HttpResponse StartFlush(ApiCall& call) {
  Words words{"FLUSHEXPIREKEYS", "ASYNC"};
  if (const std::string error = AddFlushWords(call.body, words); !error.empty()) {
    return BadRequest(error);
  }
  return Answer(call, words, HttpStatus::accepted);
}

HttpResponse GetFlush(ApiCall& call) {
  Words words{"FLUSHEXPIREKEYS", "STATUS"};
  if (call.path[0] != "latest") words.push_back(call.path[0]);
  return Answer(call, words);
}

HttpResponse CancelFlush(ApiCall& call) {
  return Done(call, {"FLUSHEXPIREKEYS", "CANCEL", call.path[0]});
}

// --- tasks ---

HttpResponse ListTasks(ApiCall& call) { return Answer(call, {"FLUSHTASK", "LIST"}); }

HttpResponse CreateTask(ApiCall& call) {
  const auto name = call.body.find("name");
  if (name == call.body.end() || !name->value().is_string()) {
    return BadRequest("a task needs a name");
  }
  const std::string text(View(name->value().get_string()));
  call.body.erase(name);
  Words words{"FLUSHTASK", "CREATE", text};
  if (const std::string error = AddTaskWords(call.body, words); !error.empty()) {
    return BadRequest(error);
  }
  const Reply reply = call.Run(words);
  if (reply.IsError()) return CommandError(reply);
  boost::json::object body;
  body["name"] = text;
  HttpResponse response = JsonResponse(HttpStatus::created, body);
  response.set(HttpField::location, "/api/v1/tasks/" + PercentEncode(text));
  return response;
}

HttpResponse GetTask(ApiCall& call) { return Answer(call, {"FLUSHTASK", "SHOW", call.path[0]}); }

HttpResponse UpdateTask(ApiCall& call) {
  Words words{"FLUSHTASK", "UPDATE", call.path[0]};
  if (const std::string error = AddTaskWords(call.body, words); !error.empty()) {
    return BadRequest(error);
  }
  return Done(call, words);
}

HttpResponse DeleteTask(ApiCall& call) { return Done(call, {"FLUSHTASK", "DELETE", call.path[0]}); }

HttpResponse PauseTask(ApiCall& call) { return Done(call, {"FLUSHTASK", "PAUSE", call.path[0]}); }

HttpResponse ResumeTask(ApiCall& call) { return Done(call, {"FLUSHTASK", "RESUME", call.path[0]}); }

HttpResponse TriggerTask(ApiCall& call) {
  return Accepted(call, {"FLUSHTASK", "TRIGGER", call.path[0]});
}

// --- executions ---

HttpResponse PageOfExecutions(ApiCall& call, const std::string& task) {
  QueryReader query(call);
  Words words{"FLUSHTASK", "EXECUTIONS", task, query.Number("page").value_or("1")};
  if (const auto count = query.Number("count")) words.insert(words.end(), {"COUNT", *count});
  if (!query.error().empty()) return BadRequest(query.error());
  return Answer(call, words);
}

HttpResponse ListExecutions(ApiCall& call) { return PageOfExecutions(call, "*"); }

HttpResponse ListTaskExecutions(ApiCall& call) { return PageOfExecutions(call, call.path[0]); }

HttpResponse GetExecution(ApiCall& call) {
  return Answer(call, {"FLUSHTASK", "EXECUTION", call.path[0]});
}

HttpResponse CancelExecution(ApiCall& call) {
  return Done(call, {"FLUSHTASK", "CANCEL", call.path[0]});
}

// --- the managed service's ---

HttpResponse DescribeInstances(ApiCall& call) { return Answer(call, {"DESCRIBEINSTANCES"}); }

HttpResponse DescribeHistoryTasks(ApiCall& call) {
  QueryReader query(call);
  Words words{"DESCRIBEHISTORYTASKS"};
  if (const auto page = query.Number("page")) words.insert(words.end(), {"PAGE", *page});
  if (const auto count = query.Number("count")) words.insert(words.end(), {"COUNT", *count});
  if (!query.error().empty()) return BadRequest(query.error());
  return Answer(call, words);
}

HttpResponse ModifyMaintenanceWindow(ApiCall& call) {
  Words words{"MODIFYINSTANCEMAINTAINTIME"};
  for (const std::string_view name : {"start", "end"}) {
    const auto found = call.body.find(name);
    if (found == call.body.end() || !found->value().is_string()) {
      return BadRequest("start and end have to be times of day, as 02:00Z");
    }
    words.emplace_back(View(found->value().get_string()));
  }
  if (call.body.size() != 2) return BadRequest("only start and end are known");
  return Done(call, words);
}

constexpr HttpVerb kGet = HttpVerb::get;
constexpr HttpVerb kPost = HttpVerb::post;
constexpr HttpVerb kPut = HttpVerb::put;
constexpr HttpVerb kPatch = HttpVerb::patch;
constexpr HttpVerb kDelete = HttpVerb::delete_;

// clang-format off
constexpr Route kRoutes[] = {
    {kGet, "/healthz", "health", "", Health, true},
    {kGet, "/metrics", "metrics", "metrics", Metrics},
    {kGet, "/api/v1/openapi.json", "openapi", "", OpenApi},
    {kGet, "/api/v1/session", "session", "", SessionOf},
    {kGet, "/api/v1/info", "info", "info", Info},
    {kGet, "/api/v1/metrics/history", "metricsHistory", "metrics", MetricsHistory},
    {kGet, "/api/v1/config", "getConfig", "config|get", GetConfig},
    {kPatch, "/api/v1/config", "setConfig", "config|set", SetConfig},
    {kGet, "/api/v1/flushes", "listFlushes", "flushexpirekeys", ListFlushes},
    {kPost, "/api/v1/flushes", "startFlush", "flushexpirekeys", StartFlush},
    {kGet, "/api/v1/flushes/{id}", "getFlush", "flushexpirekeys", GetFlush},
    {kPost, "/api/v1/flushes/{id}/cancel", "cancelFlush", "flushexpirekeys", CancelFlush},
    {kGet, "/api/v1/tasks", "listTasks", "flushtask|list", ListTasks},
    {kPost, "/api/v1/tasks", "createTask", "flushtask|create", CreateTask},
    {kGet, "/api/v1/tasks/{name}", "getTask", "flushtask|show", GetTask},
    {kPatch, "/api/v1/tasks/{name}", "updateTask", "flushtask|update", UpdateTask},
    {kDelete, "/api/v1/tasks/{name}", "deleteTask", "flushtask|delete", DeleteTask},
    {kPost, "/api/v1/tasks/{name}/pause", "pauseTask", "flushtask|pause", PauseTask},
    {kPost, "/api/v1/tasks/{name}/resume", "resumeTask", "flushtask|resume", ResumeTask},
    {kPost, "/api/v1/tasks/{name}/trigger", "triggerTask", "flushtask|trigger", TriggerTask},
    {kGet, "/api/v1/tasks/{name}/executions", "listTaskExecutions", "flushtask|executions",
     ListTaskExecutions},
    {kGet, "/api/v1/executions", "listExecutions", "flushtask|executions", ListExecutions},
    {kGet, "/api/v1/executions/{id}", "getExecution", "flushtask|execution", GetExecution},
    {kPost, "/api/v1/executions/{id}/cancel", "cancelExecution", "flushtask|cancel",
     CancelExecution},
    {kGet, "/api/v1/instances", "describeInstances", "describeinstances", DescribeInstances},
    {kGet, "/api/v1/history-tasks", "describeHistoryTasks", "describehistorytasks",
     DescribeHistoryTasks},
    {kPut, "/api/v1/maintenance-window", "modifyMaintenanceWindow", "modifyinstancemaintaintime",
     ModifyMaintenanceWindow},
};
// clang-format on

// Whether the segments are the pattern's, its {...} parts standing for any.
bool Matches(std::string_view pattern, std::span<const std::string> segments,
             std::vector<std::string>& variable) {
  variable.clear();
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);
    const size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    pattern.remove_prefix(end);
    if (part.starts_with('{')) {
      variable.push_back(segment);
    } else if (part != segment) {
      return false;
    }
  }
  return pattern.empty();
}

HttpStatus StatusOf(std::string_view code, std::string_view text) {
  if (code == "NOPERM") return HttpStatus::forbidden;
  if (code == "NOAUTH" || code == "WRONGPASS") return HttpStatus::unauthorized;
  if (code == "BUSY") return HttpStatus::conflict;
  if (code == "OOM" || code == "LOADING") return HttpStatus::service_unavailable;
  const auto contains = [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  if (contains("shutting down")) return HttpStatus::service_unavailable;
  if (contains("unknown command")) return HttpStatus::not_implemented;
  if (contains("no such") || contains("no FLUSHEXPIREKEYS run")) return HttpStatus::not_found;
  if (contains("already") || contains("has ended") || contains("is over")) {
    return HttpStatus::conflict;
  }
  return HttpStatus::bad_request;
}

}  // namespace

Reply ApiCall::Run(std::span<const std::string> words) const {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return executors.ExecuteAs(caller, views);
}

std::span<const Route> Routes() { return kRoutes; }

RouteMatch FindRoute(HttpVerb method, std::span<const std::string> segments) {
  if (method == HttpVerb::head) method = HttpVerb::get;
  RouteMatch match;
  std::vector<std::string> variable;
  for (const Route& route : kRoutes) {
    if (!Matches(route.path, segments, variable)) continue;
    if (match.allow.empty()) match.allow = "OPTIONS";
    match.allow += fmt::format(", {}", View(boost::beast::http::to_string(route.method)));
    if (route.method == kGet) match.allow += ", HEAD";
    if (route.method != method) continue;
    match.route = &route;
    match.path = variable;
  }
  return match;
}

HttpResponse CommandError(const Reply& reply) {
  const std::string text = ValidUtf8(reply.text);
  const size_t blank = std::min(text.find(' '), text.size());
  const std::string_view code = std::string_view(text).substr(0, blank);
  const std::string_view message = std::string_view(text).substr(std::min(blank + 1, text.size()));
  return ErrorResponse(StatusOf(code, text), code, message);
}

}  // namespace lapse
