// A flush of another server as part of a task: a thread that blocks in FlushRemote, and what it has
// come to so far, to be looked at.
//
// The thread touches nothing of the instance: whoever waits for it may hold the gate. It ends soon
// after it was told to stop, which the destructor does.
//
// Thread: one at a time.
#pragma once

#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "expiry/tasks/task_runs.h"
#include "remote/flush.h"
#include "storage/lock.h"

namespace lapse {

class RemoteRun {
 public:
  RemoteRun(RemoteTarget target, const RunOrder& order);

  // What there is so far. Over only when the thread has nothing left to do but to end.
  RunLook Look();
  void Cancel() { thread_.request_stop(); }

 private:
  struct Shared {
    Mutex mu;
    RunLook look ABSL_GUARDED_BY(mu);
  };

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace lapse
