// Runs commands given as words for callers in the process: a session with its dispatcher, and a
// pool of them, so that a call costs no set-up.
//
// Each call sees a session as new. A command that blocks its session makes the caller wait for the
// answer, which then runs on the caller's thread, inside the gate, as on a connection's.
//
// A call is a host program's, whom the ACL does not concern, or one for somebody outside of the
// process (an HTTP client), who is a user of the ACL and may do what that user may.
//
// Thread: ExecutorPool from any thread outside of the gate; an Executor by one thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
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

// For whom a command runs, and how CLIENT LIST and the ACL's log show them.
struct Caller {
  std::string user;
  std::string address;  // "127.0.0.1:50012"
  std::string local_address;
  std::string library;  // lib-name: "http"
};

class Executor {
 public:
  // The instance outlives it.
  explicit Executor(Instance& instance);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Requires: words is not empty.
  Reply Execute(std::span<const std::string_view> words);
  // As the caller's user, under the ACL; NOAUTH when there is none of that name, or it is off.
  Reply ExecuteAs(const Caller& caller, std::span<const std::string_view> words);
  // Whether the password is the caller's user's (or that needs none); a refusal is noted in the
  // ACL's log.
  bool Authenticate(const Caller& caller, std::string_view password);

  // Ends the wait of a blocked command, now and from now on, with an error. Thread: any.
  void Interrupt();
  bool interrupted() const;

 private:
  class Waiter;

  void Become(const Caller& caller);
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

  // As those of an Executor.
  Reply Execute(std::span<const std::string_view> words);
  Reply ExecuteAs(const Caller& caller, std::span<const std::string_view> words);
  bool Authenticate(const Caller& caller, std::string_view password);

  // Ends what waits, and has whatever would wait end at once: for a shutdown that cannot wait for
  // the end of a CLIENT PAUSE.
  void Interrupt();

 private:
  std::unique_ptr<Executor> Take();
  void Return(std::unique_ptr<Executor> executor);

  Instance& instance_;
  Mutex mu_;
  bool interrupted_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::unique_ptr<Executor>> idle_ ABSL_GUARDED_BY(mu_);
  std::vector<Executor*> busy_ ABSL_GUARDED_BY(mu_);
};

}  // namespace lapse
