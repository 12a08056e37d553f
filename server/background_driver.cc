#include "server/background_driver.h"

#include <chrono>
#include <cstdint>

#include "server/services/services.h"

namespace lapse {

void BackgroundDriver::Start() {
  {
    const Gate::Exclusive alone(instance_.keyspace.gate());
    instance_.expiry.SetWaker([this](size_t) { Wake(); });
    Services::Of(instance_).blocking().SetWaker([this] { Wake(); });
  }
  thread_ = std::thread([this] { Run(); });
}

void BackgroundDriver::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexGuard guard(mu_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  {
    MutexGuard guard(mu_);
    stopping_ = false;
  }
  const Gate::Exclusive alone(instance_.keyspace.gate());
  instance_.expiry.SetWaker({});
  Services::Of(instance_).blocking().SetWaker({});
}

void BackgroundDriver::Wake() {
  {
    MutexGuard guard(mu_);
    woken_ = true;
  }
  changed_.notify_one();
}

void BackgroundDriver::Run() {
  for (;;) {
    int64_t wait_us = instance_.expiry.Drive(0, 1, /*idle=*/false);
    wait_us = Services::Of(instance_).Drive(wait_us);
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(wait_us);
    MutexGuard guard(mu_);
    while (!stopping_ && !woken_ && wait_us > 0) {
      if (changed_.wait_until(mu_, end) == std::cv_status::timeout) break;
    }
    if (stopping_) return;
    woken_ = false;
  }
}

}  // namespace lapse
