#include "bench/lab/wire_probe.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "bench/lab/wire_client.h"
#include "bench/lab/wire_server.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr std::string_view kRequest = "*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n";
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr size_t kReadBytes = size_t{64} << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<OpenLoopProbe>> OpenLoopProbe::Start(int port) {
  const int fd = ConnectTo(port);
  if (fd < 0) return absl::UnavailableError("the probe cannot connect");
  std::unique_ptr<OpenLoopProbe> probe(new OpenLoopProbe(fd));
  probe->start_ns_ = SteadyNs();
  probe->thread_ = std::thread([raw = probe.get()] { raw->Run(); });
  return probe;
}

void OpenLoopProbe::Stop() {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
  close(fd_);
}

void OpenLoopProbe::Run() {
  prctl(PR_SET_TIMERSLACK, 1);  // nanosecond, where 50 microseconds are the default
  while (!stop_.load(std::memory_order_relaxed) && sent_ < kMaxSamples) {
    const int64_t now = SteadyNs();
    if (!SendDue(now)) return;
    const int64_t next = start_ns_ + static_cast<int64_t>(sent_) * kPeriodNs;
    if (!ReadReplies(std::max<int64_t>(0, next - SteadyNs()))) return;
  }
  const int64_t end = SteadyNs() + kLastPatienceNs;
  while (latencies_ns_.size() < sent_ && SteadyNs() < end) {
    if (!ReadReplies(kPeriodNs)) return;
  }
}

// All requests whose time has come, in one go if they are several.
bool OpenLoopProbe::SendDue(int64_t now_ns) {
  const auto due = static_cast<size_t>((now_ns - start_ns_) / kPeriodNs + 1);
  std::string requests;
  for (; sent_ < std::min(due, kMaxSamples); ++sent_) requests += kRequest;
  std::string_view rest = requests;
  while (!rest.empty()) {
    const ssize_t n = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    rest.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// Waits so long for replies, then takes those that are there. The probed key does not exist, so
// that a reply is five bytes.
bool OpenLoopProbe::ReadReplies(int64_t patience_ns) {
  pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
  const timespec patience{.tv_sec = patience_ns / kSecondNs, .tv_nsec = patience_ns % kSecondNs};
  if (ppoll(&wanted, 1, &patience, nullptr) <= 0) return true;
  std::array<char, kReadBytes> piece;
  const ssize_t n = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (n <= 0) return false;
  const int64_t now = SteadyNs();
  const auto ends = std::count(piece.data(), piece.data() + n, '\n');
  for (int64_t i = 0; i < ends; ++i) {
    const auto scheduled = start_ns_ + static_cast<int64_t>(latencies_ns_.size()) * kPeriodNs;
    latencies_ns_.push_back(now - scheduled);
  }
  return true;
}

Histogram OpenLoopProbe::Between(int64_t from_ns, int64_t to_ns) const {
  Histogram out;
  for (size_t i = 0; i < latencies_ns_.size(); ++i) {
    const int64_t scheduled = start_ns_ + static_cast<int64_t>(i) * kPeriodNs;
    if (scheduled >= from_ns && scheduled < to_ns) out.Add(latencies_ns_[i]);
  }
  return out;
}

void AppendLatencies(const Histogram& latencies, std::string_view prefix, Row& row) {
  const auto figure = [&](std::string_view name, double value) {
    row.Figure(fmt::format("{} ms:{}", prefix, name),
               latencies.count() > 0 ? std::optional<double>(value) : std::nullopt);
  };
  figure("p50", latencies.PercentileMs(0.5));
  figure("p99", latencies.PercentileMs(0.99));
  figure("p99.9", latencies.PercentileMs(0.999));
  figure("max", latencies.max_ms());
}

}  // namespace lapse::wire
