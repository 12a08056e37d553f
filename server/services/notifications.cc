#include "server/services/notifications.h"

#include "fmt/format.h"
#include "server/core/event_classes.h"

namespace lapse {

Notifications::Notifications(Instance& instance, PubSub& pubsub)
    : instance_(instance), pubsub_(pubsub) {
  instance.keyspace.effects().AddIdle(this);
  pubsub.SetInterestWatcher([this](bool any) { OnInterest(any); });
}

void Notifications::OnConfigChanged() {
  MutexGuard guard(mu_);
  classes_.store(instance_.config.notify_keyspace_events, std::memory_order_relaxed);
  Listen();
}

void Notifications::OnInterest(bool any) {
  MutexGuard guard(mu_);
  interest_ = any;
  Listen();
}

// Asks for effects, or for no more, as things are.
void Notifications::Listen() {
  constexpr uint32_t kChannels = kKeyspaceChannels | kKeyeventChannels;
  constexpr uint32_t kNotices = EventClassBit('m') | EventClassBit('n');
  const uint32_t classes = classes_.load(std::memory_order_relaxed);
  const bool wanted = interest_ && (classes & kChannels) != 0;
  const bool listen = wanted && (classes & ~(kChannels | kNotices)) != 0;
  const bool heed = wanted && (classes & kNotices) != 0;
  EffectHub& hub = instance_.keyspace.effects();
  if (listen != listening_) listen ? hub.Listen() : hub.StopListening();
  if (heed != heeding_) heed ? hub.HeedNotices() : hub.IgnoreNotices();
  listening_ = listen;
  heeding_ = heed;
}

void Notifications::OnEffect(const Effect& effect) {
  const uint32_t classes = classes_.load(std::memory_order_relaxed);
  if ((classes & EventClassBit(effect.event.event_class)) == 0 || !pubsub_.any()) return;
  const std::string_view name = effect.event.name;
  if (name.empty()) return;
  if ((classes & kKeyspaceChannels) != 0) {
    pubsub_.Publish(fmt::format("__keyspace@{}__:{}", effect.db, effect.key), name);
  }
  if ((classes & kKeyeventChannels) != 0) {
    pubsub_.Publish(fmt::format("__keyevent@{}__:{}", effect.db, name), effect.key);
  }
}

}  // namespace lapse
