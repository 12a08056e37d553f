// How many keys ought to be alive at any moment, by the deadlines that the lab itself has set.
//
// This is the model that the store is compared with, and it knows nothing of the store: for each
// millisecond of the experiment it counts the keys whose deadline that is. As time passes, keys go
// from alive to dead; what the store holds beyond the living lingers. Since a key is expired when
// now > deadline, deadlines of millisecond m die at the beginning of millisecond m + 1.
//
// Invariant: alive() == number of Add minus number of Remove minus dead().
//
// Thread: one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lapse {

class DueCalendar {
 public:
  // A key that is not there, in a model of deadlines.
  static constexpr int64_t kAbsent = -1;

  // Deadlines in [from_ms, until_ms) are looked after; later ones are never reached.
  DueCalendar(int64_t from_ms, int64_t until_ms, int64_t now_us);

  // A key appears. When its deadline has passed already, it is dead at once.
  void Add(int64_t deadline_ms);
  // A living key goes or loses its deadline. Requires: alive(deadline_ms).
  void Remove(int64_t deadline_ms);
  bool Alive(int64_t deadline_ms) const { return deadline_ms >= cursor_us_ / 1000; }

  // Lets time pass; returns the integral of alive() over it, in keys times microseconds.
  double Advance(int64_t to_us);
  // Starts anew at another time, which may lie in the past, from the keys' deadlines.
  void Reset(int64_t now_us, std::span<const int64_t> deadlines);

  int64_t alive() const { return alive_; }
  int64_t dead() const { return dead_; }  // ever, since the last Reset

 private:
  bool Covers(int64_t deadline_ms) const {
    return deadline_ms >= from_ms_ && deadline_ms - from_ms_ < static_cast<int64_t>(due_.size());
  }

  const int64_t from_ms_;
  int64_t cursor_us_;
  int64_t alive_ = 0;
  int64_t dead_ = 0;
  std::vector<uint32_t> due_;  // by millisecond after from_ms_
};

}  // namespace lapse
