#include "server/services/tracking.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "server/services/session_state.h"
#include "storage/keyspace.h"
#include "storage/shard.h"

namespace lapse {
namespace {

constexpr std::string_view kChannel = "__redis__:invalidate";

// Begins the message of an invalidation; the array of keys, or null, follows. RESP2 knows of no
// pushes: there a subscriber may be told, in a message's form, on behalf of another, and nobody
// else. False: nothing may be written.
bool BeginInvalidation(ReplyWriter& out, const Session& to, bool redirected) {
  if (out.resp() > 2) {
    out.Push(2);
    out.Bulk("invalidate");
    return true;
  }
  if (!redirected || (to.modes & kSubscribed) == 0) return false;
  out.Array(3);
  out.Bulk("message");
  out.Bulk(kChannel);
  return true;
}

// A key, or all keys, are not what they were.
class Invalidation final : public Notice {
 public:
  Invalidation(std::string_view key, bool all_keys, bool redirected)
      : key_(key), all_keys_(all_keys), redirected_(redirected) {}

  void Write(ReplyWriter& out, const Session& to) const override {
    if (!BeginInvalidation(out, to, redirected_)) return;
    if (all_keys_) return out.Null();
    out.Array(1);
    out.Bulk(key_);
  }
  size_t bytes() const override { return key_.size() + 64; }

 private:
  const std::string key_;
  const bool all_keys_;
  const bool redirected_;
};

// The client that was to be told instead has gone.
class BrokenRedirect final : public Notice {
 public:
  explicit BrokenRedirect(uint64_t id) : id_(id) {}
  void Write(ReplyWriter& out, const Session&) const override {
    if (out.resp() == 2) return;
    out.Push(2);
    out.Bulk("tracking-redir-broken");
    out.Integer(static_cast<int64_t>(id_));
  }
  size_t bytes() const override { return 64; }

 private:
  const uint64_t id_;
};

TrackingState* FindTracking(const Session& session) {
  ClientState* const state = FindState(session);
  return state == nullptr ? nullptr : state->tracking.get();
}

}  // namespace

// The keys under one prefix that have changed since its client was last told. It waits in the
// outbox from its first key on, and takes further ones in until it is written.
//
// Who writes it first passes through the lock of its first key's shard: a command that changes
// several keys, or a transaction, holds that until it is done, so what it changes is told together.
class GatheredKeys final : public Notice {
 public:
  // A message longer than this is divided: what an outbox is bounded by must know its size.
  static constexpr size_t kMostBytes = size_t{64} << 10;
  enum class Added : uint8_t { kFirst, kMore, kFull };

  GatheredKeys(Keyspace& keyspace, bool redirected)
      : keyspace_(keyspace), redirected_(redirected) {}

  Added Add(uint16_t db, std::string_view key) {
    MutexGuard guard(mu_);
    if (bytes_ > 0 && bytes_ + key.size() > kMostBytes) return Added::kFull;
    const bool is_first = keys_.empty();
    if (is_first) {
      Database& database = keyspace_.database(db);
      shard_ = &database.shard(keyspace_.ShardOf(keyspace_.Hashed(key).place));
    }
    if (keys_.emplace(key).second) bytes_ += key.size() + kKeyBytes;
    return is_first ? Added::kFirst : Added::kMore;
  }
  void Clear() { Take(); }

  void Write(ReplyWriter& out, const Session& to) const override {
    Shard* shard;
    {
      MutexGuard guard(mu_);
      shard = shard_;
    }
    if (shard != nullptr) SpinGuard passed(shard->lock());
    const std::set<std::string, std::less<>> keys = Take();
    if (keys.empty() || !BeginInvalidation(out, to, redirected_)) return;
    out.Array(keys.size());
    for (const std::string& key : keys) out.Bulk(key);
  }
  size_t bytes() const override { return kMostBytes; }

 private:
  static constexpr size_t kKeyBytes = 64;  // of the set

  std::set<std::string, std::less<>> Take() const {
    MutexGuard guard(mu_);
    bytes_ = 0;
    return std::exchange(keys_, {});
  }

  Keyspace& keyspace_;
  const bool redirected_;

  mutable Mutex mu_;
  // In order, as Redis tells them.
  mutable std::set<std::string, std::less<>> keys_ ABSL_GUARDED_BY(mu_);
  mutable size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  Shard* shard_ ABSL_GUARDED_BY(mu_) = nullptr;  // of the first key
};

Tracking::Tracking(Instance& instance) : instance_(instance) {
  instance.keyspace.effects().AddIdle(this);
}

void Tracking::Enable(Session& session, const TrackingOptions& options,
                      std::shared_ptr<Outbox> redirected) {
  ClientState& state = StateOf(session);
  TrackingOptions merged = options;
  if (state.tracking != nullptr) {
    const std::vector<std::string>& before = state.tracking->options.prefixes;
    merged.prefixes.insert(merged.prefixes.end(), before.begin(), before.end());
    Disable(session);
  }
  if (merged.broadcast && merged.prefixes.empty()) merged.prefixes.emplace_back();
  state.tracking = std::make_unique<TrackingState>();
  state.tracking->options = merged;
  const auto client = std::make_shared<TrackedClient>();
  client->id = session.id;
  client->no_loop = merged.no_loop;
  client->redirect = merged.redirect;
  client->own = OutboxOf(session);
  client->redirected = std::move(redirected);
  state.tracking->client = client;
  session.modes |= kTracking;
  {
    MutexGuard guard(clients_mu_);
    clients_[session.id] = client;
    for (const std::string& prefix : merged.prefixes) {
      prefixes_[prefix].push_back({client, std::make_shared<GatheredKeys>(
                                               instance_.keyspace, client->redirected != nullptr)});
    }
  }
  client_count_.fetch_add(1, std::memory_order_relaxed);
  if (merged.broadcast) broadcasts_.fetch_add(1, std::memory_order_relaxed);
  instance_.keyspace.effects().Listen();
}

void Tracking::Disable(Session& session) {
  TrackingState* const tracking = FindTracking(session);
  if (tracking == nullptr) return;
  {
    MutexGuard guard(clients_mu_);
    clients_.erase(session.id);
    for (const std::string& prefix : tracking->options.prefixes) {
      const auto found = prefixes_.find(prefix);
      if (found == prefixes_.end()) continue;
      std::erase_if(found->second, [tracking](const Listener& listener) {
        return listener.client == tracking->client;
      });
      if (found->second.empty()) prefixes_.erase(found);
    }
  }
  instance_.keyspace.effects().StopListening();
  client_count_.fetch_sub(1, std::memory_order_relaxed);
  if (tracking->options.broadcast) broadcasts_.fetch_sub(1, std::memory_order_relaxed);
  session.modes &= ~kTracking;
  FindState(session)->tracking.reset();
}

void Tracking::BeforeCommand(Session& session) {
  const TrackingState* const tracking = FindTracking(session);
  if (tracking == nullptr || tracking->options.broadcast) return;
  tracking->client->runs_on.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

void Tracking::AfterCommand(Session& session, const Request& request, ReplyWriter& reply) {
  TrackingState* const tracking = FindTracking(session);
  if (tracking == nullptr) return;
  TellOwn(session, *tracking->client, reply);
  if ((session.modes & kInTransaction) != 0) return;
  // What CLIENT CACHING says is for the next command of another kind, or a whole transaction.
  if (request.parent == nullptr || request.parent->name != "client") {
    tracking->caching_said = false;
  }
}

void Tracking::TellOwn(Session& session, TrackedClient& client, ReplyWriter& reply) {
  client.runs_on.store({}, std::memory_order_relaxed);
  if (client.own_notices.empty()) return;
  // A reply that is not sent is cut off with all that is behind it.
  const bool unsent = session.skips_reply || session.reply_mode == ReplyMode::kOff;
  for (std::shared_ptr<const Notice>& notice : client.own_notices) {
    unsent ? void(Deliver(client, std::move(notice))) : notice->Write(reply, session);
  }
  client.own_notices.clear();
  client.own_bytes = 0;
}

void Tracking::OnKeysLocked(Session& session, const Request& request) {
  const TrackingState* const tracking = FindTracking(session);
  if (tracking == nullptr || (request.row->flags & kReadOnly) == 0) return;
  const TrackingOptions& options = tracking->options;
  if (options.broadcast || (options.opt_in && !tracking->caching_said) ||
      (options.opt_out && tracking->caching_said)) {
    return;
  }
  KeyRefs keys;
  FindKeys(*request.row, request.args, keys);
  for (const KeyRef& key : keys) Note(request.args[key.index], session.id);
}

void Tracking::Note(std::string_view key, uint64_t id) {
  const auto most = static_cast<size_t>(instance_.config.tracking_table_max_keys);
  std::string forgotten;
  Ids forgotten_ids;
  {
    Stripe& stripe = stripes_[absl::HashOf(key) % kStripes];
    MutexGuard guard(stripe.mu);
    const auto [found, is_new] = stripe.keys.try_emplace(key);
    Ids& ids = found->second;
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) return;
    ids.push_back(id);
    item_count_.fetch_add(1, std::memory_order_relaxed);
    if (!is_new) return;
    const size_t count = key_count_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (most == 0 || count <= most || stripe.keys.size() < 2) return;
    auto victim = stripe.keys.begin();
    if (victim == stripe.keys.find(key)) ++victim;
    forgotten = victim->first;
    forgotten_ids = std::move(victim->second);
    stripe.keys.erase(victim);
    key_count_.fetch_sub(1, std::memory_order_relaxed);
    item_count_.fetch_sub(forgotten_ids.size(), std::memory_order_relaxed);
  }
  Tell(forgotten_ids, forgotten, /*by=*/0);
}

void Tracking::Invalidate(std::string_view key, uint64_t by) {
  Ids ids;
  {
    Stripe& stripe = stripes_[absl::HashOf(key) % kStripes];
    MutexGuard guard(stripe.mu);
    const auto found = stripe.keys.find(key);
    if (found == stripe.keys.end()) return;
    ids = std::move(found->second);
    stripe.keys.erase(found);
  }
  key_count_.fetch_sub(1, std::memory_order_relaxed);
  item_count_.fetch_sub(ids.size(), std::memory_order_relaxed);
  Tell(ids, key, by);
}

void Tracking::Tell(const Ids& ids, std::string_view key, uint64_t by) {
  for (const uint64_t id : ids) {
    std::shared_ptr<TrackedClient> client;
    {
      MutexGuard guard(clients_mu_);
      const auto found = clients_.find(id);
      if (found == clients_.end()) continue;  // it tracks no more
      client = found->second;
    }
    if (client->no_loop && client->id == by) continue;
    Send(*client, key, /*all_keys=*/false, by);
  }
}

void Tracking::Broadcast(const Effect& effect) {
  MutexGuard guard(clients_mu_);
  for (auto& [prefix, listeners] : prefixes_) {
    if (!effect.key.starts_with(prefix)) continue;
    for (Listener& listener : listeners) {
      if (listener.client->no_loop && listener.client->id == effect.client) continue;
      Gather(listener, effect);
    }
  }
}

void Tracking::Gather(Listener& listener, const Effect& effect) {
  GatheredKeys::Added added = listener.keys->Add(effect.db, effect.key);
  if (added == GatheredKeys::Added::kFull) {
    listener.keys =
        std::make_shared<GatheredKeys>(instance_.keyspace, listener.client->redirected != nullptr);
    added = listener.keys->Add(effect.db, effect.key);
  }
  if (added != GatheredKeys::Added::kFirst) return;
  // Nobody will write it: the next key is to find that out again.
  if (!Deliver(*listener.client, listener.keys)) listener.keys->Clear();
}

void Tracking::Send(TrackedClient& client, std::string_view key, bool all_keys, uint64_t by) {
  std::shared_ptr<const Notice> notice =
      std::make_shared<const Invalidation>(key, all_keys, client.redirected != nullptr);
  if (!KeepOwn(client, notice, by)) Deliver(client, std::move(notice));
}

bool Tracking::KeepOwn(TrackedClient& client, std::shared_ptr<const Notice>& notice, uint64_t by) {
  if (client.id != by) return false;
  if (client.redirected != nullptr && client.redirected != client.own) return false;
  if (client.runs_on.load(std::memory_order_relaxed) != std::this_thread::get_id()) return false;
  const size_t bytes = client.own_bytes + notice->bytes();
  if (bytes > kMostOwnBytes) return false;
  client.own_bytes = bytes;
  client.own_notices.push_back(std::move(notice));
  return true;
}

bool Tracking::Deliver(TrackedClient& client, std::shared_ptr<const Notice> notice) {
  if (client.redirected == nullptr) return client.own->Add(std::move(notice));
  if (client.redirected->Add(std::move(notice))) return true;
  client.broken_redirect.store(true, std::memory_order_relaxed);
  client.own->Add(std::make_shared<const BrokenRedirect>(client.redirect));
  return false;
}

void Tracking::OnEffect(const Effect& effect) {
  if (client_count() == 0) return;
  if (key_count() > 0) Invalidate(effect.key, effect.client);
  if (broadcasts_.load(std::memory_order_relaxed) > 0) Broadcast(effect);
}

void Tracking::Flush() {
  if (client_count() == 0) return;
  for (Stripe& stripe : stripes_) {
    MutexGuard guard(stripe.mu);
    stripe.keys.clear();
  }
  key_count_.store(0, std::memory_order_relaxed);
  item_count_.store(0, std::memory_order_relaxed);
  MutexGuard guard(clients_mu_);
  // Only the client whose command this is runs on this thread.
  for (const auto& [id, client] : clients_) Send(*client, {}, /*all_keys=*/true, id);
}

size_t Tracking::prefix_count() {
  MutexGuard guard(clients_mu_);
  return prefixes_.size();
}

}  // namespace lapse
