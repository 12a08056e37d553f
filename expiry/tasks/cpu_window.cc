#include "expiry/tasks/cpu_window.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "expiry/tasks/reading.h"

namespace lapse {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

int64_t Nanoseconds(const timeval& time) {
  return time.tv_sec * kNsPerSecond + time.tv_usec * 1000;
}

}  // namespace

bool ParseMachineCpu(std::string_view text, int64_t ticks_per_second, CpuCounters& counters) {
  constexpr size_t kFields = 8;  // user nice system idle iowait irq softirq steal
  text = text.substr(0, text.find('\n'));
  const std::vector<std::string_view> words = SplitAtBlanks(text);
  if (ticks_per_second <= 0 || words.size() <= kFields || words[0] != "cpu") return false;
  std::array<int64_t, kFields> ticks{};
  for (size_t i = 0; i < kFields; ++i) {
    const std::optional<int64_t> count = ReadDigits(words[i + 1]);
    if (!count) return false;
    ticks[i] = *count;
  }
  const int64_t busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  const int64_t not_busy = ticks[3] + ticks[4] + ticks[7];
  const int64_t ns_per_tick = kNsPerSecond / ticks_per_second;
  counters.machine_busy_ns = busy * ns_per_tick;
  counters.machine_total_ns = (busy + not_busy) * ns_per_tick;
  return true;
}

CpuCounters ReadCpuCounters() {
  CpuCounters counters;
  if (std::FILE* const file = std::fopen("/proc/stat", "re"); file != nullptr) {
    std::array<char, 512> text{};
    const size_t length = std::fread(text.data(), 1, text.size(), file);
    std::fclose(file);
    ParseMachineCpu({text.data(), length}, ::sysconf(_SC_CLK_TCK), counters);
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    counters.process_ns = Nanoseconds(usage.ru_utime) + Nanoseconds(usage.ru_stime);
  }
  return counters;
}

void CpuWindow::Add(int64_t now_ms, const CpuCounters& counters) {
  if (!samples_.empty()) {
    const int64_t gap_ms = now_ms - samples_.back().at_ms;
    if (gap_ms < 0) samples_.clear();
    if (gap_ms >= 0 && gap_ms < kSpacingMs) return;
  }
  samples_.push_back({now_ms, counters});
  while (samples_.size() > 2 && now_ms - samples_[1].at_ms >= kWindowMs) samples_.pop_front();
}

std::optional<CpuUse> CpuWindow::Use() const {
  if (samples_.size() < 2) return std::nullopt;
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  const int64_t total_ns = last.counters.machine_total_ns - first.counters.machine_total_ns;
  const int64_t wall_ns = (last.at_ms - first.at_ms) * 1'000'000;
  if (total_ns <= 0 || wall_ns <= 0) return std::nullopt;
  const auto percent = [](int64_t part, int64_t whole) {
    return 100 * static_cast<double>(std::max<int64_t>(part, 0)) / static_cast<double>(whole);
  };
  return CpuUse{percent(last.counters.machine_busy_ns - first.counters.machine_busy_ns, total_ns),
                percent(last.counters.process_ns - first.counters.process_ns, wall_ns),
                static_cast<double>(total_ns) / static_cast<double>(wall_ns)};
}

}  // namespace lapse
