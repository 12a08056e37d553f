#include "server/step_thread.h"

namespace lapse {

void StepThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

void StepThread::Stop() {
  if (!running()) return;
  {
    MutexGuard guard(mu_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  MutexGuard guard(mu_);
  stopping_ = false;
}

void StepThread::Wake() {
  {
    MutexGuard guard(mu_);
    woken_ = true;
  }
  changed_.notify_one();
}

void StepThread::Run() {
  for (;;) {
    const std::chrono::microseconds rest = step_();
    const auto end = std::chrono::steady_clock::now() + rest;
    MutexGuard guard(mu_);
    while (!stopping_ && !woken_ && rest.count() > 0) {
      if (changed_.wait_until(mu_, end) == std::cv_status::timeout) break;
    }
    if (stopping_) return;
    woken_ = false;
  }
}

}  // namespace lapse
