#include "tests/support/db.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <utility>

#include "protocol/reply_parser.h"
#include "protocol/reply_writer.h"
#include "server/commands/families.h"
#include "server/core/words.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr uint64_t kHashSeed = 42;
constexpr int kMaxDrives = 1'000'000;  // a test that needs more hangs

}  // namespace

// Where a deferred answer arrives: from any thread, while the client awaits it.
struct Db::Client::Mailbox final : Resumer {
  void Resume(std::function<void(ReplyWriter&)> write_reply) override {
    std::lock_guard lock(mu);
    answer = std::move(write_reply);
  }
  void Push(std::function<void(ReplyWriter&)> write_push) override {
    std::lock_guard lock(mu);
    pushes.push_back(std::move(write_push));
  }
  void Close() override {
    std::lock_guard lock(mu);
    closed = true;
  }
  std::function<void(ReplyWriter&)> Take() {
    std::lock_guard lock(mu);
    return std::exchange(answer, nullptr);
  }

  std::mutex mu;
  std::function<void(ReplyWriter&)> answer;
  std::vector<std::function<void(ReplyWriter&)>> pushes;
  bool closed = false;
};

Db::Client::Client(Db& db)
    : db_(db), dispatcher_(db.instance_), mailbox_(std::make_shared<Mailbox>()) {
  session_.in_process = true;
  session_.created_ms = session_.last_active_ms = db.clock_.NowMs();
  session_.resumer = mailbox_;
  Instance& instance = db.instance_;
  {
    Gate::Shared inside(instance.keyspace.gate());
    instance.hooks->OnSessionStart(session_);
  }
  instance.clients.Add(&session_);
}

Db::Client::~Client() {
  db_.instance_.ForgetState(session_);
  db_.instance_.clients.Remove(&session_);
}

std::string Db::Client::TakePushes() {
  std::vector<std::function<void(ReplyWriter&)>> pushes;
  {
    std::lock_guard lock(mailbox_->mu);
    pushes.swap(mailbox_->pushes);
  }
  Buffer out;
  ReplyWriter writer(out, session_.resp);
  Gate::Shared inside(db_.instance_.keyspace.gate());
  for (const auto& write_push : pushes) write_push(writer);
  return std::string(out.view());
}

void Db::Client::Send(const std::vector<std::string>& words) {
  ReplyWriter reply(pending_, session_.resp);
  sent_ = words;
  const std::vector<std::string_view> args(words.begin(), words.end());
  dispatcher_.RunOne(session_, args, reply);
}

void Db::Client::Send(std::string_view line) { Send(SplitWords(line).value()); }

std::string Db::Client::TakeReplies() {
  if (const auto write_answer = mailbox_->Take(); write_answer && session_.blocked) {
    Gate::Shared inside(db_.instance_.keyspace.gate());
    session_.blocked = false;
    db_.instance_.clients.CountBlocked(-1);
    ReplyWriter reply(pending_, session_.resp);
    write_answer(reply);
    if (std::exchange(session_.postponed, false)) Send(std::vector(sent_));
  }
  std::string bytes(pending_.view());
  pending_.Clear();
  return bytes;
}

bool Db::Client::closed() const {
  std::lock_guard lock(mailbox_->mu);
  return mailbox_->closed || session_.close_after_reply;
}

Reply Db::Client::Run(std::string_view line) {
  const auto words = SplitWords(line);
  EXPECT_TRUE(words.has_value()) << "unbalanced quotes: " << line;
  return Call(words.value_or(std::vector<std::string>{}));
}

Reply Db::Client::Call(const std::vector<std::string>& words) {
  const std::string bytes = CallRaw(words);
  Reply reply;
  if (bytes.empty()) return reply;
  ReplyParser parser;
  size_t consumed = 0;
  EXPECT_EQ(parser.Parse(bytes, consumed, reply), ReplyParser::Result::kReply) << bytes;
  EXPECT_EQ(consumed, bytes.size()) << "more than one reply: " << bytes;
  return reply;
}

std::string Db::Client::CallRaw(const std::vector<std::string>& words) {
  Buffer out;
  ReplyWriter reply(out, session_.resp);
  const std::vector<std::string_view> args(words.begin(), words.end());
  EXPECT_FALSE(args.empty());
  dispatcher_.RunOne(session_, args, reply);
  while (session_.blocked) {
    AwaitAnswer(reply);
    if (std::exchange(session_.postponed, false)) dispatcher_.RunOne(session_, args, reply);
  }
  return std::string(out.view());
}

void Db::Client::AwaitAnswer(ReplyWriter& reply) {
  for (int i = 0; i < kMaxDrives; ++i) {
    if (const auto write_answer = mailbox_->Take()) {
      Gate::Shared inside(db_.instance_.keyspace.gate());
      session_.blocked = false;
      db_.instance_.clients.CountBlocked(-1);
      write_answer(reply);
      return;
    }
    // A run under a CPU limit goes on only as time does.
    int64_t rest_us = db_.instance_.expiry.Drive(0, 1, true);
    rest_us = Services::Of(db_.instance_).Drive(rest_us);
    if (rest_us > 0) db_.AdvanceMs((rest_us + 999) / 1000);
  }
  ADD_FAILURE() << "a deferred reply never came";
  session_.blocked = false;
}

Db::Db(Config config) : instance_(std::move(config), clock_, AllCommandFamilies(), kHashSeed) {
  InstallServices(instance_).IgnoreError();
  instance_.keyspace.effects().Add(&log_);
  client_ = std::make_unique<Client>(*this);
}

Db::~Db() {
  client_.reset();
  instance_.keyspace.effects().Remove(&log_);
}

void Db::DriveExpiry() {
  for (int i = 0; i < kMaxDrives; ++i) {
    const int64_t rest_us = instance_.expiry.Drive(0, 1, true);
    Services::Of(instance_).Drive(rest_us);
    if (rest_us > 0) return;
  }
  ADD_FAILURE() << "active expiry never rests";
}

void Db::EventLog::OnEffect(const Effect& effect) {
  std::lock_guard lock(mu_);
  events_.push_back(std::string(effect.event.name) + ' ' + std::string(effect.key));
}

std::vector<std::string> Db::EventLog::Take() {
  std::lock_guard lock(mu_);
  return std::exchange(events_, {});
}

}  // namespace lapse
