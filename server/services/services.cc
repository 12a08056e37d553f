#include "server/services/services.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "server/core/command_name.h"
#include "server/core/errors.h"
#include "server/services/tasks.h"

namespace lapse {

namespace {

// What a client that listens in RESP2 may still say: anything else's reply could not be told from a
// message.
bool MayListenerRun(const CommandRow& row) {
  return row.name.ends_with("subscribe") || row.name == "ping" || row.name == "quit" ||
         row.name == "reset";
}

// False, and replies why, when what the session listens to forbids the request.
bool MayRun(const Session& session, const Request& request, ReplyWriter& reply) {
  const CommandRow& row = *request.row;
  if ((session.modes & kMonitoring) != 0 &&
      (row.flags & (kWrite | kReadOnly | kMayReplicate)) != 0) {
    reply.Error("ERR Replica can't interact with the keyspace");
    return false;
  }
  if ((session.modes & kSubscribed) != 0 && session.resp == 2 && !MayListenerRun(row)) {
    reply.Error(fmt::format(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
        "RESET are allowed in this context",
        FullName(request.parent, *request.row)));
    return false;
  }
  return true;
}

}  // namespace

Services::Services(Instance& instance)
    : instance_(instance), tasks_(std::make_unique<Tasks>(instance)) {}

Services::~Services() = default;

RunForm Services::FormOf(const Session& session, const CommandRow& row) const {
  if ((session.modes & kInTransaction) != 0) return transactions_.FormOf(session, row);
  return (row.flags & kExclusive) != 0 ? RunForm::kAlone : RunForm::kComposite;
}

// Whether the session may give this command at all; if not, replies why.
bool Services::IsAllowed(Session& session, const Request& request, ReplyWriter& reply) {
  if ((session.modes & kRestricted) != 0 &&
      !acl_.Allow(session, request, AclContext::kTopLevel, reply)) {
    return false;
  }
  return (session.modes & (kSubscribed | kMonitoring)) == 0 || MayRun(session, request, reply);
}

bool Services::BesideScript(Session& session, const Request& request, bool may_run,
                            ReplyWriter& reply) {
  if (!IsAllowed(session, request, reply)) return true;
  if (!may_run) {
    reply.Error(script_watch_.BusyText());
    return true;
  }
  return (session.modes & kInTransaction) != 0 && transactions_.Queue(session, request, reply);
}

bool Services::Before(Session& session, const Request& request, ReplyWriter& reply) {
  if (!IsAllowed(session, request, reply)) return true;
  const uint32_t modes = instance_.modes.load(std::memory_order_relaxed);
  if ((modes & kBusyScript) != 0 && (request.row->flags & kAllowBusy) == 0) {
    reply.Error(script_watch_.BusyText());
    return true;
  }
  if ((modes & kMemoryLimit) != 0 && !memory_limit_.MakeRoom(*request.row, request.now_ms)) {
    reply.Error(errors::kOutOfMemory);
    return true;
  }
  if ((modes & kPaused) != 0) {
    constexpr uint32_t kWrites = kWrite | kMayReplicate;
    const uint32_t flags = transactions_.FlagsOf(session, *request.row);
    if (pause_.Postpone(session, (flags & kWrites) != 0, request.now_ms)) return true;
  }
  if ((session.modes & kInTransaction) != 0 && transactions_.Queue(session, request, reply)) {
    return true;
  }
  if ((modes & kMonitored) != 0) monitors_.BeforeCommand(session, request);
  if ((session.modes & kTracking) != 0) tracking_.BeforeCommand(session);
  return false;
}

void Services::OnKeysLocked(Session& session, const Request& request) {
  tracking_.OnKeysLocked(session, request);
}

void Services::OnNested(Session& session, const Request& request) {
  if ((instance_.modes.load(std::memory_order_relaxed) & kMonitored) != 0) {
    monitors_.OnNested(session, request);
  }
}

void Services::After(Session& session, const Request& request, ReplyWriter& reply) {
  const uint32_t modes = instance_.modes.load(std::memory_order_relaxed);
  if ((session.modes & kTracking) != 0) tracking_.AfterCommand(session, request, reply);
  if ((modes & kMonitored) != 0) monitors_.AfterCommand(session, request);
  if ((modes & kReadyKeys) != 0) blocking_.Serve();
}

void Services::OnSlow(Session& session, const Request& request, int64_t duration_us) {
  slow_log_.Note(session, request, duration_us);
  const int64_t threshold_ms = instance_.config.latency_monitor_threshold_ms;
  if (threshold_ms == 0 || duration_us < threshold_ms * 1000) return;
  const bool fast = (request.row->flags & kFast) != 0;
  latency_.Note(fast ? "fast-command" : "command", request.now_ms, duration_us / 1000);
}

void Services::OnError(Session& session, const Request& request, std::string_view text) {
  errors_.Count(text);
  if ((session.modes & kInTransaction) != 0) transactions_.OnError(session, request);
}

void Services::Forget(Session& session) {
  transactions_.End(session);
  pubsub_.UnsubscribeAll(session);
  tracking_.Disable(session);
  monitors_.Remove(session);
}

int64_t Services::Drive(int64_t rest_us) { return pause_.Drive(blocking_.Drive(rest_us)); }

int64_t Services::Kill(absl::FunctionRef<bool(const Session&)> chosen) {
  std::vector<uint64_t> ids;
  instance_.clients.ForEach([&](Session& session) {
    if (!chosen(session)) return;
    session.killed = true;
    if (session.resumer != nullptr) session.resumer->Close();
    const ClientState* const state = FindState(session);
    if (state != nullptr && state->outbox != nullptr) state->outbox->Close();
    ids.push_back(session.id);
  });
  for (const uint64_t id : ids) blocking_.Unblock(id, false);
  return static_cast<int64_t>(ids.size());
}

int64_t Services::Operate() {
  return tasks_->Operate(std::min(kLongestOperationsRestMs, samples_.Step()));
}

void Services::BeforeFlush(std::optional<size_t> db, int64_t now_ms) {
  transactions_.watched().Flush(db, now_ms);
  tracking_.Flush();
}

void Services::BeforeSwap(size_t a, size_t b, int64_t now_ms) {
  transactions_.watched().Swap(a, b, now_ms);
}

bool Services::MayRunNested(Session& session, const Request& request, ReplyWriter& reply) {
  return acl_.Allow(session, request, AclContext::kScript, reply);
}

void Services::OnSessionStart(Session& session) { acl_.BeginSession(session); }

void Services::OnConfigChanged() {
  acl_.OnConfigChanged();
  memory_limit_.OnConfigChanged();
  const Config& config = instance_.config;
  int64_t least_us = config.slowlog_slower_than_us;
  const int64_t spike_us = config.latency_monitor_threshold_ms * 1000;
  if (spike_us > 0 && (least_us < 0 || spike_us < least_us)) least_us = spike_us;
  // A little less, since the cycles of a microsecond are measured: who notes it looks again.
  constexpr double kSurely = 0.98;
  const double ns_per_cycle = std::max(instance_.command_stats.scale().NsPerCycle(), 0.01);
  instance_.slow_cycles.store(
      least_us < 0
          ? ~uint64_t{0}
          : static_cast<uint64_t>(kSurely * static_cast<double>(least_us) * 1000 / ns_per_cycle),
      std::memory_order_relaxed);
  notifications_.OnConfigChanged();
}

void Services::OnSessionEnd(Session& session) {
  blocking_.Forget(session);
  const Gate::Shared inside(instance_.keyspace.gate());
  Forget(session);
  if (ClientState* const state = FindState(session); state != nullptr && state->outbox != nullptr) {
    state->outbox->Close();
  }
}

absl::Status InstallServices(Instance& instance) {
  auto services = std::make_unique<Services>(instance);
  Acl& acl = services->acl();
  Tasks& tasks = services->tasks();
  instance.hooks = std::move(services);
  instance.hooks->OnConfigChanged();
  tasks.Start();
  return acl.Start();
}

}  // namespace lapse
