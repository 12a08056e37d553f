#include "server/background_driver.h"

#include <cstdint>

#include "server/services/services.h"

namespace lapse {

void BackgroundDriver::Start() {
  {
    const Gate::Exclusive alone(instance_.keyspace.gate());
    instance_.expiry.SetWaker([this](size_t) { thread_.Wake(); });
    Services::Of(instance_).blocking().SetWaker([this] { thread_.Wake(); });
  }
  thread_.Start();
}

void BackgroundDriver::Stop() {
  if (!thread_.running()) return;
  thread_.Stop();
  const Gate::Exclusive alone(instance_.keyspace.gate());
  instance_.expiry.SetWaker({});
  Services::Of(instance_).blocking().SetWaker({});
}

std::chrono::microseconds BackgroundDriver::Step() {
  const int64_t wait_us = instance_.expiry.Drive(0, 1, /*idle=*/false);
  return std::chrono::microseconds(Services::Of(instance_).Drive(wait_us));
}

}  // namespace lapse
