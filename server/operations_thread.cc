#include "server/operations_thread.h"

#include <chrono>
#include <cstdint>

#include "server/services/services.h"

namespace lapse {

void OperationsThread::Start() {
  {
    const Gate::Exclusive alone(instance_.keyspace.gate());
    Services::Of(instance_).SetOperationsWaker([this] { Wake(); });
  }
  thread_ = std::thread([this] { Run(); });
}

void OperationsThread::Stop() {
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
  Services::Of(instance_).SetOperationsWaker({});
}

void OperationsThread::Wake() {
  {
    MutexGuard guard(mu_);
    woken_ = true;
  }
  changed_.notify_one();
}

void OperationsThread::Run() {
  for (;;) {
    const int64_t rest_ms = Services::Of(instance_).Operate();
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(rest_ms);
    MutexGuard guard(mu_);
    while (!stopping_ && !woken_) {
      if (changed_.wait_until(mu_, end) == std::cv_status::timeout) break;
    }
    if (stopping_) return;
    woken_ = false;
  }
}

}  // namespace lapse
