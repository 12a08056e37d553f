// How much to ask of a server at a time, and how long to leave it alone in between.
//
//   COUNT   doubles the work of a call while calls are quick and halves it when one exceeds its
//           target, for as long as it lasts nobody else is served. What the way there takes is
//           known from the quickest call so far and taken off.
//   rate    keys per second: a debt of count/rate seconds a call, paid by waiting.
//   CPU     a duty cycle: a call that took t is followed by t (1/duty - 1) of rest. INFO tells the
//           server's CPU share over the last window; above its limit the duty shrinks by the ratio
//           of the two, below it grows again. So a server that is busy on its own is walked at the
//           least duty, which never stands still.
//
// The rest counts what a call took as seen from here, so that a long way to the server alone makes
// the walk slower, not harder on it.
//
// Thread: one; times are given, none is taken.
#pragma once

#include <cstdint>

namespace lapse {

class ScanPacer {
 public:
  static constexpr int64_t kMinCount = 10;
  static constexpr int64_t kFirstCount = 100;
  static constexpr double kMinDuty = 0.005;
  // Shorter windows than this say little: Linux counts CPU time in steps of up to 4 ms.
  static constexpr int64_t kMinWindowNs = 200'000'000;

  struct Limits {
    int64_t max_count = 1000;
    int64_t call_target_ns = 2'000'000;
    int64_t keys_per_second = 0;    // 0: no bound
    int64_t max_cpu_percent = 100;  // 100: no guard
  };
  explicit ScanPacer(const Limits& limits);

  // The COUNT of the next call.
  int64_t count() const { return count_; }
  // After a SCAN with count() that took so long: the nanoseconds to wait before the next.
  int64_t AfterCall(int64_t now_ns, int64_t took_ns);
  // A call that asks for next to nothing, hence how long the way is.
  void AfterEmptyCall(int64_t took_ns);
  // INFO's CPU time of the process. What comes sooner than kMinWindowNs after the last is ignored.
  void AfterInfo(int64_t now_ns, int64_t cpu_us);
  // A new process at the other end, with a CPU time of its own.
  void Forget() { window_began_ns_ = -1; }

  double cpu_percent() const { return cpu_percent_; }
  double duty() const { return duty_; }

 private:
  int64_t LargestCount() const;

  const Limits limits_;
  int64_t count_;
  int64_t way_ns_ = -1;  // the quickest call
  double duty_;
  double cpu_percent_ = 0;
  int64_t window_began_ns_ = -1;
  int64_t window_cpu_us_ = 0;
  int64_t rate_due_ns_ = 0;  // when the keys so far were allowed
};

}  // namespace lapse
