#include "server/http/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace lapse {

void WorkerPool::Start() {
  for (size_t i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "lapse-http-work");
  }
}

void WorkerPool::Stop() {
  std::deque<std::function<void()>> dropped;
  {
    MutexGuard guard(mu_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::Post(std::function<void()> work) {
  {
    MutexGuard guard(mu_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void WorkerPool::Run() {
  for (;;) {
    std::function<void()> work;
    {
      MutexGuard guard(mu_);
      while (queue_.empty() && !stopping_) changed_.wait(mu_);
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace lapse
