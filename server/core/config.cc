#include "server/core/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "expiry/tasks/task_spec.h"
#include "protocol/number.h"
#include "server/core/arguments.h"
#include "server/core/words.h"

namespace lapse {
namespace {

// How deep `include` may nest: enough for any real set-up, and an end for files that include
// themselves.
constexpr int kMaxIncludeDepth = 16;

std::string Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status BadLine(std::string_view where, std::string_view reason, std::string_view line) {
  return absl::InvalidArgumentError(fmt::format("{}: {}: '{}'", where, reason, line));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  // A directory can be opened, but not read.
  if (stream && stream.peek() != std::ifstream::traits_type::eof()) text << stream.rdbuf();
  if (!stream.eof() && !stream.good()) {
    return absl::NotFoundError(
        fmt::format("cannot read config file '{}': {}", path, std::strerror(errno)));
  }
  return text.str();
}

absl::Status AddFlushTask(std::span<const std::string> words, Config& config) {
  const std::string& name = words[0];
  const std::vector<std::string_view> views(words.begin() + 1, words.end());
  const absl::StatusOr<TaskSpec> spec = ParseTask({.name = name}, views, true);
  if (!spec.ok()) return spec.status();
  for (const std::vector<std::string>& other : config.flush_tasks) {
    if (other[0] == name) {
      return absl::InvalidArgumentError(fmt::format("task '{}' is there already", name));
    }
  }
  config.flush_tasks.emplace_back(words.begin(), words.end());
  return absl::OkStatus();
}

absl::Status Apply(std::string_view name, std::span<const std::string> values, Config& config) {
  if (EqualsIgnoreCase(name, "flush-task") && !values.empty()) return AddFlushTask(values, config);
  if (EqualsIgnoreCase(name, "user") && !values.empty()) {
    config.users.push_back("user " + absl::StrJoin(values, " "));
    return absl::OkStatus();
  }
  const ConfigRow* const row = FindConfig(name);
  if (row == nullptr) {
    return absl::InvalidArgumentError("bad directive or wrong number of arguments");
  }
  return row->set(config, values);
}

absl::Status ApplyText(std::string_view text, std::string_view origin, int depth, Config& config);

absl::Status ApplyFile(const std::string& path, int depth, Config& config) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ApplyText(*text, path, depth, config);
}

absl::Status ApplyLine(std::string_view line, std::string_view where, int depth, Config& config) {
  const auto words = SplitWords(line);
  if (!words) return BadLine(where, "unbalanced quotes", line);
  if (words->empty()) return absl::OkStatus();
  const auto values = std::span(*words).subspan(1);
  if (EqualsIgnoreCase((*words)[0], "include") && values.size() == 1) {
    if (depth == kMaxIncludeDepth) return BadLine(where, "files include each other too deep", line);
    absl::Status status = ApplyFile(values[0], depth + 1, config);
    // What is wrong inside an included file already says where.
    return absl::IsNotFound(status) ? BadLine(where, Message(status), line) : status;
  }
  const absl::Status status = Apply((*words)[0], values, config);
  return status.ok() ? status : BadLine(where, Message(status), line);
}

absl::Status ApplyText(std::string_view text, std::string_view origin, int depth, Config& config) {
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == line.npos || line[first] == '#') continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
    const absl::Status status =
        ApplyLine(line, fmt::format("{}:{}", origin, number), depth, config);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool IsOption(std::string_view word) { return word.size() > 2 && word.starts_with("--"); }

std::string Joined(std::span<const std::string> words) {
  return absl::StrJoin(words, " ",
                       [](std::string* out, const std::string& word) { *out += QuoteWord(word); });
}

// One `--name value ...` group; `words` begins with the option.
absl::Status ApplyGroup(std::span<const std::string> words, Config& config) {
  std::string name = words[0].substr(2);
  std::vector<std::string> values(words.begin() + 1, words.end());
  if (const size_t equals = name.find('='); equals != name.npos) {
    values.insert(values.begin(), name.substr(equals + 1));
    name.resize(equals);
  }
  const absl::Status status = name == "include" && values.size() == 1
                                  ? ApplyFile(values[0], 1, config)
                                  : Apply(name, values, config);
  return status.ok() ? status : BadLine("command line", Message(status), Joined(words));
}

std::string MarkdownText(std::string_view text) {
  return text.empty() ? "\"\"" : std::string(text);
}

std::string MarkdownTable(ConfigEffect effect) {
  const Config defaults;
  std::string table =
      effect == ConfigEffect::kWorks
          ? "| Directive | Default | Values | CONFIG SET | What it does |\n|---|---|---|---|---|\n"
          : "| Directive | Default | Values | Why |\n|---|---|---|---|\n";
  for (const ConfigRow& row : ConfigTable()) {
    if (row.effect != effect) continue;
    table +=
        fmt::format("| `{}` | `{}` | {} |", row.name, MarkdownText(row.get(defaults)), row.values);
    if (effect == ConfigEffect::kWorks) table += row.at_run_time ? " yes |" : " no |";
    std::string doc(row.doc);
    if (effect == ConfigEffect::kOneValue) doc = fmt::format("{}.", doc);
    doc[0] = absl::ascii_toupper(static_cast<unsigned char>(doc[0]));
    table += fmt::format(" {} |\n", doc);
  }
  return table;
}

}  // namespace

const ConfigRow* FindConfig(std::string_view name) {
  for (const ConfigRow& row : ConfigTable()) {
    if (EqualsIgnoreCase(row.name, name)) return &row;
  }
  return nullptr;
}

std::vector<std::string> ConfigWords(const ConfigRow& row, std::string_view value) {
  if (row.type != ConfigType::kSpecial) return {std::string(value)};
  std::vector<std::string> words;
  std::istringstream stream{std::string(value)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

absl::StatusOr<int64_t> ParseMemory(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t bytes;
  };
  constexpr Unit kUnits[] = {
      {"", 1},         {"b", 1},        {"k", 1000},         {"kb", 1 << 10},
      {"m", 1000'000}, {"mb", 1 << 20}, {"g", 1000'000'000}, {"gb", 1 << 30}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  int64_t number = 0;
  for (const Unit& unit : kUnits) {
    if (!EqualsIgnoreCase(text.substr(digits), unit.name)) continue;
    if (!ParseInt64(text.substr(0, digits), number)) break;
    if (number > std::numeric_limits<int64_t>::max() / unit.bytes) break;
    return number * unit.bytes;
  }
  return absl::InvalidArgumentError("argument must be a memory value");
}

absl::Status ApplyConfigText(std::string_view text, std::string_view origin, Config& config) {
  return ApplyText(text, origin, 0, config);
}

absl::Status ApplyConfigFile(const std::string& path, Config& config) {
  return ApplyFile(path, 0, config);
}

absl::Status ApplyCommandLine(std::span<const std::string> words, Config& config) {
  size_t at = 0;
  if (!words.empty() && !IsOption(words[0])) {
    const absl::Status status = ApplyConfigFile(words[0], config);
    if (!status.ok()) return status;
    // Absolute, for CONFIG REWRITE comes after `dir` has taken effect.
    config.file = std::filesystem::absolute(words[0]).lexically_normal().string();
    at = 1;
  }
  while (at < words.size()) {
    if (!IsOption(words[at])) {
      return BadLine("command line", "expected an option like --port", words[at]);
    }
    size_t end = at + 1;
    while (end < words.size() && !IsOption(words[end])) ++end;
    const absl::Status status = ApplyGroup(words.subspan(at, end - at), config);
    if (!status.ok()) return status;
    at = end;
  }
  return absl::OkStatus();
}

std::string ConfigMarkdown() {
  std::string page =
      "# Configuration\n\n"
      "This page is generated: `lapse-server --print-config-docs > docs/configuration.md`.\n\n"
      "Directives have Redis's names and syntax. They come from a file, the first word of the\n"
      "command line; then from `--name value` on the command line; then from `CONFIG SET`, where\n"
      "the table says so. `CONFIG REWRITE` writes them back to the file.\n\n";
  page += MarkdownTable(ConfigEffect::kWorks);
  page +=
      "\n## Directives with one value\n\n"
      "What these turn on in Redis is not available, so any other value is refused.\n\n";
  page += MarkdownTable(ConfigEffect::kOneValue);
  page +=
      "\n## Directives without effect\n\n"
      "These are taken, so that a `redis.conf` need not be edited, and change nothing.\n\n";
  page += MarkdownTable(ConfigEffect::kNone);
  return page;
}

}  // namespace lapse
