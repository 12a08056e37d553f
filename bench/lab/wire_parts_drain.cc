// The parts in which keys fall due together and the server is watched removing them.

#include <algorithm>
#include <functional>
#include <optional>

#include "bench/lab/wire_generator.h"
#include "bench/lab/wire_parts.h"
#include "bench/lab/wire_requests.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

// Loading that took longer than thought is tried again on another server, with twice the time.
constexpr int kAttempts = 3;
constexpr double kCapacitySeconds = 0.3;
constexpr int64_t kCapacityPipeline = 16;
// What half a server's capacity is at most, so that the generator is not what is measured.
constexpr int64_t kMostPerSecond = 200'000;

struct Case {
  std::string name;
  int64_t live = 0;  // keys that stay
  int64_t due = 0;
  bool live_expires = false;  // they do have a TTL, of an hour
  bool half_load = false;
};

// Half of what the server answers when it does nothing else.
absl::StatusOr<int64_t> HalfCapacity(MeasuredServer& server, int64_t keys) {
  auto generator = Generator::Open(server.port());
  if (!generator.ok()) return generator.status();
  RequestSource source("get", kCapacityPipeline, keys);
  const absl::StatusOr<LoadResult> load = (*generator)->Run(source, kCapacitySeconds);
  if (!load.ok()) return load.status();
  const double rate = static_cast<double>(load->commands) / load->seconds / 2;
  return std::min(static_cast<int64_t>(rate), kMostPerSecond);
}

absl::StatusOr<Row> Attempt(const PartContext& context, const Case& what, int64_t lead_ms) {
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  Filling live{.prefix = "key:", .count = what.live};
  if (what.live_expires) live.deadline_ms = [at = WallMs() + kHourMs](int64_t) { return at; };
  if (absl::Status status = Load(*client, live); !status.ok()) return status;

  std::unique_ptr<PacedLoad> load;
  const int64_t deadline =
      WallMs() + lead_ms + static_cast<int64_t>(context.plan.quiet_seconds * 1000);
  const Filling due{
      .prefix = "due:", .count = what.due, .deadline_ms = [deadline](int64_t) { return deadline; }};
  if (absl::Status status = Load(*client, due); !status.ok()) return status;
  if (what.half_load) {
    const absl::StatusOr<int64_t> rate = HalfCapacity(**server, what.live);
    if (!rate.ok()) return rate.status();
    auto started = PacedLoad::Start((*server)->port(), *rate, what.live);
    if (!started.ok()) return started.status();
    load = std::move(*started);
  }
  const absl::StatusOr<Drain> drain =
      WatchDrain(**server, {.deadline_ms = deadline,
                            .due_keys = what.due,
                            .quiet_seconds = context.plan.quiet_seconds,
                            .timeout_seconds = context.plan.timeout_seconds});
  if (!drain.ok()) return drain.status();
  Row row = context.NewRow(what.name);
  row.Figure("GETs/s", load == nullptr ? 0 : load->PerSecond());
  drain->AppendTo(row);
  return row;
}

// A row of `attempt`, which is given the milliseconds it has for loading.
template <typename Function>
absl::StatusOr<Row> Persist(int64_t lead_ms, Function attempt) {
  absl::StatusOr<Row> row = attempt(lead_ms);
  for (int i = 1; i < kAttempts && absl::IsDeadlineExceeded(row.status()); ++i) {
    lead_ms *= 2;
    row = attempt(lead_ms);
  }
  return row;
}

absl::StatusOr<Rows> Measure(const PartContext& context, const std::vector<Case>& cases) {
  Rows rows;
  for (const Case& what : cases) {
    absl::StatusOr<Row> row =
        Persist(LoadingMs(what.due) + (what.half_load ? 1000 : 0),
                [&](int64_t lead_ms) { return Attempt(context, what, lead_ms); });
    if (!row.ok()) return row.status();
    rows.push_back(std::move(*row));
  }
  return rows;
}

// GETEX with PXAT, or PERSIST where the deadline is absent, of every key; returns CPU us for each.
absl::StatusOr<double> ExtendAll(MeasuredServer& server, Client& client, int64_t keys,
                                 std::optional<int64_t> deadline_ms) {
  const std::string deadline = std::to_string(deadline_ms.value_or(0));
  const int64_t cpu = server.CpuNs();
  const absl::Status status = ForEachKey(client, keys, [&](int64_t i, std::string& out) {
    if (deadline_ms) {
      AppendRequest({"GETEX", KeyName("key:", i), "PXAT", deadline}, out);
    } else {
      AppendRequest({"GETEX", KeyName("key:", i), "PERSIST"}, out);
    }
  });
  if (!status.ok()) return status;
  return static_cast<double>(server.CpuNs() - cpu) / 1000 / static_cast<double>(keys);
}

absl::StatusOr<Row> AttemptRefresh(const PartContext& context, int64_t lead_ms) {
  const int64_t keys = context.plan.keys;
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  if (absl::Status status = Load(*client, {.count = keys}); !status.ok()) return status;
  const auto persist = ExtendAll(**server, *client, keys, std::nullopt);
  if (!persist.ok()) return persist.status();
  const Filling filling{.count = keys,
                        .deadline_ms = [at = WallMs() + kHourMs](int64_t) { return at; }};
  if (absl::Status status = Load(*client, filling); !status.ok()) return status;
  const auto extend = ExtendAll(**server, *client, keys, WallMs() + 2 * kHourMs);
  if (!extend.ok()) return extend.status();
  const int64_t deadline =
      WallMs() + lead_ms + static_cast<int64_t>(context.plan.quiet_seconds * 1000);
  const auto shorten = ExtendAll(**server, *client, keys, deadline);
  if (!shorten.ok()) return shorten.status();
  const absl::StatusOr<Drain> drain =
      WatchDrain(**server, {.deadline_ms = deadline,
                            .due_keys = keys,
                            .quiet_seconds = context.plan.quiet_seconds,
                            .timeout_seconds = context.plan.timeout_seconds});
  if (!drain.ok()) return drain.status();
  Row row = context.NewRow(CountText(keys));
  row.Figure("CPU us:no TTL", *persist);
  row.Figure("CPU us:extend", *extend).Figure("CPU us:shorten", *shorten);
  drain->AppendTo(row);
  return row;
}

}  // namespace

int64_t LoadingMs(int64_t keys) { return 500 + keys * 4 / 1000; }

std::string CountText(int64_t count) {
  if (count >= 1'000'000 && count % 100'000 == 0) {
    return fmt::format("{:g} M", static_cast<double>(count) / 1e6);
  }
  if (count >= 10'000 && count % 1000 == 0) return fmt::format("{} k", count / 1000);
  return std::to_string(count);
}

absl::StatusOr<Rows> RunNeedle(const PartContext& context) {
  std::vector<Case> cases;
  for (const int64_t live : context.plan.needle_live) {
    cases.push_back(
        {.name = fmt::format("{} among {}", CountText(context.plan.needle_due), CountText(live)),
         .live = live,
         .due = context.plan.needle_due,
         .live_expires = true});
  }
  return Measure(context, cases);
}

absl::StatusOr<Rows> RunCliff(const PartContext& context) {
  const int64_t keys = context.plan.keys;
  const std::string name = CountText(keys);
  return Measure(
      context, {{.name = name + ", idle", .due = keys},
                {.name = name + ", half load", .live = keys / 10, .due = keys, .half_load = true}});
}

absl::StatusOr<Rows> RunRefresh(const PartContext& context) {
  const absl::StatusOr<Row> row = Persist(LoadingMs(context.plan.keys), [&](int64_t lead_ms) {
    return AttemptRefresh(context, lead_ms);
  });
  if (!row.ok()) return row.status();
  return Rows{*row};
}

}  // namespace lapse::wire
