// Slows down who guesses passwords: after so many failures within a minute, further attempts are
// refused without a look at the password.
//
// Failures are counted for an address together with a name, so that one program with an old
// password does not lock everybody on its machine out, and, with a higher limit, for the address
// alone, so that trying many names gains nothing. Bounded: kMaxEntries; when there are more, the
// oldest are forgotten.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "storage/lock.h"

namespace lapse {

class LoginThrottle {
 public:
  static constexpr int64_t kWindowMs = 60'000;
  static constexpr int kMostOfOneName = 10;
  static constexpr int kMostOfOneAddress = 60;
  static constexpr size_t kMaxEntries = 8192;

  // Milliseconds after which an attempt may be made; 0: now.
  int64_t RetryAfterMs(std::string_view address, std::string_view name, int64_t now_ms);
  void NoteFailure(std::string_view address, std::string_view name, int64_t now_ms);

 private:
  struct Entry {
    std::string key;
    int64_t since_ms = 0;
    int failures = 0;
  };

  int64_t Wait(const std::string& key, int most, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Count(std::string key, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mu_);  // oldest first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_key_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
