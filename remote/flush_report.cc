#include "remote/flush_report.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "fmt/format.h"

namespace lapse {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBarColumns = 24;
constexpr std::chrono::seconds kSpeedOver{3};

// Three digits that matter.
std::string Digits(double value) {
  return fmt::format("{:.{}f}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

std::string Scaled(int64_t amount, double step, std::span<const std::string_view> units,
                   std::string_view gap) {
  auto value = static_cast<double>(amount);
  size_t unit = 0;
  while (std::abs(value) >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  if (unit == 0) return fmt::format("{}{}{}", amount, units[0].empty() ? "" : gap, units[0]);
  return fmt::format("{}{}{}", Digits(value), gap, units[unit]);
}

std::string Bar(double fraction) {
  const auto full = static_cast<size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * kBarColumns));
  return fmt::format("[{}{}]", std::string(full, '#'), std::string(kBarColumns - full, '.'));
}

// --- the table ---

using Row = std::array<std::string, 7>;
constexpr std::array<std::string_view, 7> kHeads = {"server", "result", "scanned", "expired",
                                                    "memory", "cpu",    "time"};

std::string Memory(int64_t before, int64_t after) {
  if (before == 0 && after == 0) return "-";
  return fmt::format("{} -> {}", ShortBytes(before), ShortBytes(after));
}

std::string Cpu(int64_t us) { return us == 0 ? "-" : ShortTime(milliseconds(us / 1000)); }

Row RowOf(const RemoteNodeResult& node) {
  return {node.address,
          std::string(RemoteFlushStateName(node.state)),
          ShortCount(node.scanned),
          ShortCount(node.expired),
          Memory(node.memory_before, node.memory_after),
          Cpu(node.server_cpu_us),
          ShortTime(milliseconds(node.finished_ms - node.started_ms))};
}

Row SumOf(std::span<const RemoteFlushResult> results) {
  RemoteFlushResult sum;
  int64_t first = results.front().started_ms, last = 0;
  size_t good = 0, rows = 0;
  const auto count = [&](RemoteFlushState state) {
    ++rows;
    good += state == RemoteFlushState::kSucceeded ? 1 : 0;
  };
  for (const RemoteFlushResult& result : results) {
    sum.scanned += result.scanned;
    sum.expired += result.expired;
    sum.memory_before += result.memory_before;
    sum.memory_after += result.memory_after;
    sum.server_cpu_us += result.server_cpu_us;
    if (result.started_ms > 0) first = std::min(first, result.started_ms);
    last = std::max(last, result.finished_ms);
    if (result.nodes.empty()) count(result.state);
    for (const RemoteNodeResult& node : result.nodes) count(node.state);
  }
  return {"all",
          fmt::format("{} of {}", good, rows),
          ShortCount(sum.scanned),
          ShortCount(sum.expired),
          Memory(sum.memory_before, sum.memory_after),
          Cpu(sum.server_cpu_us),
          ShortTime(milliseconds(std::max<int64_t>(last - first, 0)))};
}

// A row, or, with nothing but a first column, a line of text below the row before.
struct Line {
  Row row;
  bool is_note = false;
};

std::vector<Line> LinesOf(std::span<const RemoteFlushResult> results) {
  std::vector<Line> lines;
  size_t rows = 0;
  for (const RemoteFlushResult& result : results) {
    if (result.nodes.empty()) {
      lines.push_back({{result.target, std::string(RemoteFlushStateName(result.state)), "-", "-",
                        "-", "-", "-"}});
      lines.push_back({{result.reason}, true});
      ++rows;
    }
    for (const RemoteNodeResult& node : result.nodes) {
      lines.push_back({RowOf(node)});
      if (!node.reason.empty()) lines.push_back({{node.reason}, true});
      ++rows;
    }
  }
  if (rows > 1) lines.push_back({SumOf(results)});
  return lines;
}

void AppendRow(const Row& row, const std::array<size_t, 7>& widths, std::string& out) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    // Texts to the left, numbers to the right.
    line += i < 2 ? fmt::format("{:<{}}  ", row[i], widths[i])
                  : fmt::format("{:>{}}  ", row[i], widths[i]);
  }
  out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
}

// --- JSON ---

boost::json::object JsonOf(const RemoteNodeResult& node) {
  boost::json::object json;
  json["address"] = node.address;
  json["server"] = node.server;
  json["state"] = std::string(RemoteFlushStateName(node.state));
  json["reason"] = node.reason;
  json["method"] = std::string(RemoteFlushMethodName(node.method));
  json["db"] = boost::json::array(node.dbs.begin(), node.dbs.end());
  json["progress"] = node.fraction;
  const std::pair<const char*, int64_t> numbers[] = {
      {"scanned", node.scanned},
      {"expired", node.expired},
      {"orphans", node.orphans},
      {"bytes_freed", node.bytes_freed},
      {"left_behind", node.left_behind},
      {"keys_before", node.keys_before},
      {"keys_after", node.keys_after},
      {"expired_keys_before", node.expired_keys_before},
      {"expired_keys_after", node.expired_keys_after},
      {"memory_before", node.memory_before},
      {"memory_after", node.memory_after},
      {"rss_before", node.rss_before},
      {"rss_after", node.rss_after},
      {"server_cpu_us", node.server_cpu_us},
      {"calls", node.calls},
      {"slowest_call_us", node.slowest_call_us},
      {"slowed_ms", node.slowed_ms},
      {"reconnects", node.reconnects},
      {"started_at", node.started_ms},
      {"finished_at", node.finished_ms},
  };
  for (const auto& [name, value] : numbers) json[name] = value;
  return json;
}

boost::json::object JsonOf(const RemoteFlushResult& result) {
  boost::json::object json;
  json["target"] = result.target;
  json["state"] = std::string(RemoteFlushStateName(result.state));
  json["reason"] = result.reason;
  const std::pair<const char*, int64_t> numbers[] = {
      {"scanned", result.scanned},
      {"expired", result.expired},
      {"orphans", result.orphans},
      {"bytes_freed", result.bytes_freed},
      {"memory_before", result.memory_before},
      {"memory_after", result.memory_after},
      {"server_cpu_us", result.server_cpu_us},
      {"started_at", result.started_ms},
      {"finished_at", result.finished_ms},
  };
  for (const auto& [name, value] : numbers) json[name] = value;
  boost::json::array nodes;
  for (const RemoteNodeResult& node : result.nodes) nodes.push_back(JsonOf(node));
  json["nodes"] = std::move(nodes);
  return json;
}

}  // namespace

std::string ShortCount(int64_t count) {
  constexpr std::string_view kUnits[] = {"", "k", "M", "G", "T"};
  return Scaled(count, 1000, kUnits, "");
}

std::string ShortBytes(int64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  return Scaled(bytes, 1024, kUnits, " ");
}

std::string ShortTime(milliseconds time) {
  const int64_t ms = time.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  const int64_t seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{} m {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} m", seconds / 3600, seconds / 60 % 60);
}

std::string FlushProgressLine::Draw(std::chrono::steady_clock::time_point now, size_t columns) {
  RemoteFlushProgress sum;
  for (const RemoteFlushProgress& progress : latest_) {
    sum.fraction += progress.fraction / static_cast<double>(latest_.size());
    sum.scanned += progress.scanned;
    sum.expired += progress.expired;
    sum.memory_before += progress.memory_before;
    sum.memory += progress.memory;
    sum.cpu_percent = std::max(sum.cpu_percent, progress.cpu_percent);
    sum.slowed = sum.slowed || progress.slowed;
    sum.nodes += progress.nodes;
    sum.nodes_done += progress.nodes_done;
  }
  points_.push_back({now, sum.scanned, sum.fraction});
  while (points_.size() > 2 && now - points_.front().at > kSpeedOver) points_.pop_front();
  const Point& first = points_.front();
  const double seconds = std::chrono::duration<double>(now - first.at).count();
  std::string line =
      fmt::format("{} {:>3.0f} %", Bar(sum.fraction), std::floor(sum.fraction * 100));
  // What comes last is left out first where there is no room.
  const auto add = [&](const std::string& part) {
    if (line.size() + 2 + part.size() <= columns) line += "  " + part;
  };
  add(fmt::format("{} scanned", ShortCount(sum.scanned)));
  add(fmt::format("{} expired", ShortCount(sum.expired)));
  if (seconds > 0) {
    const double speed = static_cast<double>(sum.scanned - first.scanned) / seconds;
    add(fmt::format("{} keys/s", ShortCount(static_cast<int64_t>(speed))));
  }
  add(Memory(sum.memory_before, sum.memory));
  if (sum.cpu_percent > 0) {
    add(fmt::format("cpu {:.0f} %{}", sum.cpu_percent, sum.slowed ? " (slowed)" : ""));
  }
  const double gained = sum.fraction - first.fraction;
  if (seconds > 0 && gained > 0 && sum.fraction < 1) {
    const auto left = static_cast<int64_t>(std::ceil((1 - sum.fraction) / gained * seconds));
    add(left < 60 ? fmt::format("{} s left", left)
                  : fmt::format("{} left", ShortTime(std::chrono::seconds(left))));
  }
  if (sum.nodes > 1) add(fmt::format("{} of {} servers", sum.nodes_done, sum.nodes));
  return line.substr(0, columns);
}

std::string FlushTable(std::span<const RemoteFlushResult> results) {
  if (results.empty()) return "";
  const std::vector<Line> lines = LinesOf(results);
  Row heads;
  std::array<size_t, 7> widths = {};
  for (size_t i = 0; i < heads.size(); ++i) {
    heads[i] = kHeads[i];
    widths[i] = heads[i].size();
    for (const Line& line : lines) {
      if (!line.is_note) widths[i] = std::max(widths[i], line.row[i].size());
    }
  }
  std::string out;
  AppendRow(heads, widths, out);
  for (const Line& line : lines) {
    if (line.is_note) {
      out += fmt::format("    {}\n", line.row[0]);
    } else {
      AppendRow(line.row, widths, out);
    }
  }
  return out;
}

std::string FlushJson(std::span<const RemoteFlushResult> results) {
  boost::json::array targets;
  for (const RemoteFlushResult& result : results) targets.push_back(JsonOf(result));
  boost::json::object json;
  json["targets"] = std::move(targets);
  return boost::json::serialize(json) + '\n';
}

}  // namespace lapse
