#include "bench/lab/wire_page.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/lab/number_text.h"
#include "bench/lab/report.h"
#include "bench/lab/results.h"
#include "bench/lab/svg.h"
#include "bench/lab/wire_report.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr std::string_view kOurs = "lapse";
constexpr std::string_view kTheirs = "redis";
constexpr std::string_view kCpu = "CPU us:median";
// Where the expiry tables name latencies, in the order in which a chart has them.
constexpr std::string_view kLatencies[] = {"quiet ms:p50",  "quiet ms:p99",  "quiet ms:p99.9",
                                           "during ms:p50", "during ms:p99", "during ms:p99.9",
                                           "during ms:max"};

struct Chart {
  std::string file;
  BarChart bars;
};

std::string WordOf(const Row& row, std::string_view name) {
  const Value* const value = row.Find(name);
  const auto* const word = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return word == nullptr ? "" : *word;
}

// The different words of a column, in the order of their first.
std::vector<std::string> WordsOf(const std::vector<Row>& rows, std::string_view name) {
  std::vector<std::string> words;
  for (const Row& row : rows) {
    std::string word = WordOf(row, name);
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::string ColourOf(std::string_view server) {
  if (server == kOurs) return "#0a7d4f";
  if (server == kTheirs) return "#d1495b";
  return server == "limit-asio" ? "#2f5fa5" : "#7d8597";
}

BarChart ChartFor(const std::vector<Row>& rows, std::string title, std::string axis, bool log) {
  BarChart chart;
  chart.title = std::move(title);
  chart.y = {std::move(axis), log, {}, {}};
  for (const std::string& server : WordsOf(rows, "server")) {
    chart.series.emplace_back(server, ColourOf(server));
  }
  return chart;
}

// --- throughput ---

// One test at one pipeline and number of threads: a line of the page's table.
struct Cell {
  std::string test;
  std::string pipeline;
  std::string threads;

  bool Has(const Row& row) const {
    return WordOf(row, "test") == test && WordOf(row, "P") == pipeline &&
           WordOf(row, "threads") == threads;
  }
  const Row* Of(const std::vector<Row>& rows, std::string_view server) const {
    for (const Row& row : rows) {
      if (Has(row) && WordOf(row, "server") == server) return &row;
    }
    return nullptr;
  }
};

std::vector<Cell> CellsOf(const std::vector<Row>& rows) {
  std::vector<Cell> cells;
  for (const Row& row : rows) {
    const bool known =
        std::any_of(cells.begin(), cells.end(), [&row](const Cell& cell) { return cell.Has(row); });
    if (!known) cells.push_back({WordOf(row, "test"), WordOf(row, "P"), WordOf(row, "threads")});
  }
  return cells;
}

std::optional<double> Scaled(const Row* row, std::string_view name, double divisor) {
  const std::optional<double> number = row == nullptr ? std::nullopt : row->Number(name);
  return number ? std::optional(*number / divisor) : std::nullopt;
}

Table Beside(const Table& all) {
  Table table{.title = all.title, .explanation = all.explanation, .rows = {}};
  const std::vector<std::string> servers = WordsOf(all.rows, "server");
  for (const Cell& cell : CellsOf(all.rows)) {
    Row row;
    row.Word("test", cell.test).Word("P", cell.pipeline).Word("threads", cell.threads);
    for (const std::string& server : servers) {
      row.Figure("CPU us:" + server, Scaled(cell.Of(all.rows, server), kCpu, 1));
    }
    const Row* const ours = cell.Of(all.rows, kOurs);
    for (const std::string_view base : {"redis", "limit-asio", "limit-epoll"}) {
      row.Figure(fmt::format("lapse, times:{}", base),
                 Scaled(ours, fmt::format("times:{}", base), 1));
    }
    for (const std::string_view server : {kTheirs, kOurs}) {
      const Row* const one = cell.Of(all.rows, server);
      row.Figure(fmt::format("1000 ops/s:{}", server), Scaled(one, "ops/s", 1000));
    }
    for (const std::string_view server : {kTheirs, kOurs}) {
      for (const std::string_view share : {"p50", "p99", "p99.9"}) {
        row.Figure(fmt::format("{} ms:{}", server, share),
                   Scaled(cell.Of(all.rows, server), fmt::format("ms:{}", share), 1));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Chart> ThroughputCharts(const std::vector<Row>& rows) {
  std::vector<Chart> charts;
  const std::string threads = WordOf(rows.front(), "threads");
  for (const std::string& pipeline : WordsOf(rows, "P")) {
    BarChart chart = ChartFor(
        rows, fmt::format("CPU time a command, pipeline {}, threads: {}", pipeline, threads),
        "microseconds of the server's CPU", false);
    for (const std::string& test : WordsOf(rows, "test")) {
      BarGroup group{test, {}};
      for (const auto& [server, colour] : chart.series) {
        const Row* const row = Cell{test, pipeline, threads}.Of(rows, server);
        group.values.push_back(Scaled(row, kCpu, 1));
      }
      chart.groups.push_back(std::move(group));
    }
    charts.push_back({fmt::format("wire-cpu-p{}.svg", pipeline), std::move(chart)});
  }
  return charts;
}

// --- expiry ---

const Row* FindCase(const std::vector<Row>& rows, std::string_view what, std::string_view server) {
  for (const Row& row : rows) {
    if (WordOf(row, "case") == what && WordOf(row, "server") == server) return &row;
  }
  return nullptr;
}

std::vector<Chart> NeedleCharts(const Table& table) {
  BarChart chart = ChartFor(table.rows, "needle: until 99 % are gone",
                            "seconds after the deadline, logarithmic", true);
  chart.absent = "not in time";
  for (const std::string& what : WordsOf(table.rows, "case")) {
    BarGroup group{what, {}};
    for (const auto& [server, colour] : chart.series) {
      group.values.push_back(Scaled(FindCase(table.rows, what, server), "seconds to:99 %", 1));
    }
    chart.groups.push_back(std::move(group));
  }
  return {{"wire-needle.svg", std::move(chart)}};
}

std::vector<Chart> CliffCharts(const Table& table) {
  std::vector<Chart> charts;
  for (const std::string& what : WordsOf(table.rows, "case")) {
    BarChart chart = ChartFor(table.rows, fmt::format("cliff, {}: another client's latency", what),
                              "milliseconds since the intended sending, logarithmic", true);
    for (const std::string_view name : kLatencies) {
      const size_t colon = name.find(" ms:");
      BarGroup group{fmt::format("{} {}", name.substr(0, colon), name.substr(colon + 4)), {}};
      for (const auto& [server, colour] : chart.series) {
        group.values.push_back(Scaled(FindCase(table.rows, what, server), name, 1));
      }
      chart.groups.push_back(std::move(group));
    }
    std::string file = fmt::format("wire-cliff-{}.svg", what.substr(what.rfind(", ") + 2));
    std::replace(file.begin(), file.end(), ' ', '-');
    charts.push_back({std::move(file), std::move(chart)});
  }
  return charts;
}

// --- the page ---

std::vector<Chart> ChartsOf(std::string_view run, const Table& table) {
  if (table.rows.empty()) return {};
  if (run == "throughput") return ThroughputCharts(table.rows);
  if (table.title == "needle") return NeedleCharts(table);
  if (table.title == "cliff") return CliffCharts(table);
  return {};
}

std::string SectionOf(const Report& report, const std::string& links) {
  std::string text;
  for (const auto& [name, value] : report.facts) text += fmt::format("- {}: {}\n", name, value);
  for (const Table& table : report.tables) {
    const bool throughput = report.run == "throughput";
    text += "\n" + Markdown(throughput ? Beside(table) : table, "#####");
    for (const Chart& chart : ChartsOf(report.run, table)) {
      text += fmt::format("\n![{}]({}{})\n", chart.bars.title, links, chart.file);
    }
  }
  return text;
}

}  // namespace

bool RenderWire(const std::string& folder, const std::string& page) {
  const std::filesystem::path beside =
      page.empty()
          ? std::filesystem::path()
          : std::filesystem::relative(folder, std::filesystem::absolute(page).parent_path());
  std::string text;
  for (const std::string_view run : {"throughput", "expiry"}) {
    const std::optional<Report> report = ReadReport(run, folder);
    if (!report) continue;
    const absl::Status status = WriteReport(*report, folder, false);
    if (!status.ok()) throw std::runtime_error(std::string(status.message()));
    for (const Table& table : report->tables) {
      for (const Chart& chart : ChartsOf(run, table)) {
        WriteText(std::filesystem::path(folder) / chart.file, DrawBars(chart.bars));
      }
    }
    text += fmt::format("{}#### {}\n\n{}", text.empty() ? "" : "\n",
                        run == "throughput" ? "Throughput" : "Expiry",
                        SectionOf(*report, beside.string() + "/"));
  }
  if (text.empty()) return false;
  if (!page.empty()) ReplaceSection(page, kWireSectionBegin, kWireSectionEnd, text);
  return true;
}

}  // namespace lapse::wire
