#include "bench/lab/metrics.h"

namespace lapse {
namespace {

constexpr std::array<MetricInfo, kMetrics> kTable = {{
    {Metric::kCpuPerKey, "cpu_ns_per_key", "CPU a reclaimed key", "ns", Ranking::kFinished},
    {Metric::kCpuPerSecond, "cpu_ms_per_s", "CPU", "ms/s", Ranking::kFinished},
    {Metric::kCpuAboveOff, "cpu_above_off_ms_per_s", "CPU above off", "ms/s", Ranking::kFinished},
    {Metric::kLingering, "lingering_key_seconds", "lingering", "key s", Ranking::kAll},
    {Metric::kPeakKeys, "peak_lingering_keys", "most lingering", "keys", Ranking::kAll},
    {Metric::kPeakMegabytes, "peak_lingering_mb", "most lingering", "MB", Ranking::kAll},
    {Metric::kLagP50, "lag_p50_ms", "lag p50", "ms", Ranking::kFinished},
    {Metric::kLagP99, "lag_p99_ms", "lag p99", "ms", Ranking::kFinished},
    {Metric::kLagMax, "lag_max_ms", "lag max", "ms", Ranking::kFinished},
    {Metric::kTime50, "time_50_s", "50 % gone", "s", Ranking::kAll},
    {Metric::kTime90, "time_90_s", "90 % gone", "s", Ranking::kAll},
    {Metric::kTime99, "time_99_s", "99 % gone", "s", Ranking::kAll},
    {Metric::kTime100, "time_100_s", "all gone", "s", Ranking::kAll},
    {Metric::kLeft, "left_keys", "left at the end", "keys", Ranking::kNone},
    {Metric::kReclaimed, "reclaimed_keys", "reclaimed", "keys", Ranking::kNone},
    {Metric::kLazy, "lazy_keys", "by clients", "keys", Ranking::kNone},
    {Metric::kLatencyP50, "latency_p50_us", "GET p50", "us", Ranking::kFinished},
    {Metric::kLatencyP99, "latency_p99_us", "GET p99", "us", Ranking::kFinished},
    {Metric::kLatencyP999, "latency_p999_us", "GET p99.9", "us", Ranking::kFinished},
    {Metric::kLatencyMax, "latency_max_us", "GET max", "us", Ranking::kFinished},
    {Metric::kLongestSlice, "longest_slice_us", "longest slice", "us CPU", Ranking::kFinished},
    {Metric::kBytesPerKey, "bytes_per_key", "a key, accounted", "B", Ranking::kNone},
    {Metric::kRssPerKey, "rss_per_key", "a key, RSS", "B", Ranking::kNone},
    {Metric::kOperationNs, "operation_ns", "client's operation", "ns CPU", Ranking::kNone},
    {Metric::kStartMegabytes, "start_mb", "memory before", "MB", Ranking::kNone},
    {Metric::kEndMegabytes, "end_mb", "memory after", "MB", Ranking::kNone},
    {Metric::kEarly, "early_deletions", "early", "keys", Ranking::kNone},
    {Metric::kOrphans, "orphans", "orphans", "keys", Ranking::kNone},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

const MetricInfo& InfoOf(Metric metric) { return kTable[static_cast<size_t>(metric)]; }

std::optional<Metric> FindMetric(std::string_view name) {
  for (const MetricInfo& info : kTable) {
    if (info.name == name) return info.metric;
  }
  return std::nullopt;
}

}  // namespace lapse
