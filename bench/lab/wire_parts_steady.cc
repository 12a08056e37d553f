// The parts without a deadline that all keys share: nothing expires, keys come and go, locks.

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "bench/lab/wire_parts.h"
#include "bench/lab/wire_requests.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr double kSettleSeconds = 0.3;
constexpr int64_t kTickNs = 10'000'000;
constexpr int64_t kTicksPerSecond = 100;

absl::StatusOr<Row> MeasureIdle(const PartContext& context, int64_t ttl_percent) {
  const int64_t keys = context.plan.keys;
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  const Usage empty = UsageOf(**server, *client);
  const int64_t far = WallMs() + kHourMs;
  const Filling filling{.count = keys, .deadline_ms = [far, ttl_percent](int64_t i) {
                          return i % 100 < ttl_percent ? far : 0;
                        }};
  if (absl::Status status = Load(*client, filling); !status.ok()) return status;
  SleepSeconds(kSettleSeconds);
  const Usage full = UsageOf(**server, *client);
  const int64_t cpu = (*server)->CpuNs();
  const int64_t begin = SteadyNs();
  SleepSeconds(context.plan.idle_seconds);
  const double cpu_share =
      static_cast<double>((*server)->CpuNs() - cpu) / static_cast<double>(SteadyNs() - begin);
  const double megakeys = static_cast<double>(keys) / 1e6;
  Row row = context.NewRow(fmt::format("{}, {} % with TTL", CountText(keys), ttl_percent));
  row.Figure("idle CPU ms/s", cpu_share * 1000);
  row.Figure("bytes/key:RSS", (full.rss_mb - empty.rss_mb) / megakeys);
  row.Figure("bytes/key:used", (full.used_mb - empty.used_mb) / megakeys);
  row.Figure("RSS MB", full.rss_mb).Figure("used MB", full.used_mb);
  return row;
}

// Writes at a fixed rate, and knows how many of the keys ought to be alive.
class Churn {
 public:
  Churn(const ExpiryPlan& plan, MeasuredServer& server, Client& client)
      : plan_(plan), server_(server), client_(client) {}

  struct Phase {
    double cpu_ms = 0;  // a second
    double mean_lingering = 0;
    double most_lingering = 0;
    double mean_held = 0;
    double writes_per_second = 0;
  };

  // With `expiring` keys live from churn_least_ms to churn_most_ms, otherwise an hour. Figures are
  // those of the time after `skip_seconds`.
  absl::StatusOr<Phase> Run(double seconds, double skip_seconds, bool expiring);

  // Seconds from the last deadline until the server holds nothing.
  std::optional<double> SecondsToEmpty();

 private:
  absl::Status WriteTick(bool expiring);
  int64_t AliveAt(int64_t wall_ms);

  const ExpiryPlan& plan_;
  MeasuredServer& server_;
  Client& client_;
  std::map<int64_t, int64_t> deadlines_;  // keys due at each millisecond, those to come
  int64_t written_ = 0;
  int64_t alive_ = 0;
  uint64_t random_ = 1;
};

absl::Status Churn::WriteTick(bool expiring) {
  const int64_t batch = std::max<int64_t>(1, plan_.churn_per_second / kTicksPerSecond);
  const auto span = static_cast<uint64_t>(plan_.churn_most_ms - plan_.churn_least_ms + 1);
  const std::string value(kValueBytes, 'v');
  const int64_t now = WallMs();
  std::string requests;
  for (int64_t i = 0; i < batch; ++i) {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    const int64_t ttl = plan_.churn_least_ms + static_cast<int64_t>((random_ >> 33) % span);
    const int64_t deadline = now + (expiring ? ttl : kHourMs);
    if (expiring) ++deadlines_[deadline];
    AppendRequest({"SET", KeyName("key:", written_ + i), value, "PXAT", std::to_string(deadline)},
                  requests);
  }
  written_ += batch;
  alive_ += batch;
  absl::Status status = client_.Send(requests);
  if (status.ok()) status = client_.AwaitReplies(batch);
  return status;
}

int64_t Churn::AliveAt(int64_t wall_ms) {
  while (!deadlines_.empty() && deadlines_.begin()->first < wall_ms) {
    alive_ -= deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
  }
  return alive_;
}

absl::StatusOr<Churn::Phase> Churn::Run(double seconds, double skip_seconds, bool expiring) {
  const auto ticks = static_cast<int64_t>(seconds * kTicksPerSecond);
  const auto skipped = static_cast<int64_t>(skip_seconds * kTicksPerSecond);
  Phase phase;
  int64_t looks = 0;
  int64_t cpu = server_.CpuNs();
  int64_t begin = SteadyNs();
  int64_t written = written_;
  int64_t at = begin;
  for (int64_t tick = 0; tick < ticks; ++tick, at += kTickNs) {
    SleepUntilNs(at);
    if (absl::Status status = WriteTick(expiring); !status.ok()) return status;
    if (tick == skipped) {
      cpu = server_.CpuNs();
      begin = SteadyNs();
      written = written_;
    }
    if (tick < skipped || tick % 5 != 0) continue;
    const auto held = static_cast<double>(client_.CountKeys());
    const double lingering = held - static_cast<double>(AliveAt(WallMs()));
    phase.mean_held += held;
    phase.mean_lingering += lingering;
    phase.most_lingering = std::max(phase.most_lingering, lingering);
    ++looks;
  }
  const double wall = static_cast<double>(SteadyNs() - begin) / 1e9;
  phase.cpu_ms = static_cast<double>(server_.CpuNs() - cpu) / 1e6 / wall;
  phase.writes_per_second = static_cast<double>(written_ - written) / wall;
  phase.mean_held /= static_cast<double>(std::max<int64_t>(1, looks));
  phase.mean_lingering /= static_cast<double>(std::max<int64_t>(1, looks));
  return phase;
}

std::optional<double> Churn::SecondsToEmpty() {
  const int64_t last = deadlines_.empty() ? WallMs() : deadlines_.rbegin()->first;
  while (WallMs() < last) SleepSeconds(0.01);
  const int64_t begin = SteadyNs();
  const int64_t end = begin + static_cast<int64_t>(plan_.timeout_seconds * 1e9);
  while (SteadyNs() < end) {
    if (client_.CountKeys() == 0) return static_cast<double>(SteadyNs() - begin) / 1e9;
    SleepSeconds(0.05);
  }
  return std::nullopt;
}

// Takes a lock and gives it back, for so many locks that no two are the same; with a TTL of an hour
// or without any.
absl::Status TakeAndRelease(Client& client, int64_t locks, bool with_ttl) {
  return ForEachKey(client, 2 * locks, [with_ttl](int64_t i, std::string& out) {
    const std::string name = KeyName("lock", i / 2);
    if (i % 2 != 0) {
      AppendRequest({"DEL", name}, out);
    } else if (with_ttl) {
      AppendRequest({"SET", name, "owner", "NX", "PX", "3600000"}, out);
    } else {
      AppendRequest({"SET", name, "owner", "NX"}, out);
    }
  });
}

// CPU us a lock, with a TTL and without, in turns.
struct LockCost {
  double with_ttl = 0;
  double without = 0;
  double per_second = 0;
};
absl::StatusOr<LockCost> MeasureLocks(MeasuredServer& server, Client& client, int64_t locks) {
  constexpr int kTurns = 5;
  LockCost cost;
  int64_t cpu_ns[2] = {0, 0};
  double seconds = 0;
  for (int turn = 0; turn < 2 * kTurns; ++turn) {
    const bool with_ttl = turn % 2 == 0;
    const int64_t cpu = server.CpuNs();
    const int64_t begin = SteadyNs();
    const absl::Status status = TakeAndRelease(client, locks / kTurns, with_ttl);
    if (!status.ok()) return status;
    cpu_ns[with_ttl ? 1 : 0] += server.CpuNs() - cpu;
    if (with_ttl) seconds += static_cast<double>(SteadyNs() - begin) / 1e9;
  }
  const auto done = static_cast<double>(locks / kTurns * kTurns);
  cost.with_ttl = static_cast<double>(cpu_ns[1]) / 1000 / done;
  cost.without = static_cast<double>(cpu_ns[0]) / 1000 / done;
  cost.per_second = done / seconds;
  return cost;
}

}  // namespace

absl::StatusOr<Rows> RunNothing(const PartContext& context) {
  Rows rows;
  for (const int64_t percent : {0, 50, 100}) {
    absl::StatusOr<Row> row = MeasureIdle(context, percent);
    if (!row.ok()) return row.status();
    rows.push_back(std::move(*row));
  }
  return rows;
}

absl::StatusOr<Rows> RunChurn(const PartContext& context) {
  const ExpiryPlan& plan = context.plan;
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  Churn churn(plan, **server, *client);
  const double longest = static_cast<double>(plan.churn_most_ms) / 1000;
  const auto control = churn.Run(plan.churn_seconds / 3, plan.churn_seconds / 10, false);
  if (!control.ok()) return control.status();
  client->Call({"FLUSHALL"});
  Churn expiring(plan, **server, *client);
  const auto steady = expiring.Run(plan.churn_seconds + longest, longest, true);
  if (!steady.ok()) return steady.status();
  const Usage usage = UsageOf(**server, *client);
  const std::optional<double> empty = expiring.SecondsToEmpty();

  Row row = context.NewRow(fmt::format("{} writes/s", CountText(plan.churn_per_second)));
  row.Figure("CPU ms/s:all", steady->cpu_ms).Figure("CPU ms/s:writing", control->cpu_ms);
  // In the steady state a key goes for each that comes.
  row.Figure("CPU us/key", (steady->cpu_ms - control->cpu_ms) * 1000 / steady->writes_per_second);
  row.Figure("keys held", steady->mean_held).Figure("lingering:mean", steady->mean_lingering);
  row.Figure("lingering:most", steady->most_lingering).Figure("s to empty", empty);
  row.Figure("RSS MB", usage.rss_mb).Figure("used MB", usage.used_mb);
  return Rows{row};
}

absl::StatusOr<Rows> RunLocks(const PartContext& context) {
  const int64_t locks = context.plan.keys;
  auto server = context.Start();
  if (!server.ok()) return server.status();
  absl::StatusOr<Client> client = Client::Connect((*server)->port());
  if (!client.ok()) return client.status();
  // The buffers of a pipeline are there before the count begins.
  if (absl::Status status = TakeAndRelease(*client, 1000, true); !status.ok()) return status;
  const Usage before = UsageOf(**server, *client);
  const absl::StatusOr<LockCost> cost = MeasureLocks(**server, *client, locks);
  if (!cost.ok()) return cost.status();
  SleepSeconds(kSettleSeconds);
  const Usage after = UsageOf(**server, *client);
  Row row = context.NewRow(fmt::format("{} locks", CountText(locks)));
  row.Figure("CPU us/lock:with TTL", cost->with_ttl).Figure("CPU us/lock:without", cost->without);
  row.Figure("times", cost->with_ttl / cost->without).Figure("locks/s", cost->per_second);
  row.Figure("RSS MB:before", before.rss_mb).Figure("RSS MB:after", after.rss_mb);
  row.Figure("used MB:before", before.used_mb).Figure("used MB:after", after.used_mb);
  row.Figure("keys left", static_cast<double>(client->CountKeys()));
  return Rows{row};
}

}  // namespace lapse::wire
