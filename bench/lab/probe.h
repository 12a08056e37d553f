// Watches a bed through an experiment: the backlog from moment to moment, and what follows from it.
//
// Between two looks the number of keys held is taken to change evenly; how many ought to be alive
// is known to the millisecond. Lingering-key-seconds are the integral of the difference: a thousand
// keys that go ten seconds late are ten thousand, as are ten thousand keys that go one second late.
//
// A workload in which many keys fall due together names them as a batch; times count from its last
// deadline, which is also where its curve begins if they all have the same.
//
// Thread: one.
#pragma once

#include <array>
#include <cstdint>

#include "bench/lab/bed.h"
#include "bench/lab/metrics.h"

namespace lapse {

class Probe {
 public:
  // Points of a curve, at most about this many.
  static constexpr size_t kCurvePoints = 400;

  // `horizon_ms`: how long the experiment is going to take, for the curve's resolution.
  Probe(Bed& bed, const Clock& clock, int64_t horizon_ms);

  // Forgets the time before now, when nothing was there.
  void Begin();
  // Keys whose last deadline is last_ms. To be called when they are in, if all are set at once.
  // A batch whose deadlines are spread out is drawn from the beginning of the experiment.
  enum class Batch : uint8_t { kTogether, kSpread };
  void SetBatch(int64_t last_ms, int64_t keys, Batch batch = Batch::kTogether);
  // To be called before and after whatever removes or adds keys.
  void Look();
  // After a step of the wall clock: what was passed over has not happened.
  void ClockStepped();

  int64_t backlog() const { return backlog_; }
  // Whether the batch's deadlines have passed and no expired key is left.
  bool Drained() const;
  // Fills in what the watching has yielded.
  void Report(Sample& sample) const;

 private:
  static constexpr std::array<int, 4> kPercents = {50, 90, 99, 100};

  void Mark(int64_t now_us);
  void Draw(int64_t now_us);

  Bed& bed_;
  const Clock& clock_;
  int64_t start_us_;
  const int64_t step_us_;  // between two points of the curve
  int64_t last_us_;
  int64_t held_ = 0;
  int64_t backlog_ = 0;
  int64_t peak_ = 0;
  int64_t least_ = 0;
  double lingering_us_ = 0;

  int64_t batch_us_ = -1;  // when all of the batch is expired
  bool draws_batch_ = false;
  int64_t batch_keys_ = 0;
  std::array<double, 4> reached_s_ = {-1, -1, -1, -1};

  Curve curve_;
  int64_t drawn_us_ = -1;
};

}  // namespace lapse
