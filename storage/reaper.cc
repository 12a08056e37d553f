#include "storage/reaper.h"

#include <pthread.h>

#include <utility>

namespace lapse {

Reaper::~Reaper() {
  std::thread thread;
  {
    const MutexGuard guard(mu_);
    stopping_ = true;
    thread.swap(thread_);
  }
  has_cause_.notify_one();
  if (thread.joinable()) thread.join();
}

void Reaper::Add(std::shared_ptr<void> doomed, int64_t objects) {
  pending_.fetch_add(objects, std::memory_order_relaxed);
  {
    const MutexGuard guard(mu_);
    doomed_.push_back({std::move(doomed), objects});
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { Work(); });
      pthread_setname_np(thread_.native_handle(), "lapse-reaper");
    }
  }
  has_cause_.notify_one();
}

void Reaper::Work() {
  for (;;) {
    Doomed next;
    {
      const MutexGuard guard(mu_);
      while (!stopping_ && doomed_.empty()) has_cause_.wait(mu_);
      if (doomed_.empty()) return;
      next = std::move(doomed_.front());
      doomed_.pop_front();
    }
    next.what.reset();
    pending_.fetch_sub(next.objects, std::memory_order_relaxed);
    destroyed_.fetch_add(next.objects, std::memory_order_relaxed);
  }
}

}  // namespace lapse
