#include "server/services/transactions.h"

#include <utility>
#include <vector>

#include "server/core/dispatcher.h"
#include "server/services/session_state.h"
#include "storage/held_shards.h"

namespace lapse {
namespace {

constexpr std::string_view kAborted = "EXECABORT Transaction discarded because of previous errors.";

// Nullptr for a session that neither queued nor watched anything so far.
Transaction* FindTransaction(const Session& session) {
  ClientState* const state = FindState(session);
  return state == nullptr ? nullptr : state->transaction.get();
}

Transaction& TransactionOf(Session& session) {
  ClientState& state = StateOf(session);
  if (state.transaction == nullptr) state.transaction = std::make_unique<Transaction>();
  return *state.transaction;
}

bool InTransaction(const Session& session) { return (session.modes & kInTransaction) != 0; }

}  // namespace

void CommandQueue::Add(std::span<const std::string_view> args) {
  for (const std::string_view word : args) {
    text_ += word;
    word_ends_.push_back(text_.size());
  }
  command_ends_.push_back(word_ends_.size());
}

void CommandQueue::Clear() {
  if (bytes() > kKeepBytes) {
    *this = CommandQueue();
    return;
  }
  text_.clear();
  word_ends_.clear();
  command_ends_.clear();
}

void Transactions::Multi(CommandContext& ctx) {
  if (InTransaction(ctx.session)) return ctx.reply.Error("ERR MULTI calls can not be nested");
  TransactionOf(ctx.session);
  ctx.session.modes |= kInTransaction;
  ctx.reply.Ok();
}

void Transactions::Discard(CommandContext& ctx) {
  if (!InTransaction(ctx.session)) return ctx.reply.Error("ERR DISCARD without MULTI");
  End(ctx.session);
  ctx.reply.Ok();
}

void Transactions::Watch(CommandContext& ctx) {
  if (InTransaction(ctx.session)) {
    return ctx.reply.Error("ERR WATCH inside MULTI is not allowed");
  }
  Transaction& transaction = TransactionOf(ctx.session);
  // A transaction that cannot succeed any more need not watch further keys.
  if (!transaction.watch.dirty.load(std::memory_order_relaxed)) {
    for (size_t i = 0; i < ctx.key_count(); ++i) {
      watched_.Add(transaction.watch, ctx.view().db, ctx.key(i), ctx.now_ms);
    }
  }
  ctx.reply.Ok();
}

void Transactions::Unwatch(CommandContext& ctx) {
  if (Transaction* const transaction = FindTransaction(ctx.session)) {
    watched_.Clear(transaction->watch);
  }
  ctx.reply.Ok();
}

RunForm Transactions::FormOf(const Session& session, const CommandRow& row) const {
  uint32_t flags = row.flags;
  if ((flags & kRunsInMulti) == 0) return RunForm::kTogether;  // it is only queued
  if ((flags & kComposite) != 0) {                             // EXEC
    const Transaction* const transaction = FindTransaction(session);
    if (transaction == nullptr || transaction->failed) return RunForm::kTogether;
    flags = transaction->flags;
    if (transaction->changes_db) flags |= kLocksItself;
  }
  if ((flags & kExclusive) != 0) return RunForm::kAlone;
  if ((flags & (kComposite | kLocksItself)) != 0) return RunForm::kComposite;
  return RunForm::kTogether;
}

uint32_t Transactions::FlagsOf(const Session& session, const CommandRow& row) const {
  constexpr uint32_t kExec = kComposite | kRunsInMulti;
  const Transaction* const transaction =
      (row.flags & kExec) == kExec ? FindTransaction(session) : nullptr;
  return row.flags | (transaction == nullptr ? 0 : transaction->flags);
}

bool Transactions::Queue(Session& session, const Request& request, ReplyWriter& reply) {
  const CommandRow& row = *request.row;
  if ((row.flags & kNoMulti) != 0) {
    reply.Error("ERR Command not allowed inside a transaction");
    return true;
  }
  if ((row.flags & kRunsInMulti) != 0) return false;
  Transaction& transaction = TransactionOf(session);
  transaction.queue.Add(request.args);
  transaction.flags |= row.flags;
  // What a script will run is not known, and one that needs the server for itself could not be run
  // again in the midst of a transaction.
  if ((row.flags & kComposite) != 0) transaction.flags |= kExclusive;
  if (row.name == "select") transaction.changes_db = true;
  if (row.has_keys() && (row.flags & kLocksItself) == 0) {
    KeyRefs keys;
    FindKeys(row, request.args, keys);
    for (const KeyRef& key : keys) {
      transaction.wanted.push_back(
          {static_cast<uint16_t>(session.db), keyspace_.Hashed(request.args[key.index]).place});
    }
  }
  reply.Simple("QUEUED");
  return true;
}

void Transactions::OnError(Session& session, const Request& request) {
  const bool runs_at_once = request.row != nullptr && (request.row->flags & kRunsInMulti) != 0;
  // EXEC that ran has left the transaction, so this one was refused: that leaves it, too.
  if (runs_at_once && (request.row->flags & kComposite) != 0) return End(session);
  if (runs_at_once && ArityFits(*request.row, request.args.size())) return;
  if (Transaction* const transaction = FindTransaction(session)) transaction->failed = true;
}

void Transactions::End(Session& session) {
  session.modes &= ~kInTransaction;
  Transaction* const transaction = FindTransaction(session);
  if (transaction == nullptr) return;
  watched_.Clear(transaction->watch);
  transaction->queue.Clear();
  transaction->wanted.clear();
  transaction->flags = 0;
  transaction->changes_db = false;
  transaction->failed = false;
}

void Transactions::Exec(CommandContext& ctx) {
  Session& session = ctx.session;
  if (!InTransaction(session)) return ctx.reply.Error("ERR EXEC without MULTI");
  Transaction& transaction = TransactionOf(session);
  if (transaction.failed) {
    End(session);
    return ctx.reply.Error(kAborted);
  }
  const RunForm form = FormOf(session, ctx.row);
  std::vector<KeyLocks::Want>& wanted = transaction.wanted;
  for (const auto& key : transaction.watch.keys) wanted.push_back({key.db, key.place});
  HeldShards held(ctx.keyspace(),
                  form == RunForm::kAlone ? HeldShards::Kind::kAlone : HeldShards::Kind::kGrowing,
                  wanted);
  if (watched_.Changed(transaction.watch, ctx.now_ms, held)) {
    End(session);
    return ctx.reply.NullArray();
  }
  // Taken out, so that nothing that runs meanwhile sees the session in its transaction.
  CommandQueue queue = std::exchange(transaction.queue, {});
  End(session);
  // CLIENT REPLY OFF and ON take effect at once among the queued commands, so what is answered may
  // be fewer than the header says, or have none: as in Redis.
  if (session.reply_mode != ReplyMode::kOff) ctx.reply.Array(queue.size());
  queue.ForEach([&](std::span<const std::string_view> args) {
    const size_t mark = ctx.reply.size();
    ctx.dispatcher.RunNested(session, args, ctx.now_ms, &held, ctx.reply);
    if (session.reply_mode == ReplyMode::kOff) ctx.reply.Truncate(mark);
  });
  if (Transaction* const after = FindTransaction(session)) {
    queue.Clear();
    after->queue = std::move(queue);
  }
}

int64_t Transactions::QueuedBy(const Session& session) {
  if (!InTransaction(session)) return -1;
  const Transaction* const transaction = FindTransaction(session);
  return transaction == nullptr ? 0 : static_cast<int64_t>(transaction->queue.size());
}

size_t Transactions::QueuedBytes(const Session& session) {
  const Transaction* const transaction = FindTransaction(session);
  return transaction == nullptr ? 0 : transaction->queue.bytes();
}

bool Transactions::IsDirty(const Session& session) {
  const Transaction* const transaction = FindTransaction(session);
  return transaction != nullptr && transaction->watch.dirty.load(std::memory_order_relaxed);
}

}  // namespace lapse
