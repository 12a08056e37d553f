// What one run of a workload yields: named numbers, a few curves, and what was wrong.
//
// The table of metrics is the one place that knows a metric's name in JSON, its title and unit in a
// report, and whether a smaller number is a better one.
//
// Thread: none; plain data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

enum class Metric : uint8_t {
  kCpuPerKey,
  kCpuPerSecond,
  kCpuAboveOff,  // derived from the runs of `off`
  kLingering,
  kPeakKeys,
  kPeakMegabytes,
  kLagP50,
  kLagP99,
  kLagMax,
  kTime50,
  kTime90,
  kTime99,
  kTime100,
  kLeft,
  kReclaimed,
  kLazy,
  kLatencyP50,
  kLatencyP99,
  kLatencyP999,
  kLatencyMax,
  kLongestSlice,
  kBytesPerKey,
  kRssPerKey,
  kOperationNs,
  kStartMegabytes,
  kEndMegabytes,
  kEarly,
  kOrphans,
};
inline constexpr size_t kMetrics = static_cast<size_t>(Metric::kOrphans) + 1;

// Whether less is better, and for whom.
enum class Ranking : uint8_t {
  kNone,
  kAll,
  kFinished,  // who leaves keys lying has it easy here: only those who do not are compared
};

struct MetricInfo {
  Metric metric;
  std::string_view name;   // in JSON
  std::string_view title;  // of a column
  std::string_view unit;   // "" when the title says it all
  Ranking ranking;
};
const MetricInfo& InfoOf(Metric metric);
std::optional<Metric> FindMetric(std::string_view name);

struct Point {
  double x = 0;
  double y = 0;
};
using Curve = std::vector<Point>;

struct Sample {
  std::string workload;
  std::string variant;   // which case of the workload
  std::string strategy;  // or, of a flush, the way
  int run = 0;
  int64_t keys = 0;
  bool after_deadline = false;  // whether the backlog's times count from the deadline
  std::array<std::optional<double>, kMetrics> values;
  Curve backlog;  // seconds, keys
  Curve lag;      // milliseconds, percent of the removed keys
  std::vector<std::string> violations;

  std::optional<double> Get(Metric metric) const { return values[static_cast<size_t>(metric)]; }
  void Set(Metric metric, double value) { values[static_cast<size_t>(metric)] = value; }
  void Set(Metric metric, int64_t value) { Set(metric, static_cast<double>(value)); }
};

}  // namespace lapse
