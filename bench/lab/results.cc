#include "bench/lab/results.h"

#include <sys/utsname.h>

#include <boost/json.hpp>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "expiry/settings.h"
#include "fmt/format.h"
#include "server/core/version.h"

namespace lapse {
namespace json = boost::json;
namespace {

json::array CurveToJson(const Curve& curve) {
  json::array points;
  for (const Point& point : curve) points.push_back(json::array{point.x, point.y});
  return points;
}

Curve CurveFromJson(const json::value& value) {
  Curve curve;
  for (const json::value& point : value.as_array()) {
    curve.push_back({point.at(0).to_number<double>(), point.at(1).to_number<double>()});
  }
  return curve;
}

json::object ToJson(const Sample& sample) {
  json::object values;
  for (size_t i = 0; i < kMetrics; ++i) {
    if (sample.values[i]) values[InfoOf(static_cast<Metric>(i)).name] = *sample.values[i];
  }
  json::array violations;
  for (const std::string& violation : sample.violations) violations.emplace_back(violation);
  return {{"workload", sample.workload},
          {"variant", sample.variant},
          {"strategy", sample.strategy},
          {"run", sample.run},
          {"keys", sample.keys},
          {"after_deadline", sample.after_deadline},
          {"values", std::move(values)},
          {"backlog", CurveToJson(sample.backlog)},
          {"lag", CurveToJson(sample.lag)},
          {"violations", std::move(violations)}};
}

std::string Text(const json::value& value) { return std::string(value.as_string()); }

Sample FromJson(const json::value& value) {
  Sample sample;
  sample.workload = Text(value.at("workload"));
  sample.variant = Text(value.at("variant"));
  sample.strategy = Text(value.at("strategy"));
  sample.run = value.at("run").to_number<int>();
  sample.keys = value.at("keys").to_number<int64_t>();
  sample.after_deadline = value.at("after_deadline").as_bool();
  for (const auto& [name, number] : value.at("values").as_object()) {
    const std::optional<Metric> metric = FindMetric(name);
    if (metric) sample.Set(*metric, number.to_number<double>());
  }
  sample.backlog = CurveFromJson(value.at("backlog"));
  sample.lag = CurveFromJson(value.at("lag"));
  for (const json::value& violation : value.at("violations").as_array()) {
    sample.violations.push_back(Text(violation));
  }
  return sample;
}

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

std::string MemorySize() {
  std::ifstream info("/proc/meminfo");
  std::string name;
  int64_t kib = 0;
  info >> name >> kib;
  return fmt::format("{:.1f} GiB", static_cast<double>(kib) / (1024.0 * 1024.0));
}

std::string HugePages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  std::getline(file, text);
  return text.empty() ? "unknown" : text;
}

std::string Commit() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen("git -C '" LAPSE_SOURCE_DIR "' describe --always --dirty 2>/dev/null", "r"), pclose);
  char text[128] = {};
  if (pipe == nullptr || fgets(text, sizeof(text), pipe.get()) == nullptr) return "unknown";
  const std::string_view line = text;
  return std::string(line.substr(0, line.find('\n')));
}

std::string Today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts;
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &parts));
  return text;
}

std::string Load() {
  double averages[3] = {};
  if (getloadavg(averages, 3) != 3) return "unknown";
  return fmt::format("{:.1f} {:.1f} {:.1f}", averages[0], averages[1], averages[2]);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> DescribeMachine() {
  utsname system;
  uname(&system);
  return {
    {"date", Today()},
        {"machine",
         fmt::format("{} x {}, {}", std::thread::hardware_concurrency(), CpuModel(), MemorySize())},
        {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
        {"huge pages", HugePages()}, {"load before", Load()},
#if defined(__clang__)
        {"compiler", "clang " __clang_version__},
#else
        {"compiler", "gcc " __VERSION__},
#endif
    {
      "lapse", fmt::format("{} ({})", kVersion, Commit())
    }
  };
}

std::string SampleToJson(const Sample& sample) { return json::serialize(ToJson(sample)); }

Sample SampleFromJson(std::string_view text) { return FromJson(json::parse(text)); }

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return text.str();
}

void WriteText(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (!file) throw std::runtime_error("cannot write " + path);
}

Results ReadResults(const std::string& path) {
  const json::value value = json::parse(ReadText(path));
  Results results;
  for (const auto& [name, text] : value.at("about").as_object()) {
    results.about.emplace_back(name, Text(text));
  }
  for (const json::value& sample : value.at("samples").as_array()) {
    results.samples.push_back(FromJson(sample));
  }
  return results;
}

// A sample a line, so that a difference between two files can be read.
void WriteResults(const Results& results, const std::string& path) {
  json::object about;
  for (const auto& [name, text] : results.about) about[name] = text;
  std::string text = "{\"about\": " + json::serialize(about) + ",\n\"samples\": [";
  for (size_t i = 0; i < results.samples.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + SampleToJson(results.samples[i]);
  }
  WriteText(path, text + "\n]}\n");
}

}  // namespace lapse
