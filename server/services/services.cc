#include "server/services/services.h"

#include <memory>

namespace lapse {

Services::Services(Instance& instance) : instance_(instance) {}

Services::~Services() = default;

bool Services::Before(Session& session, const Request& request, ReplyWriter& reply) {
  (void)session, (void)request, (void)reply;
  return false;
}

void Services::After(Session& session, const Request& request, ReplyWriter& reply,
                     size_t reply_mark) {
  (void)session, (void)request, (void)reply, (void)reply_mark;
}

void Services::OnError(Session& session, const Request& request, std::string_view text) {
  (void)session, (void)request, (void)text;
}

void Services::OnConfigChanged() {}

void Services::OnSessionEnd(Session& session) { (void)session; }

void InstallServices(Instance& instance) {
  instance.hooks = std::make_unique<Services>(instance);
  instance.hooks->OnConfigChanged();
}

}  // namespace lapse
