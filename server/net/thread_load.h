// How much of its time an io thread gives to clients: its CPU time outside of the expiry engine's
// turns, over windows of the wall clock. What remains is free for expiry, which then need not be as
// careful beside a client now and then as beside a full pipeline.
//
// Thread: the io thread's.
#pragma once

#include <cstdint>

namespace lapse {

class ThreadLoad {
 public:
  static constexpr int64_t kWindowNs = 20'000'000;

  // Around each turn of the engine. Times in ns: of the monotonic clock, of the thread's CPU.
  void TurnBegins(int64_t now_ns, int64_t cpu_ns) {
    if (started_) clients_ns_ += cpu_ns - turn_end_cpu_ns_;
    if (!started_) window_start_ns_ = now_ns;
    started_ = true;
    if (now_ns - window_start_ns_ < kWindowNs) return;
    percent_ =
        100.0 * static_cast<double>(clients_ns_) / static_cast<double>(now_ns - window_start_ns_);
    window_start_ns_ = now_ns;
    clients_ns_ = 0;
  }
  void TurnEnds(int64_t cpu_ns) { turn_end_cpu_ns_ = cpu_ns; }

  // Of the last whole window; 100 before there was one.
  double percent() const { return percent_; }

 private:
  bool started_ = false;
  int64_t window_start_ns_ = 0;
  int64_t turn_end_cpu_ns_ = 0;
  int64_t clients_ns_ = 0;
  double percent_ = 100;
};

}  // namespace lapse
