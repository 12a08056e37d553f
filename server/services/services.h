// The services of an instance: what runs beside the commands (transactions, publishing, blocked
// clients, ...), each in a file of its own, gathered here and asked in a fixed order.
//
// Thread: as hooks.h says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "server/services/acl.h"
#include "server/services/blocking.h"
#include "server/services/error_stats.h"
#include "server/services/function_libraries.h"
#include "server/services/latency.h"
#include "server/services/memory_limit.h"
#include "server/services/monitors.h"
#include "server/services/notifications.h"
#include "server/services/pause.h"
#include "server/services/pubsub.h"
#include "server/services/samples.h"
#include "server/services/scripts.h"
#include "server/services/session_state.h"
#include "server/services/slow_log.h"
#include "server/services/tracking.h"
#include "server/services/transactions.h"

namespace lapse {

class Tasks;

class Services final : public CommandHooks {
 public:
  explicit Services(Instance& instance);
  ~Services() override;

  // Those of the instance. Requires: InstallServices was called.
  static Services& Of(const Instance& instance) { return static_cast<Services&>(*instance.hooks); }

  Acl& acl() { return acl_; }
  SlowLog& slow_log() { return slow_log_; }
  LatencyMonitor& latency() { return latency_; }
  const MemoryLimit& memory_limit() const { return memory_limit_; }
  ErrorStats& errors() { return errors_; }
  Samples& samples() { return samples_; }

  RunForm FormOf(const Session& session, const CommandRow& row) const override;
  bool Before(Session& session, const Request& request, ReplyWriter& reply) override;
  bool BesideScript(Session& session, const Request& request, bool may_run,
                    ReplyWriter& reply) override;
  void OnKeysLocked(Session& session, const Request& request) override;
  void OnNested(Session& session, const Request& request) override;
  void After(Session& session, const Request& request, ReplyWriter& reply) override;
  void OnSlow(Session& session, const Request& request, int64_t duration_us) override;
  void OnError(Session& session, const Request& request, std::string_view text) override;
  bool MayRunNested(Session& session, const Request& request, ReplyWriter& reply) override;
  void OnSessionStart(Session& session) override;
  void OnConfigChanged() override;
  void OnSessionEnd(Session& session) override;

  Blocking& blocking() { return blocking_; }
  ScriptWatch& script_watch() { return script_watch_; }
  Scripts& scripts() { return scripts_; }
  FunctionLibraries& functions() { return functions_; }

  // Undoes what a session has said, but for whose it is, as RESET does. Thread: the session's.
  void Forget(Session& session);
  // Has the connections of these sessions closed. They close when their threads get to that; until
  // then nothing more may be handed to clients that will not see it: elements that they wait for,
  // messages that count as received. Returns how many. In the gate's exclusive form.
  int64_t Kill(absl::FunctionRef<bool(const Session&)> chosen);
  // To be called before a database (nullopt: every one) is emptied, or two are exchanged. In the
  // gate's exclusive form.
  void BeforeFlush(std::optional<size_t> db, int64_t now_ms);
  void BeforeSwap(size_t a, size_t b, int64_t now_ms);

  // To be called by driver 0 before it rests for `rest_us`: ends what has waited for long enough.
  // Returns for how long it may rest, no longer than that. Requires: not inside the gate.
  int64_t Drive(int64_t rest_us);

  // What is done for the operator by the clock. To be called by one thread again and again; returns
  // after how many milliseconds, at most kLongestOperationsRestMs. May write files. Requires: not
  // inside the gate.
  static constexpr int64_t kLongestOperationsRestMs = 1000;
  int64_t Operate();
  // `wake` makes that thread call Operate soon, and may be called by any thread, inside the gate or
  // not. Requires the gate's exclusive form.
  void SetOperationsWaker(std::function<void()> wake) { wake_operations_ = std::move(wake); }
  // To be called inside the gate.
  void WakeOperations() const {
    if (wake_operations_) wake_operations_();
  }

  Transactions& transactions() { return transactions_; }
  PubSub& pubsub() { return pubsub_; }
  Tracking& tracking() { return tracking_; }
  Monitors& monitors() { return monitors_; }
  ClientPause& pause() { return pause_; }
  // server/services/tasks.h
  Tasks& tasks() { return *tasks_; }

 private:
  bool IsAllowed(Session& session, const Request& request, ReplyWriter& reply);

  Instance& instance_;
  Acl acl_{instance_};
  SlowLog slow_log_{instance_};
  LatencyMonitor latency_;
  ErrorStats errors_;
  MemoryLimit memory_limit_{instance_};
  Blocking blocking_{instance_};
  Transactions transactions_{instance_.keyspace};
  PubSub pubsub_;
  Notifications notifications_{instance_, pubsub_};
  Tracking tracking_{instance_};
  Monitors monitors_{instance_};
  ClientPause pause_{instance_};
  ScriptWatch script_watch_{instance_};
  Scripts scripts_{instance_, script_watch_};
  FunctionLibraries functions_{instance_, script_watch_};
  Samples samples_{instance_};
  std::function<void()> wake_operations_;
  const std::unique_ptr<Tasks> tasks_;
};

// Gives a new instance its services; to be called once, before any command runs. Fails on a
// configuration that they cannot work with (an aclfile with mistakes); the instance is good all the
// same, with the defaults in their place.
absl::Status InstallServices(Instance& instance);

}  // namespace lapse
