// What lapse-flush shows: a line while it works, a table at the end, or JSON.
//
// Thread: FlushProgressLine is for one thread at a time; the rest are pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "remote/flush.h"

namespace lapse {

// "812", "45.1k", "3.20M"
std::string ShortCount(int64_t count);
// "812 B", "45.1 KiB", "1.25 GiB"
std::string ShortBytes(int64_t bytes);
// "350 ms", "12.4 s", "3 m 20 s", "2 h 05 m"
std::string ShortTime(std::chrono::milliseconds time);

// [########............]  41 %  410k scanned  205k expired  98.1k keys/s  152 MiB -> 98.0 MiB ...
class FlushProgressLine {
 public:
  explicit FlushProgressLine(size_t targets) : latest_(targets) {}

  void Update(size_t target, const RemoteFlushProgress& progress) { latest_[target] = progress; }
  // One line of at most `columns` characters, without its end. Speed is taken over the last calls.
  std::string Draw(std::chrono::steady_clock::time_point now, size_t columns);

 private:
  struct Point {
    std::chrono::steady_clock::time_point at;
    int64_t scanned;
    double fraction;
  };

  std::vector<RemoteFlushProgress> latest_;
  std::deque<Point> points_;
};

// A row a node, what went wrong below it, and a sum when there are several.
std::string FlushTable(std::span<const RemoteFlushResult> results);

// One JSON object and an end of line.
std::string FlushJson(std::span<const RemoteFlushResult> results);

}  // namespace lapse
