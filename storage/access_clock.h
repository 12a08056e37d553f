// The 24 bits in which an entry keeps how recently, or how often, it was used.
//
//   LRU:  second of the last access, modulo 2^24 (194 days)
//   LFU:  minute of the last decay, modulo 2^16 (45 days) | logarithmic counter, 8 bits
//
// The LFU counter is Redis's: a new key has 5, an access adds one with a probability of
// 1 / ((counter - 5) * log factor + 1), and each decay time takes one off.
//
// Thread: the settings change in the gate's exclusive form; everything else is a function of its
// arguments.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lapse {

class AccessClock {
 public:
  static constexpr uint32_t kMask = 0xFFFFFF;
  static constexpr uint32_t kFirstCounter = 5;
  static constexpr uint32_t kMostCounter = 255;

  struct Settings {
    bool lfu = false;
    int64_t log_factor = 10;
    int64_t decay_minutes = 1;
  };

  void Configure(const Settings& settings) { settings_ = settings; }
  bool lfu() const { return settings_.lfu; }

  // Of a new key.
  uint32_t First(int64_t now_ms) const {
    return lfu() ? Minute(now_ms) << 8 | kFirstCounter : Second(now_ms);
  }
  // Of a key that was last used so long ago. Requires: !lfu().
  static uint32_t RestedFor(int64_t idle_seconds, int64_t now_ms) {
    return (Second(now_ms) - static_cast<uint32_t>(idle_seconds)) & kMask;
  }
  // Of a key with this counter. Requires: lfu().
  static uint32_t WithCounter(uint32_t counter, int64_t now_ms) {
    return Minute(now_ms) << 8 | (counter & kMostCounter);
  }
  // After an access; `random` decides whether the counter grows.
  uint32_t Touched(uint32_t clock, int64_t now_ms, uint32_t random) const {
    if (!lfu()) return Second(now_ms);
    const uint32_t counter = Counter(clock, now_ms);
    const double above = counter > kFirstCounter ? counter - kFirstCounter : 0;
    const double chance = 1.0 / (above * static_cast<double>(settings_.log_factor) + 1);
    constexpr double kRandomRange = 4294967296.0;
    const bool grows = counter < kMostCounter && random < chance * kRandomRange;
    return Minute(now_ms) << 8 | (grows ? counter + 1 : counter);
  }
  // The counter as decayed until now. Requires: lfu().
  uint32_t Counter(uint32_t clock, int64_t now_ms) const {
    const uint32_t minutes = (Minute(now_ms) - (clock >> 8)) & 0xFFFF;
    const int64_t decays = settings_.decay_minutes == 0 ? 0 : minutes / settings_.decay_minutes;
    return static_cast<uint32_t>(std::max<int64_t>(0, int64_t{clock & 0xFF} - decays));
  }
  // Seconds since the last access; under LFU, minutes since the last decay in seconds.
  int64_t IdleSeconds(uint32_t clock, int64_t now_ms) const {
    if (lfu()) return int64_t{(Minute(now_ms) - (clock >> 8)) & 0xFFFF} * 60;
    return (Second(now_ms) - clock) & kMask;
  }

 private:
  static uint32_t Second(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kMask; }
  static uint32_t Minute(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60'000) & 0xFFFF; }

  Settings settings_;
};

}  // namespace lapse
