// The cliff as clients see it: GETs at a fixed rate while everything falls due at once.
//
// This is the one workload by the system's clock. The loop is open: request i is meant to be sent
// at start + i / rate, whatever became of those before it, and its latency counts from then. So a
// stall of 5 ms shows in every request that should have been sent during it, and not only in the
// one that happened to be under way (no coordinated omission).
//
//   one-thread   the thread that answers the GETs is also the expiry driver, as an io thread of
//                the server is: it answers what is due, then offers the engine a slice
//   two-threads  the driver is a thread of its own, as in a program that embeds the library
//
// GETs go to keys drawn at random from all that were set, so that most of them meet an expired key
// sooner or later and remove it themselves: that is what keeps `off` from lingering for ever.
//
// Thread: RunCliffLoad makes the driver's thread and joins it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "bench/lab/runs.h"
#include "bench/lab/stage.h"

namespace lapse {
namespace {

constexpr int64_t kLeadMs = 200;          // of GETs before the deadline
constexpr int64_t kSpareMs = 300;         // between the last key and the first GET, at least
constexpr int64_t kCalendarMs = 600'000;  // in which everything happens
constexpr int64_t kTimedMs = 1000;        // after the deadline: what is reported
constexpr int64_t kLookUs = 2000;         // between two looks at the backlog
constexpr size_t kMostAtOnce = 64;        // GETs between two offers to the engine

// The driver of `two-threads`, as the library's own background thread.
class DriverThread {
 public:
  explicit DriverThread(ExpiryEngine& engine) : engine_(engine), thread_([this] { Run(); }) {}
  ~DriverThread() {
    stopping_.store(true);
    thread_.join();
  }

 private:
  void Run() {
    while (!stopping_.load()) {
      const int64_t wait_us = engine_.Drive(0, 1, false);
      if (wait_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
    }
  }

  ExpiryEngine& engine_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Sends GETs open-loop and notes how long each took from when it was meant to be sent.
class Foreground {
 public:
  Foreground(Bed& bed, const Clock& clock, int64_t rate, uint64_t seed)
      : bed_(bed),
        clock_(clock),
        interval_ns_(1e9 / static_cast<double>(rate)),
        start_ns_(clock.MonotonicNs()),
        random_(seed) {}

  // Notes latencies of requests meant for the time from now on.
  void Time() { timed_from_ns_ = clock_.MonotonicNs(); }
  void StopTiming() { timed_from_ns_ = std::numeric_limits<int64_t>::max(); }

  // Sends what ought to have been sent by now, kMostAtOnce at most; returns how many.
  size_t Send() {
    const Gate::Shared in(bed_.keyspace().gate());
    size_t sent = 0;
    int64_t now_ns = clock_.MonotonicNs();
    for (; sent < kMostAtOnce; ++sent) {
      const int64_t intended_ns =
          start_ns_ + static_cast<int64_t>(static_cast<double>(next_) * interval_ns_);
      if (intended_ns > now_ns) break;
      bed_.Read(random_() % bed_.size());
      now_ns = clock_.MonotonicNs();
      if (intended_ns >= timed_from_ns_) latencies_ns_.push_back(now_ns - intended_ns);
      ++next_;
    }
    return sent;
  }

  void Report(Sample& sample) {
    if (latencies_ns_.empty()) return;
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    const auto at = [this](double q) {
      const auto last = static_cast<double>(latencies_ns_.size() - 1);
      return static_cast<double>(latencies_ns_[static_cast<size_t>(q * last)]) / 1e3;
    };
    sample.Set(Metric::kLatencyP50, at(0.5));
    sample.Set(Metric::kLatencyP99, at(0.99));
    sample.Set(Metric::kLatencyP999, at(0.999));
    sample.Set(Metric::kLatencyMax, at(1));
  }

 private:
  Bed& bed_;
  const Clock& clock_;
  const double interval_ns_;
  const int64_t start_ns_;
  std::minstd_rand random_;
  int64_t next_ = 0;
  int64_t timed_from_ns_ = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> latencies_ns_;
};

// A bed whose keys are in, and the deadline of nine tenths of them; the others live on.
struct Filled {
  std::unique_ptr<Bed> bed;
  int64_t due_ms = 0;
};

// One attempt, with a deadline `times` as far away as setting the keys is expected to take. Null
// when it took longer than that.
std::optional<Filled> FillInTime(const Clock& clock, const RunSpec& spec, int64_t times) {
  const auto dying = static_cast<size_t>(spec.keys);
  const size_t living = dying / 10;
  Bed::Plan plan;
  plan.keys = dying + living;
  plan.from_ms = clock.NowMs();
  plan.until_ms = plan.from_ms + kCalendarMs;
  plan.seed = static_cast<uint64_t>(spec.run) + 1;
  Filled filled{std::make_unique<Bed>(clock, spec.contestant->Settings(), plan), 0};
  Bed& bed = *filled.bed;
  for (size_t i = 0; i < living; ++i) bed.Put(i, kNoDeadline);
  const int64_t took_ms = bed.now_ms() - plan.from_ms;
  filled.due_ms = bed.now_ms() + kSpareMs + kLeadMs + took_ms * 10 * times;
  for (size_t i = living; i < plan.keys; ++i) bed.Put(i, filled.due_ms);
  if (bed.now_ms() + kLeadMs >= filled.due_ms) return std::nullopt;
  return filled;
}

Filled Fill(const Clock& clock, const RunSpec& spec) {
  for (const int64_t times : {2, 4, 8, 16}) {
    std::optional<Filled> filled = FillInTime(clock, spec, times);
    if (filled) return std::move(*filled);
  }
  throw std::runtime_error("the machine is too busy: keys expired before all were set");
}

struct Schedule {
  int64_t due_ms = 0;
  int64_t end_ms = 0;
  bool drives = false;  // whether this thread is also the driver
};

// What the thread that answers GETs does all the time.
void Attend(Bed& bed, const Clock& clock, const Schedule& schedule, Foreground& foreground,
            Probe& probe) {
  int64_t next_drive_ns = 0;
  int64_t next_look_us = 0;
  bool timing = false;
  bool idle = false;
  for (int64_t now_us = clock.NowUs(); now_us < schedule.end_ms * 1000; now_us = clock.NowUs()) {
    if (!timing && now_us > schedule.due_ms * 1000) {
      timing = true;
      foreground.Time();
    }
    if (now_us > (schedule.due_ms + kTimedMs) * 1000) foreground.StopTiming();
    if (foreground.Send() > 0) idle = false;
    if (schedule.drives && clock.MonotonicNs() >= next_drive_ns) {
      const int64_t wait_us = bed.engine().Drive(0, 1, idle);
      next_drive_ns = clock.MonotonicNs() + wait_us * 1000;
      idle = true;
    }
    if (now_us >= next_look_us) {
      probe.Look();
      next_look_us = now_us + kLookUs;
    }
  }
}

}  // namespace

void RunCliffLoad(const RunSpec& spec, Sample& sample) {
  const bool two_threads = spec.variant->parameter != 0;
  const int64_t horizon_ms = spec.quick ? 1200 : 4000;
  const SystemClock clock;
  const Filled filled = Fill(clock, spec);
  Bed& bed = *filled.bed;
  const int64_t due = filled.due_ms;
  const auto keys = static_cast<double>(bed.Held());
  sample.Set(Metric::kBytesPerKey, static_cast<double>(bed.AccountedBytes()) / keys);
  sample.Set(Metric::kRssPerKey, static_cast<double>(bed.RssBytes()) / keys);
  const double entry_bytes = static_cast<double>(bed.keyspace().Totals().entry_bytes) / keys;

  std::this_thread::sleep_for(std::chrono::milliseconds(due - kLeadMs - bed.now_ms()));
  Probe probe(bed, clock, horizon_ms);
  probe.SetBatch(due, spec.keys);
  {
    std::optional<DriverThread> driver;
    if (two_threads) driver.emplace(bed.engine());
    Foreground foreground(bed, clock, spec.get_rate, static_cast<uint64_t>(spec.run) + 5);
    Attend(bed, clock, {due, due + horizon_ms, !two_threads}, foreground, probe);
    foreground.Report(sample);
  }
  probe.Look();
  probe.Report(sample);
  sample.Set(Metric::kPeakMegabytes, sample.Get(Metric::kPeakKeys).value_or(0) * entry_bytes / 1e6);
  const ExpiryCounters counters = bed.engine().counters();
  if (counters.reclaimed > 0) {
    sample.Set(Metric::kCpuPerKey, static_cast<double>(counters.cycle_cpu_ns) /
                                       static_cast<double>(counters.reclaimed));
  }
  ReportEngine(bed, sample);
}

}  // namespace lapse
