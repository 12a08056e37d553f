// When memory use calls for a flush: an average over a window reaches a threshold, and not again
// for a while.
//
//   percent |            ____                     ___
//        90 |- - - - - -/- - \- - - - - - - - - -/- -  threshold: the average alarms from here on
//        85 |- - - - - / - - -\- - - - - - - - -/- - - clear: below, the alarm is over
//           |_________/        \_______________/
//                      ^alarm   ^cleared         ^alarm again, once its silence is over too
//
// The average is of samples that the caller takes about once a second; it counts only when the
// samples fill the window, so neither the first seconds after a start nor those after the machine
// slept alarm. An alarm that has not cleared is repeated after its silence time, once for each
// (with no silence time: not at all).
//
// Thread: one at a time. Bounded: kMaxSamples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace lapse {

class MemoryAlarm {
 public:
  struct Settings {
    double percent = 90;
    int64_t window_ms = 60'000;
    int64_t silence_ms = 0;
  };
  static constexpr size_t kMaxSamples = 64;
  static constexpr double kClearPercent = 5;  // below the threshold
  // Samples further apart than this (or than two shares of the window) say nothing of what was in
  // between: the window begins anew.
  static constexpr int64_t kLongestGapMs = 10'000;

  explicit MemoryAlarm(const Settings& settings) : settings_(settings) {}

  // Takes a sample; returns the average when it alarms.
  std::optional<double> Add(int64_t now_ms, double percent);
  // Over the window; nullopt while the samples do not fill it.
  std::optional<double> Average(int64_t now_ms) const;

  // When it last alarmed; 0: never. Restored after a restart, so that silence outlasts it.
  int64_t alarmed_ms() const { return alarmed_ms_; }
  void set_alarmed_ms(int64_t ms) { alarmed_ms_ = ms; }

 private:
  struct Sample {
    int64_t at_ms;
    double percent;
  };
  int64_t Spacing() const;

  Settings settings_;
  std::deque<Sample> samples_;  // oldest first
  bool cleared_ = true;
  int64_t alarmed_ms_ = 0;
};

}  // namespace lapse
