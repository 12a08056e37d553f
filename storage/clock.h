// Time, injected everywhere.
//
// Two clocks with two purposes. Deadlines are absolute wall-clock milliseconds since the Unix
// epoch, because that is what clients name and what survives a restart. Budgets and latencies use
// the monotonic clock, so that a step of the wall clock never makes a slice run for an hour.
//
// ManualClock is a clock that moves only when told: tests and the comparison lab run hours of
// expiry in milliseconds with it.
//
// Thread: every clock may be read from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace lapse {

// A deadline no clock reaches: the key has no TTL. `now > kNoDeadline` is false for every now, so
// that callers need no special case.
inline constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time in microseconds since the Unix epoch.
  virtual int64_t NowUs() const = 0;
  // Nanoseconds on a clock that never steps back; its origin is arbitrary.
  virtual int64_t MonotonicNs() const = 0;

  int64_t NowMs() const { return NowUs() / 1000; }
};

class SystemClock final : public Clock {
 public:
  int64_t NowUs() const override;
  int64_t MonotonicNs() const override;
};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ms = 1'700'000'000'000) : now_us_(now_ms * 1000) {}
  int64_t NowUs() const override { return now_us_.load(std::memory_order_relaxed); }
  int64_t MonotonicNs() const override { return monotonic_ns_.load(std::memory_order_relaxed); }

  // Moves both clocks forward, or the wall clock alone back when ms is negative.
  void AdvanceMs(int64_t ms);

 private:
  std::atomic<int64_t> now_us_;
  std::atomic<int64_t> monotonic_ns_{0};
};

// CPU time that the calling thread has used, in nanoseconds: what budgets are charged and what
// expire_cpu_ns_per_key reports, since wall time also counts preemption by others.
int64_t ThreadCpuNs();

}  // namespace lapse
