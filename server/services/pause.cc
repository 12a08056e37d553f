#include "server/services/pause.h"

#include <algorithm>

namespace lapse {

void ClientPause::Begin(int64_t until_ms, bool writes_only) {
  MutexGuard guard(mu_);
  writes_only_ = writes_only && (!on_ || writes_only_);
  until_ms_ = on_ ? std::max(until_ms_, until_ms) : until_ms;
  on_ = true;
  instance_.modes.fetch_or(kPaused, std::memory_order_relaxed);
}

void ClientPause::End() {
  MutexGuard guard(mu_);
  EndLocked();
}

void ClientPause::EndLocked() {
  on_ = false;
  instance_.modes.fetch_and(~kPaused, std::memory_order_relaxed);
  for (const std::weak_ptr<Resumer>& waiting : waiting_) {
    if (const auto resumer = waiting.lock()) resumer->Resume([](ReplyWriter&) {});
  }
  waiting_.clear();
}

bool ClientPause::Postpone(Session& session, bool writes, int64_t now_ms) {
  MutexGuard guard(mu_);
  if (!on_ || (writes_only_ && !writes)) return false;
  if (now_ms >= until_ms_) {
    EndLocked();
    return false;
  }
  session.blocked = true;
  session.postponed = true;
  instance_.clients.CountBlocked(1);
  waiting_.push_back(session.resumer);
  return true;
}

int64_t ClientPause::Drive(int64_t rest_us) {
  if ((instance_.modes.load(std::memory_order_relaxed) & kPaused) == 0) return rest_us;
  MutexGuard guard(mu_);
  if (!on_) return rest_us;
  const int64_t left_ms = until_ms_ - instance_.clock.NowMs();
  if (left_ms > 0) return std::min(rest_us, left_ms * 1000);
  EndLocked();
  return rest_us;
}

}  // namespace lapse
