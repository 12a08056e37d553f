#include "bench/lab/metrics.h"

namespace lapse {
namespace {

constexpr std::array<MetricInfo, kMetrics> kTable = {{
    {Metric::kCpuPerKey, "cpu_ns_per_key", "CPU a reclaimed key", "ns", true},
    {Metric::kCpuPerSecond, "cpu_ms_per_s", "CPU", "ms/s", true},
    {Metric::kCpuAboveOff, "cpu_above_off_ms_per_s", "CPU above off", "ms/s", true},
    {Metric::kLingering, "lingering_key_seconds", "lingering", "key s", true},
    {Metric::kPeakKeys, "peak_lingering_keys", "most lingering", "keys", true},
    {Metric::kPeakMegabytes, "peak_lingering_mb", "most lingering", "MB", true},
    {Metric::kLagP50, "lag_p50_ms", "lag p50", "ms", true},
    {Metric::kLagP99, "lag_p99_ms", "lag p99", "ms", true},
    {Metric::kLagMax, "lag_max_ms", "lag max", "ms", true},
    {Metric::kTime50, "time_50_s", "50 % gone", "s", true},
    {Metric::kTime90, "time_90_s", "90 % gone", "s", true},
    {Metric::kTime99, "time_99_s", "99 % gone", "s", true},
    {Metric::kTime100, "time_100_s", "all gone", "s", true},
    {Metric::kLeft, "left_keys", "left at the end", "keys", false},
    {Metric::kReclaimed, "reclaimed_keys", "reclaimed", "keys", false},
    {Metric::kLazy, "lazy_keys", "by clients", "keys", false},
    {Metric::kLatencyP50, "latency_p50_us", "GET p50", "us", true},
    {Metric::kLatencyP99, "latency_p99_us", "GET p99", "us", true},
    {Metric::kLatencyP999, "latency_p999_us", "GET p99.9", "us", true},
    {Metric::kLatencyMax, "latency_max_us", "GET max", "us", true},
    {Metric::kLongestSlice, "longest_slice_us", "longest slice", "us CPU", true},
    {Metric::kBytesPerKey, "bytes_per_key", "a key, accounted", "B", false},
    {Metric::kRssPerKey, "rss_per_key", "a key, RSS", "B", false},
    {Metric::kOperationNs, "operation_ns", "client's operation", "ns CPU", false},
    {Metric::kStartMegabytes, "start_mb", "memory before", "MB", false},
    {Metric::kEndMegabytes, "end_mb", "memory after", "MB", false},
    {Metric::kEarly, "early_deletions", "early", "keys", false},
    {Metric::kOrphans, "orphans", "orphans", "keys", false},
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
