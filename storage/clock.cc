#include "storage/clock.h"

#include <ctime>

namespace lapse {
namespace {

int64_t ReadNs(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

int64_t SystemClock::NowUs() const { return ReadNs(CLOCK_REALTIME) / 1000; }
int64_t SystemClock::MonotonicNs() const { return ReadNs(CLOCK_MONOTONIC); }

void ManualClock::AdvanceMs(int64_t ms) {
  now_us_.fetch_add(ms * 1000, std::memory_order_relaxed);
  if (ms > 0) monotonic_ns_.fetch_add(ms * 1'000'000, std::memory_order_relaxed);
}

int64_t ThreadCpuNs() { return ReadNs(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace lapse
