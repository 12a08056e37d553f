#include "remote/pacer.h"

#include <algorithm>

namespace lapse {
namespace {

// A call's share of a second's keys at most, so that a low rate is not kept by long rests alone.
constexpr int64_t kCallsPerSecond = 10;
// Below this part of the limit the duty grows again; between the two it stays.
constexpr double kComfort = 0.9;
constexpr double kGrowth = 1.25;
constexpr double kSteepestCut = 0.25;

}  // namespace

ScanPacer::ScanPacer(const Limits& limits)
    : limits_(limits),
      count_(std::min(kFirstCount, LargestCount())),
      // Starts where an idle server would end up, rather than above the limit for a window.
      duty_(std::clamp(static_cast<double>(limits.max_cpu_percent) / 100, kMinDuty, 1.0)) {}

int64_t ScanPacer::LargestCount() const {
  int64_t largest = std::max<int64_t>(limits_.max_count, 1);
  if (limits_.keys_per_second > 0) {
    largest = std::min(largest, std::max<int64_t>(limits_.keys_per_second / kCallsPerSecond, 1));
  }
  return largest;
}

void ScanPacer::AfterEmptyCall(int64_t took_ns) {
  if (way_ns_ < 0 || took_ns < way_ns_) way_ns_ = took_ns;
}

int64_t ScanPacer::AfterCall(int64_t now_ns, int64_t took_ns) {
  const int64_t asked = count_;
  AfterEmptyCall(took_ns);
  const int64_t at_server_ns = took_ns - way_ns_;
  if (at_server_ns > limits_.call_target_ns) {
    count_ = std::max(std::min(kMinCount, LargestCount()), count_ / 2);
  } else if (at_server_ns * 2 < limits_.call_target_ns) {
    count_ = std::min(LargestCount(), count_ + std::max<int64_t>(count_ / 4, 1));
  }
  const auto rest_ns = static_cast<int64_t>(static_cast<double>(took_ns) * (1 / duty_ - 1));
  int64_t rate_ns = 0;
  if (limits_.keys_per_second > 0) {
    const int64_t cost_ns = static_cast<int64_t>(1e9 * static_cast<double>(asked) /
                                                 static_cast<double>(limits_.keys_per_second));
    // Time in which nothing was asked for is not saved up.
    rate_due_ns_ = std::max(rate_due_ns_, now_ns - took_ns) + cost_ns;
    rate_ns = std::max<int64_t>(rate_due_ns_ - now_ns, 0);
  }
  return std::max(rest_ns, rate_ns);
}

void ScanPacer::AfterInfo(int64_t now_ns, int64_t cpu_us) {
  if (window_began_ns_ >= 0 && now_ns - window_began_ns_ < kMinWindowNs) return;
  if (window_began_ns_ >= 0) {
    cpu_percent_ = std::max(0.0, static_cast<double>(cpu_us - window_cpu_us_) * 1000 * 100 /
                                     static_cast<double>(now_ns - window_began_ns_));
    const auto limit = static_cast<double>(limits_.max_cpu_percent);
    if (limits_.max_cpu_percent >= 100) {
      duty_ = 1;
    } else if (cpu_percent_ > limit) {
      duty_ *= std::max(limit / cpu_percent_, kSteepestCut);
    } else if (cpu_percent_ < limit * kComfort) {
      duty_ *= kGrowth;
    }
    duty_ = std::clamp(duty_, kMinDuty, 1.0);
  }
  window_began_ns_ = now_ns;
  window_cpu_us_ = cpu_us;
}

}  // namespace lapse
