// From requests to replies: looks commands up, checks them, locks their shards, runs them.
//
// A pipeline is run as a batch: all commands are looked up and all keys hashed first, the keys'
// directory words, buckets and entries are prefetched in passes over groups of 16, then each
// command runs with just its own shards locked. At 10 million keys this hides most of three cache
// misses a key.
//
// Thread: one Dispatcher a thread (it holds scratch space), any number on one instance. A batch
// runs inside the gate.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/random/random.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/core/session.h"

namespace lapse {

class Dispatcher {
 public:
  explicit Dispatcher(Instance& instance)
      : instance_(instance), stats_(instance.command_stats.Open()) {}
  ~Dispatcher() { instance_.command_stats.Close(stats_); }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // A run stops once this much output has gathered, so that a client that asks for large values and
  // does not read them costs this and one reply, not its whole pipeline's replies.
  static constexpr size_t kOutputPauseBytes = size_t{1} << 20;

  // Runs requests [from, batch.size()) in order until one blocks the session or closes it, or
  // leaves kOutputPauseBytes or more in the reply's buffer, and returns the number of the next
  // request to run. Replies are written through `reply`, whose RESP version follows the session's.
  // A request that was postponed counts as not run. Requires: not inside the gate.
  size_t Run(Session& session, const RequestBatch& batch, size_t from, ReplyWriter& reply);

  // What Run does while a script is over its time, for callers that wait for its end, or run it:
  // requests are answered BUSY, but for those that may run then. Touches no key and no lock of
  // keys. Requires: in a Gate::Bypass.
  size_t RunBesideScript(Session& session, const RequestBatch& batch, size_t from,
                         ReplyWriter& reply);

  // Runs one command given as words. As Run, for callers in the process, who look at
  // Session::postponed themselves.
  void RunOne(Session& session, std::span<const std::string_view> args, ReplyWriter& reply);

  // What EXEC and scripts do: looks a request up, and runs it within the command that runs now,
  // under these locks (nullptr: under locks of its own). Nothing but arity and the user's rights
  // are checked; an error of these is replied as for any request.
  void RunNested(Session& session, std::span<const std::string_view> args, int64_t now_ms,
                 HeldShards* held, ReplyWriter& reply);

  // The row that a request means (with `parent` set for a subcommand), or nullptr with the error
  // replied; `reply` may be nullptr. Checks arity.
  const CommandRow* Lookup(std::span<const std::string_view> args, const CommandRow** parent,
                           ReplyWriter* reply) const;

  // For commands that draw at random: seeding a generator takes longer than they do.
  absl::InsecureBitGen& random() { return random_; }

 private:
  // Requests that are prepared and prefetched together: enough that their cache misses overlap, few
  // enough that the first one's lines are still there when it runs.
  static constexpr size_t kGroup = 16;
  using Keys = absl::InlinedVector<Key, kGroup>;

  // A request that has been looked up.
  struct Prepared {
    std::span<const std::string_view> args;
    const CommandRow* parent = nullptr;  // the container, for a subcommand
    const CommandRow* row = nullptr;     // nullptr: no such command (or no such subcommand)
    uint32_t number = 0;                 // the registry's, of the row
    bool quick = false;
    bool one_key = false;    // one of CommandRegistry::Numbered::one_key, of the right arity
    uint32_t first_key = 0;  // in keys_
    uint32_t key_count = 0;
  };

  // `before` is the request before this one, if any: pipelines tend to repeat a command.
  Prepared Prepare(std::span<const std::string_view> args, Keys& keys,
                   const Prepared* before = nullptr) const;
  void HashKeys(Prepared& request, Keys& keys) const;
  void HashOneKey(Prepared& request, Keys& keys) const;
  void PrefetchKeys(size_t db) const;  // of the prepared requests
  std::span<const Prepared> prepared() const { return {prepared_.data(), prepared_count_}; }
  // How a request ended: refused before it ran, with an error, or well.
  enum class Outcome : uint8_t { kRefused, kFailed, kDone };
  Outcome RunPrepared(Session& session, const Prepared& request, int64_t now_ms,
                      ReplyWriter& reply);
  // What RunPrepared comes to for requests on one key while nobody has to be asked.
  bool IsPlain(const Session& session, const Prepared& request) const;
  Outcome RunPlain(Session& session, const Prepared& request, int64_t now_ms, ReplyWriter& reply);
  Outcome RunBesideScript(Session& session, const Prepared& request, int64_t now_ms,
                          ReplyWriter& reply);
  // Whether the session's next request has to wait for another run.
  static bool MustStop(const Session& session, const ReplyWriter& reply);
  template <typename Pass>
  size_t RunGroup(Pass& pass, Session& session, int64_t now_ms, ReplyWriter& reply, bool& stop);
  // Whether the prepared requests are timed together, as they are alike and quick.
  bool AreTimedTogether() const;
  void CountTimed(Session& session, const Prepared& request, Outcome outcome, uint64_t cycles,
                  int64_t now_ms);
  // Returns whether it ran; not if a service answered in its place.
  bool RunChecked(Session& session, const Prepared& request, int64_t now_ms, ReplyWriter& reply);
  void RunHandler(CommandContext& context);
  void RunOnOneShard(CommandContext& context);
  void RunLocked(CommandContext& context);
  void NoteError(Session& session, const Request& request, const ReplyWriter& reply, size_t mark);
  // Whether the services want to be asked.
  bool Asked(const Session& session) const;
  // Replies with what forbids the request, if anything does, or has the session closed for it.
  bool Refuse(Session& session, const Prepared& request, ReplyWriter& reply) const;
  void ReplyUnknown(const Prepared& request, ReplyWriter& reply) const;

  Instance& instance_;
  const std::shared_ptr<CommandStats> stats_;
  // What is in hand: a group, and its keys.
  std::array<Prepared, kGroup> prepared_;
  size_t prepared_count_ = 0;
  Keys keys_;
  absl::InsecureBitGen random_;
};

}  // namespace lapse
