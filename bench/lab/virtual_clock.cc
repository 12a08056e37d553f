#include "bench/lab/virtual_clock.h"

#include <algorithm>
#include <limits>

namespace lapse {

VirtualClock::VirtualClock() {
  constexpr int kReadings = 64;
  cpu_read_ns_ = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kReadings; ++i) {
    const int64_t before_ns = ThreadCpuNs();
    cpu_read_ns_ = std::min(cpu_read_ns_, ThreadCpuNs() - before_ns);
  }
}

int64_t VirtualClock::RawNs() const { return SystemClock().MonotonicNs(); }

int64_t VirtualClock::MonotonicNs() const {
  if (!in_slice_) return base_ns_;
  int64_t used_ns = RawNs() - raw_start_ns_ - stolen_ns_;
  if (used_ns - last_ns_ > kGapNs) {
    const int64_t cpu_ns = ThreadCpuNs() - cpu_start_ns_;
    if (cpu_ns < used_ns) {
      stolen_ns_ += used_ns - cpu_ns;
      used_ns = cpu_ns;
    }
  }
  last_ns_ = std::max(last_ns_, used_ns);
  return base_ns_ + last_ns_;
}

void VirtualClock::AdvanceTo(int64_t monotonic_ns) { base_ns_ = std::max(base_ns_, monotonic_ns); }

void VirtualClock::BeginSlice() {
  cpu_start_ns_ = ThreadCpuNs();
  stolen_ns_ = 0;
  last_ns_ = 0;
  raw_start_ns_ = RawNs();
  in_slice_ = true;
}

int64_t VirtualClock::EndSlice() {
  int64_t used_ns = RawNs() - raw_start_ns_;
  if (used_ns >= kGapNs) {
    used_ns = std::max<int64_t>(ThreadCpuNs() - cpu_start_ns_ - cpu_read_ns_, 0);
  }
  in_slice_ = false;
  base_ns_ += std::max(used_ns, last_ns_);
  return used_ns;
}

}  // namespace lapse
