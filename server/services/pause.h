// CLIENT PAUSE: clients' commands wait, all or those that write, until a time has come or CLIENT
// UNPAUSE is said.
//
// A command that has to wait is postponed: its session is blocked before it runs, its connection
// keeps the request, and runs it again, with all checks, when the session is resumed. No thread
// waits. While clients are paused no expired key is removed actively, so that what a fail-over
// copies holds still.
//
// Thread: any, inside the gate, where a method does not say otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/hooks.h"
#include "server/core/instance.h"
#include "storage/lock.h"

namespace lapse {

class ClientPause {
 public:
  explicit ClientPause(Instance& instance) : instance_(instance) {}

  // Pauses clients, or those that write, until then. A pause that is on is never made shorter or
  // milder.
  void Begin(int64_t until_ms, bool writes_only);
  void End();

  // Postpones the session if its request has to wait. `writes`: what it does, or, of EXEC, what was
  // queued.
  bool Postpone(Session& session, bool writes, int64_t now_ms);

  // Ends a pause whose time is over. Returns for how long a driver that was to rest for so long may
  // rest. Requires: not inside the gate.
  int64_t Drive(int64_t rest_us);

 private:
  void EndLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Instance& instance_;
  Mutex mu_;
  bool on_ ABSL_GUARDED_BY(mu_) = false;
  bool writes_only_ ABSL_GUARDED_BY(mu_) = false;
  int64_t until_ms_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::weak_ptr<Resumer>> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
