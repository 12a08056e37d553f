// What the services keep about one session, gathered in one object so that a session without any
// of it costs a pointer.
//
// Thread: the session's, inside the gate, where a member does not say otherwise.
#pragma once

#include <memory>

#include "server/core/session.h"
#include "server/services/outbox.h"
#include "server/services/pubsub.h"
#include "server/services/tracking.h"
#include "server/services/transaction.h"

namespace lapse {

struct ClientState final : SessionState {
  // Of the session that retries run on (blocking.h): set to true where nothing was found.
  bool* retry_in_vain = nullptr;
  std::unique_ptr<Transaction> transaction;
  std::unique_ptr<Subscriptions> subscriptions;
  std::unique_ptr<TrackingState> tracking;
  std::shared_ptr<Outbox> outbox;
};

// The session's, made at the first call.
inline ClientState& StateOf(Session& session) {
  if (session.state == nullptr) session.state = std::make_unique<ClientState>();
  return static_cast<ClientState&>(*session.state);
}

// The session's, or nullptr when nothing was kept for it so far.
inline ClientState* FindState(const Session& session) {
  return static_cast<ClientState*>(session.state.get());
}

// The session's, made at the first call. Thread: the session's, or the gate's exclusive form.
inline const std::shared_ptr<Outbox>& OutboxOf(Session& session) {
  ClientState& state = StateOf(session);
  if (state.outbox == nullptr) state.outbox = std::make_shared<Outbox>(session);
  return state.outbox;
}

}  // namespace lapse
