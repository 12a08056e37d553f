#include "server/core/context.h"

#include <utility>

#include "server/core/instance.h"

namespace lapse {

void DeferredReply::Complete(std::function<void(ReplyWriter&)> write_reply) {
  // The first call takes the resumer away, so that a second one finds none.
  const std::shared_ptr<Resumer> resumer = std::exchange(resumer_, {}).lock();
  if (resumer != nullptr) resumer->Resume(std::move(write_reply));
}

Keyspace& CommandContext::keyspace() const { return instance.keyspace; }

DeferredReply CommandContext::Defer() {
  session.blocked = true;
  instance.clients.CountBlocked(1);
  return DeferredReply(session.resumer);
}

}  // namespace lapse
