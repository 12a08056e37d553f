#include "server/core/clients.h"

namespace lapse {

void Clients::Add(Session* session) {
  MutexGuard guard(mu_);
  session->id = next_id_++;
  sessions_.emplace(session->id, session);
  if (!session->in_process) connected_.fetch_add(1, std::memory_order_relaxed);
}

void Clients::Remove(Session* session) {
  MutexGuard guard(mu_);
  if (sessions_.erase(session->id) == 0) return;
  if (!session->in_process) connected_.fetch_sub(1, std::memory_order_relaxed);
  if (session->blocked) {
    session->blocked = false;
    CountBlocked(-1);
  }
}

void Clients::ForEach(const std::function<void(Session&)>& visit) {
  MutexGuard guard(mu_);
  for (const auto& [id, session] : sessions_) visit(*session);
}

}  // namespace lapse
