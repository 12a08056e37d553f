// Clients that wait for a key: BLPOP and its relatives, BZPOPMIN, XREAD BLOCK.
//
// A handler looks at its keys, and where nothing is in them says what it waits for:
//
//   Blocking::Wait wait{.type = ValueType::kList, .timeout_ms = *timeout_ms};
//   for (const Key& key : ctx.keys) wait.keys.push_back({std::string(key.name), {"BLPOP", ...}});
//   Blocking& blocking = Services::Of(ctx.instance).blocking();
//   if (!blocking.Block(ctx, std::move(wait))) ctx.reply.NullArray();   // within MULTI
//
// What is given beside each key is a request with the same handler that gets from this key alone
// what the client waits for ("BLPOP key 0", "XREAD BLOCK 0 STREAMS key 5-0"). When the key has been
// written, whoever wrote it runs that request, a *retry*, for the first of the key's waiters in the
// order of their arrival, then for the next, and each reply goes to the client that it is for. In a
// retry the handler finds IsRetry() true: a key of another type is then nothing found, and Block()
// says that it was in vain. Everything else that a retry replies, errors too, is the client's
// answer. A retry does not run on the client's session, which belongs to another thread, but on one
// that has its database and protocol version.
//
//   the writer's thread, inside the gate                        the waiter's thread
//   shard locked:   change -> OnEffect: the key is ready
//   shard unlocked: Services::After -> Serve
//                     claim the first waiter
//                     run its retry, locking its shards
//                     take the waiter off, complete ----------> the reply is sent
//
// Invariants:
//   1. A waiter is claimed while its retry runs, by one thread at a time, and answered once.
//   2. One thread at a time serves a key, so that its waiters are served in their order; another
//      that finds more there leaves it to the first.
//   3. No wake-up is lost: a waiter is queued while the shards that it found empty are still
//      locked, and a key that was passed over because its waiter was claimed is looked at again
//      when that is settled.
//   4. mu_ is a leaf: nothing is called with it held but the standard library.
//
// Deadlines are of the monotonic clock and looked after by whoever drives expiry.
//
// Thread: each method says.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/effect.h"
#include "storage/lock.h"
#include "storage/value.h"

namespace lapse {

class Blocking final : public EffectSink {
 public:
  struct WaitedKey {
    std::string name;
    std::vector<std::string> retry;  // the request to run when the key was written
  };

  struct Wait {
    // What the keys must hold. Of the waiters of one type on one key, but for streams', all get
    // nothing where the first gets nothing.
    ValueType type = ValueType::kList;
    int64_t timeout_ms = 0;  // 0: for ever
    // Whether the retry is to run when the key has been removed, too (XREADGROUP).
    bool heeds_removal = false;
    std::vector<WaitedKey> keys;  // a name that comes twice counts once
    // What the client is answered when its time is over, where it is not a null array (WAIT, which
    // waits for no key at all).
    std::optional<int64_t> timeout_answer;
  };

  // To be made before any command runs.
  explicit Blocking(Instance& instance);
  ~Blocking() override;

  // --- For handlers ---

  // Blocks the client; when its time is over it is answered with a null array. Returns false, and
  // does nothing, for a command that runs within a transaction or a script: that one answers as its
  // non-blocking form does. Otherwise the handler writes nothing.
  // Requires: the shards of all keys are locked, since before the keys were looked at.
  bool Block(CommandContext& ctx, Wait wait);

  // Whether this is a retry: see above.
  static bool IsRetry(const CommandContext& ctx);

  // Ends a client's waiting: as when its time is over, or with an error (CLIENT UNBLOCK). Returns
  // whether it waited. Thread: inside the gate.
  bool Unblock(uint64_t session_id, bool with_error);

  // Any key of the database may be another than before (SWAPDB, FLUSHALL). Thread: inside the gate.
  void NoteDatabase(size_t db);

  // --- For the services ---

  // Serves the waiters of keys that were written. To be called after a command, or what ran several
  // of them, while the instance is in Mode::kReadyKeys. Requires: inside the gate; no shard is
  // locked.
  void Serve();
  // The session ends: it waits for nothing any more. Requires: not inside the gate.
  void Forget(const Session& session);

  // --- For drivers ---

  // Answers those whose time is over. To be called by driver 0, each time before it rests for
  // `rest_us`; returns for how long it may rest, no longer than that. Requires: not inside the
  // gate.
  int64_t Drive(int64_t rest_us);
  // `wake` makes driver 0 call Drive soon, from any thread; without it a client may wait longer
  // than it wanted to. Requires: the gate's exclusive form.
  void SetWaker(std::function<void()> wake) { wake_ = std::move(wake); }

  // Clients that wait with a timeout. Thread: any.
  size_t timeouts() const;
  // Keys that clients wait for. Thread: any.
  size_t key_count() const;

  void OnEffect(const Effect& effect) override;

 private:
  struct Waiter;
  struct Queue;
  class Retrier;
  using WaiterList = std::list<Waiter*>;

  // Retries that one call of Serve runs at most; the rest is left to driver 0, so that a client
  // whose command makes keys ready does not work for all the others' for ever.
  static constexpr int kMostRetries = 1024;

  static int64_t NowNs(const Instance& instance) { return instance.clock.MonotonicNs(); }
  Queue& QueueOf(uint16_t db, const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enqueue(std::unique_ptr<Waiter> waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MarkReady(Queue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MarkAllReady(const Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ServeQueue(Queue& queue, Retrier& retrier, int& retries) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What comes of a claimed waiter's retry: it may be taken away.
  void Settle(Waiter& waiter, bool served, Retrier& retrier) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The instance is in Mode::kReadyKeys no longer, unless the driver is to be woken yet.
  void EndReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the waiter off its queues and away.
  std::unique_ptr<Waiter> Detach(Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropIfUnused(Queue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::unique_ptr<Waiter>> TakeOverdue(int64_t now_ns)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  Instance& instance_;

  // Changes in the gate's exclusive form.
  std::function<void()> wake_;

  // Self-synchronised.
  std::atomic<size_t> waiting_{0};        // waiters, for a look without the lock
  std::atomic<bool> wake_wanted_{false};  // a deadline is earlier than driver 0 knows

  mutable Mutex mu_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Waiter>> waiters_
      ABSL_GUARDED_BY(mu_);  // by session
  std::vector<absl::flat_hash_map<std::string, std::unique_ptr<Queue>>> queues_
      ABSL_GUARDED_BY(mu_);  // of each database
  std::deque<Queue*> ready_ ABSL_GUARDED_BY(mu_);
  absl::btree_set<std::pair<int64_t, uint64_t>> deadlines_ ABSL_GUARDED_BY(mu_);  // ns, session
  int64_t driver_wakes_ns_ ABSL_GUARDED_BY(mu_) = 0;  // when driver 0 is going to look again
};

}  // namespace lapse
