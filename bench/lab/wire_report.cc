#include "bench/lab/wire_report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include "bench/lab/results.h"
#include "bench/lab/wire_json.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

// Three significant digits; more only where the number has more before its point.
std::string Short(double value) {
  const double size = std::abs(value);
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  if (size >= 0.995 || value == 0) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3f}", value);
}

std::string Cell(const Value& value) {
  if (const auto* word = std::get_if<std::string>(&value)) return *word;
  if (const auto* number = std::get_if<double>(&value)) return Short(*number);
  return "-";
}

// What stands in one column of a table: a figure, or several that belong together.
struct Column {
  std::string group;
  std::string title;
  std::vector<std::string> names;  // of the fields
};

std::vector<Column> ColumnsOf(const Row& row) {
  std::vector<Column> columns;
  for (const auto& [name, value] : row.fields()) {
    if (std::holds_alternative<Series>(value)) continue;
    const size_t colon = name.find(':');
    const std::string group = colon == std::string::npos ? "" : name.substr(0, colon);
    if (!group.empty() && !columns.empty() && columns.back().group == group) {
      columns.back().title += " / " + name.substr(colon + 1);
      columns.back().names.push_back(name);
    } else {
      const std::string title = group.empty() ? name : group + ": " + name.substr(colon + 1);
      columns.push_back({group, title, {name}});
    }
  }
  return columns;
}

std::string CellOf(const Column& column, const Row& row) {
  std::string out;
  for (const std::string& name : column.names) {
    const Value* const value = row.Find(name);
    out += (out.empty() ? "" : " / ") + (value == nullptr ? "-" : Cell(*value));
  }
  return out;
}

std::string Markdown(const Report& report) {
  std::string out = fmt::format("# Wire: {}\n\n", report.run);
  for (const auto& [name, value] : report.facts) out += fmt::format("- {}: {}\n", name, value);
  for (const Table& table : report.tables) out += "\n" + Markdown(table, "##");
  return out;
}

std::string FirstLineOf(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> line{};
  if (pipe == nullptr || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
  std::string text = line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string Commit() {
  const std::string commit =
      FirstLineOf("git -C '" LAPSE_SOURCE_DIR "' describe --always --dirty 2>/dev/null");
  return commit.empty() ? "unknown" : commit;
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

absl::Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot write {}", path.string()));
}

// wire.json and wire.md, of all runs whose results are there.
absl::Status Assemble(const std::filesystem::path& directory) {
  std::string json = "{";
  std::string markdown;
  for (const std::string_view run : {"throughput", "expiry"}) {
    const auto path = directory / fmt::format("wire-{}.json", run);
    const auto page = directory / fmt::format("wire-{}.md", run);
    if (!std::filesystem::exists(path) || !std::filesystem::exists(page)) continue;
    json += fmt::format("{}\n\"{}\": {}", json.size() > 1 ? "," : "", run, ReadText(path));
    markdown += (markdown.empty() ? "" : "\n") + ReadText(page);
  }
  absl::Status status = WriteFile(directory / "wire.json", json + "}\n");
  status.Update(WriteFile(directory / "wire.md", markdown));
  return status;
}

}  // namespace

const Value* Row::Find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (field == name) return &value;
  }
  return nullptr;
}

std::optional<double> Row::Number(std::string_view name) const {
  const Value* const value = Find(name);
  const double* const number = value == nullptr ? nullptr : std::get_if<double>(value);
  return number == nullptr ? std::nullopt : std::optional<double>(*number);
}

std::string Row::Identity() const {
  std::string out;
  for (const auto& [name, value] : fields_) {
    if (const auto* word = std::get_if<std::string>(&value)) out += *word + '\n';
  }
  return out;
}

std::optional<double> Median(Series values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<Row> MergeRounds(const std::vector<Row>& rows) {
  std::vector<std::vector<const Row*>> groups;
  for (const Row& row : rows) {
    const auto same = [&row](const auto& g) { return g.front()->Identity() == row.Identity(); };
    const auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) {
      groups.push_back({&row});
    } else {
      group->push_back(&row);
    }
  }
  std::vector<Row> merged;
  for (const auto& group : groups) {
    Row row;
    for (const auto& [name, value] : group.front()->fields()) {
      if (const auto* word = std::get_if<std::string>(&value)) {
        row.Word(name, *word);
        continue;
      }
      if (const auto* series = std::get_if<Series>(&value)) {
        row.List(name, *series);
        continue;
      }
      Series figures;
      for (const Row* one : group) {
        if (const auto figure = one->Number(name)) figures.push_back(*figure);
      }
      const bool most = 2 * figures.size() > group.size();
      row.Figure(name, most ? Median(std::move(figures)) : std::nullopt);
    }
    merged.push_back(std::move(row));
  }
  return merged;
}

std::string Markdown(const Table& table, std::string_view level) {
  std::string out = fmt::format("{} {}\n\n", level, table.title);
  if (!table.explanation.empty()) out += table.explanation + "\n\n";
  if (table.rows.empty()) return out;
  const std::vector<Column> columns = ColumnsOf(table.rows.front());
  std::string rule = "|";
  out += "|";
  for (const Column& column : columns) {
    out += fmt::format(" {} |", column.title);
    rule += " --- |";
  }
  out += "\n" + rule + "\n";
  for (const Row& row : table.rows) {
    out += "|";
    for (const Column& column : columns) out += fmt::format(" {} |", CellOf(column, row));
    out += "\n";
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> MachineFacts() {
  utsname system{};
  uname(&system);
  return {
      {"date", Now()},
      {"commit", Commit()},
      {"processor", fmt::format("{}, {} online", ProcessorName(), sysconf(_SC_NPROCESSORS_ONLN))},
      {"kernel", fmt::format("{} {}", system.sysname, system.release)}};
}

void Amend(Report& old, const Report& fresh) {
  for (const auto& [name, value] : fresh.facts) {
    const auto same = [&name](const auto& fact) { return fact.first == name; };
    std::erase_if(old.facts, same);
    old.facts.emplace_back(name, value);
  }
  for (const Table& table : fresh.tables) {
    const auto found =
        std::find_if(old.tables.begin(), old.tables.end(),
                     [&table](const Table& known) { return known.title == table.title; });
    if (found == old.tables.end()) {
      old.tables.push_back(table);
      continue;
    }
    found->explanation = table.explanation;
    for (const Row& row : table.rows) {
      const auto same = std::find_if(found->rows.begin(), found->rows.end(), [&row](const Row& r) {
        return r.Identity() == row.Identity();
      });
      if (same == found->rows.end()) {
        found->rows.push_back(row);
      } else {
        *same = row;
      }
    }
  }
}

std::optional<Report> ReadReport(std::string_view run, const std::string& directory) {
  const auto path = std::filesystem::path(directory) / fmt::format("wire-{}.json", run);
  if (!std::filesystem::exists(path)) return std::nullopt;
  return ReportFromJson(run, ReadText(path));
}

absl::Status WriteReport(const Report& fresh, const std::string& directory, bool append) {
  const std::optional<Report> old = append ? ReadReport(fresh.run, directory) : std::nullopt;
  Report report = old.value_or(fresh);
  if (old) Amend(report, fresh);
  const std::filesystem::path path(directory);
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) {
    return absl::UnavailableError(
        fmt::format("cannot create {}: {}", directory, failure.message()));
  }
  absl::Status status = WriteFile(path / fmt::format("wire-{}.json", report.run), ToJson(report));
  status.Update(WriteFile(path / fmt::format("wire-{}.md", report.run), Markdown(report)));
  status.Update(Assemble(path));
  return status;
}

}  // namespace lapse::wire
