// What a command handler gets: the request, the client, the locked keys and the way to answer.
//
// Time is frozen for the length of a command: now_ms is read once per batch and everything below
// uses it.
//
// Thread: the session's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/core/command.h"
#include "server/core/session.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse {

class Dispatcher;
struct Instance;

// An answer to be given later, from any thread: the session stays blocked (and its connection's
// thread goes on with others) until Complete is called.
class DeferredReply {
 public:
  DeferredReply() = default;
  explicit DeferredReply(std::weak_ptr<Resumer> resumer) : resumer_(std::move(resumer)) {}
  // Answers and lets the session go on. Further calls, and calls when the client has gone, do
  // nothing.
  void Complete(std::function<void(ReplyWriter&)> write_reply);

 private:
  std::weak_ptr<Resumer> resumer_;
};

class CommandContext {
 public:
  Instance& instance;
  Session& session;
  const CommandRow& row;                   // the subcommand's, where there is one
  std::span<const std::string_view> args;  // args[0] is the command's name as the client spelt it
  ReplyWriter& reply;
  int64_t now_ms;
  Dispatcher& dispatcher;
  // Of the EXEC or script that runs this command: a command with it must not block.
  HeldShards* held = nullptr;
  bool nested() const { return held != nullptr; }

  Keyspace& keyspace() const;
  AccessView view() const { return ViewOf(static_cast<uint16_t>(session.db)); }
  AccessView ViewOf(uint16_t db) const { return {db, !session.no_touch, now_ms, held, session.id}; }

  // The keys that the row's KeySpec names, hashed, and their shards, locked (those of a row
  // that is kLocksItself are not).
  size_t key_count() const { return keys.size(); }
  const Key& key(size_t i = 0) const { return keys[i]; }
  LockedShard& shard(size_t i = 0) const {
    return single != nullptr ? *single
                             : several->For(static_cast<uint16_t>(session.db), keys[i].place);
  }

  // Blocks the session until the returned reply is completed. The handler writes nothing.
  DeferredReply Defer();

  // Set by the dispatcher.
  std::span<const Key> keys;
  LockedShard* single = nullptr;  // when all keys live in one shard
  KeyLocks* several = nullptr;
};

}  // namespace lapse
