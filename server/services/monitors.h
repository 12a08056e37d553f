// MONITOR: every command of every client, written to those who asked for it.
//
//   1795367232.286633 [0 127.0.0.1:52314] "SET" "a" "1"
//
// A command is shown when it has run, since one that fails before it runs is not shown at all; a
// script before it runs, so that it comes before the commands that it runs. Passwords are not
// shown, nor are commands that administer the server.
//
// Thread: the session's, inside the gate.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "server/services/outbox.h"
#include "storage/lock.h"

namespace lapse {

class Monitors {
 public:
  explicit Monitors(Instance& instance) : instance_(instance) {}

  void Add(Session& session);
  // Without effect when the session does not monitor. Inside the gate or not.
  void Remove(Session& session);

  void BeforeCommand(const Session& session, const Request& request);
  void AfterCommand(const Session& session, const Request& request);
  // A command that a transaction or a script is about to run.
  void OnNested(const Session& session, const Request& request);

 private:
  void Feed(const Session& session, const Request& request, std::string_view origin);

  Instance& instance_;
  Mutex mu_;
  std::vector<std::shared_ptr<Outbox>> outboxes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
