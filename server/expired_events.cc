#include "server/expired_events.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace lapse {

class ExpiredEvents::Subscriber {
 public:
  explicit Subscriber(Callback callback) : callback_(std::move(callback)) {}

  void Call(const ExpiredKey& event) {
    caller_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    {
      MutexGuard guard(mu_);
      if (active_.load(std::memory_order_relaxed)) callback_(event);
    }
    caller_.store({}, std::memory_order_relaxed);
  }

  void End() {
    active_.store(false, std::memory_order_relaxed);
    // A callback that ends itself must not wait for itself.
    if (caller_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return;
    MutexGuard wait_for_callback(mu_);
  }

 private:
  const Callback callback_;
  std::atomic<bool> active_{true};
  std::atomic<std::thread::id> caller_{};
  Mutex mu_;  // held while the callback runs
};

ExpiredEvents::ExpiredEvents(Keyspace& keyspace, size_t max_queued)
    : keyspace_(keyspace), max_queued_(max_queued) {}

ExpiredEvents::~ExpiredEvents() { Stop(); }

void ExpiredEvents::Stop() {
  // Without the lock, for a callback that runs may want it.
  for (const auto& subscriber : Subscribers()) Unsubscribe(subscriber);
  {
    MutexGuard guard(mu_);
    stopping_ = true;
  }
  changed_.notify_one();
  std::thread delivery;
  {
    MutexGuard guard(subscribers_mu_);
    delivery = std::move(delivery_);
  }
  if (delivery.joinable()) delivery.join();
}

std::shared_ptr<ExpiredEvents::Subscriber> ExpiredEvents::Subscribe(Callback callback) {
  auto subscriber = std::make_shared<Subscriber>(std::move(callback));
  MutexGuard guard(subscribers_mu_);
  if (!delivery_.joinable()) delivery_ = std::thread([this] { Deliver(); });
  subscribers_.push_back(subscriber);
  // While nobody listens, changes need not be reported at all.
  if (subscribers_.size() == 1) {
    const Gate::Exclusive alone(keyspace_.gate());
    keyspace_.effects().Add(this);
  }
  return subscriber;
}

void ExpiredEvents::Unsubscribe(const std::shared_ptr<Subscriber>& subscriber) {
  {
    MutexGuard guard(subscribers_mu_);
    if (std::erase(subscribers_, subscriber) > 0 && subscribers_.empty()) {
      const Gate::Exclusive alone(keyspace_.gate());
      keyspace_.effects().Remove(this);
    }
  }
  subscriber->End();
}

void ExpiredEvents::OnEffect(const Effect& effect) {
  if (effect.kind != EffectKind::kExpired) return;
  MutexGuard guard(mu_);
  if (queue_.size() >= max_queued_) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (queue_.empty()) changed_.notify_one();
  queue_.push_back(
      {std::string(effect.key), effect.db,
       std::chrono::system_clock::time_point(std::chrono::milliseconds(effect.deadline))});
}

void ExpiredEvents::Deliver() {
  for (;;) {
    std::deque<ExpiredKey> events;
    {
      MutexGuard guard(mu_);
      while (!stopping_ && queue_.empty()) changed_.wait(mu_);
      if (stopping_) return;
      events.swap(queue_);
    }
    for (const ExpiredKey& event : events) {
      for (const auto& subscriber : Subscribers()) subscriber->Call(event);
    }
  }
}

std::vector<std::shared_ptr<ExpiredEvents::Subscriber>> ExpiredEvents::Subscribers() {
  MutexGuard guard(subscribers_mu_);
  return subscribers_;
}

}  // namespace lapse
