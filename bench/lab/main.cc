// lapse-lab: expiry strategies compared in one engine, and servers compared over their sockets.
//
//   lapse-lab list
//   lapse-lab run cliff --keys 1000000 --strategy hinted,sampled --runs 5 --out DIR
//   lapse-lab all [--quick] [--out DIR]
//   lapse-lab report [--out DIR] [--into PAGE]
//   lapse-lab selfcheck
//   lapse-lab wire ...
//
// Each run ends with a check of everything that the store holds against a model. When one fails,
// results are still written, and the exit status is 1.
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lab/report.h"
#include "bench/lab/results.h"
#include "bench/lab/runner.h"
#include "bench/lab/self_check.h"
#include "bench/lab/summary.h"
#include "bench/lab/wire.h"
#include "bench/lab/wire_page.h"
#include "bench/lab/workload.h"
#include "fmt/format.h"

namespace lapse {
namespace {

constexpr std::string_view kUsage =
    "usage: lapse-lab <command> [options]\n"
    "\n"
    "  list               the workloads and strategies\n"
    "  run WORKLOAD,..    run some workloads\n"
    "  all                run them all\n"
    "  report             render results.json and wire-*.json again\n"
    "  selfcheck          prove that the checks can fail\n"
    "  wire ...           compare servers over their sockets\n"
    "\n"
    "options of run and all:\n"
    "  --quick            small sizes, 3 runs: two minutes for all\n"
    "  --keys N           instead of each workload's own size\n"
    "  --runs N           5 by default\n"
    "  --strategy A,B     hinted, sampled-1, sampled-10, fullscan, off; sampled means both\n"
    "  --variant NAME     one case of a workload\n"
    "  --rate N           GETs a second of cliff-load; 200000 by default\n"
    "  --out DIR          build/lab-results by default\n"
    "options of report:\n"
    "  --out DIR          where the results are\n"
    "  --into PAGE        also put the tables into the marked sections of this page\n";

constexpr int64_t kGetRate = 200'000;
constexpr int kQuickRuns = 3;
constexpr int kMostRuns = 1000;

struct Options {
  std::string command;
  std::vector<std::string> names;  // of workloads
  RunPlan plan;
  std::string out = "build/lab-results";
  std::string into;
};

int64_t NumberOf(std::string_view option, std::string_view text, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > most) {
    throw std::invalid_argument(fmt::format("{} takes a number of 1 to {}", option, most));
  }
  return number;
}

std::vector<std::string_view> Parts(std::string_view list) {
  std::vector<std::string_view> parts;
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    if (comma != std::string_view::npos) list.remove_prefix(comma + 1);
  }
  return parts;
}

std::vector<std::string> StrategiesOf(std::string_view text) {
  std::vector<std::string> strategies;
  for (const std::string_view name : Parts(text)) {
    if (name == "sampled") {
      strategies.insert(strategies.end(), {"sampled-1", "sampled-10"});
      continue;
    }
    bool known = false;
    for (const Contestant& contestant : kStrategyContestants) known |= contestant.name == name;
    if (!known) throw std::invalid_argument(fmt::format("no strategy is called '{}'", name));
    strategies.emplace_back(name);
  }
  return strategies;
}

Options Parse(std::span<const std::string> words) {
  constexpr int64_t kMostKeys = 1'000'000'000;
  Options options;
  options.command = words.front();
  options.plan.get_rate = kGetRate;
  int runs = 0;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      options.names.insert(options.names.end(), word);
      continue;
    }
    if (word == "--quick") {
      options.plan.quick = true;
      continue;
    }
    if (i + 1 == words.size()) throw std::invalid_argument(word + " takes a value");
    const std::string& value = words[++i];
    if (word == "--keys") {
      options.plan.keys = NumberOf(word, value, kMostKeys);
    } else if (word == "--runs") {
      runs = static_cast<int>(NumberOf(word, value, kMostRuns));
    } else if (word == "--rate") {
      options.plan.get_rate = NumberOf(word, value, kMostKeys);
    } else if (word == "--strategy") {
      options.plan.strategies = StrategiesOf(value);
    } else if (word == "--variant") {
      options.plan.variant = value;
    } else if (word == "--out") {
      options.out = value;
    } else if (word == "--into") {
      options.into = value;
    } else {
      throw std::invalid_argument("no option is called " + word);
    }
  }
  if (options.plan.quick) options.plan.runs = kQuickRuns;
  if (runs > 0) options.plan.runs = runs;
  return options;
}

int List() {
  for (const Workload& workload : Workloads()) {
    fmt::print("{:>2}  {:<12} {}\n", workload.number, workload.name, workload.shows);
    std::string cases;
    for (const Variant& variant : workload.variants) {
      if (!variant.name.empty()) cases += fmt::format(" {}", variant.name);
    }
    if (!cases.empty()) fmt::print("{:>16} cases:{}\n", "", cases);
    fmt::print("{:>16} {} keys, {} with --quick{}\n", "", workload.keys, workload.quick_keys,
               workload.scales ? "" : "; --keys does not apply");
  }
  fmt::print("\n{}.\n\nstrategies:", AbsentWorkloads());
  for (const Contestant& contestant : kStrategyContestants) fmt::print(" {}", contestant.name);
  fmt::print("\n");
  return 0;
}

int Run(Options options) {
  for (const std::string& list : options.names) {
    for (const std::string_view name : Parts(list)) {
      const Workload* const workload = FindWorkload(name);
      if (workload == nullptr) {
        throw std::invalid_argument(fmt::format("no workload is called '{}'", name));
      }
      options.plan.workloads.push_back(workload);
    }
  }
  if (options.command == "all") {
    for (const Workload& workload : Workloads()) options.plan.workloads.push_back(&workload);
  }
  if (options.plan.workloads.empty()) throw std::invalid_argument("run needs a workload's name");
  std::filesystem::create_directories(options.out);

  Results results;
  results.about = DescribeMachine();
  results.about.emplace_back("runs", std::to_string(options.plan.runs));
  results.about.emplace_back("GETs a second of cliff-load", std::to_string(options.plan.get_rate));
  if (options.plan.quick) results.about.emplace_back("sizes", "quick");
  results.samples = RunAll(options.plan);
  if (results.samples.empty()) throw std::invalid_argument("nothing is left to run");
  KeepTypicalCurves(results.samples, Workloads());
  WriteResults(results, options.out + "/results.json");
  WriteReport(results, options.out);

  int64_t wrong = 0;
  for (const Sample& sample : results.samples) wrong += sample.violations.empty() ? 0 : 1;
  fmt::print(stderr, "{} runs, {} of them wrong; {}/results.md\n", results.samples.size(), wrong,
             options.out);
  return wrong == 0 ? 0 : 1;
}

int Report(const Options& options) {
  const std::string path = options.out + "/results.json";
  const bool strategies = std::filesystem::exists(path);
  if (strategies) {
    const Results results = ReadResults(path);
    WriteReport(results, options.out);
    if (!options.into.empty()) InsertReport(results, options.out, options.into);
  }
  const bool servers = wire::RenderWire(options.out, options.into);
  if (!strategies && !servers) throw std::runtime_error("there are no results in " + options.out);
  return 0;
}

int Main(std::span<const std::string> words) {
  if (words.empty() || words.front() == "help" || words.front() == "--help") {
    fmt::print("{}", kUsage);
    return words.empty() ? 2 : 0;
  }
  if (words.front() == "wire") return RunWire(words.subspan(1));
  const Options options = Parse(words);
  if (options.command == "list") return List();
  if (options.command == "run" || options.command == "all") return Run(options);
  if (options.command == "report") return Report(options);
  if (options.command == "selfcheck") return SelfCheck() ? 0 : 1;
  throw std::invalid_argument(fmt::format("no command is called '{}'", options.command));
}

}  // namespace
}  // namespace lapse

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    return lapse::Main(words);
  } catch (const std::invalid_argument& problem) {
    fmt::print(stderr, "lapse-lab: {}\n", problem.what());
    return 2;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "lapse-lab: {}\n", problem.what());
    return 1;
  }
}
