// Publishing and subscribing: who listens to which channel, pattern or shard channel, and the
// delivery to them.
//
// A channel's subscribers are found by its name in a table whose stripes have a mutex each, so that
// publishers of different channels do not wait for each other. Patterns are tried one by one.
// Messages go into each subscriber's outbox while the stripe is held, so that two messages to one
// channel reach all its subscribers in one order, and those of one publisher in his.
//
// Lock order: a stripe, then an outbox. Publish may be called under a shard's lock.
//
// Thread: Subscribe and the like by the session's; Publish from any inside the gate.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/session.h"
#include "server/services/names.h"
#include "server/services/outbox.h"
#include "storage/lock.h"

namespace lapse {

enum class ChannelKind : uint8_t { kChannel, kPattern, kShard };
inline constexpr size_t kChannelKinds = 3;

// What one session is subscribed to.
struct Subscriptions {
  std::array<NameSet, kChannelKinds> names;

  NameSet& of(ChannelKind kind) { return names[static_cast<size_t>(kind)]; }
  size_t count(ChannelKind kind) const { return names[static_cast<size_t>(kind)].size(); }
  // What a reply to SUBSCRIBE or to SSUBSCRIBE counts.
  size_t counted_with(ChannelKind kind) const {
    return kind == ChannelKind::kShard
               ? count(kind)
               : count(ChannelKind::kChannel) + count(ChannelKind::kPattern);
  }
  bool empty() const { return names[0].empty() && names[1].empty() && names[2].empty(); }
};

class PubSub {
 public:
  // `interest` is called when the first subscription to a channel or pattern comes and when the
  // last goes, with no lock of this held but one that orders the calls.
  void SetInterestWatcher(std::function<void(bool any)> watcher) { watcher_ = std::move(watcher); }

  // Returns whether it is new (or was there).
  bool Subscribe(Session& session, ChannelKind kind, std::string_view name);
  bool Unsubscribe(Session& session, ChannelKind kind, std::string_view name);
  void UnsubscribeAll(Session& session);

  // Returns the number of receivers, a client counting once for its channel and for each pattern.
  size_t Publish(std::string_view channel, std::string_view message);
  size_t PublishToShard(std::string_view channel, std::string_view message);

  // Subscribers to a channel or shard channel.
  size_t SubscribersOf(ChannelKind kind, std::string_view name);
  // Names that are subscribed to at all, in no order, and their number.
  std::vector<std::string> Names(ChannelKind kind);
  size_t NameCount(ChannelKind kind) const {
    return tables_[static_cast<size_t>(kind)].names.load(std::memory_order_relaxed);
  }
  // Whether a message to some channel may find a receiver.
  bool any() const {
    return NameCount(ChannelKind::kChannel) + NameCount(ChannelKind::kPattern) > 0;
  }

 private:
  using Receivers = std::vector<std::shared_ptr<Outbox>>;
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    Mutex mu;
    NameMap<Receivers> names ABSL_GUARDED_BY(mu);
  };
  // Of patterns, only the first stripe is used: each message looks at all.
  struct Table {
    std::array<Stripe, kStripes> stripes;
    std::atomic<size_t> names{0};
  };

  Stripe& StripeOf(ChannelKind kind, std::string_view name);
  size_t Send(ChannelKind kind, std::string_view channel, std::string_view message);
  size_t SendToPatterns(std::string_view channel, std::string_view message);
  void NoteInterest(ChannelKind kind);

  std::array<Table, kChannelKinds> tables_;

  std::function<void(bool)> watcher_;  // set before any thread runs
  Mutex interest_mu_;
  bool interested_ ABSL_GUARDED_BY(interest_mu_) = false;
};

}  // namespace lapse
