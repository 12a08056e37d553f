#include "server/http/login_throttle.h"

#include <algorithm>
#include <utility>

namespace lapse {
namespace {

// Of a name nobody has: what counts is that it is one.
constexpr size_t kMaxName = 128;

std::string KeyOf(std::string_view address, std::string_view name) {
  std::string key(address);
  key += '\0';
  key += name.substr(0, kMaxName);
  return key;
}

}  // namespace

int64_t LoginThrottle::RetryAfterMs(std::string_view address, std::string_view name,
                                    int64_t now_ms) {
  MutexGuard guard(mu_);
  return std::max(Wait(std::string(address), kMostOfOneAddress, now_ms),
                  Wait(KeyOf(address, name), kMostOfOneName, now_ms));
}

void LoginThrottle::NoteFailure(std::string_view address, std::string_view name, int64_t now_ms) {
  MutexGuard guard(mu_);
  Count(std::string(address), now_ms);
  Count(KeyOf(address, name), now_ms);
}

int64_t LoginThrottle::Wait(const std::string& key, int most, int64_t now_ms) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || found->second->failures < most) return 0;
  // A clock that was set back must not lock anybody out for longer.
  return std::clamp<int64_t>(found->second->since_ms + kWindowMs - now_ms, 0, kWindowMs);
}

void LoginThrottle::Count(std::string key, int64_t now_ms) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    const int64_t age_ms = now_ms - found->second->since_ms;
    if (age_ms >= 0 && age_ms < kWindowMs) {
      ++found->second->failures;
      return;
    }
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  if (entries_.size() == kMaxEntries) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
  entries_.push_back({key, now_ms, 1});
  by_key_.emplace(std::move(key), std::prev(entries_.end()));
}

}  // namespace lapse
