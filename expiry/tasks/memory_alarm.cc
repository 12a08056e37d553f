#include "expiry/tasks/memory_alarm.h"

#include <algorithm>

namespace lapse {

int64_t MemoryAlarm::Spacing() const {
  // A window of samples fits with some to spare.
  constexpr int64_t kShares = kMaxSamples - 4;
  return std::max<int64_t>(settings_.window_ms / kShares, 1);
}

std::optional<double> MemoryAlarm::Average(int64_t now_ms) const {
  if (samples_.empty()) return std::nullopt;
  const int64_t begin_ms = now_ms - settings_.window_ms;
  if (samples_.front().at_ms > begin_ms) return std::nullopt;
  // Each sample stands for the time until the next.
  double area = 0;
  for (size_t i = 0; i < samples_.size(); ++i) {
    const int64_t from = std::max(samples_[i].at_ms, begin_ms);
    const int64_t to = i + 1 < samples_.size() ? samples_[i + 1].at_ms : now_ms;
    if (to > from) area += samples_[i].percent * static_cast<double>(to - from);
  }
  return area / static_cast<double>(settings_.window_ms);
}

std::optional<double> MemoryAlarm::Add(int64_t now_ms, double percent) {
  const int64_t longest_gap_ms = std::max(kLongestGapMs, 2 * Spacing());
  if (!samples_.empty()) {
    const int64_t gap_ms = now_ms - samples_.back().at_ms;
    if (gap_ms < 0 || gap_ms > longest_gap_ms) samples_.clear();
  }
  if (samples_.empty() || now_ms - samples_.back().at_ms >= Spacing()) {
    samples_.push_back({now_ms, percent});
  }
  // The one before the window's begin stands for what the window begins with.
  const int64_t begin_ms = now_ms - settings_.window_ms;
  while (samples_.size() > 1 && samples_[1].at_ms <= begin_ms) samples_.pop_front();
  if (samples_.size() > kMaxSamples) samples_.pop_front();

  const std::optional<double> average = Average(now_ms);
  if (!average) return std::nullopt;
  if (*average < settings_.percent - kClearPercent) cleared_ = true;
  const bool silent = alarmed_ms_ != 0 && now_ms < alarmed_ms_ + settings_.silence_ms;
  const bool due = cleared_ || settings_.silence_ms > 0;
  if (*average < settings_.percent || silent || !due) return std::nullopt;
  cleared_ = false;
  alarmed_ms_ = now_ms;
  return average;
}

}  // namespace lapse
