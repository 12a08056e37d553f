#include "server/background_driver.h"

#include <cstdint>
#include <utility>

#include "absl/time/time.h"

namespace lapse {

void BackgroundDriver::Start() {
  {
    const Gate::Exclusive alone(instance_.keyspace.gate());
    instance_.expiry.SetWaker([this](size_t) { Wake(); });
  }
  thread_ = std::thread([this] { Run(); });
}

void BackgroundDriver::Stop() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
  {
    absl::MutexLock lock(&mu_);
    stopping_ = false;
  }
  const Gate::Exclusive alone(instance_.keyspace.gate());
  instance_.expiry.SetWaker({});
}

void BackgroundDriver::Wake() {
  absl::MutexLock lock(&mu_);
  woken_ = true;
}

void BackgroundDriver::Run() {
  for (;;) {
    const int64_t wait_us = instance_.expiry.Drive(0, 1, /*idle=*/false);
    absl::MutexLock lock(&mu_);
    const auto has_cause = [this]()
                               ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || woken_; };
    if (wait_us > 0) {
      mu_.AwaitWithTimeout(absl::Condition(&has_cause), absl::Microseconds(wait_us));
    }
    if (stopping_) return;
    woken_ = false;
  }
}

}  // namespace lapse
