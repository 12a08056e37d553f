// The parts of `lapse-lab wire expiry`, each a workload given to a fresh server. One call measures
// one server once and returns its rows, one for each variant.
//
// Thread: the main thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/lab/wire_drain.h"
#include "bench/lab/wire_options.h"
#include "bench/lab/wire_report.h"
#include "bench/lab/wire_server.h"

namespace lapse::wire {

// How large everything is.
struct ExpiryPlan {
  int64_t threads = 1;
  int64_t rounds = 1;
  int64_t keys = 1'000'000;
  int64_t needle_due = 5'000;
  std::vector<int64_t> needle_live;
  double quiet_seconds = 3;
  double timeout_seconds = 30;
  double idle_seconds = 5;
  int64_t churn_per_second = 20'000;
  double churn_seconds = 30;
  int64_t churn_least_ms = 1'000;
  int64_t churn_most_ms = 10'000;
};

struct PartContext {
  const ExpiryPlan& plan;
  const ServerSpec& spec;

  absl::StatusOr<std::unique_ptr<MeasuredServer>> Start() const {
    return MeasuredServer::Start(spec, {.threads = plan.threads, .pinned = plan.threads == 1});
  }
  // A row that says whose it is.
  Row NewRow(std::string_view variant) const {
    Row row;
    row.Word("case", variant).Word("server", spec.name);
    return row;
  }
};

using Rows = std::vector<Row>;

absl::StatusOr<Rows> RunNothing(const PartContext& context);
absl::StatusOr<Rows> RunNeedle(const PartContext& context);
absl::StatusOr<Rows> RunChurn(const PartContext& context);
absl::StatusOr<Rows> RunCliff(const PartContext& context);
absl::StatusOr<Rows> RunRefresh(const PartContext& context);
absl::StatusOr<Rows> RunLocks(const PartContext& context);
absl::StatusOr<Rows> RunFlush(const PartContext& context);

// Milliseconds from now on in which that many keys are loaded with ease.
int64_t LoadingMs(int64_t keys);

inline constexpr int64_t kHourMs = 3'600'000;

// "1 M", "200 k", "5000".
std::string CountText(int64_t count);

}  // namespace lapse::wire
