#include "bench/lab/due_calendar.h"

#include <algorithm>

namespace lapse {

DueCalendar::DueCalendar(int64_t from_ms, int64_t until_ms, int64_t now_us)
    : from_ms_(from_ms), cursor_us_(now_us), due_(static_cast<size_t>(until_ms - from_ms)) {}

void DueCalendar::Add(int64_t deadline_ms) {
  if (!Alive(deadline_ms)) {
    ++dead_;
    return;
  }
  ++alive_;
  if (Covers(deadline_ms)) ++due_[static_cast<size_t>(deadline_ms - from_ms_)];
}

void DueCalendar::Remove(int64_t deadline_ms) {
  --alive_;
  if (Covers(deadline_ms)) --due_[static_cast<size_t>(deadline_ms - from_ms_)];
}

double DueCalendar::Advance(int64_t to_us) {
  double integral = 0;
  while (cursor_us_ / 1000 < to_us / 1000) {
    const int64_t ms = cursor_us_ / 1000;
    integral += static_cast<double>(alive_) * static_cast<double>((ms + 1) * 1000 - cursor_us_);
    cursor_us_ = (ms + 1) * 1000;
    if (!Covers(ms)) continue;
    uint32_t& due = due_[static_cast<size_t>(ms - from_ms_)];
    alive_ -= due;
    dead_ += due;
    due = 0;
  }
  if (to_us > cursor_us_) {
    integral += static_cast<double>(alive_) * static_cast<double>(to_us - cursor_us_);
    cursor_us_ = to_us;
  }
  return integral;
}

void DueCalendar::Reset(int64_t now_us, std::span<const int64_t> deadlines) {
  std::fill(due_.begin(), due_.end(), 0);
  alive_ = dead_ = 0;
  cursor_us_ = now_us;
  for (const int64_t deadline : deadlines) {
    if (deadline != kAbsent && Alive(deadline)) Add(deadline);
  }
}

}  // namespace lapse
