// Client-side caching: which clients may hold copies of which keys, and telling them when a copy is
// not good any more.
//
//   GET k by a tracking client, k's shard locked   ->  table: k -> {client}
//   an effect on k (a write, a removal, expiry)    ->  k leaves the table, its clients are told
//
// A key is noted under the lock of its shard, so that no change falls between the look at the value
// and the note. The table knows names alone, of whichever database, as Redis's does: a client is
// told once too often rather than once too seldom. In broadcasting mode nothing is noted, and a
// client is told of every change under its prefixes: not key by key, but of all that have gathered
// under a prefix by the time its thread gets to writing, in one message.
//
// Without broadcasting, what a client's own command changes is told right behind that command's
// reply, in the midst of a pipeline. What others change is told between two batches' replies, and
// so is what a blocked client gets on another's thread, after its command has run.
//
// The table is bounded by tracking-table-max-keys: of a stripe that is full, a key is forgotten for
// each new one, and its clients are told as if it had changed.
//
// Lock order: a shard, a stripe, clients_mu_, gathered keys, an outbox.
//
// Thread: OnEffect under a shard's lock; Flush in the gate's exclusive form; the rest by the
// session's, inside the gate where it does not say otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "server/services/names.h"
#include "server/services/outbox.h"
#include "storage/effect.h"
#include "storage/lock.h"

namespace lapse {

// What CLIENT TRACKING ON says.
struct TrackingOptions {
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  uint64_t redirect = 0;  // a client's id; 0: the client itself is told
  std::vector<std::string> prefixes;
};

class GatheredKeys;

// Whom to tell. Shared with the threads that tell.
struct TrackedClient {
  uint64_t id = 0;
  bool no_loop = false;
  uint64_t redirect = 0;
  std::shared_ptr<Outbox> own;
  std::shared_ptr<Outbox> redirected;  // nullptr: told itself
  std::atomic<bool> broken_redirect{false};

  // The thread that runs a command of the client's just now, and, for that thread alone, what is to
  // be told behind the command's reply, bounded by kMostOwnBytes.
  std::atomic<std::thread::id> runs_on{};
  std::vector<std::shared_ptr<const Notice>> own_notices;
  size_t own_bytes = 0;
};

// Of a session.
struct TrackingState {
  TrackingOptions options;
  bool caching_said = false;  // CLIENT CACHING, for the next command
  std::shared_ptr<TrackedClient> client;
};

class Tracking final : public EffectSink {
 public:
  // Joins the instance's sinks, for good.
  explicit Tracking(Instance& instance);

  // Turns tracking on, or, where it is on, changes it. `redirected`: the outbox of the client that
  // options.redirect names.
  void Enable(Session& session, const TrackingOptions& options, std::shared_ptr<Outbox> redirected);
  // Without effect when it is off. Inside the gate or not.
  void Disable(Session& session);

  // What one command changes beyond this is told like what others change.
  static constexpr size_t kMostOwnBytes = size_t{1} << 20;

  // Of a tracking session: its command is about to run, to look at its keys, has run and replied.
  void BeforeCommand(Session& session);
  void OnKeysLocked(Session& session, const Request& request);
  void AfterCommand(Session& session, const Request& request, ReplyWriter& reply);

  // All keys of a database, or of all, are about to go.
  void Flush();

  void OnEffect(const Effect& effect) override;

  // For INFO. Thread: any.
  size_t client_count() const { return client_count_.load(std::memory_order_relaxed); }
  size_t key_count() const { return key_count_.load(std::memory_order_relaxed); }
  size_t item_count() const { return item_count_.load(std::memory_order_relaxed); }
  size_t prefix_count();

 private:
  using Ids = absl::InlinedVector<uint64_t, 2>;
  // A client in broadcasting mode, as one of its prefixes has it.
  struct Listener {
    std::shared_ptr<TrackedClient> client;
    std::shared_ptr<GatheredKeys> keys;  // what it has not been told yet
  };
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    Mutex mu;
    NameMap<Ids> keys ABSL_GUARDED_BY(mu);
  };

  void Note(std::string_view key, uint64_t id);
  // Takes the key out of the table and tells its clients.
  void Invalidate(std::string_view key, uint64_t by);
  // `by`: the client whose command it was, which may not want to hear of it.
  void Tell(const Ids& ids, std::string_view key, uint64_t by);
  void Broadcast(const Effect& effect);
  void Gather(Listener& listener, const Effect& effect);
  static void Send(TrackedClient& client, std::string_view key, bool all_keys, uint64_t by);
  // Keeps the notice for the end of the client's command if that is what has changed something;
  // false if it is not.
  static bool KeepOwn(TrackedClient& client, std::shared_ptr<const Notice>& notice, uint64_t by);
  static void TellOwn(Session& session, TrackedClient& client, ReplyWriter& reply);
  // False when whoever was to be told instead of the client has gone.
  static bool Deliver(TrackedClient& client, std::shared_ptr<const Notice> notice);

  Instance& instance_;
  std::array<Stripe, kStripes> stripes_;
  std::atomic<size_t> key_count_{0};
  std::atomic<size_t> item_count_{0};  // keys' clients
  std::atomic<size_t> client_count_{0};
  std::atomic<size_t> broadcasts_{0};  // clients in that mode

  Mutex clients_mu_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<TrackedClient>> clients_
      ABSL_GUARDED_BY(clients_mu_);
  NameMap<std::vector<Listener>> prefixes_ ABSL_GUARDED_BY(clients_mu_);
};

}  // namespace lapse
