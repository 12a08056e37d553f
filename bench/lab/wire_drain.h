// Watches expired keys go: from a quiet period before their deadline until the last is gone.
//
//        |<- quiet ->|<----------- drain ----------->|
//   -----+-----------+------------------------+------+-----> t
//      probe starts  deadline                 99 %   100 %, or the timeout
//
// DBSIZE, asked 20 times a second, counts keys that are still held, expired or not; so times are
// good to 50 ms. The quiet period yields the CPU time that asking, probing and whatever load there
// is cost the server; what the drain takes above that belongs to the removed keys.
//
// Thread: one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "bench/lab/wire_histogram.h"
#include "bench/lab/wire_report.h"
#include "bench/lab/wire_server.h"

namespace lapse::wire {

struct Usage {
  double rss_mb = 0;
  double used_mb = 0;
};
Usage UsageOf(MeasuredServer& server, Client& client);

struct DrainPlan {
  int64_t deadline_ms = 0;  // wall clock, of the last key
  int64_t due_keys = 0;
  double quiet_seconds = 1;
  double timeout_seconds = 30;
};

struct Drain {
  static constexpr std::array<int, 4> kPercents = {50, 90, 99, 100};

  double quiet_cpu_ms = 0;  // a second
  std::array<std::optional<double>, 4> seconds_to;
  double gone_percent = 0;
  std::optional<double> cpu_us_per_key;  // nothing when hardly a key went
  Histogram quiet;
  Histogram during;
  Usage before;
  Usage after;

  void AppendTo(Row& row) const;
};

// Blocks until the keys are gone or the timeout is over. Fails when the quiet period should have
// begun already: loading took too long.
absl::StatusOr<Drain> WatchDrain(MeasuredServer& server, const DrainPlan& plan);

// GETs at a given rate, a pipeline each millisecond, as a background to other measurements.
class PacedLoad {
 public:
  static absl::StatusOr<std::unique_ptr<PacedLoad>> Start(int port, int64_t per_second,
                                                          int64_t keys);
  ~PacedLoad();
  PacedLoad(const PacedLoad&) = delete;
  PacedLoad& operator=(const PacedLoad&) = delete;

  // What it has come to so far; less than it was told when the server does not keep up.
  double PerSecond() const;

 private:
  PacedLoad() = default;

  int64_t start_ns_ = 0;
  std::atomic<int64_t> answered_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace lapse::wire
