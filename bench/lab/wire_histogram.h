// Latencies by the million in 30 KB: buckets whose width grows with the value, 64 to each doubling,
// so that a percentile is off by at most 1.6 %. A list of samples would take 8 bytes each out of
// the generator's cache.
//
//     0 .. 63 ns one each | 64 .. 127 in 64 of 1 | 128 .. 255 in 64 of 2 | 256 .. 511 in 64 of 4
//     ...
//
// Thread: a plain value.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lapse::wire {

class Histogram {
 public:
  void Add(int64_t ns) {
    const uint64_t value = ns < 0 ? 0 : static_cast<uint64_t>(ns);
    ++counts_[IndexOf(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  int64_t count() const { return static_cast<int64_t>(total_); }
  double max_ms() const { return static_cast<double>(max_) / 1e6; }

  // The value below which `share` of the samples are, in milliseconds; 0 without samples.
  double PercentileMs(double share) const {
    const auto wanted = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(std::min(MiddleOf(i), max_)) / 1e6;
    }
    return max_ms();
  }

 private:
  static constexpr unsigned kStepBits = 6;
  static constexpr size_t kSteps = size_t{1} << kStepBits;
  static constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  static size_t IndexOf(uint64_t value) {
    if (value < kSteps) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
    return (shift + 1) * kSteps + ((value >> shift) & (kSteps - 1));
  }
  static uint64_t MiddleOf(size_t index) {
    if (index < kSteps) return index;
    const size_t shift = index / kSteps - 1;
    return ((kSteps + index % kSteps) << shift) + ((uint64_t{1} << shift) >> 1);
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kBuckets);
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace lapse::wire
