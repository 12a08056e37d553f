// Hands expired keys over from the threads that remove them to the host program's callbacks.
//
//   any thread, under a shard's lock          the delivery thread, no lock held
//   OnEffect: copy, push, or count a drop --> [ bounded queue ] --> callback, callback, ...
//
// A callback may take its time, use the engine and end its own subscription; whoever removes keys
// waits for none of that. The price is that a callback that is too slow for too long misses keys,
// and that the drops are counted.
//
// Thread: Subscribe and Unsubscribe from any thread outside of the gate; OnEffect under a shard's
// lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/lapse.h"
#include "storage/effect.h"
#include "storage/keyspace.h"
#include "storage/lock.h"

namespace lapse {

class ExpiredEvents final : public EffectSink {
 public:
  using Callback = std::function<void(const ExpiredKey&)>;
  class Subscriber;

  ExpiredEvents(Keyspace& keyspace, size_t max_queued);
  ~ExpiredEvents() override;
  // Ends all subscriptions and delivery; what is queued is not delivered any more. Not for
  // callbacks. The keyspace may go when it returns. A second call does nothing.
  void Stop();

  std::shared_ptr<Subscriber> Subscribe(Callback callback);
  // Returns when the callback does not run any more, unless it is the callback that calls.
  void Unsubscribe(const std::shared_ptr<Subscriber>& subscriber);

  int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  void OnEffect(const Effect& effect) override;

 private:
  void Deliver();
  std::vector<std::shared_ptr<Subscriber>> Subscribers();

  Keyspace& keyspace_;
  const size_t max_queued_;
  std::atomic<int64_t> dropped_{0};

  Mutex mu_;  // the queue's; held under shard locks, so for moments only
  std::condition_variable_any changed_;
  std::deque<ExpiredKey> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  Mutex subscribers_mu_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_ ABSL_GUARDED_BY(subscribers_mu_);
  std::thread delivery_ ABSL_GUARDED_BY(subscribers_mu_);  // started by the first subscription
};

}  // namespace lapse
