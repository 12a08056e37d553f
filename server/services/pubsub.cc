#include "server/services/pubsub.h"

#include <algorithm>
#include <utility>

#include "server/core/glob.h"
#include "server/core/hooks.h"
#include "server/services/session_state.h"

namespace lapse {
namespace {

// A message as the subscribers to one channel, or to one pattern, get it.
class Message final : public Notice {
 public:
  Message(ChannelKind kind, std::string_view name, std::string_view channel, std::string_view text)
      : kind_(kind), name_(name), channel_(channel), text_(text) {}

  // Who has unsubscribed meanwhile, and speaks RESP2, would take it for the reply to something.
  void Write(ReplyWriter& out, const Session& to) const override {
    if ((to.modes & kSubscribed) == 0 && out.resp() == 2) return;
    out.Push(kind_ == ChannelKind::kPattern ? 4 : 3);
    switch (kind_) {
      case ChannelKind::kChannel:
        out.Bulk("message");
        break;
      case ChannelKind::kPattern:
        out.Bulk("pmessage");
        out.Bulk(name_);
        break;
      case ChannelKind::kShard:
        out.Bulk("smessage");
        break;
    }
    out.Bulk(channel_);
    out.Bulk(text_);
  }
  size_t bytes() const override { return name_.size() + channel_.size() + text_.size() + 64; }

 private:
  const ChannelKind kind_;
  const std::string name_;  // the pattern
  const std::string channel_;
  const std::string text_;
};

}  // namespace

PubSub::Stripe& PubSub::StripeOf(ChannelKind kind, std::string_view name) {
  Table& table = tables_[static_cast<size_t>(kind)];
  if (kind == ChannelKind::kPattern) return table.stripes[0];
  return table.stripes[absl::HashOf(name) % kStripes];
}

bool PubSub::Subscribe(Session& session, ChannelKind kind, std::string_view name) {
  ClientState& state = StateOf(session);
  if (state.subscriptions == nullptr) state.subscriptions = std::make_unique<Subscriptions>();
  if (!state.subscriptions->of(kind).emplace(name).second) return false;
  session.modes |= kSubscribed;
  {
    Stripe& stripe = StripeOf(kind, name);
    MutexGuard guard(stripe.mu);
    Receivers& receivers = stripe.names[name];
    if (receivers.empty()) tables_[static_cast<size_t>(kind)].names.fetch_add(1);
    receivers.push_back(OutboxOf(session));
  }
  NoteInterest(kind);
  return true;
}

bool PubSub::Unsubscribe(Session& session, ChannelKind kind, std::string_view name) {
  ClientState* const state = FindState(session);
  if (state == nullptr || state->subscriptions == nullptr) return false;
  if (state->subscriptions->of(kind).erase(name) == 0) return false;
  {
    Stripe& stripe = StripeOf(kind, name);
    MutexGuard guard(stripe.mu);
    const auto found = stripe.names.find(name);
    if (found != stripe.names.end()) {
      std::erase(found->second, state->outbox);
      if (found->second.empty()) {
        stripe.names.erase(found);
        tables_[static_cast<size_t>(kind)].names.fetch_sub(1);
      }
    }
  }
  if (state->subscriptions->empty()) session.modes &= ~kSubscribed;
  NoteInterest(kind);
  return true;
}

void PubSub::UnsubscribeAll(Session& session) {
  ClientState* const state = FindState(session);
  if (state == nullptr || state->subscriptions == nullptr) return;
  for (size_t kind = 0; kind < kChannelKinds; ++kind) {
    const auto names = state->subscriptions->names[kind];  // a copy: it shrinks meanwhile
    for (const std::string& name : names) {
      Unsubscribe(session, static_cast<ChannelKind>(kind), name);
    }
  }
}

void PubSub::NoteInterest(ChannelKind kind) {
  if (kind == ChannelKind::kShard || !watcher_) return;
  MutexGuard guard(interest_mu_);
  if (any() == interested_) return;
  interested_ = !interested_;
  watcher_(interested_);
}

size_t PubSub::Send(ChannelKind kind, std::string_view channel, std::string_view message) {
  if (NameCount(kind) == 0) return 0;
  Stripe& stripe = StripeOf(kind, channel);
  MutexGuard guard(stripe.mu);
  const auto found = stripe.names.find(channel);
  if (found == stripe.names.end()) return 0;
  const auto notice = std::make_shared<const Message>(kind, "", channel, message);
  size_t receivers = 0;
  for (const auto& outbox : found->second) receivers += outbox->Add(notice) ? 1 : 0;
  return receivers;
}

size_t PubSub::SendToPatterns(std::string_view channel, std::string_view message) {
  if (NameCount(ChannelKind::kPattern) == 0) return 0;
  size_t receivers = 0;
  Stripe& stripe = StripeOf(ChannelKind::kPattern, {});
  MutexGuard guard(stripe.mu);
  for (const auto& [pattern, outboxes] : stripe.names) {
    if (!GlobMatch(pattern, channel)) continue;
    const auto notice =
        std::make_shared<const Message>(ChannelKind::kPattern, pattern, channel, message);
    for (const auto& outbox : outboxes) receivers += outbox->Add(notice) ? 1 : 0;
  }
  return receivers;
}

size_t PubSub::Publish(std::string_view channel, std::string_view message) {
  const size_t direct = Send(ChannelKind::kChannel, channel, message);
  return direct + SendToPatterns(channel, message);
}

size_t PubSub::PublishToShard(std::string_view channel, std::string_view message) {
  return Send(ChannelKind::kShard, channel, message);
}

size_t PubSub::SubscribersOf(ChannelKind kind, std::string_view name) {
  Stripe& stripe = StripeOf(kind, name);
  MutexGuard guard(stripe.mu);
  const auto found = stripe.names.find(name);
  return found == stripe.names.end() ? 0 : found->second.size();
}

std::vector<std::string> PubSub::Names(ChannelKind kind) {
  std::vector<std::string> names;
  for (Stripe& stripe : tables_[static_cast<size_t>(kind)].stripes) {
    MutexGuard guard(stripe.mu);
    for (const auto& [name, receivers] : stripe.names) names.push_back(name);
  }
  return names;
}

}  // namespace lapse
