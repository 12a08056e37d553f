#include "bench/lab/probe.h"

#include <algorithm>

#include "fmt/format.h"

namespace lapse {

Probe::Probe(Bed& bed, const Clock& clock, int64_t horizon_ms)
    : bed_(bed),
      clock_(clock),
      start_us_(clock.NowUs()),
      step_us_(std::max<int64_t>(horizon_ms * 1000 / static_cast<int64_t>(kCurvePoints), 1000)),
      last_us_(start_us_),
      held_(bed.Held()) {}

void Probe::Begin() {
  Look();
  start_us_ = last_us_;
  curve_.clear();
  drawn_us_ = -1;
}

void Probe::SetBatch(int64_t last_ms, int64_t keys, Batch batch) {
  Look();
  batch_us_ = (last_ms + 1) * 1000;
  batch_keys_ = keys;
  draws_batch_ = batch == Batch::kTogether;
  if (!draws_batch_) return;
  curve_.clear();
  drawn_us_ = -1;
}

void Probe::Look() {
  // In this order: whatever is alive afterwards was held before, even if another thread removes.
  const int64_t held = bed_.Held();
  const int64_t now_us = std::max(clock_.NowUs(), last_us_);
  const double alive = bed_.calendar().Advance(now_us);
  lingering_us_ += static_cast<double>(held_ + held) / 2 * static_cast<double>(now_us - last_us_);
  lingering_us_ -= alive;
  last_us_ = now_us;
  held_ = held;
  backlog_ = held - bed_.calendar().alive();
  peak_ = std::max(peak_, backlog_);
  least_ = std::min(least_, backlog_);
  Mark(now_us);
  Draw(now_us);
}

void Probe::ClockStepped() {
  bed_.ClockStepped();
  // Curves and times go on from where they were.
  const int64_t stepped_us = clock_.NowUs() - last_us_;
  start_us_ += stepped_us;
  last_us_ += stepped_us;
  if (drawn_us_ >= 0) drawn_us_ += stepped_us;
}

bool Probe::Drained() const { return last_us_ >= batch_us_ && backlog_ <= 0; }

void Probe::Mark(int64_t now_us) {
  if (batch_us_ < 0 || now_us < batch_us_) return;
  for (size_t i = 0; i < kPercents.size(); ++i) {
    if (reached_s_[i] >= 0) continue;
    if (backlog_ * 100 > batch_keys_ * (100 - kPercents[i])) return;
    reached_s_[i] = static_cast<double>(now_us - batch_us_) / 1e6;
  }
}

// Against a batch, points lie closer together the closer they are to its deadline.
void Probe::Draw(int64_t now_us) {
  if (draws_batch_) {
    const int64_t after_us = now_us - batch_us_;
    if (after_us < 0) return;
    if (curve_.empty()) curve_.push_back({0, static_cast<double>(backlog_)});
    const int64_t drawn_us = drawn_us_ - batch_us_;
    if (drawn_us_ >= batch_us_ && after_us < drawn_us + std::max<int64_t>(drawn_us / 40, 500)) {
      if (backlog_ > 0 || curve_.empty() || curve_.back().y <= 0) return;
    }
    curve_.push_back({static_cast<double>(after_us) / 1e6, static_cast<double>(backlog_)});
  } else {
    if (drawn_us_ >= 0 && now_us < drawn_us_ + step_us_) return;
    curve_.push_back(
        {static_cast<double>(now_us - start_us_) / 1e6, static_cast<double>(backlog_)});
  }
  drawn_us_ = now_us;
}

void Probe::Report(Sample& sample) const {
  sample.after_deadline = draws_batch_;
  sample.backlog = curve_;
  const int64_t zero_us = draws_batch_ ? batch_us_ : start_us_;
  sample.backlog.push_back(
      {static_cast<double>(last_us_ - zero_us) / 1e6, static_cast<double>(backlog_)});
  sample.Set(Metric::kLingering, lingering_us_ / 1e6);
  sample.Set(Metric::kPeakKeys, peak_);
  sample.Set(Metric::kLeft, backlog_);
  const KeyspaceTotals totals = bed_.keyspace().Totals();
  constexpr Metric kTimes[] = {Metric::kTime50, Metric::kTime90, Metric::kTime99, Metric::kTime100};
  for (size_t i = 0; i < kPercents.size(); ++i) {
    if (reached_s_[i] >= 0) sample.Set(kTimes[i], reached_s_[i]);
  }
  sample.Set(Metric::kLazy, totals.expired_lazy);
  if (least_ < 0) {
    sample.violations.push_back(
        fmt::format("{} keys fewer than ought to live were held at a time", -least_));
  }
}

}  // namespace lapse
