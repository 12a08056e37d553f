#include "server/http/rpc.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"
#include "protocol/number.h"
#include "server/http/reply_json.h"
#include "server/http/routes.h"

namespace lapse {
namespace {

using Words = std::vector<std::string>;
using boost::json::array;
using boost::json::object;

constexpr std::string_view kVersionOfApi = "2015-01-01";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
constexpr int64_t kMostOnAPage = 100;

std::string NewRequestId() {
  std::array<unsigned char, 16> bytes = {};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  std::string id;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += fmt::format("{:02X}", bytes[i]);
  }
  return id;
}

RpcProblem Bad(std::string_view code, std::string message) {
  return {HttpStatus::bad_request, code, std::move(message)};
}

// What the service would say to a command's error.
RpcProblem ProblemOf(const Reply& reply) {
  const std::string text = ValidUtf8(reply.text);
  if (text.starts_with("NOPERM")) return {HttpStatus::forbidden, "Forbidden.RAM", text};
  if (text.starts_with("NOAUTH")) {
    return {HttpStatus::forbidden, "InvalidAccessKeyId.Inactive",
            "The key's user does not exist, or is off."};
  }
  if (text.starts_with("BUSY")) return {HttpStatus::conflict, "TaskConflict", text};
  if (text.starts_with("ERR unknown command")) {
    return {HttpStatus::not_implemented, "InvalidAction.NotSupported", text};
  }
  return Bad("InvalidParameter", text);
}

// --- parameters ---

std::string ParameterOf(const RpcService::Call& call, std::string_view name) {
  const std::string* const value = FindParameter(call.parameters, name);
  return value == nullptr ? std::string() : *value;
}

// The instance that a request names has to be this one.
std::optional<RpcProblem> CheckInstance(const RpcService::Call& call, bool needed) {
  const std::string id = ParameterOf(call, "InstanceId");
  if (id.empty()) {
    if (!needed) return std::nullopt;
    return Bad("MissingParameter", "The parameter InstanceId is missing.");
  }
  if (id == call.instance_id) return std::nullopt;
  return RpcProblem{HttpStatus::not_found, "InvalidInstanceId.NotFound",
                    "This server is another instance."};
}

// Reads a whole number of at least 1, where there is one.
std::optional<RpcProblem> ReadNumber(const RpcService::Call& call, std::string_view name,
                                     int64_t most, int64_t& number) {
  const std::string text = ParameterOf(call, name);
  if (text.empty()) return std::nullopt;
  if (ParseInt64(text, number) && number >= 1 && number <= most) return std::nullopt;
  return Bad("InvalidParameter", fmt::format("{} has to be from 1 to {}.", name, most));
}

// --- responses ---

// "instance-id" as "InstanceId"; "qps" is "QPS".
std::string ServiceName(std::string_view name) {
  if (name == "qps") return "QPS";
  std::string changed;
  bool capital = true;
  for (const char c : name) {
    if (c != '-') {
      changed += capital ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c;
    }
    capital = c == '-';
  }
  return changed;
}

// A map of a command as the service spells it: times as texts, ids as texts.
object ServiceObject(const Reply& map) {
  object changed;
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    const std::string_view name = map[i].text;
    const Reply& value = map[i + 1];
    boost::json::value& out = changed[ServiceName(name)];
    const bool is_instant = name == "create-time" || name == "start-time" || name == "end-time";
    if (is_instant) {
      out = value.integer == 0 ? std::string() : FormatTimestamp(value.integer);
    } else if (name == "task-id") {
      out = FormatInt64(value.integer);
    } else {
      out = ReplyToJson(value);
    }
  }
  return changed;
}

const Reply* FieldOf(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    if (map[i] == name) return &map[i + 1];
  }
  return nullptr;
}

Reply Run(const RpcService::Call& call, const Words& words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return call.executors.ExecuteAs(call.caller, views);
}

// --- actions ---

std::optional<RpcProblem> FlushExpireKeys(const RpcService::Call& call) {
  if (auto problem = CheckInstance(call, true)) return problem;
  const std::string when = ParameterOf(call, "EffectiveTime");
  if (!when.empty() && when != "Immediately" && when != "MaintainTime") {
    return Bad("InvalidEffectiveTime.Malformed",
               "EffectiveTime has to be Immediately or MaintainTime.");
  }
  const Reply reply = Run(
      call, {"FLUSHEXPIREKEYS", "TASK", when == "MaintainTime" ? "MAINTAINTIME" : "IMMEDIATELY"});
  if (reply.IsError()) return ProblemOf(reply);
  call.response["InstanceId"] = call.instance_id;
  call.response["TaskId"] = FormatInt64(reply.AsInteger());
  return std::nullopt;
}

// Whether a comma-separated list is empty or names this instance.
bool IsAskedFor(const std::string& ids, const std::string& instance_id) {
  if (ids.empty()) return true;
  const std::vector<std::string> all = absl::StrSplit(ids, ',');
  return std::ranges::find(all, instance_id) != all.end();
}

std::optional<RpcProblem> DescribeInstances(const RpcService::Call& call) {
  int64_t page = 1;
  int64_t page_size = 30;
  if (auto problem = ReadNumber(call, "PageNumber", 1'000'000, page)) return problem;
  if (auto problem = ReadNumber(call, "PageSize", kMostOnAPage, page_size)) return problem;
  const Reply reply = Run(call, {"DESCRIBEINSTANCES"});
  if (reply.IsError()) return ProblemOf(reply);
  const std::string status = ParameterOf(call, "InstanceStatus");
  const bool asked_for = IsAskedFor(ParameterOf(call, "InstanceIds"), call.instance_id);
  array instances;
  int64_t total = 0;
  for (const Reply& instance : reply.elements) {
    const Reply* const is = FieldOf(instance, "instance-status");
    if (!asked_for || (!status.empty() && is != nullptr && is->text != status)) continue;
    ++total;
    if (page == 1) instances.push_back(ServiceObject(instance));
  }
  object list;
  list["KVStoreInstance"] = std::move(instances);
  call.response["PageNumber"] = page;
  call.response["PageSize"] = page_size;
  call.response["TotalCount"] = total;
  call.response["Instances"] = std::move(list);
  return std::nullopt;
}

// Adds a time of the form that the service uses, as Unix milliseconds.
std::optional<RpcProblem> AddTime(const RpcService::Call& call, std::string_view name,
                                  std::string_view word, Words& words) {
  const std::string text = ParameterOf(call, name);
  if (text.empty()) return std::nullopt;
  // The service takes times without seconds, too.
  std::optional<int64_t> time = ParseTimestamp(text);
  if (!time && text.ends_with('Z')) time = ParseTimestamp(text.substr(0, text.size() - 1) + ":00Z");
  if (!time) return Bad("InvalidParameter", fmt::format("{} is no time.", name));
  words.insert(words.end(), {std::string(word), FormatInt64(*time)});
  return std::nullopt;
}

std::optional<RpcProblem> DescribeHistoryTasks(const RpcService::Call& call) {
  if (auto problem = CheckInstance(call, false)) return problem;
  int64_t page = 1;
  int64_t page_size = 10;
  if (auto problem = ReadNumber(call, "PageNumber", 1'000'000, page)) return problem;
  if (auto problem = ReadNumber(call, "PageSize", kMostOnAPage, page_size)) return problem;
  Words words{"DESCRIBEHISTORYTASKS", "PAGE", FormatInt64(page), "COUNT", FormatInt64(page_size)};
  const std::string status = ParameterOf(call, "Status");
  if (!status.empty()) words.insert(words.end(), {"STATUS", status});
  const std::string id = ParameterOf(call, "TaskId");
  if (!id.empty()) words.insert(words.end(), {"ID", id});
  if (auto problem = AddTime(call, "FromStartTime", "FROM", words)) return problem;
  if (auto problem = AddTime(call, "ToStartTime", "TO", words)) return problem;
  const Reply reply = Run(call, words);
  if (reply.IsError()) return ProblemOf(reply);
  array items;
  if (const Reply* const found = FieldOf(reply, "items")) {
    for (const Reply& item : found->elements) items.push_back(ServiceObject(item));
  }
  const Reply* const total = FieldOf(reply, "total-count");
  call.response["PageNumber"] = page;
  call.response["PageSize"] = page_size;
  call.response["TotalCount"] = total == nullptr ? 0 : total->integer;
  call.response["Items"] = std::move(items);
  return std::nullopt;
}

std::optional<RpcProblem> ModifyInstanceMaintainTime(const RpcService::Call& call) {
  if (auto problem = CheckInstance(call, true)) return problem;
  Words words{"MODIFYINSTANCEMAINTAINTIME"};
  for (const std::string_view name : {"MaintainStartTime", "MaintainEndTime"}) {
    words.push_back(ParameterOf(call, name));
    if (words.back().empty()) {
      return Bad("MissingParameter", fmt::format("The parameter {} is missing.", name));
    }
  }
  const Reply reply = Run(call, words);
  if (reply.IsError()) return ProblemOf(reply);
  return std::nullopt;
}

constexpr RpcService::Action kActions[] = {
    {"FlushExpireKeys", true, FlushExpireKeys},
    {"DescribeInstances", false, DescribeInstances},
    {"DescribeHistoryTasks", false, DescribeHistoryTasks},
    {"ModifyInstanceMaintainTime", true, ModifyInstanceMaintainTime},
};

HttpResponse ProblemResponse(const RpcProblem& problem, const std::string& request_id,
                             const HttpRequest& request) {
  object body;
  body["RequestId"] = request_id;
  body["HostId"] = ValidUtf8(HeaderOf(request, HttpField::host));
  body["Code"] = problem.code;
  body["Message"] = problem.message;
  return JsonResponse(problem.status, body);
}

std::string NameOf(const HttpRequest& request, std::span<const QueryParameter> parameters,
                   std::string_view parameter, std::string_view header) {
  const std::string* const value = FindParameter(parameters, parameter);
  return value != nullptr ? *value : std::string(HeaderOf(request, header));
}

}  // namespace

bool RpcService::IsFor(const HttpRequest& request, const HttpTarget& target) {
  return request.method() == HttpVerb::post || FindParameter(target.query, "Action") != nullptr ||
         !HeaderOf(request, "x-acs-action").empty();
}

std::optional<HttpResponse> RpcService::FindOutWho(const HttpRequest& request,
                                                   const HttpTarget& target,
                                                   const std::vector<QueryParameter>& parameters,
                                                   bool is_change, const HttpPeer& peer,
                                                   Caller& caller) {
  if (!IsSigned(request, parameters)) {
    // As for the JSON API: what a page of somebody else's could have a browser send is refused.
    if (is_change) {
      if (request.method() != HttpVerb::post) {
        HttpResponse response = ErrorResponse(HttpStatus::method_not_allowed, "METHOD",
                                              "without a signature, a change has to be a POST");
        response.set(HttpField::allow, "POST");
        return response;
      }
      if (auto refusal = CheckOrigin(request, peer)) return refusal;
      if (auto refusal = CheckContentType(request)) return refusal;
    }
    return admission_.LogIn(request, peer, caller);
  }
  std::vector<HttpAccessKey> keys;
  {
    const Gate::Shared inside(instance_.keyspace.gate());
    keys = instance_.config.http_access_keys;
  }
  const int64_t now_ms = instance_.clock.NowMs();
  const std::string key_id = ClaimedKey(request, parameters);
  if (admission_.throttle().RetryAfterMs(peer.host, key_id, now_ms) > 0) {
    return ProblemResponse({HttpStatus::too_many_requests, "Throttling.User",
                            "Too many requests with wrong signatures; wait before the next."},
                           NewRequestId(), request);
  }
  const SignatureCheck check =
      CheckSignature(request, target.query, parameters, keys, now_ms, nonces_);
  if (check.is_guess) admission_.throttle().NoteFailure(peer.host, key_id, now_ms);
  if (check.problem) return ProblemResponse(*check.problem, NewRequestId(), request);
  caller.user = check.user;
  return std::nullopt;
}

HttpResponse RpcService::Handle(const HttpRequest& request, const HttpTarget& target,
                                const HttpPeer& peer) {
  const std::string request_id = NewRequestId();
  const auto fail = [&](const RpcProblem& problem) {
    return ProblemResponse(problem, request_id, request);
  };
  if (request.method() != HttpVerb::get && request.method() != HttpVerb::post) {
    HttpResponse response =
        fail({HttpStatus::method_not_allowed, "UnsupportedHTTPMethod", "Use GET or POST."});
    response.set(HttpField::allow, "GET, POST");
    return response;
  }
  std::vector<QueryParameter> parameters = target.query;
  if (HasContentType(request, kFormType) && !ParseParameters(request.body(), parameters)) {
    return fail(Bad("InvalidParameter", "The form is malformed."));
  }
  const std::string name = NameOf(request, parameters, "Action", "x-acs-action");
  if (name.empty()) return fail(Bad("MissingParameter", "The parameter Action is missing."));
  const auto action = std::ranges::find(kActions, name, &Action::name);
  if (action == std::end(kActions)) {
    return fail({HttpStatus::not_found, "InvalidAction.NotFound", "There is no such action."});
  }
  const std::string version = NameOf(request, parameters, "Version", "x-acs-version");
  if (version != kVersionOfApi) {
    return fail(Bad("InvalidVersion", fmt::format("The version is {}.", kVersionOfApi)));
  }
  Caller caller = CallerAt(peer);
  if (auto refusal = FindOutWho(request, target, parameters, action->is_change, peer, caller)) {
    return *std::move(refusal);
  }
  std::string instance_id;
  {
    const Gate::Shared inside(instance_.keyspace.gate());
    instance_id = instance_.config.instance_name;
  }
  object response;
  response["RequestId"] = request_id;
  if (const auto problem =
          action->handler({executors_, caller, parameters, instance_id, response})) {
    return fail(*problem);
  }
  return JsonResponse(HttpStatus::ok, response);
}

}  // namespace lapse
