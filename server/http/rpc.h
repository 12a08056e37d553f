// The managed service's RPC API (R-kvstore, version 2015-01-01): `Action=FlushExpireKeys` and what
// belongs to it, so that programs written against that service's SDKs work with the endpoint of a
// Lapse.
//
//   request   GET or POST to "/", parameters in the query or in a form, the action also in the
//             header x-acs-action
//   who       a signature with an access key (signature.h), or the users of the ACL as elsewhere
//   what      one command for each action, as that user
//   response  the service's fields in JSON; errors as {Code, Message, RequestId, HostId} with the
//             service's codes
//
// Thread: any number of workers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "boost/json/object.hpp"
#include "server/core/instance.h"
#include "server/http/admission.h"
#include "server/http/message.h"
#include "server/http/signature.h"
#include "server/http/target.h"
#include "server/services/executor.h"

namespace lapse {

class RpcService {
 public:
  // All outlive it.
  RpcService(Instance& instance, ExecutorPool& executors, Admission& admission)
      : instance_(instance), executors_(executors), admission_(admission) {}

  // Whether a request for "/" is one for this.
  static bool IsFor(const HttpRequest& request, const HttpTarget& target);
  HttpResponse Handle(const HttpRequest& request, const HttpTarget& target, const HttpPeer& peer);

  // One call of an action on its way.
  struct Call {
    ExecutorPool& executors;
    const Caller& caller;
    const std::vector<QueryParameter>& parameters;
    const std::string& instance_id;  // this server's
    boost::json::object& response;
  };
  // Fills the response in, or says what is wrong.
  using ActionHandler = std::optional<RpcProblem> (*)(const Call& call);
  struct Action {
    std::string_view name;
    bool is_change;
    ActionHandler handler;
  };

 private:
  std::optional<HttpResponse> FindOutWho(const HttpRequest& request, const HttpTarget& target,
                                         const std::vector<QueryParameter>& parameters,
                                         bool is_change, const HttpPeer& peer, Caller& caller);

  Instance& instance_;
  ExecutorPool& executors_;
  Admission& admission_;
  NonceBook nonces_;
};

}  // namespace lapse
