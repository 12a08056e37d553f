#include "server/services/latency.h"

#include <algorithm>

namespace lapse {

void LatencyMonitor::Note(std::string_view name, int64_t now_ms, int64_t latency_ms) {
  const int64_t seconds = now_ms / 1000;
  MutexGuard guard(mu_);
  Event& event = events_.try_emplace(std::string(name)).first->second;
  event.worst_ms = std::max(event.worst_ms, latency_ms);
  if (!event.samples.empty() && event.samples.back().unix_seconds == seconds) {
    Sample& sample = event.samples.back();
    sample.latency_ms = std::max(sample.latency_ms, latency_ms);
    return;
  }
  event.samples.push_back({seconds, latency_ms});
  if (event.samples.size() > kMostSamples) event.samples.pop_front();
}

std::map<std::string, LatencyMonitor::Event, std::less<>> LatencyMonitor::Events() {
  MutexGuard guard(mu_);
  return events_;
}

size_t LatencyMonitor::Forget(std::string_view event) {
  MutexGuard guard(mu_);
  if (!event.empty()) {
    const auto found = events_.find(event);
    if (found == events_.end()) return 0;
    events_.erase(found);
    return 1;
  }
  const size_t forgotten = events_.size();
  events_.clear();
  return forgotten;
}

}  // namespace lapse
