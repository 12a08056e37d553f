#include "server/services/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "expiry/resident.h"

namespace lapse {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr SampleColumnRow kColumns[] = {
    {"memory", SampleFold::kMean},
    {"rss", SampleFold::kMean},
    {"keys", SampleFold::kMean},
    {"volatile-keys", SampleFold::kMean},
    {"unreclaimed-keys", SampleFold::kMean},
    {"unreclaimed-bytes", SampleFold::kMean},
    {"clients", SampleFold::kMean},
    {"blocked-clients", SampleFold::kMean},
    {"flush-run", SampleFold::kMax},
    {"flush-reclaimed", SampleFold::kSum},
    {"flush-bytes-freed", SampleFold::kSum},
    {"cpu-process", SampleFold::kMean},
    {"cpu-machine", SampleFold::kMean},
    {"ops", SampleFold::kMean},
    {"hit-rate", SampleFold::kMean},
    {"expired-lazy", SampleFold::kMean},
    {"expired-active", SampleFold::kMean},
    {"expired-flushed", SampleFold::kMean},
    {"evicted", SampleFold::kMean},
    {"net-in", SampleFold::kMean},
    {"net-out", SampleFold::kMean},
    {"lag-p50-ms", SampleFold::kMean},
    {"lag-p99-ms", SampleFold::kMax},
    {"lag-max-ms", SampleFold::kMax},
};
static_assert(std::size(kColumns) == kSampleColumns);

int64_t Load(const std::atomic<int64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

// How much was counted in between. CONFIG RESETSTAT starts counters anew: then it is what they show
// now, at least.
int64_t Since(int64_t now, int64_t before) { return now >= before ? now - before : now; }

// The lag that a share q of the removals did not exceed.
double LagPercentile(std::span<const int64_t> counts, int64_t total, double q) {
  const auto wanted = static_cast<int64_t>(q * static_cast<double>(total - 1)) + 1;
  int64_t seen = 0;
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen >= wanted) return static_cast<double>(LagHistogram::UpperBound(bucket));
  }
  return 0;
}

// Samples that become one.
class Folding {
 public:
  void Add(const Sample& sample) {
    ++samples_;
    sum_.at_ms = sample.at_ms;
    for (size_t i = 0; i < kSampleColumns; ++i) {
      const double value = sample.values[i];
      if (std::isnan(value)) continue;
      const bool first = known_[i]++ == 0;
      double& held = sum_.values[i];
      if (kColumns[i].fold == SampleFold::kMax) {
        held = first ? value : std::max(held, value);
      } else {
        held += value;
      }
    }
  }
  bool empty() const { return samples_ == 0; }
  Sample Take() {
    for (size_t i = 0; i < kSampleColumns; ++i) {
      double& held = sum_.values[i];
      if (known_[i] == 0) held = kUnknown;
      if (kColumns[i].fold == SampleFold::kMean) held /= std::max(known_[i], 1);
      if (i < kSampleAmounts) held = std::round(held);
    }
    const Sample folded = sum_;
    *this = Folding();
    return folded;
  }

 private:
  Sample sum_;
  std::array<int, kSampleColumns> known_{};
  int samples_ = 0;
};

}  // namespace

std::span<const SampleColumnRow> SampleColumns() { return kColumns; }

void Samples::Block::Add(const Sample& sample) {
  at[size] = sample.at_ms;
  for (size_t i = 0; i < kSampleAmounts; ++i) {
    amounts[i][size] = static_cast<int64_t>(sample.values[i]);
  }
  for (size_t i = kSampleAmounts; i < kSampleColumns; ++i) {
    rates[i - kSampleAmounts][size] = static_cast<float>(sample.values[i]);
  }
  ++size;
}

Sample Samples::Block::Get(size_t index) const {
  Sample sample;
  sample.at_ms = at[index];
  for (size_t i = 0; i < kSampleAmounts; ++i) {
    sample.values[i] = static_cast<double>(amounts[i][index]);
  }
  for (size_t i = kSampleAmounts; i < kSampleColumns; ++i) {
    sample.values[i] = rates[i - kSampleAmounts][index];
  }
  return sample;
}

int64_t Samples::Step() {
  const int64_t now_ns = instance_.clock.MonotonicNs();
  constexpr int64_t kStepNs = kStepMs * 1'000'000;
  if (before_.has_value() && now_ns < due_ns_) return (due_ns_ - now_ns) / 1'000'000 + 1;
  Sample sample;
  Counts counts = Look(sample);
  Compare(counts, before_.value_or(counts), sample);
  if (!before_.has_value() || counts.flush_runs != before_->flush_runs) AddFlushRuns(sample);
  // After a long stop (a machine that slept) the rhythm begins anew.
  due_ns_ =
      before_.has_value() && now_ns < due_ns_ + kStepNs ? due_ns_ + kStepNs : now_ns + kStepNs;
  before_ = counts;
  Keep(sample);
  return std::max<int64_t>((due_ns_ - now_ns) / 1'000'000, 1);
}

Samples::Counts Samples::Look(Sample& sample) {
  Counts counts;
  counts.cpu = ReadCpuCounters();
  sample[SampleColumn::kRss] = static_cast<double>(ResidentBytes());

  const Gate::Shared inside(instance_.keyspace.gate());
  sample.at_ms = instance_.clock.NowMs();
  counts.monotonic_ns = instance_.clock.MonotonicNs();
  const KeyspaceTotals totals = instance_.keyspace.Totals();
  const Backlog backlog = instance_.expiry.EstimateBacklog();
  sample[SampleColumn::kMemory] = static_cast<double>(instance_.NotePeakMemory());
  sample[SampleColumn::kKeys] = static_cast<double>(totals.keys);
  sample[SampleColumn::kVolatileKeys] = static_cast<double>(totals.volatile_keys);
  sample[SampleColumn::kUnreclaimedKeys] = static_cast<double>(backlog.keys);
  sample[SampleColumn::kUnreclaimedBytes] = static_cast<double>(backlog.bytes);
  sample[SampleColumn::kClients] = static_cast<double>(instance_.clients.connected());
  sample[SampleColumn::kBlockedClients] = static_cast<double>(instance_.clients.blocked());

  const ServerStats& stats = instance_.stats;
  counts.commands = Load(stats.commands_processed);
  counts.net_in = Load(stats.net_input_bytes);
  counts.net_out = Load(stats.net_output_bytes);
  counts.hits = totals.hits;
  counts.misses = totals.misses;
  counts.expired_lazy = totals.expired_lazy;
  counts.expired_active = totals.expired_active;
  counts.expired_flushed = totals.expired_flushed;
  counts.evicted = totals.evicted;
  counts.flush_runs = instance_.expiry.flush().runs();
  for (size_t i = 0; i < counts.lag.size(); ++i) {
    counts.lag[i] = instance_.keyspace.lag().count(static_cast<int>(i));
  }
  return counts;
}

void Samples::Compare(const Counts& now, const Counts& before, Sample& sample) const {
  const double seconds = static_cast<double>(now.monotonic_ns - before.monotonic_ns) / 1e9;
  const auto rate = [&](int64_t Counts::*counter) {
    if (seconds <= 0) return kUnknown;
    return static_cast<double>(Since(now.*counter, before.*counter)) / seconds;
  };
  sample[SampleColumn::kOps] = rate(&Counts::commands);
  sample[SampleColumn::kExpiredLazy] = rate(&Counts::expired_lazy);
  sample[SampleColumn::kExpiredActive] = rate(&Counts::expired_active);
  sample[SampleColumn::kExpiredFlushed] = rate(&Counts::expired_flushed);
  sample[SampleColumn::kEvicted] = rate(&Counts::evicted);
  sample[SampleColumn::kNetIn] = rate(&Counts::net_in);
  sample[SampleColumn::kNetOut] = rate(&Counts::net_out);
  if (seconds > 0) {
    const int64_t cpu_ns = now.cpu.process_ns - before.cpu.process_ns;
    sample[SampleColumn::kCpuProcess] = static_cast<double>(cpu_ns) / 1e7 / seconds;
  } else {
    sample[SampleColumn::kCpuProcess] = kUnknown;
  }
  const int64_t machine_ns = now.cpu.machine_total_ns - before.cpu.machine_total_ns;
  const int64_t busy_ns = now.cpu.machine_busy_ns - before.cpu.machine_busy_ns;
  sample[SampleColumn::kCpuMachine] =
      machine_ns <= 0 ? kUnknown
                      : 100 * static_cast<double>(busy_ns) / static_cast<double>(machine_ns);
  const int64_t hits = Since(now.hits, before.hits);
  const int64_t lookups = hits + Since(now.misses, before.misses);
  sample[SampleColumn::kHitRate] =
      lookups == 0 ? kUnknown : 100 * static_cast<double>(hits) / static_cast<double>(lookups);

  std::array<int64_t, LagHistogram::kBuckets> lag{};
  int64_t removed = 0;
  for (size_t i = 0; i < lag.size(); ++i) {
    lag[i] = Since(now.lag[i], before.lag[i]);
    removed += lag[i];
  }
  const auto percentile = [&](double q) {
    return removed == 0 ? kUnknown : LagPercentile(lag, removed, q);
  };
  sample[SampleColumn::kLagP50] = percentile(0.50);
  sample[SampleColumn::kLagP99] = percentile(0.99);
  sample[SampleColumn::kLagMax] = percentile(1);
}

void Samples::AddFlushRuns(Sample& sample) {
  for (const FlushRecord& run : instance_.expiry.flush().History(FlushRunner::kHistory)) {
    if (run.run_id <= last_flush_run_) break;  // newest first
    if (run.finished_ms == 0) continue;
    sample[SampleColumn::kFlushRun] =
        std::max(sample[SampleColumn::kFlushRun], static_cast<double>(run.run_id));
    if (run.dry_run) continue;
    sample[SampleColumn::kFlushReclaimed] += static_cast<double>(run.reclaimed);
    sample[SampleColumn::kFlushBytesFreed] += static_cast<double>(run.bytes_freed);
  }
  last_flush_run_ =
      std::max(last_flush_run_, static_cast<uint64_t>(sample[SampleColumn::kFlushRun]));
}

void Samples::Keep(const Sample& sample) {
  MutexGuard guard(mu_);
  if (blocks_.empty() || blocks_.back()->size == kBlockSamples) {
    blocks_.push_back(std::make_unique<Block>());
    if (blocks_.size() > kBlocks) blocks_.pop_front();
  }
  blocks_.back()->Add(sample);
}

std::vector<Sample> Samples::History(int64_t since_ms, int64_t step_ms) const {
  std::vector<Sample> history;
  Folding folding;
  int64_t bucket = 0;
  // One sample is never two steps' business: those that are a moment more or less than a step apart
  // stay as they are.
  const bool fold = step_ms > kStepMs;
  MutexGuard guard(mu_);
  for (const auto& block : blocks_) {
    for (size_t i = 0; i < block->size; ++i) {
      if (block->at[i] < since_ms) continue;
      if (!fold) {
        history.push_back(block->Get(i));
        continue;
      }
      const int64_t of = block->at[i] / step_ms;
      if (!folding.empty() && of != bucket) history.push_back(folding.Take());
      bucket = of;
      folding.Add(block->Get(i));
    }
  }
  if (!folding.empty()) history.push_back(folding.Take());
  return history;
}

int64_t Samples::oldest_ms() const {
  MutexGuard guard(mu_);
  return blocks_.empty() ? 0 : blocks_.front()->at[0];
}

std::optional<Sample> Samples::Latest() const {
  MutexGuard guard(mu_);
  if (blocks_.empty()) return std::nullopt;
  return blocks_.back()->Get(blocks_.back()->size - 1);
}

}  // namespace lapse
