// Where services take part in the running of every command, without the core knowing them.
//
// The dispatcher asks CommandHooks only when a mode says that there is something to ask about: a
// session's own (it is in a transaction, subscribed, restricted by an ACL) or the instance's (a
// memory limit, a monitor, a pause). Without any, a command pays for one test.
//
// Thread: the session's, inside the gate.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/core/command.h"
#include "server/core/session.h"

namespace lapse {

// Bits of Session::modes and of Instance::modes.
enum Mode : uint32_t {
  // A session's.
  kInTransaction = 1u << 0,  // MULTI was said
  kSubscribed = 1u << 1,     // RESP2: only commands around subscriptions are taken
  kTracking = 1u << 2,       // client-side caching
  kRestricted = 1u << 3,     // the user may not do everything
  kMonitoring = 1u << 4,
  // The instance's.
  kMonitored = 1u << 8,     // some session monitors
  kPaused = 1u << 9,        // CLIENT PAUSE
  kMemoryLimit = 1u << 10,  // maxmemory is set
  kReadyKeys = 1u << 11,    // keys that blocked clients wait for have something for them
  kSlowLog = 1u << 12,      // commands are timed one by one
  kBusyScript = 1u << 13,   // a script has run for too long
};

// A request that was looked up (for Before and After with the right number of arguments; OnError
// may see one without a row).
struct Request {
  std::span<const std::string_view> args;
  const CommandRow* parent = nullptr;  // the container, for a subcommand
  const CommandRow* row = nullptr;
  int64_t now_ms = 0;
};

// How a command runs in relation to all others.
enum class RunForm : uint8_t {
  kTogether,   // inside the gate, as most do
  kComposite,  // and with Instance::composite_mu held
  kAlone,      // in the gate's exclusive form
};

class CommandHooks {
 public:
  virtual ~CommandHooks() = default;
  // How to run a command whose row is kComposite or kExclusive: what EXEC needs depends on what was
  // queued, and a command that is only queued needs nothing. Asked before Before.
  virtual RunForm FormOf(const Session& session, const CommandRow& row) const = 0;
  // Before the request's shards are locked. Returns true when it has answered in the command's
  // place (an error, QUEUED), or has blocked and postponed the session to have the request run
  // again when it is resumed.
  virtual bool Before(Session& session, const Request& request, ReplyWriter& reply) = 0;
  // As Before, while a script is over its time. If the request may not run then (`may_run`),
  // answers that in any case. Touches no key.
  virtual bool BesideScript(Session& session, const Request& request, bool may_run,
                            ReplyWriter& reply) = 0;
  // Before a tracking session's command runs (on its own, or as part of a transaction or a script),
  // with the shards of its keys locked, unless it locks for itself.
  virtual void OnKeysLocked(Session& session, const Request& request) = 0;
  // Before a command runs as part of a transaction or a script. Only while a mode is set.
  virtual void OnNested(Session& session, const Request& request) = 0;
  // After the command has run and its locks are released.
  virtual void After(Session& session, const Request& request, ReplyWriter& reply) = 0;
  // The command took at least Instance::slow_cycles. Its arguments are still there.
  virtual void OnSlow(Session& session, const Request& request, int64_t duration_us) = 0;
  // An error was replied, by whoever; `text` begins with the code ("WRONGTYPE Operation...").
  virtual void OnError(Session& session, const Request& request, std::string_view text) = 0;
  // Whether the session's user may run the request within another command (EXEC, a script); if
  // not, replies why. Asked of restricted sessions alone.
  virtual bool MayRunNested(Session& session, const Request& request, ReplyWriter& reply) = 0;
  // A new connection: sets whose it is and whether it must authenticate. Inside the gate.
  virtual void OnSessionStart(Session& session) = 0;
  // The instance's configuration has changed, or is new; inside the gate's exclusive form, or
  // before any command runs.
  virtual void OnConfigChanged() = 0;
  // A session with a state is about to go, or to become as new (RESET): whatever waits for it or
  // refers to it must be undone. Thread: the session's, inside the gate or not.
  virtual void OnSessionEnd(Session& session) = 0;
};

}  // namespace lapse
