// `lapse-lab wire throughput`: what a command costs each server.
//
//   for each thread count: start all servers, load them
//     for each test and pipeline: for each round: every server once, in turn
//
// The figures of a cell lie within seconds of each other, and a disturbance of some seconds hits
// every server. The ratios are those of the medians.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "bench/lab/wire_drain.h"
#include "bench/lab/wire_generator.h"
#include "bench/lab/wire_report.h"
#include "bench/lab/wire_runs.h"
#include "bench/lab/wire_server.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

using Servers = std::vector<std::unique_ptr<MeasuredServer>>;

struct Plan {
  int64_t rounds;
  int64_t keys;
  double sample_seconds;
  std::vector<int64_t> threads;
};

Plan PlanOf(const Options& options) {
  const bool quick = options.quick;
  const auto either = [](auto given, auto otherwise) { return given > 0 ? given : otherwise; };
  return {either(options.rounds, int64_t{quick ? 3 : 5}),
          std::min(either(options.keys, int64_t{quick ? 200'000 : 1'000'000}), kMaxHotKeys),
          either(options.sample_seconds, quick ? 0.08 : 1.0),
          Or(options.threads, quick ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 2})};
}

// One test at one pipeline.
struct Cell {
  std::string test;
  int64_t pipeline;
};

// What a round of it gave one server.
struct Sample {
  double cpu_us = 0;
  double ops = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double others_percent = 0;  // of the machine, used by neither server nor generator
};

absl::StatusOr<Sample> TakeSample(MeasuredServer& server, const Cell& cell, const Plan& plan) {
  absl::StatusOr<std::unique_ptr<Generator>> generator = Generator::Open(server.port());
  if (!generator.ok()) return generator.status();
  RequestSource source(cell.test, cell.pipeline, plan.keys);
  // Wakes the connections up on both sides.
  if (const auto warm = (*generator)->Run(source, plan.sample_seconds / 10); !warm.ok()) {
    return warm.status();
  }
  const int64_t cpu = server.CpuNs();
  const double own = OwnCpuSeconds();
  const double busy = MachineBusySeconds();
  const int64_t begin = SteadyNs();
  const absl::StatusOr<LoadResult> load = (*generator)->Run(source, plan.sample_seconds);
  if (!load.ok()) return load.status();
  const double cpu_seconds = static_cast<double>(server.CpuNs() - cpu) / 1e9;
  const double seconds = static_cast<double>(SteadyNs() - begin) / 1e9;
  const double others = MachineBusySeconds() - busy - cpu_seconds - (OwnCpuSeconds() - own);
  if (load->errors > 0) return absl::FailedPreconditionError(load->first_error);
  const auto commands = static_cast<double>(load->commands);
  const Histogram& latency = load->batch_latency;
  return Sample{
      cpu_seconds / commands * 1e6,
      commands / load->seconds,
      latency.PercentileMs(0.5),
      latency.PercentileMs(0.99),
      latency.PercentileMs(0.999),
      std::max(0.0, 100 * others / seconds / std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)))};
}

double MedianOf(const std::vector<Sample>& samples, double Sample::*field) {
  Series values;
  for (const Sample& sample : samples) values.push_back(sample.*field);
  return Median(std::move(values)).value_or(0);
}

Usage UsageNow(MeasuredServer& server) {
  absl::StatusOr<Client> client = Client::Connect(server.port());
  return client.ok() ? UsageOf(server, *client) : Usage{};
}

std::vector<Row> RowsOf(const Cell& cell, int64_t threads, const Servers& servers,
                        const std::vector<std::vector<Sample>>& samples) {
  const auto cpu_of = [&](std::string_view name) -> std::optional<double> {
    for (size_t i = 0; i < servers.size(); ++i) {
      if (servers[i]->name() == name && !samples[i].empty()) {
        return MedianOf(samples[i], &Sample::cpu_us);
      }
    }
    return std::nullopt;
  };
  std::vector<Row> rows;
  for (size_t i = 0; i < servers.size(); ++i) {
    if (samples[i].empty()) continue;
    const double cpu = MedianOf(samples[i], &Sample::cpu_us);
    Series all;
    for (const Sample& sample : samples[i]) all.push_back(sample.cpu_us);
    const auto ratio_to = [&](std::string_view name) -> std::optional<double> {
      const std::optional<double> base = cpu_of(name);
      return base && *base > 0 ? std::optional<double>(cpu / *base) : std::nullopt;
    };
    Row row;
    row.Word("test", cell.test).Word("P", std::to_string(cell.pipeline));
    row.Word("threads", std::to_string(threads)).Word("server", servers[i]->name());
    row.Figure("CPU us:median", cpu)
        .Figure("CPU us:least", *std::min_element(all.begin(), all.end()));
    row.Figure("times:limit-asio", ratio_to("limit-asio"));
    row.Figure("times:limit-epoll", ratio_to("limit-epoll"))
        .Figure("times:redis", ratio_to("redis"));
    row.Figure("ops/s", MedianOf(samples[i], &Sample::ops));
    row.Figure("ms:p50", MedianOf(samples[i], &Sample::p50_ms));
    row.Figure("ms:p99", MedianOf(samples[i], &Sample::p99_ms));
    row.Figure("ms:p99.9", MedianOf(samples[i], &Sample::p999_ms));
    const Usage usage = UsageNow(*servers[i]);
    row.Figure("MB:RSS", usage.rss_mb).Figure("MB:used", usage.used_mb);
    row.Figure("others %", MedianOf(samples[i], &Sample::others_percent));
    row.List("rounds CPU us", std::move(all));
    rows.push_back(std::move(row));
  }
  return rows;
}

// Every server once a round, beginning with another one each time.
std::vector<Row> MeasureCell(const Cell& cell, int64_t threads, const Servers& servers,
                             const Plan& plan) {
  std::vector<std::vector<Sample>> samples(servers.size());
  for (int64_t round = 0; round < plan.rounds; ++round) {
    for (size_t i = 0; i < servers.size(); ++i) {
      const size_t turn = (i + static_cast<size_t>(round)) % servers.size();
      const absl::StatusOr<Sample> sample = TakeSample(*servers[turn], cell, plan);
      if (sample.ok()) {
        samples[turn].push_back(*sample);
      } else {
        fmt::print(stderr, "{} {} P{}: {}\n", servers[turn]->name(), cell.test, cell.pipeline,
                   std::string(sample.status().message()));
      }
    }
  }
  return RowsOf(cell, threads, servers, samples);
}

absl::Status LoadKeys(MeasuredServer& server, const Options& options, const Plan& plan) {
  absl::StatusOr<Client> client = Client::Connect(server.port());
  if (!client.ok()) return client.status();
  std::set<std::string_view> prefixes;
  for (const std::string& test : options.tests) prefixes.insert(PrefixOf(test));
  for (const std::string_view prefix : prefixes) {
    const Filling filling{
        .prefix = prefix, .count = plan.keys, .counters = prefix == PrefixOf("incr")};
    if (absl::Status status = Load(*client, filling); !status.ok()) return status;
  }
  return absl::OkStatus();
}

Servers StartServers(const Options& options, const Plan& plan, int64_t threads) {
  Servers servers;
  for (const ServerSpec& spec : ServersOf(options, true)) {
    auto server = MeasuredServer::Start(spec, {.threads = threads, .pinned = threads == 1});
    absl::Status status = server.status();
    if (status.ok()) status = LoadKeys(**server, options, plan);
    if (status.ok()) {
      servers.push_back(std::move(*server));
    } else {
      fmt::print(stderr, "{} is left out: {}\n", spec.name, std::string(status.message()));
    }
  }
  return servers;
}

std::string Explanation(const Plan& plan) {
  return fmt::format(
      "CPU us: user and system time of the server's process for each command, the median of {} "
      "rounds of {:.2g} s, and the least. times: the ratio of that to another server of the same "
      "run. "
      "{} connections, each sending P requests and waiting for their replies; latencies are those "
      "of P requests together. {} keys of 16 bytes, values of 64. With 1 thread, server and "
      "generator are pinned to a core each. MB: resident, and used_memory as INFO has it.",
      plan.rounds, plan.sample_seconds, Generator::kConnections, plan.keys);
}

}  // namespace

absl::Status RunThroughput(const Options& options) {
  const Plan plan = PlanOf(options);
  Report report{.run = "throughput", .facts = MachineFacts(), .tables = {}};
  Table table{.title = "CPU time a command", .explanation = Explanation(plan), .rows = {}};
  for (const int64_t threads : plan.threads) {
    PinTo(threads == 1 ? std::optional<int>(kLabCore) : std::nullopt);
    const Servers servers = StartServers(options, plan, threads);
    if (servers.empty()) return absl::UnavailableError("no server to measure");
    for (const auto& server : servers) {
      if (threads != plan.threads.front()) break;
      if (const std::string version = server->Version(); !version.empty()) {
        report.facts.emplace_back(server->name(), version);
      }
    }
    for (const std::string& test : options.tests) {
      for (const int64_t pipeline : options.pipelines) {
        std::vector<Row> rows = MeasureCell({test, pipeline}, threads, servers, plan);
        const std::string title = fmt::format("{}, P {}, {} thread(s)", test, pipeline, threads);
        fmt::print("{}\n", Markdown({.title = title, .explanation = "", .rows = rows}));
        std::fflush(stdout);
        table.rows.insert(table.rows.end(), rows.begin(), rows.end());
      }
    }
  }
  PinTo(std::nullopt);
  report.tables.push_back(std::move(table));
  return WriteReport(report, options.out, options.append);
}

}  // namespace lapse::wire
