#include "bench/lab/plots.h"

#include <algorithm>

#include "bench/lab/svg.h"
#include "fmt/format.h"

namespace lapse {
namespace {

std::string ColourOf(const Workload& workload, std::string_view strategy) {
  for (const Contestant& contestant : workload.contestants) {
    if (contestant.name == strategy) return std::string(contestant.colour);
  }
  return "#000";
}

std::string TitleOf(const Workload& workload, std::string_view variant, std::string_view what) {
  return variant.empty() ? fmt::format("{}: {}", workload.name, what)
                         : fmt::format("{} ({}): {}", workload.name, variant, what);
}

// A percent sign has no place in a file's name.
std::string FileOf(const Workload& workload, std::string_view variant, std::string_view what) {
  std::string name = variant.empty() ? fmt::format("{}-{}.svg", workload.name, what)
                                     : fmt::format("{}-{}-{}.svg", workload.name, variant, what);
  std::erase(name, '%');
  return name;
}

bool Shows(const Workload& workload, Metric metric) {
  return std::find(workload.columns.begin(), workload.columns.end(), metric) !=
         workload.columns.end();
}

void DrawBacklog(const Workload& workload, const VariantSummary& variant,
                 std::vector<Plot>& plots) {
  if (!Shows(workload, Metric::kLingering) && !Shows(workload, Metric::kLatencyP50)) return;
  const bool after = variant.entrants.front().Typical().after_deadline;
  LineChart chart;
  chart.title = TitleOf(workload, variant.variant, "expired keys still held");
  chart.x = {after ? "seconds after the last deadline" : "seconds", after, {}, {}};
  chart.y = {"keys", false, {}, {}};
  // Nothing is announced earlier.
  if (after) chart.x.min = 0.01;
  for (const Entrant& entrant : variant.entrants) {
    chart.series.push_back(
        {entrant.strategy, ColourOf(workload, entrant.strategy), entrant.Typical().backlog});
  }
  plots.push_back({FileOf(workload, variant.variant, "backlog"), chart.title, DrawLines(chart)});
}

void DrawLag(const Workload& workload, const VariantSummary& variant, std::vector<Plot>& plots) {
  if (!Shows(workload, Metric::kLagP99)) return;
  LineChart chart;
  chart.title = TitleOf(workload, variant.variant, "how late removed keys were removed");
  chart.x = {"milliseconds after the deadline, at most", true, 1, {}};
  chart.y = {"percent of the removed keys", false, 0, 100};
  for (const Entrant& entrant : variant.entrants) {
    if (entrant.Typical().lag.empty()) continue;
    chart.series.push_back(
        {entrant.strategy, ColourOf(workload, entrant.strategy), entrant.Typical().lag});
  }
  if (chart.series.empty()) return;
  plots.push_back({FileOf(workload, variant.variant, "lag"), chart.title, DrawLines(chart)});
}

void DrawCpu(const Workload& workload, const std::vector<VariantSummary>& variants,
             std::vector<Plot>& plots) {
  if (!Shows(workload, Metric::kCpuPerKey)) return;
  BarChart chart;
  chart.title = TitleOf(workload, "", "CPU time a reclaimed key");
  chart.y = {"nanoseconds of CPU, logarithmic", true, {}, {}};
  for (const Entrant& entrant : variants.front().entrants) {
    if (entrant.strategy == kOffName) continue;
    chart.series.emplace_back(entrant.strategy, ColourOf(workload, entrant.strategy));
  }
  for (const VariantSummary& variant : variants) {
    BarGroup group{variant.variant, {}};
    for (const auto& [name, colour] : chart.series) {
      std::optional<double>& value = group.values.emplace_back();
      for (const Entrant& entrant : variant.entrants) {
        const std::optional<Spread>& spread = entrant.Of(Metric::kCpuPerKey);
        if (entrant.strategy == name && spread) value = spread->median;
      }
    }
    chart.groups.push_back(std::move(group));
  }
  plots.push_back({FileOf(workload, "", "cpu"), chart.title, DrawBars(chart)});
}

void DrawLatency(const Workload& workload, const VariantSummary& variant,
                 std::vector<Plot>& plots) {
  if (!Shows(workload, Metric::kLatencyP50)) return;
  BarChart chart;
  chart.title = TitleOf(workload, variant.variant, "GET latency in the second after the deadline");
  chart.y = {"microseconds since the intended sending, logarithmic", true, {}, {}};
  for (const Entrant& entrant : variant.entrants) {
    chart.series.emplace_back(entrant.strategy, ColourOf(workload, entrant.strategy));
  }
  constexpr std::pair<const char*, Metric> kGroups[] = {{"p50", Metric::kLatencyP50},
                                                        {"p99", Metric::kLatencyP99},
                                                        {"p99.9", Metric::kLatencyP999},
                                                        {"max", Metric::kLatencyMax}};
  for (const auto& [name, metric] : kGroups) {
    BarGroup group{name, {}};
    for (const Entrant& entrant : variant.entrants) {
      const std::optional<Spread>& spread = entrant.Of(metric);
      group.values.push_back(spread ? std::optional(spread->median) : std::nullopt);
    }
    chart.groups.push_back(std::move(group));
  }
  plots.push_back({FileOf(workload, variant.variant, "latency"), chart.title, DrawBars(chart)});
}

}  // namespace

std::vector<Plot> DrawPlots(const Workload& workload, const std::vector<VariantSummary>& variants) {
  std::vector<Plot> plots;
  for (const VariantSummary& variant : variants) {
    DrawLatency(workload, variant, plots);
    DrawBacklog(workload, variant, plots);
    DrawLag(workload, variant, plots);
  }
  DrawCpu(workload, variants, plots);
  return plots;
}

}  // namespace lapse
