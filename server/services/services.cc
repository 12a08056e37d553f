#include "server/services/services.h"

#include <memory>

namespace lapse {

Services::Services(Instance& instance) : instance_(instance), blocking_(instance) {}

Services::~Services() = default;

bool Services::Before(Session& session, const Request& request, ReplyWriter& reply) {
  (void)session, (void)request, (void)reply;
  return false;
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

void Services::OnConfigChanged() {}

void Services::OnSessionEnd(Session& session) { blocking_.Forget(session); }

void InstallServices(Instance& instance) {
  instance.hooks = std::make_unique<Services>(instance);
  instance.hooks->OnConfigChanged();
}

}  // namespace lapse
