// FLUSHEXPIREKEYS against what a client can do without it: SCAN over everything, which makes the
// server look at each key and delete those that have expired.
//
// Background expiry is off (DEBUG SET-ACTIVE-EXPIRE 0), half of the keys are expired, and the probe
// runs: what matters is not only how long it takes but what others feel meanwhile.

#include <ctime>
#include <string_view>

#include "bench/lab/wire_parts.h"
#include "bench/lab/wire_probe.h"
#include "bench/lab/wire_requests.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

enum class Way : uint8_t { kCommand, kScanLoop };

constexpr std::string_view kNameOf[] = {"FLUSHEXPIREKEYS", "SCAN loop"};

absl::Status StatusOf(const Reply& reply) {
  return reply.IsError() ? absl::FailedPreconditionError(reply.text) : absl::OkStatus();
}

// Bounded: a scan that does not end is a broken server.
absl::Status ScanAll(Client& client, int64_t keys) {
  std::string cursor = "0";
  for (int64_t calls = 0; calls < 10 * keys; ++calls) {
    const Reply reply = client.Call({"SCAN", cursor, "COUNT", "1000"});
    if (absl::Status status = StatusOf(reply); !status.ok()) return status;
    if (reply.elements.size() != 2) return absl::DataLossError("a strange reply to SCAN");
    cursor = reply.elements[0].text;
    if (cursor == "0") return absl::OkStatus();
  }
  return absl::DeadlineExceededError("SCAN does not end");
}

absl::Status RemoveBy(Way way, Client& client, int64_t keys) {
  if (way == Way::kScanLoop) return ScanAll(client, keys);
  return StatusOf(client.Call({"FLUSHEXPIREKEYS", "SYNC"}));
}

int64_t ThreadCpuNs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Half of the keys stay, half are expired and nobody has noticed.
absl::Status Prepare(Client& client, int64_t half) {
  absl::Status status = StatusOf(client.Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}));
  status.Update(Load(client, {.prefix = "key:", .count = half}));
  const int64_t deadline = WallMs() + LoadingMs(half);
  status.Update(Load(client, {.prefix = "due:", .count = half, .deadline_ms = [deadline](int64_t) {
                                return deadline;
                              }}));
  while (status.ok() && WallMs() <= deadline) SleepSeconds(0.01);
  return status;
}

absl::StatusOr<Row> MeasureFlush(const PartContext& context, Way way) {
  const int64_t half = context.plan.keys / 2;
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  if (absl::Status status = Prepare(*client, half); !status.ok()) return status;
  const Usage before = UsageOf(**server, *client);

  auto probe = OpenLoopProbe::Start((*server)->port());
  if (!probe.ok()) return probe.status();
  const int64_t quiet = SteadyNs();
  const int64_t quiet_cpu = (*server)->CpuNs();
  SleepSeconds(context.plan.quiet_seconds);
  const int64_t held = client->CountKeys();
  const int64_t begin = SteadyNs();
  const int64_t begin_cpu = (*server)->CpuNs();
  const int64_t client_cpu = ThreadCpuNs();
  if (absl::Status status = RemoveBy(way, *client, 2 * half); !status.ok()) return status;
  const int64_t end = SteadyNs();
  const int64_t end_cpu = (*server)->CpuNs();
  const double client_seconds = static_cast<double>(ThreadCpuNs() - client_cpu) / 1e9;
  const int64_t left = client->CountKeys();
  (*probe)->Stop();

  const double quiet_rate =
      static_cast<double>(begin_cpu - quiet_cpu) / static_cast<double>(begin - quiet);
  const double cpu_ns =
      static_cast<double>(end_cpu - begin_cpu) - quiet_rate * static_cast<double>(end - begin);
  const Usage after = UsageOf(**server, *client);
  Row row = context.NewRow(fmt::format("{} of {} expired, {}", CountText(half), CountText(2 * half),
                                       kNameOf[static_cast<size_t>(way)]));
  row.Figure("seconds", static_cast<double>(end - begin) / 1e9);
  row.Figure("removed", static_cast<double>(held - left));
  row.Figure("expired left", static_cast<double>(left - half));
  row.Figure("CPU us/removed",
             held > left ? std::optional<double>(cpu_ns / 1000 / static_cast<double>(held - left))
                         : std::nullopt);
  row.Figure("client CPU s", client_seconds);
  AppendLatencies((*probe)->Between(quiet, begin), "quiet", row);
  AppendLatencies((*probe)->Between(begin, end), "during", row);
  row.Figure("RSS MB:before", before.rss_mb).Figure("RSS MB:after", after.rss_mb);
  row.Figure("used MB:before", before.used_mb).Figure("used MB:after", after.used_mb);
  return row;
}

absl::StatusOr<bool> KnowsFlush(const PartContext& context) {
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  return !client->Call({"FLUSHEXPIREKEYS", "HISTORY", "1"}).IsError();
}

}  // namespace

absl::StatusOr<Rows> RunFlush(const PartContext& context) {
  Rows rows;
  const absl::StatusOr<bool> knows = KnowsFlush(context);
  if (!knows.ok()) return knows.status();
  for (const Way way : {Way::kCommand, Way::kScanLoop}) {
    if (way == Way::kCommand && !*knows) continue;
    absl::StatusOr<Row> row = MeasureFlush(context, way);
    if (!row.ok()) return row.status();
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace lapse::wire
