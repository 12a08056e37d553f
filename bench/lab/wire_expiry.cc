// `lapse-lab wire expiry`: for each part, for each round, every server in turn, each in a process
// of its own that has seen nothing before.

#include <algorithm>
#include <cstdio>
#include <string>

#include "bench/lab/wire_parts.h"
#include "bench/lab/wire_runs.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

struct Part {
  std::string_view name;
  absl::StatusOr<Rows> (*run)(const PartContext&);
  std::string_view explanation;
};

constexpr Part kParts[] = {
    {"nothing", RunNothing,
     "Keys whose TTL is an hour, or that have none: what they cost while nothing happens, and what "
     "they weigh (above the empty server)."},
    {"needle", RunNeedle,
     "Keys that fall due in one millisecond among others with a TTL of an hour. Seconds count from "
     "the deadline; `-` is not within the timeout. CPU above that of the quiet period."},
    {"churn", RunChurn,
     "New keys at a fixed rate that expire soon. `writing` is the CPU of the same writes with a "
     "far TTL; lingering keys are those held past their deadline."},
    {"cliff", RunCliff,
     "All keys fall due in one millisecond, with a probe alone and under half of the GETs that the "
     "server can answer (at most 200 k/s)."},
    {"refresh", RunRefresh,
     "Every key's TTL is moved by GETEX PXAT, first out, then in to one millisecond; then they go. "
     "Beside it GETEX PERSIST on the same keys while they had no TTL."},
    {"locks", RunLocks,
     "SET NX PX 3600000 and DEL, each lock under a name of its own; in turns with the same "
     "without PX."},
    {"flush", RunFlush,
     "Background expiry is off and half of the keys are expired; then all of these are removed by "
     "request, while the probe runs."},
};

ExpiryPlan PlanOf(const Options& options) {
  ExpiryPlan plan;
  if (options.quick) {
    plan.keys = 100'000;
    plan.quiet_seconds = 0.5;
    plan.timeout_seconds = 3;
    plan.idle_seconds = 0.6;
    plan.churn_seconds = 2;
    plan.churn_least_ms = 200;
    plan.churn_most_ms = 1'000;
  }
  if (options.keys > 0) plan.keys = options.keys;
  if (options.timeout_seconds > 0) plan.timeout_seconds = options.timeout_seconds;
  if (options.rounds > 0) plan.rounds = options.rounds;
  if (!options.threads.empty()) plan.threads = options.threads.front();
  plan.needle_live = options.quick
                         ? std::vector<int64_t>{plan.keys}
                         : std::vector<int64_t>{0, plan.keys / 100, plan.keys / 10, plan.keys};
  return plan;
}

Table MeasurePart(const Part& part, const ExpiryPlan& plan, std::span<const ServerSpec> servers) {
  Rows rows;
  for (int64_t round = 0; round < plan.rounds; ++round) {
    for (const ServerSpec& spec : servers) {
      const absl::StatusOr<Rows> got = part.run({plan, spec});
      if (got.ok()) {
        rows.insert(rows.end(), got->begin(), got->end());
      } else {
        fmt::print(stderr, "{} {}: {}\n", spec.name, part.name,
                   std::string(got.status().message()));
      }
    }
  }
  // Cases together, so that servers stand one below the other.
  rows = MergeRounds(rows);
  std::vector<std::string> cases;
  const auto case_of = [](const Row& row) { return std::get<std::string>(*row.Find("case")); };
  for (const Row& row : rows) {
    if (std::find(cases.begin(), cases.end(), case_of(row)) == cases.end()) {
      cases.push_back(case_of(row));
    }
  }
  const auto order = [&](const Row& row) {
    return std::find(cases.begin(), cases.end(), case_of(row)) - cases.begin();
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return order(a) < order(b); });
  return {.title = std::string(part.name),
          .explanation = std::string(part.explanation),
          .rows = std::move(rows)};
}

}  // namespace

absl::Status RunExpiry(const Options& options) {
  const ExpiryPlan plan = PlanOf(options);
  Report report{.run = "expiry", .facts = MachineFacts(), .tables = {}};
  report.facts.emplace_back("servers",
                            fmt::format("{} thread(s), {} round(s)", plan.threads, plan.rounds));
  PinTo(plan.threads == 1 ? std::optional<int>(kLabCore) : std::nullopt);
  const std::vector<ServerSpec> servers = ServersOf(options, false);
  for (const ServerSpec& spec : servers) {
    const PartContext context{plan, spec};
    const auto server = context.Start();
    if (!server.ok()) return server.status();
    report.facts.emplace_back(spec.name, (*server)->Version());
  }
  for (const Part& part : kParts) {
    const auto& wanted = options.parts;
    if (std::find(wanted.begin(), wanted.end(), part.name) == wanted.end()) continue;
    report.tables.push_back(MeasurePart(part, plan, servers));
    fmt::print("{}\n", Markdown(report.tables.back()));
    std::fflush(stdout);
    // What there is so far, should a later part take too long.
    absl::Status status = WriteReport(report, options.out, options.append);
    if (!status.ok()) return status;
  }
  PinTo(std::nullopt);
  return absl::OkStatus();
}

}  // namespace lapse::wire
