// SLOWLOG: the latest commands that took longer than slowlog-log-slower-than, with their arguments
// cut to a bearable length.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "storage/lock.h"

namespace lapse {

class SlowLog {
 public:
  static constexpr size_t kMostArguments = 32;
  static constexpr size_t kMostArgumentBytes = 128;

  struct Entry {
    int64_t id = 0;
    int64_t unix_seconds = 0;
    int64_t duration_us = 0;
    std::vector<std::string> args;
    std::string client_address;
    std::string client_name;
  };

  explicit SlowLog(Instance& instance) : instance_(instance) {}

  // Notes the command if it was slow enough to be.
  void Note(const Session& session, const Request& request, int64_t duration_us);
  // The newest first.
  std::vector<Entry> Latest(size_t count);
  size_t size();
  void Clear();

 private:
  Instance& instance_;
  Mutex mu_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mu_);  // the newest first
  int64_t next_id_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace lapse
