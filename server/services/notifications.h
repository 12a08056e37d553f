// Keyspace notifications: what happens to keys, published to channels.
//
//   effect {set, '$', db 0, key k}  ->  __keyspace@0__:k     set
//                                       __keyevent@0__:set   k
//
// Which classes of events are published says notify-keyspace-events. While it is empty, or nobody
// is subscribed to anything, effects are not asked for.
//
// Events are published under the shard's lock, so that those of one key are in the order in which
// they happened.
//
// Thread: OnEffect and OnNotice under a shard's lock; the rest says for itself.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "server/core/instance.h"
#include "server/services/pubsub.h"
#include "storage/effect.h"
#include "storage/lock.h"

namespace lapse {

class Notifications final : public EffectSink {
 public:
  // Joins the instance's sinks, for good; follows who is subscribed.
  Notifications(Instance& instance, PubSub& pubsub);

  // The directive may be another. In the gate's exclusive form, or before any command runs.
  void OnConfigChanged();

  void OnEffect(const Effect& effect) override;
  void OnNotice(const Effect& effect) override { OnEffect(effect); }

 private:
  // Somebody is subscribed to something, or nobody any more. Thread: any.
  void OnInterest(bool any);
  void Listen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Instance& instance_;
  PubSub& pubsub_;
  std::atomic<uint32_t> classes_{0};

  Mutex mu_;
  bool interest_ ABSL_GUARDED_BY(mu_) = false;
  bool listening_ ABSL_GUARDED_BY(mu_) = false;
  bool heeding_ ABSL_GUARDED_BY(mu_) = false;  // notices as well
};

}  // namespace lapse
