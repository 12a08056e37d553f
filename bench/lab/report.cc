#include "bench/lab/report.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "bench/lab/number_text.h"
#include "bench/lab/plots.h"
#include "bench/lab/summary.h"
#include "bench/lab/workload.h"
#include "fmt/format.h"

namespace lapse {
namespace {

// Says what bench/lab/stage.h says.
constexpr std::string_view kModel =
    "Unless a workload says otherwise, time is virtual. One driver looks after all shards and is "
    "called as a driver's thread would call: after each delay that the engine asks for; virtual "
    "time advances by that delay plus the CPU time that the slice took (by the thread's CPU clock "
    "where it took more than 0.1 ms). So an idle hour costs nothing, and yet a strategy that needs "
    "more CPU is later. What clients do happens at the beginning of each virtual millisecond and "
    "takes no virtual time. Only the strategy differs between the rows of a table: the same store, "
    "engine, keys and deadlines. `sampled-1` and `sampled-10` are Redis's cycle at effort 1 and "
    "10, in this engine; `fullscan` reads every key once a minute; `off` removes nothing by "
    "itself.\n\n"
    "Medians, with the least and the greatest of the runs in brackets; `–`: never reached, or "
    "nothing to measure. Bold: the best, and whoever lies within its range; by CPU, lag and "
    "latency, "
    "strategies that left more than a hundredth undone are not ranked. Lag is of the keys that "
    "were removed, in steps "
    "of "
    "up to a quarter; hints are due up to 128 ms after the deadline by design. A key is 16 bytes, "
    "its value 32, and each run is a process of its own.\n";

std::string Cell(const std::optional<Spread>& spread, bool bold) {
  if (!spread) return "–";
  const std::string median = NumberText(spread->median);
  const std::string shown = bold ? fmt::format("**{}**", median) : median;
  if (NumberText(spread->min) == NumberText(spread->max)) return shown;
  return fmt::format("{} ({}–{})", shown, NumberText(spread->min), NumberText(spread->max));
}

bool Has(const std::vector<const Entrant*>& best, const Entrant& entrant) {
  return std::find(best.begin(), best.end(), &entrant) != best.end();
}

// Columns that no row has anything for are left out.
std::vector<Metric> ColumnsOf(const Workload& workload,
                              const std::vector<VariantSummary>& variants) {
  std::vector<Metric> columns;
  for (const Metric metric : workload.columns) {
    const bool any = std::any_of(variants.begin(), variants.end(), [&](const auto& variant) {
      return std::any_of(variant.entrants.begin(), variant.entrants.end(),
                         [&](const Entrant& entrant) { return entrant.Of(metric).has_value(); });
    });
    if (any) columns.push_back(metric);
  }
  return columns;
}

std::string Table(const Workload& workload, const std::vector<VariantSummary>& variants) {
  const bool named = variants.size() > 1 || !variants.front().variant.empty();
  const std::vector<Metric> columns = ColumnsOf(workload, variants);
  std::string head = named ? "| case | strategy |" : "| strategy |";
  std::string rule = named ? "| --- | --- |" : "| --- |";
  for (const Metric metric : columns) {
    const MetricInfo& info = InfoOf(metric);
    head += fmt::format(" {}, {} |", info.title, info.unit);
    rule += " ---: |";
  }
  std::string table = head + "\n" + rule + "\n";
  for (const VariantSummary& variant : variants) {
    for (const Entrant& entrant : variant.entrants) {
      if (named) table += fmt::format("| {} ", variant.variant);
      table += fmt::format("| {} |", entrant.strategy);
      for (const Metric metric : columns) {
        const bool bold = Has(variant.Best(metric), entrant);
        table += fmt::format(" {} |", Cell(entrant.Of(metric), bold));
      }
      table += "\n";
    }
  }
  return table;
}

std::string Listed(const std::vector<const Entrant*>& entrants) {
  std::string list;
  for (size_t i = 0; i < entrants.size(); ++i) {
    const bool last = i + 1 == entrants.size();
    list += fmt::format("{}{}", i == 0 ? "" : (last ? " and " : ", "), entrants[i]->strategy);
  }
  return entrants.size() > 1 ? "level " + list : list;
}

// "99 % gone: hinted, 0.13 s; next sampled-10, 0.41 s (3.2 times)". Nothing where nobody is better.
std::string Reading(const VariantSummary& variant, Metric metric) {
  const std::vector<const Entrant*> best = variant.Best(metric);
  if (best.empty()) return "";
  const Entrant* next = nullptr;
  for (const Entrant& entrant : variant.entrants) {
    if (!VariantSummary::Ranks(entrant, metric) || Has(best, entrant)) continue;
    if (next == nullptr || entrant.Of(metric)->median < next->Of(metric)->median) next = &entrant;
  }
  const MetricInfo& info = InfoOf(metric);
  const double least = best.front()->Of(metric)->median;
  std::string text =
      fmt::format("{}: {}, {} {}", info.title, Listed(best), NumberText(least), info.unit);
  if (next == nullptr) return text;
  const double second = next->Of(metric)->median;
  text += fmt::format("; next {}, {}", next->strategy, NumberText(second));
  if (least > 0) text += fmt::format(" ({} times)", NumberText(second / least));
  return text;
}

std::string Readings(const Workload& workload, const std::vector<VariantSummary>& variants) {
  std::string text;
  for (const VariantSummary& variant : variants) {
    std::string line;
    for (const Metric metric : workload.headlines) {
      const std::string reading = Reading(variant, metric);
      if (!reading.empty()) line += (line.empty() ? "" : ". ") + reading;
    }
    std::string undone;
    for (const Entrant& entrant : variant.entrants) {
      if (entrant.strategy == kOffName || entrant.Finished()) continue;
      undone += (undone.empty() ? "" : ", ") + entrant.strategy;
    }
    if (!undone.empty()) line += (line.empty() ? "" : ". ") + ("Left keys undone: " + undone);
    if (line.empty()) continue;
    text += variant.variant.empty() ? fmt::format("- {}.\n", line)
                                    : fmt::format("- {}: {}.\n", variant.variant, line);
  }
  return text;
}

std::string Violations(const Results& results) {
  int64_t wrong = 0;
  std::string list;
  for (const Sample& sample : results.samples) {
    wrong += sample.violations.empty() ? 0 : 1;
    for (const std::string& violation : sample.violations) {
      list += fmt::format("- {} {} by {}, run {}: {}\n", sample.workload, sample.variant,
                          sample.strategy, sample.run + 1, violation);
    }
  }
  if (wrong == 0) {
    return fmt::format(
        "In all {} runs no key was removed early, no expired key could be read, and no hint failed "
        "to lead to its key (every run ends with a walk over every entry).\n",
        results.samples.size());
  }
  return fmt::format("**{} of {} runs were WRONG:**\n\n{}", wrong, results.samples.size(), list);
}

std::string Sections(const Results& results, std::string_view level, std::string_view links) {
  std::string text;
  for (const Workload& workload : Workloads()) {
    const std::vector<VariantSummary> variants = Summarise(results.samples, workload);
    if (variants.empty()) continue;
    const Sample& first = *variants.back().entrants.front().samples.front();
    text +=
        fmt::format("\n{} {}\n\n{} {} keys, runs: {}.\n\n{}\n", level, workload.name,
                    workload.shows, NumberText(static_cast<double>(first.keys)),
                    variants.front().entrants.front().samples.size(), Table(workload, variants));
    text += Readings(workload, variants);
    for (const Plot& plot : DrawPlots(workload, variants)) {
      text += fmt::format("\n![{}]({}{})\n", plot.title, links, plot.file);
    }
  }
  return text;
}

std::string About(const Results& results) {
  std::string text;
  for (const auto& [name, value] : results.about) text += fmt::format("- {}: {}\n", name, value);
  return text;
}

}  // namespace

void WriteReport(const Results& results, const std::string& folder) {
  const std::filesystem::path path(folder);
  WriteText(path / "results.md",
            fmt::format("# Expiry strategies compared\n\n{}\n{}\n{}{}", About(results), kModel,
                        "\n" + Violations(results), Sections(results, "##", "")));
  for (const Workload& workload : Workloads()) {
    const std::vector<VariantSummary> variants = Summarise(results.samples, workload);
    if (variants.empty()) continue;
    for (const Plot& plot : DrawPlots(workload, variants)) WriteText(path / plot.file, plot.svg);
  }
}

void ReplaceSection(const std::string& page, std::string_view begin, std::string_view end,
                    std::string_view section) {
  const std::string text = ReadText(page);
  const size_t from = text.find(begin);
  const size_t to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    throw std::runtime_error(fmt::format("{} has no section for the report", page));
  }
  WriteText(page,
            fmt::format("{}{}\n\n{}\n{}", text.substr(0, from), begin, section, text.substr(to)));
}

void InsertReport(const Results& results, const std::string& folder, const std::string& page) {
  const std::filesystem::path beside =
      std::filesystem::relative(folder, std::filesystem::absolute(page).parent_path());
  ReplaceSection(page, kSectionBegin, kSectionEnd,
                 fmt::format("{}\n{}{}", About(results), Violations(results),
                             Sections(results, "###", beside.string() + "/")));
}

}  // namespace lapse
