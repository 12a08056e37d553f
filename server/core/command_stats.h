// How often each command ran, how long it took, and how it ended: INFO commandstats and
// latencystats, LATENCY HISTOGRAM.
//
// Each dispatcher counts for itself, with plain additions; a reader adds them up. Time is counted
// in the processor's cycles, which cost a few nanoseconds to read where a clock costs 25; they are
// turned into nanoseconds only when somebody asks.
//
// Thread: a CommandStats is written by its dispatcher's thread, inside the gate, and read by any;
// the book from any thread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"
#include "storage/shard_stats.h"
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace lapse {

inline uint64_t CycleCount() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// Cycles in nanoseconds, measured over the life of the object.
class CycleScale {
 public:
  CycleScale();
  double NsPerCycle() const;

 private:
  const uint64_t start_cycles_;
  const std::chrono::steady_clock::time_point start_;
};

// What happened to one command, as numbers to add up.
struct CommandTotals {
  static constexpr size_t kBuckets = 65;  // bucket b: durations below 2^b cycles

  int64_t calls = 0;
  int64_t cycles = 0;
  int64_t rejected = 0;
  int64_t failed = 0;
  std::array<int64_t, kBuckets> histogram{};

  void Add(const CommandTotals& other);
  // The cycles that a share q (0..1) of the calls did not exceed, up to a factor of two.
  double Percentile(double q) const;
};

class CommandStats {
 public:
  explicit CommandStats(size_t commands) : counters_(commands) {}

  // `calls` of the command took `cycles` together.
  void Count(size_t id, uint64_t cycles, int64_t calls) {
    Counters& counters = counters_[id];
    counters.calls.Add(calls);
    counters.cycles.Add(static_cast<int64_t>(cycles));
    Histogram* histogram = counters.histogram.load(std::memory_order_relaxed);
    if (histogram == nullptr) [[unlikely]] {
      histogram = MakeHistogram(counters);
    }
    (*histogram)[std::bit_width(cycles / static_cast<uint64_t>(calls))].Add(calls);
  }
  void CountRejected(size_t id) { counters_[id].rejected.Add(1); }
  void CountFailed(size_t id) { counters_[id].failed.Add(1); }

  CommandTotals Totals(size_t id) const;
  // Requires the gate's exclusive form.
  void Clear();

 private:
  using Histogram = std::array<OwnedCounter, CommandTotals::kBuckets>;
  struct Counters {
    OwnedCounter calls;
    OwnedCounter cycles;
    OwnedCounter rejected;
    OwnedCounter failed;
    std::atomic<Histogram*> histogram{nullptr};

    ~Counters() { delete histogram.load(std::memory_order_relaxed); }
  };

  static Histogram* MakeHistogram(Counters& counters);

  std::vector<Counters> counters_;
};

// All dispatchers' counters together. Commands are numbered by the registry.
class CommandStatsBook {
 public:
  explicit CommandStatsBook(size_t commands) : retired_(commands) {}

  // A dispatcher's own; to be given back to Close.
  std::shared_ptr<CommandStats> Open();
  void Close(const std::shared_ptr<CommandStats>& stats);

  CommandTotals Totals(size_t id);
  size_t commands() const { return retired_.size(); }
  // Requires the gate's exclusive form.
  void Clear();
  const CycleScale& scale() const { return scale_; }

 private:
  const CycleScale scale_;
  Mutex mu_;
  std::vector<std::shared_ptr<CommandStats>> open_ ABSL_GUARDED_BY(mu_);
  std::vector<CommandTotals> retired_;  // of dispatchers that are gone; under mu_, but for its size
};

}  // namespace lapse
