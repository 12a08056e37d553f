// LATENCY: spikes by event ("command", "fast-command"): for each, the worst and the latest, and one
// sample for each second that had one.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class LatencyMonitor {
 public:
  static constexpr size_t kMostSamples = 160;  // of one event

  struct Sample {
    int64_t unix_seconds = 0;
    int64_t latency_ms = 0;  // the worst within the second
  };
  struct Event {
    std::deque<Sample> samples;  // the oldest first
    int64_t worst_ms = 0;
  };

  void Note(std::string_view event, int64_t now_ms, int64_t latency_ms);
  std::map<std::string, Event, std::less<>> Events();
  // Forgets the event, all for an empty name. Returns how many were forgotten.
  size_t Forget(std::string_view event);

 private:
  Mutex mu_;
  std::map<std::string, Event, std::less<>> events_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
