// Runs commands given as words for callers in the process: a session with its dispatcher, and a
// pool of them, so that a call costs no set-up.
//
// Each call sees a session as new. A command that blocks its session makes the caller wait for the
// answer, which then runs on the caller's thread, inside the gate, as on a connection's.
//
// Thread: ExecutorPool from any thread outside of the gate; an Executor by one thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protocol/buffer.h"
#include "protocol/reply.h"
#include "server/core/dispatcher.h"
#include "server/core/instance.h"
#include "server/core/session.h"
#include "storage/lock.h"

namespace lapse {

class Executor {
 public:
  // The instance outlives it.
  explicit Executor(Instance& instance);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Requires: words is not empty.
  Reply Execute(std::span<const std::string_view> words);

 private:
  class Waiter;

  void Reset();
  Reply TakeReply();

  Instance& instance_;
  Session session_;
  Dispatcher dispatcher_;
  std::shared_ptr<Waiter> waiter_;
  Buffer out_;
};

class ExecutorPool {
 public:
  // Executors that are kept while nobody uses them.
  static constexpr size_t kMaxIdle = 64;

  explicit ExecutorPool(Instance& instance) : instance_(instance) {}

  Reply Execute(std::span<const std::string_view> words);

 private:
  Instance& instance_;
  Mutex mu_;
  std::vector<std::unique_ptr<Executor>> idle_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
