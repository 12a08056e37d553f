#include "server/services/client_info.h"

#include "fmt/format.h"
#include "server/core/command.h"
#include "server/core/hooks.h"
#include "server/services/session_state.h"
#include "server/services/transactions.h"

namespace lapse {
namespace {

std::string CommandName(const Session& session) {
  if (session.last_command == nullptr) return "NULL";
  if (session.last_subcommand.empty()) return std::string(session.last_command->name);
  return fmt::format("{}|{}", session.last_command->name, session.last_subcommand);
}

std::string Flags(const Session& session) {
  const ClientState* const state = FindState(session);
  const TrackingState* const tracking = state == nullptr ? nullptr : state->tracking.get();
  std::string flags;
  if ((session.modes & kMonitoring) != 0) flags += 'O';
  if ((session.modes & kSubscribed) != 0) flags += 'P';
  if ((session.modes & kInTransaction) != 0) flags += 'x';
  if (session.blocked) flags += 'b';
  if (tracking != nullptr) {
    flags += 't';
    if (tracking->client->broken_redirect.load(std::memory_order_relaxed)) flags += 'R';
    if (tracking->options.broadcast) flags += 'B';
  }
  if (Transactions::IsDirty(session)) flags += 'd';
  if (session.close_after_reply) flags += 'c';
  if (session.killed) flags += 'A';
  if (session.unix_socket) flags += 'U';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

}  // namespace

// The fields that stand for what is not here (replication) have the values of a client that uses
// none of it.
std::string DescribeClient(const Session& session, int64_t now_ms) {
  const size_t input = session.query_buffer_bytes.load(std::memory_order_relaxed);
  const size_t input_free = session.query_buffer_free_bytes.load(std::memory_order_relaxed);
  const size_t output = session.output_bytes.load(std::memory_order_relaxed);
  const ClientState* const state = FindState(session);
  static const Subscriptions kNone;
  const Subscriptions& subscriptions =
      state == nullptr || state->subscriptions == nullptr ? kNone : *state->subscriptions;
  const int64_t redirect = state == nullptr || state->tracking == nullptr
                               ? -1
                               : static_cast<int64_t>(state->tracking->options.redirect);
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} "
      "multi={} qbuf={} qbuf-free={} argv-mem=0 multi-mem={} rbs=0 rbp=0 obl={} oll=0 omem={} "
      "tot-mem={} events=r cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
      session.id, session.address, session.local_address, session.fd, session.name,
      (now_ms - session.created_ms) / 1000, (now_ms - session.last_active_ms) / 1000,
      Flags(session), session.db, subscriptions.count(ChannelKind::kChannel),
      subscriptions.count(ChannelKind::kPattern), subscriptions.count(ChannelKind::kShard),
      Transactions::QueuedBy(session), input, input_free, Transactions::QueuedBytes(session),
      output, output,
      sizeof(Session) + input + input_free + Transactions::QueuedBytes(session) + output,
      CommandName(session), session.user, redirect, session.resp, session.lib_name,
      session.lib_version);
}

}  // namespace lapse
