// CPU use over a window: of the machine and of this process, from the counters that the system
// keeps. What a run's guard decides by, and what INFO shows.
//
//   /proc/stat "cpu  user nice system idle iowait irq softirq steal ..." in clock ticks, all cores
//   getrusage  user + system time of the process
//
// Counters are differences between two looks, so one sample says nothing; the window is as long as
// the samples that it holds, up to kWindowMs. Idle and waiting for disks count as not busy, and so
// does stolen time: it is another machine's.
//
// Thread: ReadCpuCounters any; a CpuWindow by one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

namespace lapse {

// Since the machine's start, and the process's. In nanoseconds of CPU time.
struct CpuCounters {
  int64_t machine_busy_ns = 0;
  int64_t machine_total_ns = 0;  // 0 where the system does not tell
  int64_t process_ns = 0;
};

CpuCounters ReadCpuCounters();
// The first line of /proc/stat. False, and nothing set, when it is not like that.
bool ParseMachineCpu(std::string_view text, int64_t ticks_per_second, CpuCounters& counters);

struct CpuUse {
  double machine_percent = 0;  // 0..100, of all cores
  double process_percent = 0;  // of one core: 200 is two cores
  double cores = 1;            // of the machine
};

class CpuWindow {
 public:
  static constexpr int64_t kWindowMs = 10'000;
  // Closer samples are dropped.
  static constexpr int64_t kSpacingMs = 500;

  void Add(int64_t now_ms, const CpuCounters& counters);
  // nullopt until two samples are there, or where the system does not tell.
  std::optional<CpuUse> Use() const;

 private:
  struct Sample {
    int64_t at_ms;
    CpuCounters counters;
  };
  std::deque<Sample> samples_;
};

}  // namespace lapse
