#include "server/services/executor.h"

#include <condition_variable>
#include <string>
#include <utility>

#include "protocol/reply_parser.h"
#include "protocol/reply_writer.h"
#include "server/core/errors.h"
#include "server/core/hooks.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr int kResp = 3;
constexpr size_t kKeepBytes = size_t{64} << 10;  // of an idle executor's buffer

Reply ErrorReply(std::string text) {
  Reply reply;
  reply.type = ReplyType::kError;
  reply.text = std::move(text);
  return reply;
}

}  // namespace

// Where the answer to a blocked session arrives.
class Executor::Waiter final : public Resumer {
 public:
  void Resume(std::function<void(ReplyWriter&)> write_reply) override {
    {
      MutexGuard guard(mu_);
      answer_ = std::move(write_reply);
    }
    answered_.notify_one();
  }
  // A call has one answer, and nobody reads what comes beside it.
  void Push(std::function<void(ReplyWriter&)>) override {}
  // A call in progress goes on to its end.
  void Close() override {}

  // The answer, or nothing when the wait was interrupted.
  std::function<void(ReplyWriter&)> Wait() {
    MutexGuard guard(mu_);
    while (!answer_ && !interrupted_) answered_.wait(mu_);
    return std::exchange(answer_, nullptr);
  }
  void Interrupt() {
    {
      MutexGuard guard(mu_);
      interrupted_ = true;
    }
    answered_.notify_one();
  }
  bool interrupted() {
    MutexGuard guard(mu_);
    return interrupted_;
  }

 private:
  Mutex mu_;
  std::condition_variable_any answered_;
  std::function<void(ReplyWriter&)> answer_ ABSL_GUARDED_BY(mu_);
  bool interrupted_ ABSL_GUARDED_BY(mu_) = false;
};

Executor::Executor(Instance& instance)
    : instance_(instance), dispatcher_(instance), waiter_(std::make_shared<Waiter>()) {
  session_.in_process = true;
  session_.trusted = true;
  session_.resumer = waiter_;
  session_.created_ms = session_.last_active_ms = instance.clock.NowMs();
  Reset();
  instance.clients.Add(&session_);
}

Executor::~Executor() {
  instance_.ForgetState(session_);
  instance_.clients.Remove(&session_);
}

Reply Executor::Execute(std::span<const std::string_view> words) {
  ReplyWriter writer(out_, kResp);
  dispatcher_.RunOne(session_, words, writer);
  while (session_.blocked) {
    const bool again = std::exchange(session_.postponed, false);
    const std::function<void(ReplyWriter&)> write_answer = waiter_->Wait();
    if (!write_answer) {
      out_.Clear();
      return ErrorReply("ERR the server is shutting down");
    }
    {
      const Gate::Shared inside(instance_.keyspace.gate());
      session_.blocked = false;
      instance_.clients.CountBlocked(-1);
      write_answer(writer);
    }
    if (again) dispatcher_.RunOne(session_, words, writer);
  }
  Reply reply = TakeReply();
  instance_.ForgetState(session_);
  const Gate::Shared inside(instance_.keyspace.gate());
  Reset();
  return reply;
}

Reply Executor::ExecuteAs(const Caller& caller, std::span<const std::string_view> words) {
  bool welcome = false;
  {
    const Gate::Shared inside(instance_.keyspace.gate());
    Become(caller);
    welcome = Services::Of(instance_).acl().BeginSessionOf(session_, caller.user);
    if (!welcome) Reset();
  }
  if (!welcome) return ErrorReply(std::string(errors::kNoAuth));
  return Execute(words);
}

bool Executor::Authenticate(const Caller& caller, std::string_view password) {
  const Gate::Shared inside(instance_.keyspace.gate());
  Become(caller);
  const bool welcome = Services::Of(instance_).acl().Authenticate(session_, caller.user, password,
                                                                  instance_.clock.NowMs());
  Reset();
  return welcome;
}

void Executor::Interrupt() { waiter_->Interrupt(); }

bool Executor::interrupted() const { return waiter_->interrupted(); }

// Requires: inside the gate.
void Executor::Become(const Caller& caller) {
  session_.trusted = false;
  session_.authenticated = false;
  session_.address = caller.address;
  session_.local_address = caller.local_address;
  session_.lib_name = caller.library;
}

// What a command may have changed of the session goes back to what a new one has.
void Executor::Reset() {
  session_.trusted = true;
  session_.modes &= ~static_cast<uint32_t>(kRestricted);
  session_.address.clear();
  session_.local_address.clear();
  session_.db = 0;
  session_.resp = kResp;
  session_.authenticated = true;
  session_.no_evict = false;
  session_.no_touch = false;
  session_.reply_mode = ReplyMode::kOn;
  session_.close_after_reply = false;
  session_.killed = false;
  session_.user = "default";
  session_.name.clear();
  session_.lib_name.clear();
  session_.lib_version.clear();
}

Reply Executor::TakeReply() {
  Reply reply;
  if (!out_.empty()) {
    ReplyParser parser;
    size_t consumed = 0;
    if (parser.Parse(out_.view(), consumed, reply) != ReplyParser::Result::kReply) {
      reply = ErrorReply("ERR the reply is too large or too deep");
    }
  }
  out_.Clear();
  if (out_.capacity() > kKeepBytes) out_.Release();
  return reply;
}

std::unique_ptr<Executor> ExecutorPool::Take() {
  std::unique_ptr<Executor> executor;
  {
    MutexGuard guard(mu_);
    if (!idle_.empty()) {
      executor = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (executor == nullptr) executor = std::make_unique<Executor>(instance_);
  MutexGuard guard(mu_);
  busy_.push_back(executor.get());
  if (interrupted_) executor->Interrupt();
  return executor;
}

void ExecutorPool::Return(std::unique_ptr<Executor> executor) {
  MutexGuard guard(mu_);
  std::erase(busy_, executor.get());
  if (idle_.size() < kMaxIdle && !executor->interrupted()) idle_.push_back(std::move(executor));
}

Reply ExecutorPool::Execute(std::span<const std::string_view> words) {
  if (words.empty()) return ErrorReply("ERR empty command");
  std::unique_ptr<Executor> executor = Take();
  Reply reply = executor->Execute(words);
  Return(std::move(executor));
  return reply;
}

Reply ExecutorPool::ExecuteAs(const Caller& caller, std::span<const std::string_view> words) {
  if (words.empty()) return ErrorReply("ERR empty command");
  std::unique_ptr<Executor> executor = Take();
  Reply reply = executor->ExecuteAs(caller, words);
  Return(std::move(executor));
  return reply;
}

bool ExecutorPool::Authenticate(const Caller& caller, std::string_view password) {
  std::unique_ptr<Executor> executor = Take();
  const bool welcome = executor->Authenticate(caller, password);
  Return(std::move(executor));
  return welcome;
}

void ExecutorPool::Interrupt() {
  MutexGuard guard(mu_);
  interrupted_ = true;
  for (Executor* const executor : busy_) executor->Interrupt();
}

}  // namespace lapse
