// Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//
// After MULTI each command is looked up, checked and copied instead of run; EXEC then runs them as
// one: with the shards of all their keys, and of all watched keys, locked from before the first
// command until after the last, so that others see all changes or none.
//
// What EXEC needs is known when it comes, and most transactions need little:
//
//   all keys are known           lock the union of their shards; others run beside it
//   a command locks for itself   the same, and more shards as they come; one such EXEC at a time
//   a command needs the world    alone, as that command itself would run
//
// Thread: the session's, inside the gate.
#pragma once

#include <string_view>

#include "server/core/context.h"
#include "server/core/hooks.h"
#include "server/services/transaction.h"
#include "server/services/watched_keys.h"

namespace lapse {

class Transactions {
 public:
  explicit Transactions(Keyspace& keyspace) : watched_(keyspace), keyspace_(keyspace) {}

  // The commands.
  void Multi(CommandContext& ctx);
  void Exec(CommandContext& ctx);
  void Discard(CommandContext& ctx);
  void Watch(CommandContext& ctx);
  void Unwatch(CommandContext& ctx);

  // How a command runs that is said between MULTI and EXEC, these two included.
  RunForm FormOf(const Session& session, const CommandRow& row) const;
  // What the row's command is about to do: of EXEC, what was queued.
  uint32_t FlagsOf(const Session& session, const CommandRow& row) const;
  // Answers QUEUED, or refuses, for a session in a transaction; false for what runs at once.
  bool Queue(Session& session, const Request& request, ReplyWriter& reply);
  // An error was replied to a session in a transaction: unless it came from a command that ran at
  // once, EXEC will run nothing.
  void OnError(Session& session, const Request& request);
  // Leaves the transaction, if there is one, and watches nothing any more.
  void End(Session& session);

  // Commands that wait for EXEC; -1 outside of a transaction, as CLIENT LIST shows it.
  static int64_t QueuedBy(const Session& session);
  static size_t QueuedBytes(const Session& session);
  // Whether a watched key has changed so far.
  static bool IsDirty(const Session& session);

  WatchedKeys& watched() { return watched_; }

 private:
  WatchedKeys watched_;
  Keyspace& keyspace_;
};

}  // namespace lapse
