#include "bench/lab/wire_drain.h"

#include <algorithm>
#include <cstdlib>

#include "bench/lab/wire_probe.h"
#include "bench/lab/wire_requests.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr int64_t kPollNs = 50'000'000;
constexpr int64_t kMillisecondNs = 1'000'000;
// The drain's latencies are those of its first seconds, where the work is, and of half a second at
// least, so that a percentile means something.
constexpr int64_t kMostWatchedNs = 5'000'000'000;
constexpr int64_t kLeastWatchedNs = 500'000'000;
// Below this share of removed keys a cost for each would be noise.
constexpr double kLeastGonePercent = 5;
constexpr double kMegabyte = 1e6;

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

Usage UsageOf(MeasuredServer& server, Client& client) {
  const auto info = client.Info();
  const auto used = info.find("used_memory");
  const double used_bytes = used == info.end() ? 0 : std::atof(used->second.c_str());
  return {static_cast<double>(server.RssBytes()) / kMegabyte, used_bytes / kMegabyte};
}

void Drain::AppendTo(Row& row) const {
  for (size_t i = 0; i < kPercents.size(); ++i) {
    row.Figure(fmt::format("seconds to:{} %", kPercents[i]), seconds_to[i]);
  }
  row.Figure("gone %", gone_percent).Figure("CPU us/key", cpu_us_per_key);
  row.Figure("quiet CPU ms/s", quiet_cpu_ms);
  AppendLatencies(quiet, "quiet", row);
  AppendLatencies(during, "during", row);
  row.Figure("RSS MB:before", before.rss_mb).Figure("RSS MB:after", after.rss_mb);
  row.Figure("used MB:before", before.used_mb).Figure("used MB:after", after.used_mb);
}

absl::StatusOr<Drain> WatchDrain(MeasuredServer& server, const DrainPlan& plan) {
  absl::StatusOr<Client> client = Client::Connect(server.port());
  if (!client.ok()) return client.status();
  Drain out;
  out.before = UsageOf(server, *client);
  const int64_t full = client->CountKeys();
  const int64_t deadline_ns = SteadyNs() + (plan.deadline_ms - WallMs()) * kMillisecondNs;
  const int64_t quiet_ns = deadline_ns - static_cast<int64_t>(plan.quiet_seconds * 1e9);
  if (SteadyNs() > quiet_ns) return absl::DeadlineExceededError("loading took too long");
  SleepUntilNs(quiet_ns);

  auto probe = OpenLoopProbe::Start(server.port());
  if (!probe.ok()) return probe.status();
  const int64_t quiet_cpu = server.CpuNs();
  for (int64_t at = quiet_ns + kPollNs; at < deadline_ns; at += kPollNs) {
    client->CountKeys();
    SleepUntilNs(at);
  }
  const int64_t begin = SteadyNs();
  const int64_t begin_cpu = server.CpuNs();
  const double quiet_rate =
      static_cast<double>(begin_cpu - quiet_cpu) / static_cast<double>(begin - quiet_ns);

  const int64_t timeout_ns = deadline_ns + static_cast<int64_t>(plan.timeout_seconds * 1e9);
  int64_t gone = 0;
  int64_t now = begin;
  for (int64_t at = deadline_ns + kPollNs; gone < plan.due_keys && now < timeout_ns;
       at = std::max(at + kPollNs, now)) {
    SleepUntilNs(at);
    const int64_t held = client->CountKeys();
    if (held < 0) return absl::UnavailableError("the server stopped counting its keys");
    gone = full - held;
    now = SteadyNs();
    for (size_t i = 0; i < Drain::kPercents.size(); ++i) {
      const bool reached = gone * 100 >= plan.due_keys * Drain::kPercents[i];
      if (reached && !out.seconds_to[i]) out.seconds_to[i] = Seconds(now - deadline_ns);
    }
  }
  const double cpu_ns = static_cast<double>(server.CpuNs() - begin_cpu) -
                        quiet_rate * static_cast<double>(now - begin);
  const int64_t watched =
      deadline_ns + std::clamp(now - deadline_ns, kLeastWatchedNs, kMostWatchedNs);
  if (SteadyNs() < watched) SleepUntilNs(watched);
  (*probe)->Stop();
  out.quiet_cpu_ms = quiet_rate * 1000;
  out.gone_percent = 100.0 * static_cast<double>(gone) / static_cast<double>(plan.due_keys);
  if (out.gone_percent >= kLeastGonePercent) {
    out.cpu_us_per_key = cpu_ns / 1000 / static_cast<double>(gone);
  }
  out.quiet = (*probe)->Between(quiet_ns, deadline_ns);
  out.during = (*probe)->Between(deadline_ns, watched);
  out.after = UsageOf(server, *client);
  return out;
}

absl::StatusOr<std::unique_ptr<PacedLoad>> PacedLoad::Start(int port, int64_t per_second,
                                                            int64_t keys) {
  absl::StatusOr<Client> client = Client::Connect(port);
  if (!client.ok()) return client.status();
  std::unique_ptr<PacedLoad> load(new PacedLoad());
  const int64_t batch = std::max<int64_t>(1, per_second / 1000);
  load->start_ns_ = SteadyNs();
  load->thread_ =
      std::thread([raw = load.get(), client = std::move(*client), batch, keys]() mutable {
        RequestSource source("get", batch, keys);
        for (int64_t at = SteadyNs(); !raw->stop_.load(std::memory_order_relaxed);
             at += kMillisecondNs) {
          SleepUntilNs(at);
          if (!client.Send(source.Next()).ok() || !client.AwaitReplies(batch).ok()) return;
          raw->answered_.fetch_add(batch, std::memory_order_relaxed);
        }
      });
  return load;
}

double PacedLoad::PerSecond() const {
  return static_cast<double>(answered_.load(std::memory_order_relaxed)) /
         Seconds(SteadyNs() - start_ns_);
}

PacedLoad::~PacedLoad() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

}  // namespace lapse::wire
