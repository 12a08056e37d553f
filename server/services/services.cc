#include "server/services/services.h"

#include <memory>

namespace lapse {

Services::Services(Instance& instance) : instance_(instance) {}

Services::~Services() = default;

bool Services::Before(Session& session, const Request& request, ReplyWriter& reply) {
  const bool restricted = (session.modes & kRestricted) != 0;
  return restricted && !acl_.Allow(session, request, AclContext::kTopLevel, reply);
}

void Services::After(Session& session, const Request& request, ReplyWriter& reply,
                     size_t reply_mark) {
  (void)session, (void)request, (void)reply, (void)reply_mark;
  const uint32_t modes = instance_.modes.load(std::memory_order_relaxed);
  if ((modes & kReadyKeys) != 0) blocking_.Serve();
}

void Services::OnError(Session& session, const Request& request, std::string_view text) {
  (void)session, (void)request, (void)text;
}

bool Services::MayRunNested(Session& session, const Request& request, ReplyWriter& reply) {
  return acl_.Allow(session, request, AclContext::kScript, reply);
}

void Services::OnSessionStart(Session& session) { acl_.BeginSession(session); }

void Services::OnConfigChanged() { acl_.OnConfigChanged(); }

void Services::OnSessionEnd(Session& session) { blocking_.Forget(session); }

absl::Status InstallServices(Instance& instance) {
  auto services = std::make_unique<Services>(instance);
  Acl& acl = services->acl();
  instance.hooks = std::move(services);
  instance.hooks->OnConfigChanged();
  return acl.Start();
}

}  // namespace lapse
