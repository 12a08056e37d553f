#include "server/services/services.h"

#include <memory>

namespace lapse {

Services::Services(Instance& instance) : instance_(instance) {}

Services::~Services() = default;

RunForm Services::FormOf(const Session& session, const CommandRow& row) const {
  if ((session.modes & kInTransaction) != 0) return transactions_.FormOf(session, row);
  return (row.flags & kExclusive) != 0 ? RunForm::kAlone : RunForm::kComposite;
}

bool Services::Before(Session& session, const Request& request, ReplyWriter& reply) {
  if ((session.modes & kRestricted) != 0 &&
      !acl_.Allow(session, request, AclContext::kTopLevel, reply)) {
    return true;
  }
  if ((session.modes & kInTransaction) != 0) return transactions_.Queue(session, request, reply);
  return false;
}

void Services::OnKeysLocked(Session& session, const Request& request) {
  (void)session, (void)request;
}

void Services::OnNested(Session& session, const Request& request) { (void)session, (void)request; }

void Services::After(Session& session, const Request& request, ReplyWriter& reply,
                     size_t reply_mark) {
  (void)session, (void)request, (void)reply, (void)reply_mark;
  const uint32_t modes = instance_.modes.load(std::memory_order_relaxed);
  if ((modes & kReadyKeys) != 0) blocking_.Serve();
}

void Services::OnError(Session& session, const Request& request, std::string_view text) {
  (void)text;
  if ((session.modes & kInTransaction) != 0) transactions_.OnError(session, request);
}

void Services::Forget(Session& session) { transactions_.End(session); }

void Services::BeforeFlush(std::optional<size_t> db, int64_t now_ms) {
  transactions_.watched().Flush(db, now_ms);
}

void Services::BeforeSwap(size_t a, size_t b, int64_t now_ms) {
  transactions_.watched().Swap(a, b, now_ms);
}

bool Services::MayRunNested(Session& session, const Request& request, ReplyWriter& reply) {
  return acl_.Allow(session, request, AclContext::kScript, reply);
}

void Services::OnSessionStart(Session& session) { acl_.BeginSession(session); }

void Services::OnConfigChanged() { acl_.OnConfigChanged(); }

void Services::OnSessionEnd(Session& session) {
  blocking_.Forget(session);
  Forget(session);
}

absl::Status InstallServices(Instance& instance) {
  auto services = std::make_unique<Services>(instance);
  Acl& acl = services->acl();
  instance.hooks = std::move(services);
  instance.hooks->OnConfigChanged();
  return acl.Start();
}

}  // namespace lapse
