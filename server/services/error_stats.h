// How many errors of each kind were replied, by the error's first word: INFO errorstats.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class ErrorStats {
 public:
  // Scripts may reply errors of any first word: beyond this many kinds no new one is counted.
  static constexpr size_t kMostKinds = 128;

  void Count(std::string_view error) {
    const std::string_view kind = error.substr(0, error.find(' '));
    MutexGuard guard(mu_);
    if (const auto found = counts_.find(kind); found != counts_.end()) {
      ++found->second;
    } else if (counts_.size() < kMostKinds) {
      counts_.emplace(kind, 1);
    }
  }
  std::map<std::string, int64_t, std::less<>> Counts() {
    MutexGuard guard(mu_);
    return counts_;
  }
  void Clear() {
    MutexGuard guard(mu_);
    counts_.clear();
  }

 private:
  Mutex mu_;
  std::map<std::string, int64_t, std::less<>> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
