// Clients that wait for lists.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/services/services.h"
#include "tests/commands/lists/flat.h"
#include "tests/net/wired_client.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kTakenFromL = "*2\r\n$1\r\nl\r\n$1\r\na\r\n";

TEST(Blocking, TakesAtOnceWhatIsThere) {
  Db db;
  db.Run("RPUSH l a b c");
  EXPECT_EQ(Flat(db.Run("BLPOP none l 0")), "[l a]");
  EXPECT_EQ(Flat(db.Run("BRPOP l none 0")), "[l c]");
  EXPECT_EQ(Flat(db.Run("BLMPOP 0 2 none l LEFT COUNT 5")), "[l [b]]");
  db.Run("RPUSH l a b");
  EXPECT_EQ(db.Run("BLMOVE l m LEFT RIGHT 0"), "a");
  EXPECT_EQ(db.Run("BRPOPLPUSH l m 0"), "b");
  EXPECT_EQ(Flat(db.Run("LRANGE m 0 -1")), "[b a]");
}

TEST(Blocking, WaitsForAPush) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP l 0");
  EXPECT_TRUE(waiter.blocked());
  EXPECT_EQ(waiter.TakeReplies(), "");
  EXPECT_EQ(db.Run("RPUSH l a"), 1);
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
  EXPECT_FALSE(waiter.blocked());
  EXPECT_EQ(db.Run("EXISTS l"), 0);
  EXPECT_THAT(db.events(), ElementsAre("rpush l", "lpop l", "del l"));
}

TEST(Blocking, ServesInTheOrderOfArrival) {
  Db db;
  Db::Client first(db);
  Db::Client second(db);
  Db::Client third(db);
  first.Send("BLPOP l 0");
  second.Send("BLPOP other l 0");
  third.Send("BLPOP l 0");
  EXPECT_EQ(db.instance().clients.blocked(), 3);
  db.Run("RPUSH l 1 2");
  EXPECT_EQ(first.TakeReplies(), "*2\r\n$1\r\nl\r\n$1\r\n1\r\n");
  EXPECT_EQ(second.TakeReplies(), "*2\r\n$1\r\nl\r\n$1\r\n2\r\n");
  EXPECT_EQ(third.TakeReplies(), "");
  db.Run("RPUSH other x");  // nobody waits for it any more
  EXPECT_EQ(db.Run("LLEN other"), 1);
  EXPECT_EQ(db.instance().clients.blocked(), 1);
}

TEST(Blocking, RepliesInTheWaitersProtocol) {
  Db db;
  Db::Client waiter(db);
  waiter.Resp(3);
  waiter.Send("BLPOP l 0.001");
  db.AdvanceMs(2);
  db.DriveExpiry();
  EXPECT_EQ(waiter.TakeReplies(), "_\r\n");
}

TEST(Blocking, EndsInTime) {
  Db db;
  Db::Client waiter(db);
  for (const char* const line : {"BLPOP l 0.5", "BRPOPLPUSH l m 0.5", "BLMPOP 0.5 1 l LEFT"}) {
    waiter.Send(line);
    db.AdvanceMs(499);
    db.DriveExpiry();
    EXPECT_TRUE(waiter.blocked());
    EXPECT_EQ(waiter.TakeReplies(), "") << line;
    db.AdvanceMs(1);
    db.DriveExpiry();
    EXPECT_EQ(waiter.TakeReplies(), "*-1\r\n") << line;
  }
  // And what comes later stays.
  EXPECT_EQ(db.Run("RPUSH l a"), 1);
  EXPECT_EQ(db.Run("LLEN l"), 1);
}

TEST(Blocking, DriverIsToldHowLongItMayRest) {
  Db db;
  Blocking& blocking = Services::Of(db.instance()).blocking();
  int woken = 0;
  {
    const Gate::Exclusive alone(db.instance().keyspace.gate());
    blocking.SetWaker([&] { ++woken; });
  }
  EXPECT_EQ(blocking.Drive(1'000'000), 1'000'000);
  Db::Client patient(db);
  Db::Client hasty(db);
  patient.Send("BLPOP l 30");
  EXPECT_EQ(woken, 0);
  hasty.Send("BLPOP l 0.25");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(blocking.Drive(1'000'000), 250'000);
  db.AdvanceMs(250);
  EXPECT_EQ(blocking.Drive(1'000'000), 1'000'000);
  EXPECT_FALSE(hasty.TakeReplies().empty());
  EXPECT_TRUE(patient.TakeReplies().empty());
  EXPECT_EQ(blocking.timeouts(), 1u);
}

TEST(Blocking, BadTimeouts) {
  Db db;
  constexpr std::string_view kNotFloat = "ERR timeout is not a float or out of range";
  EXPECT_EQ(db.Run("BLPOP l x"), kNotFloat);
  EXPECT_EQ(db.Run("BLPOP l nan"), kNotFloat);
  EXPECT_EQ(db.Run("BLPOP l -1"), "ERR timeout is negative");
  EXPECT_EQ(db.Run("BLPOP l 1e300"), "ERR timeout is negative");
  EXPECT_EQ(db.Run("BLMOVE l m LEFT RIGHT x"), kNotFloat);
  EXPECT_EQ(db.Run("BLMOVE l m LEFT UP x"), "ERR syntax error");
  EXPECT_EQ(db.Run("BLMPOP x 0 l LEFT"), kNotFloat);
}

TEST(Blocking, MovesChain) {
  Db db;
  Db::Client first(db);
  Db::Client second(db);
  Db::Client last(db);
  last.Send("BLPOP c 0");
  second.Send("BLMOVE b c LEFT RIGHT 0");
  first.Send("BLMOVE a b LEFT RIGHT 0");
  db.Run("RPUSH a x");
  EXPECT_EQ(first.TakeReplies(), "$1\r\nx\r\n");
  EXPECT_EQ(second.TakeReplies(), "$1\r\nx\r\n");
  EXPECT_EQ(last.TakeReplies(), "*2\r\n$1\r\nc\r\n$1\r\nx\r\n");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(Blocking, RotationServesItselfAndOthers) {
  Db db;
  Db::Client rotating(db);
  Db::Client taking(db);
  rotating.Send("BLMOVE l l LEFT RIGHT 0");
  taking.Send("BLPOP l 0");
  db.Run("RPUSH l a");
  EXPECT_EQ(rotating.TakeReplies(), "$1\r\na\r\n");
  EXPECT_EQ(taking.TakeReplies(), kTakenFromL);
}

TEST(Blocking, MoveToWhatIsNoListIsAnError) {
  Db db;
  Db::Client moving(db);
  Db::Client taking(db);
  moving.Send("BLMOVE l s LEFT RIGHT 0");
  taking.Send("BLPOP l 0");
  db.Run("SET s x");
  db.Run("RPUSH l a");
  EXPECT_EQ(moving.TakeReplies(),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  EXPECT_EQ(taking.TakeReplies(), kTakenFromL);
}

TEST(Blocking, AnotherTypeDoesNotServe) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP s l 0");
  db.Run("SET s x");
  EXPECT_EQ(waiter.TakeReplies(), "");
  db.Run("RPUSH l a");
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
}

TEST(Blocking, OtherWaysForAListToAppear) {
  Db db;
  Db::Client waiter(db);
  for (const char* const line : {"RENAME m l", "COPY m l", "LMOVE m l LEFT RIGHT", "MOVE l 0"}) {
    db.Run("DEL m l");
    const bool from_other = std::string_view(line) == "MOVE l 0";
    if (from_other) db.Run("SELECT 1");
    db.Run(from_other ? "RPUSH l a" : "RPUSH m a");
    waiter.Send("BLPOP l 0");
    EXPECT_EQ(waiter.TakeReplies(), "");
    db.Run(line);
    EXPECT_EQ(waiter.TakeReplies(), kTakenFromL) << line;
  }
}

TEST(Blocking, SwappedDatabasesServe) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP l 0");
  db.Run("SELECT 1");
  db.Run("RPUSH l a");
  EXPECT_EQ(waiter.TakeReplies(), "");
  db.Run("SWAPDB 0 1");
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
}

TEST(Blocking, AKeyTwiceIsOnce) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP l l l 0");
  db.Run("RPUSH l a b");
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
  EXPECT_EQ(db.Run("LLEN l"), 1);
}

TEST(Blocking, SeveralElements) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLMPOP 0 2 k l RIGHT COUNT 2");
  db.Run("RPUSH l a b c");
  EXPECT_EQ(waiter.TakeReplies(), "*2\r\n$1\r\nl\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n");
}

TEST(Blocking, UnblockedByAnotherClient) {
  Db db;
  Db::Client waiter(db);
  const std::string id = std::to_string(waiter.session().id);
  EXPECT_EQ(db.Call({"CLIENT", "UNBLOCK", id}), 0);
  waiter.Send("BLPOP l 0");
  EXPECT_EQ(db.Call({"CLIENT", "UNBLOCK", id}), 1);
  EXPECT_EQ(waiter.TakeReplies(), "*-1\r\n");
  waiter.Send("BLPOP l 0");
  EXPECT_EQ(db.Call({"CLIENT", "UNBLOCK", id, "error"}), 1);
  EXPECT_EQ(waiter.TakeReplies(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  EXPECT_EQ(db.Call({"CLIENT", "UNBLOCK", id, "now"}),
            "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  db.Run("RPUSH l a");
  EXPECT_EQ(db.Run("LLEN l"), 1);
}

TEST(Blocking, AClientThatIsGoneGetsNothing) {
  Db db;
  Db::Client behind(db);
  {
    Db::Client gone(db);
    gone.Send("BLPOP l 0");
    behind.Send("BLPOP l 0");
    EXPECT_EQ(db.instance().clients.blocked(), 2);
  }
  EXPECT_EQ(db.instance().clients.blocked(), 1);
  db.Run("RPUSH l a");
  EXPECT_EQ(behind.TakeReplies(), kTakenFromL);
}

TEST(Blocking, NotWithinATransaction) {
  Db db;
  db.Run("MULTI");
  db.Run("BLPOP l 0");
  db.Run("BLMOVE l m LEFT RIGHT 0");
  db.Run("BLMPOP 0 1 l LEFT");
  EXPECT_EQ(db.client().CallRaw({"EXEC"}), "*3\r\n*-1\r\n$-1\r\n*-1\r\n");
  EXPECT_EQ(db.instance().clients.blocked(), 0);
}

// What a transaction leaves is what counts, not what it pushed meanwhile.
TEST(Blocking, ATransactionServesAsAWhole) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP l 0");
  db.Run("MULTI");
  db.Run("RPUSH l x");
  db.Run("DEL l");
  db.Run("RPUSH l a b");
  db.Run("LLEN l");
  EXPECT_EQ(Flat(db.Run("EXEC")), "[1 1 2 2]");
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
  EXPECT_EQ(Flat(db.Run("LRANGE l 0 -1")), "[b]");
}

// Redis 7.0 serves from the key that became ready first, whatever the order in the request.
TEST(Blocking, ServesFromTheKeyThatWasWrittenFirst) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP k l 0");
  db.Run("MULTI");
  db.Run("RPUSH l a");
  db.Run("RPUSH k b");
  db.Run("EXEC");
  EXPECT_EQ(waiter.TakeReplies(), kTakenFromL);
}

TEST(Blocking, APipelineWaitsBehindIt) {
  Bench bench;
  WiredClient waiter(bench);
  WiredClient other(bench);
  EXPECT_EQ(waiter.Exchange(Request({"PING"}) + Request({"BLPOP", "l", "0"}) +
                            Request({"RPUSH", "m", "x"}) + Request({"PING"})),
            "+PONG\r\n");
  EXPECT_EQ(other.Exchange(Request({"EXISTS", "m"})), ":0\r\n");
  EXPECT_EQ(other.Exchange(Request({"RPUSH", "l", "a"})), ":1\r\n");
  ASSERT_TRUE(waiter.AwaitAnswer());
  EXPECT_EQ(waiter.Receive(), "*2\r\n$1\r\nl\r\n$1\r\na\r\n:1\r\n+PONG\r\n");
}

TEST(Blocking, AClientThatHangsUpLeavesTheElement) {
  Bench bench;
  WiredClient waiter(bench);
  WiredClient other(bench);
  waiter.Exchange(Request({"BLPOP", "l", "0"}));
  waiter.HangUp();
  EXPECT_EQ(other.Exchange(Request({"RPUSH", "l", "a"}) + Request({"LLEN", "l"})), ":1\r\n:1\r\n");
}

TEST(Blocking, IsShown) {
  Db db;
  Db::Client waiter(db);
  waiter.Send("BLPOP l 0");
  EXPECT_THAT(db.Run("CLIENT LIST").text, ::testing::HasSubstr("flags=b"));
  EXPECT_THAT(db.Run("INFO clients").text, ::testing::HasSubstr("blocked_clients:1"));
}

TEST(Blocking, NobodyListensAfterwards) {
  Db db;
  db.events();
  Db::Client waiter(db);
  waiter.Send("BLPOP l m 0");
  db.Run("RPUSH m a");
  waiter.TakeReplies();
  EXPECT_EQ(db.instance().modes.load() & kReadyKeys, 0u);
  db.Run("RPUSH l a");
  EXPECT_EQ(db.instance().modes.load() & kReadyKeys, 0u);
}

TEST(Blocking, ManyWaitersOneCommand) {
  constexpr int kWaiters = 1500;  // more than one round serves
  Db db;
  std::vector<std::unique_ptr<Db::Client>> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.push_back(std::make_unique<Db::Client>(db));
    waiters.back()->Send("BLPOP l 0");
  }
  std::vector<std::string> push = {"RPUSH", "l"};
  for (int i = 0; i < kWaiters; ++i) push.push_back(std::to_string(i));
  db.Call(push);
  db.DriveExpiry();
  for (int i = 0; i < kWaiters; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(waiters[i]->TakeReplies(),
              "*2\r\n$1\r\nl\r\n$" + std::to_string(number.size()) + "\r\n" + number + "\r\n");
  }
}

}  // namespace
}  // namespace lapse
