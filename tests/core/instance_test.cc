// What an instance holds beside the keyspace: sessions, deferred replies, the reaper, the peak.

#include "server/core/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "protocol/buffer.h"
#include "server/core/context.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;

TEST(Instance, IsLikeNoOther) {
  Db a;
  Db b;
  EXPECT_EQ(a.instance().run_id.size(), 40u);
  EXPECT_NE(a.instance().run_id, b.instance().run_id);
}

TEST(Instance, PeakStaysUp) {
  Db db;
  db.Call({"SET", "k", std::string(1 << 20, 'x')});
  const int64_t high = db.instance().NotePeakMemory();
  db.Run("DEL k");
  EXPECT_LT(db.instance().NotePeakMemory(), high);
  EXPECT_EQ(db.instance().stats.peak_memory_bytes.load(), high);
}

TEST(Instance, CountsWhatConnectionsHold) {
  Db db;
  const int64_t before = db.instance().UsedMemory();
  db.instance().stats.connection_bytes.fetch_add(5000);
  EXPECT_EQ(db.instance().UsedMemory(), before + 5000);
}

// The reaper starts with the first database and is done when the instance is gone.
TEST(Instance, DisposesInTheBackground) {
  for (const bool sync : {true, false}) {
    Db db;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 2000; ++i) db.Call({"SET", "key:" + std::to_string(i), "v"});
      std::vector<std::unique_ptr<Database>> detached;
      {
        Gate::Exclusive alone(db.instance().keyspace.gate());
        detached.push_back(db.instance().keyspace.Detach(0));
        detached.push_back(nullptr);  // what Detach gives for a database that nobody touched
      }
      db.instance().Dispose(std::move(detached), sync);
      EXPECT_EQ(db.Run("DBSIZE"), 0);
    }
  }
}

TEST(Clients, GivesIdsAndCounts) {
  Clients clients;
  Session socket;
  Session host;
  host.in_process = true;
  clients.Add(&host);
  clients.Add(&socket);
  EXPECT_EQ(host.id, 1u);
  EXPECT_EQ(socket.id, 2u);
  EXPECT_EQ(clients.connected(), 1) << "a host program's session is no connection";
  std::vector<uint64_t> seen;
  clients.ForEach([&seen](Session& session) { seen.push_back(session.id); });
  EXPECT_THAT(seen, ElementsAre(1, 2));
  clients.Remove(&socket);
  clients.Remove(&socket);
  EXPECT_EQ(clients.connected(), 0);
}

TEST(Clients, ABlockedOneThatGoesIsNotBlockedAnyMore) {
  Clients clients;
  Session session;
  clients.Add(&session);
  session.blocked = true;
  clients.CountBlocked(1);
  clients.Remove(&session);
  EXPECT_EQ(clients.blocked(), 0);
  EXPECT_FALSE(session.blocked);
}

class CountingResumer final : public Resumer {
 public:
  void Resume(std::function<void(ReplyWriter&)> write_reply) override {
    Buffer out;
    ReplyWriter reply(out);
    write_reply(reply);
    answers.emplace_back(out.view());
  }
  void Push(std::function<void(ReplyWriter&)>) override {}
  void Close() override {}

  std::vector<std::string> answers;
};

TEST(DeferredReply, AnswersOnce) {
  const auto resumer = std::make_shared<CountingResumer>();
  DeferredReply deferred(resumer);
  deferred.Complete([](ReplyWriter& reply) { reply.Ok(); });
  deferred.Complete([](ReplyWriter& reply) { reply.Null(); });
  EXPECT_THAT(resumer->answers, ElementsAre("+OK\r\n"));
}

TEST(DeferredReply, NobodyMayBeThere) {
  DeferredReply().Complete([](ReplyWriter&) { FAIL(); });
  auto resumer = std::make_shared<CountingResumer>();
  DeferredReply deferred(resumer);
  resumer.reset();
  deferred.Complete([](ReplyWriter&) { FAIL(); });
}

}  // namespace
}  // namespace lapse
