// The lab's clock: hours of expiry in seconds, with the CPU time of every slice charged honestly.
//
// Between slices the clock stands still and is moved by the simulation. During a slice it runs as
// fast as the thread uses its CPU, so that a budget of 250 us ends after 250 us of real work, and a
// backlog that takes 60 ms of CPU to clear lingers for those 60 ms and for every pause between.
//
//   virtual time   ----wait----|==slice==|------wait------|==slice==|---
//                    jumped       CPU         jumped         CPU
//
// Reading a thread's CPU time is a system call of microseconds, too dear for a strategy that looks
// at the clock every 20 keys. So a slice reads the ordinary monotonic clock, and only when more
// than kGapNs have passed since the last reading, so that the thread may have been preempted, is
// the CPU clock asked and what others used taken off. Slices shorter than kGapNs are charged by the
// monotonic clock, longer ones by the CPU clock.
//
// Thread: one.
#pragma once

#include <cstdint>

#include "storage/clock.h"

namespace lapse {

class VirtualClock final : public Clock {
 public:
  static constexpr int64_t kBirthMs = 1'700'000'000'000;
  static constexpr int64_t kGapNs = 100'000;

  VirtualClock();

  int64_t NowUs() const override { return wall_offset_us_ + MonotonicNs() / 1000; }
  int64_t MonotonicNs() const override;

  // --- outside of slices ---

  // Moves both clocks forward; does nothing when that moment has passed.
  void AdvanceTo(int64_t monotonic_ns);
  // Moves the wall clock alone, either way.
  void StepWallMs(int64_t ms) { wall_offset_us_ += ms * 1000; }

  void BeginSlice();
  // Returns the CPU time of the slice.
  int64_t EndSlice();

 private:
  int64_t RawNs() const;

  int64_t base_ns_ = 1'000'000'000;  // not 0, which some code may take for "never"
  int64_t wall_offset_us_ = kBirthMs * 1000 - base_ns_ / 1000;
  int64_t cpu_read_ns_ = 0;  // what one reading of the CPU clock costs

  bool in_slice_ = false;
  int64_t raw_start_ns_ = 0;
  int64_t cpu_start_ns_ = 0;
  mutable int64_t stolen_ns_ = 0;  // that the thread did not run
  mutable int64_t last_ns_ = 0;    // the latest reading, since the slice began
};

}  // namespace lapse
