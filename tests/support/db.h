// The in-process harness: a whole instance without sockets, whose clock moves only when told.
//
//   Db db;
//   EXPECT_EQ(db.Run("SET k v PX 10"), "OK");
//   db.AdvanceMs(11);
//   EXPECT_TRUE(db.Run("GET k").IsNull());
//   EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "expired k"));
//
// Hashing has a fixed secret, so that a test runs the same way each time. Active expiry runs only
// within DriveExpiry, and while a command's deferred reply is awaited.
//
// Thread: one; what tests concurrency makes one Db::Client a thread.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/buffer.h"
#include "protocol/reply.h"
#include "server/core/config.h"
#include "server/core/dispatcher.h"
#include "server/core/instance.h"
#include "server/core/session.h"
#include "storage/clock.h"
#include "storage/effect.h"

namespace lapse {

class Db {
 public:
  // One connection.
  class Client {
   public:
    explicit Client(Db& db);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Runs a line as a person would type it: words, in quotes where they hold blanks.
    Reply Run(std::string_view line);
    Reply Call(const std::vector<std::string>& words);
    // The reply's bytes: none for a command that is not answered.
    std::string CallRaw(const std::vector<std::string>& words);
    // For commands that block: runs one without awaiting its answer ...
    void Send(const std::vector<std::string>& words);
    void Send(std::string_view line);
    bool blocked() const { return session_.blocked; }
    // ... and the bytes that have been answered to those sent so far: none while it blocks.
    std::string TakeReplies();
    // The bytes pushed to the client since the last call: published messages, invalidations.
    std::string TakePushes();
    // Changes to this version of the protocol, as HELLO does.
    void Resp(int version) { session_.resp = version; }
    Session& session() { return session_; }
    // Whether somebody asked for the connection to be closed (CLIENT KILL).
    bool closed() const;

   private:
    struct Mailbox;
    // Steps expiry until the blocked session's answer is there, and writes it.
    void AwaitAnswer(ReplyWriter& reply);

    Db& db_;
    Session session_;
    Dispatcher dispatcher_;
    std::shared_ptr<Mailbox> mailbox_;
    Buffer pending_;
    std::vector<std::string> sent_;  // by the last Send
  };

  explicit Db(Config config = {});
  ~Db();

  // Of a client that is always there.
  Reply Run(std::string_view line) { return client_->Run(line); }
  Reply Call(const std::vector<std::string>& words) { return client_->Call(words); }
  void Resp(int version) { client_->Resp(version); }
  Client& client() { return *client_; }

  void AdvanceMs(int64_t ms) { clock_.AdvanceMs(ms); }
  // Steps active expiry until it wants to rest, and ends the waiting of blocked clients whose time
  // is over.
  void DriveExpiry();

  // "event key" for every change so far, in order, and forgets them.
  std::vector<std::string> events() { return log_.Take(); }

  Instance& instance() { return instance_; }
  ManualClock& clock() { return clock_; }

 private:
  class EventLog final : public EffectSink {
   public:
    void OnEffect(const Effect& effect) override;
    std::vector<std::string> Take();

   private:
    std::mutex mu_;  // effects of different shards may come from several threads
    std::vector<std::string> events_;
  };

  ManualClock clock_;
  Instance instance_;
  EventLog log_;
  std::unique_ptr<Client> client_;
};

}  // namespace lapse
