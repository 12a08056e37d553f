// A day of the server's numbers, one sample every ten seconds: what plots are drawn from without a
// monitoring system, and what one looks at after an incident. METRICS HISTORY reads it.
//
// A sample is a row of the columns below: what is held (memory, keys), and what happened since the
// sample before, as a rate (operations, keys expired by each way of removal) or as a distribution
// (lag of just the keys removed in that time, where INFO's is since the start). A value that nobody
// can know is NaN: a rate of the first sample, a hit rate without a lookup.
//
// Rows are kept by column in blocks of an hour, amounts as 64-bit integers and the rest as floats:
// 1.2 MB for a day, of which a young server has only what it needs. The oldest hour goes as a
// whole, so between 24 and 25 hours are kept.
//
//   block   | at[360] | memory[360] rss[360] ... (int64) | ops[360] cpu[360] ... (float) |
//
// Taking a sample reads sums and no key: about 0.3 ms with a database in use, mostly for counting
// the backlog, or a thirty-thousandth of a core.
//
// Thread: Step from the operations thread, outside of the gate; the rest from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "expiry/tasks/cpu_window.h"
#include "server/core/instance.h"
#include "storage/lock.h"
#include "storage/shard_stats.h"

namespace lapse {

enum class SampleColumn : uint8_t {
  // Amounts.
  kMemory,  // INFO's used_memory
  kRss,
  kKeys,
  kVolatileKeys,
  kUnreclaimedKeys,
  kUnreclaimedBytes,
  kClients,
  kBlockedClients,
  kFlushRun,         // the latest run that ended since the sample before; 0: none
  kFlushReclaimed,   // keys, by all of those
  kFlushBytesFreed,  // by all of those
  // Rates and shares.
  kCpuProcess,  // percent of one core
  kCpuMachine,  // percent of all cores
  kOps,         // a second, as the following
  kHitRate,     // percent
  kExpiredLazy,
  kExpiredActive,
  kExpiredFlushed,
  kEvicted,
  kNetIn,  // bytes
  kNetOut,
  kLagP50,  // milliseconds
  kLagP99,
  kLagMax,
};
inline constexpr size_t kSampleColumns = static_cast<size_t>(SampleColumn::kLagMax) + 1;
inline constexpr size_t kSampleAmounts = static_cast<size_t>(SampleColumn::kCpuProcess);

// What becomes of a column's values when several samples are shown as one.
enum class SampleFold : uint8_t { kMean, kMax, kSum };

struct SampleColumnRow {
  std::string_view name;
  SampleFold fold;
};
// By SampleColumn.
std::span<const SampleColumnRow> SampleColumns();

struct Sample {
  int64_t at_ms = 0;  // wall clock
  std::array<double, kSampleColumns> values{};

  double operator[](SampleColumn column) const { return values[static_cast<size_t>(column)]; }
  double& operator[](SampleColumn column) { return values[static_cast<size_t>(column)]; }
};

class Samples {
 public:
  static constexpr int64_t kStepMs = 10'000;
  static constexpr size_t kBlockSamples = 360;
  static constexpr size_t kBlocks = 25;

  explicit Samples(Instance& instance) : instance_(instance) {}

  // Takes a sample if one is due. Returns after how many milliseconds the next one is.
  int64_t Step();

  // Those since `since_ms`, oldest first. Of those within the same multiple of step_ms (of the wall
  // clock) one is made, with the last one's time; up to kStepMs each is given as it is.
  std::vector<Sample> History(int64_t since_ms, int64_t step_ms) const;
  std::optional<Sample> Latest() const;
  int64_t oldest_ms() const;  // 0: there is none

 private:
  struct Block {
    size_t size = 0;
    std::array<int64_t, kBlockSamples> at;
    std::array<std::array<int64_t, kBlockSamples>, kSampleAmounts> amounts;
    std::array<std::array<float, kBlockSamples>, kSampleColumns - kSampleAmounts> rates;

    void Add(const Sample& sample);
    Sample Get(size_t index) const;
  };

  // Sums since the start, of which a sample has the differences.
  struct Counts {
    int64_t monotonic_ns = 0;
    CpuCounters cpu;
    int64_t commands = 0;
    int64_t hits = 0;
    int64_t misses = 0;
    int64_t expired_lazy = 0;
    int64_t expired_active = 0;
    int64_t expired_flushed = 0;
    int64_t evicted = 0;
    int64_t net_in = 0;
    int64_t net_out = 0;
    int64_t flush_runs = 0;
    std::array<int64_t, LagHistogram::kBuckets> lag{};
  };

  // Fills in what is held now, and returns what has been counted so far.
  Counts Look(Sample& sample);
  // Fills in what the difference of two counts says.
  void Compare(const Counts& now, const Counts& before, Sample& sample) const;
  void AddFlushRuns(Sample& sample);
  void Keep(const Sample& sample);

  Instance& instance_;

  // The stepping thread's.
  std::optional<Counts> before_;
  int64_t due_ns_ = 0;  // monotonic
  uint64_t last_flush_run_ = 0;

  mutable Mutex mu_;
  std::deque<std::unique_ptr<Block>> blocks_ ABSL_GUARDED_BY(mu_);  // oldest first
};

}  // namespace lapse
