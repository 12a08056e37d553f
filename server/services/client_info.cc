#include "server/services/client_info.h"

#include "fmt/format.h"
#include "server/core/command.h"

namespace lapse {
namespace {

std::string CommandName(const Session& session) {
  if (session.last_command == nullptr) return "NULL";
  if (session.last_subcommand.empty()) return std::string(session.last_command->name);
  return fmt::format("{}|{}", session.last_command->name, session.last_subcommand);
}

std::string Flags(const Session& session) {
  std::string flags;
  if (session.blocked) flags += 'b';
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
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 "
      "multi=-1 qbuf={} qbuf-free={} argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={} oll=0 omem={} "
      "tot-mem={} events=r cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={}",
      session.id, session.address, session.local_address, session.fd, session.name,
      (now_ms - session.created_ms) / 1000, (now_ms - session.last_active_ms) / 1000,
      Flags(session), session.db, input, input_free, output, output,
      sizeof(Session) + input + input_free + output, CommandName(session), session.user,
      session.resp, session.lib_name, session.lib_version);
}

}  // namespace lapse
