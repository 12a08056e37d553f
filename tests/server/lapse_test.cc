#include "server/lapse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using When = SetOptions::When;

// A wall clock that moves only when told.
class Hours {
 public:
  std::function<int64_t()> reader() {
    return [now = now_ms_] { return now->load(); };
  }
  void Advance(std::chrono::milliseconds time) { *now_ms_ += time.count(); }
  std::chrono::system_clock::time_point now() const {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(now_ms_->load()));
  }

 private:
  std::shared_ptr<std::atomic<int64_t>> now_ms_ =
      std::make_shared<std::atomic<int64_t>>(1'700'000'000'000);
};

std::unique_ptr<Engine> OpenEngine(Engine::Options options = {}) {
  auto opened = Engine::Open(std::move(options));
  EXPECT_TRUE(opened) << opened.error();
  return std::move(*opened);
}

TEST(Engine, StoresAndReturnsValues) {
  const auto db = OpenEngine();
  EXPECT_EQ(db->Get("k"), std::nullopt);
  EXPECT_TRUE(db->Set("k", "v"));
  EXPECT_EQ(db->Get("k"), "v");
  EXPECT_TRUE(db->Exists("k"));
  EXPECT_EQ(db->Size(), 1);
  EXPECT_TRUE(db->Delete("k"));
  EXPECT_FALSE(db->Delete("k"));
  EXPECT_FALSE(db->Exists("k"));
  const std::string any("a\0b\r\n", 5);
  EXPECT_TRUE(db->Set(any, any));
  EXPECT_EQ(db->Get(any), any);
  EXPECT_TRUE(db->Set("", ""));
  EXPECT_EQ(db->Get(""), "");
}

TEST(Engine, SetsUnderConditions) {
  const auto db = OpenEngine();
  EXPECT_FALSE(db->Set("lock", "a", {.when = When::kIfPresent}));
  EXPECT_TRUE(db->Set("lock", "a", {.when = When::kIfAbsent}));
  EXPECT_FALSE(db->Set("lock", "b", {.when = When::kIfAbsent}));
  EXPECT_EQ(db->Get("lock"), "a");
  EXPECT_TRUE(db->Set("lock", "c", {.when = When::kIfPresent}));
  EXPECT_EQ(db->Get("lock"), "c");
}

TEST(Engine, Increments) {
  const auto db = OpenEngine();
  EXPECT_EQ(*db->Increment("n"), 1);
  EXPECT_EQ(*db->Increment("n", 41), 42);
  EXPECT_EQ(db->Get("n"), "42");
  db->Set("n", "no number");
  EXPECT_THAT(db->Increment("n").error(), HasSubstr("not an integer"));
  db->Set("n", "9223372036854775807");
  EXPECT_THAT(db->Increment("n").error(), HasSubstr("overflow"));
  EXPECT_EQ(*db->Increment("n", -1), 9223372036854775806);
  db->Set("ttl", "1", {.ttl = 1h});
  EXPECT_TRUE(db->Increment("ttl"));
  EXPECT_EQ(db->Ttl("ttl").state, Ttl::State::kTtl);
}

TEST(Engine, ForgetsKeysAfterTheirTtl) {
  Hours hours;
  const auto db = OpenEngine({.now_ms = hours.reader()});
  db->Set("k", "v", {.ttl = 1h});
  EXPECT_EQ(db->Ttl("k").left, 1h);
  hours.Advance(1h);
  EXPECT_EQ(db->Get("k"), "v");
  hours.Advance(1ms);
  EXPECT_EQ(db->Get("k"), std::nullopt);
  EXPECT_EQ(db->Ttl("k").state, Ttl::State::kNoKey);

  db->Set("gone", "v", {.ttl = 0ms});
  EXPECT_FALSE(db->Exists("gone"));
  db->Set("long", "v", {.ttl = std::chrono::milliseconds::max()});
  EXPECT_TRUE(db->Exists("long"));
}

TEST(Engine, ChangesTtls) {
  Hours hours;
  const auto db = OpenEngine({.now_ms = hours.reader()});
  EXPECT_FALSE(db->Expire("k", 1h));
  EXPECT_FALSE(db->Persist("k"));
  db->Set("k", "v");
  EXPECT_EQ(db->Ttl("k").state, Ttl::State::kNoTtl);
  EXPECT_FALSE(db->Persist("k"));
  EXPECT_TRUE(db->Expire("k", 1h));
  EXPECT_EQ(db->Ttl("k").left, 1h);
  EXPECT_TRUE(db->ExpireAt("k", hours.now() + 2h));
  EXPECT_EQ(db->Ttl("k").left, 2h);
  EXPECT_TRUE(db->Persist("k"));
  EXPECT_EQ(db->Ttl("k").state, Ttl::State::kNoTtl);

  db->Expire("k", 1h);
  db->Set("k", "v", {.keep_ttl = true});
  EXPECT_EQ(db->Ttl("k").left, 1h);
  db->Set("k", "v");
  EXPECT_EQ(db->Ttl("k").state, Ttl::State::kNoTtl);

  EXPECT_TRUE(db->Expire("k", -1ms));
  EXPECT_FALSE(db->Exists("k"));
  db->Set("k", "v");
  EXPECT_TRUE(db->ExpireAt("k", hours.now() - 1h));
  EXPECT_FALSE(db->Exists("k"));
}

TEST(Engine, RunsAnyCommand) {
  const auto db = OpenEngine();
  EXPECT_EQ(db->Execute({"SET", "k", "v", "EX", "100"}), "OK");
  EXPECT_EQ(db->Get("k"), "v");
  EXPECT_EQ(db->Execute({"TTL", "k"}), 100);
  EXPECT_TRUE(db->Execute({"GET", "nothing"}).IsNull());
  EXPECT_TRUE(db->Execute({"NOSUCH"}).IsError());
  EXPECT_TRUE(db->Execute({}).IsError());
  EXPECT_EQ(db->Execute({"CONFIG", "GET", "maxclients"}).type, ReplyType::kMap);
  EXPECT_TRUE(db->Execute({"SHUTDOWN"}).IsError());
}

TEST(Engine, EachExecuteIsAClientOfItsOwn) {
  const auto db = OpenEngine();
  db->Execute({"SELECT", "1"});
  db->Execute({"CLIENT", "SETNAME", "somebody"});
  db->Execute({"CLIENT", "REPLY", "OFF"});
  EXPECT_EQ(db->Execute({"SET", "k", "v"}), "OK");
  EXPECT_TRUE(db->Exists("k"));
  EXPECT_EQ(db->Execute({"CLIENT", "GETNAME"}).text, "");
}

TEST(Engine, AKeyOutlivesNoCommandThatBlocks) {
  const auto db = OpenEngine();
  db->Set("k", "v", {.ttl = 1ms});
  const Reply record = db->Execute({"FLUSHEXPIREKEYS", "SYNC"});
  EXPECT_EQ(record.type, ReplyType::kMap) << record.ToString();
}

TEST(Engine, FlushesExpiredKeys) {
  Hours hours;
  // Nothing else removes them.
  const auto db =
      OpenEngine({.directives = {{"enable-debug-command", "yes"}}, .now_ms = hours.reader()});
  EXPECT_EQ(db->Execute({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}), "OK");
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (i % 2 == 0) db->Set(key, "v", {.ttl = 1s});
    if (i % 2 == 1) db->Set(key, "v");
  }
  hours.Advance(1min);
  auto counted = db->FlushExpired({.dry_run = true});
  ASSERT_TRUE(counted) << counted.error();
  EXPECT_EQ(counted->reclaimed, 500);
  EXPECT_EQ(db->Size(), 1000);
  auto report = db->FlushExpired();
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->orphans, 0);
  EXPECT_EQ(db->Size(), 500);
  const EngineStats stats = db->Stats();
  EXPECT_EQ(stats.expired_flushed, 500);
  EXPECT_EQ(stats.keys, 500);
  EXPECT_EQ(stats.volatile_keys, 0);
}

TEST(Engine, RemovesExpiredKeysByItself) {
  for (const char* strategy : {"hinted", "sampled", "fullscan"}) {
    const auto db = OpenEngine(
        {.expiry_strategy = strategy, .directives = {{"active-expire-fullscan-period", "100"}}});
    for (int i = 0; i < 100; ++i) db->Set("k" + std::to_string(i), "v", {.ttl = 1ms});
    EXPECT_TRUE(Eventually([&] { return db->Size() == 0; })) << strategy;
    EXPECT_GT(db->Stats().expired_active, 0) << strategy;
  }
}

TEST(Engine, SaysWhatIsWrongWithItsOptions) {
  EXPECT_THAT(Engine::Open({.expiry_strategy = "magic"}).error(), HasSubstr("magic"));
  EXPECT_THAT(Engine::Open({.directives = {{"nosuch", "1"}}}).error(), HasSubstr("nosuch"));
  EXPECT_TRUE(Engine::Open({.directives = {{"active-expire-effort", "10"}}}));
}

TEST(Engine, TellsOfExpiredKeys) {
  Hours hours;
  const auto db = OpenEngine({.now_ms = hours.reader()});
  std::mutex mu;
  std::set<std::string> told;
  Subscription subscription = db->OnExpired([&](const ExpiredKey& expired) {
    EXPECT_EQ(db->Get(expired.key), std::nullopt);  // no lock is held
    EXPECT_EQ(expired.database, 0);
    std::lock_guard lock(mu);
    told.insert(expired.key);
  });
  std::set<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    expected.insert("k" + std::to_string(i));
    db->Set("k" + std::to_string(i), "v", {.ttl = 1s});
  }
  db->Set("stays", "v");
  db->Set("deleted", "v", {.ttl = 1s});
  db->Delete("deleted");
  hours.Advance(2s);
  EXPECT_TRUE(Eventually([&] {
    std::lock_guard lock(mu);
    return told.size() >= 100;
  }));
  {
    std::lock_guard lock(mu);
    EXPECT_EQ(told, expected);
    told.clear();
  }
  subscription.Reset();
  db->Set("after", "v", {.ttl = 1s});
  hours.Advance(2s);
  EXPECT_FALSE(db->Exists("after"));
  std::lock_guard lock(mu);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(db->Stats().events_dropped, 0);
}

TEST(Engine, ACallbackMayEndItsOwnSubscription) {
  Hours hours;
  const auto db = OpenEngine({.now_ms = hours.reader()});
  std::atomic<int> calls{0};
  Subscription subscription;
  subscription = db->OnExpired([&](const ExpiredKey&) {
    ++calls;
    subscription.Reset();
  });
  db->Set("a", "v", {.ttl = 1s});
  hours.Advance(2s);
  EXPECT_FALSE(db->Exists("a"));
  EXPECT_TRUE(Eventually([&] { return calls == 1; }));
}

TEST(Engine, ASlowCallbackDropsEventsAndCountsThem) {
  Hours hours;
  const auto db = OpenEngine({.now_ms = hours.reader(), .max_queued_events = 10});
  std::mutex hold;
  std::atomic<int> calls{0};
  hold.lock();
  Subscription subscription = db->OnExpired([&](const ExpiredKey&) {
    std::lock_guard wait(hold);
    ++calls;
  });
  for (int i = 0; i < 1000; ++i) db->Set("k" + std::to_string(i), "v", {.ttl = 1s});
  hours.Advance(2s);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(db->Exists("k" + std::to_string(i)));
  const int64_t dropped = db->Stats().events_dropped;
  EXPECT_GE(dropped, 1000 - 10 - 10);  // a queue in delivery, and one that waits
  hold.unlock();
  EXPECT_TRUE(Eventually([&] { return calls == 1000 - dropped; }));
}

TEST(Engine, ASubscriptionMayOutliveTheEngine) {
  Subscription subscription;
  {
    const auto db = OpenEngine();
    subscription = db->OnExpired([](const ExpiredKey&) {});
  }
  subscription.Reset();
}

TEST(Engine, ThreadsUseItAtOnce) {
  const auto db = OpenEngine();
  constexpr int kThreads = 4, kRounds = 5000;
  std::atomic<int> expired{0};
  Subscription subscription = db->OnExpired([&](const ExpiredKey&) { ++expired; });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_TRUE(db->Increment("shared"));
        const std::string own = "own" + std::to_string(t) + ":" + std::to_string(i);
        db->Set(own, own, {.ttl = 1ms + std::chrono::milliseconds(i % 3 * 100'000)});
        const std::optional<std::string> read = db->Get(own);
        EXPECT_TRUE(!read || *read == own);
        if (i % 64 == 0) {
          EXPECT_TRUE(db->Execute({"INCR", "executed"}).type == ReplyType::kInteger);
          EXPECT_TRUE(db->Execute({"CONFIG", "GET", "hz"}).IsCollection());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(db->Get("shared"), std::to_string(kThreads * kRounds));
  EXPECT_TRUE(Eventually([&] { return expired >= kThreads * ((kRounds + 2) / 3); }));
}

TEST(Engine, ServesOtherProgramsWhenAsked) {
  const auto db = OpenEngine();
  db->Set("k", "from within");
  const auto port = db->StartServer({.port = 0, .threads = 2});
  ASSERT_TRUE(port) << port.error();
  EXPECT_FALSE(db->StartServer());
  {
    WireClient client(*port);
    EXPECT_EQ(client.Call({"GET", "k"}), "from within");
    EXPECT_EQ(client.Call({"SET", "k", "from outside", "PX", "20"}), "OK");
    // The server's threads remove it, and run flushes.
    EXPECT_TRUE(Eventually([&] { return db->Size() == 0; }));
    EXPECT_TRUE(db->FlushExpired());
    EXPECT_TRUE(client.Call({"SHUTDOWN"}).IsError());
    db->StopServer();
    EXPECT_TRUE(client.ReadsEnd());
  }
  db->StopServer();
  db->Set("again", "v", {.ttl = 1ms});
  EXPECT_TRUE(Eventually([&] { return db->Size() == 0; }));

  const auto second = db->StartServer({.port = *port, .password = "secret"});
  ASSERT_TRUE(second) << second.error();
  WireClient client(*second);
  EXPECT_THAT(client.Call({"GET", "k"}).text, HasSubstr("NOAUTH"));
}

TEST(Engine, SaysWhyAServerCannotStart) {
  const auto first = OpenEngine(), second = OpenEngine();
  const auto port = first->StartServer({.port = 0});
  ASSERT_TRUE(port) << port.error();
  EXPECT_THAT(second->StartServer({.port = *port}).error(), HasSubstr("Address already in use"));
  EXPECT_THAT(second->StartServer({.port = 70000}).error(), HasSubstr("70000"));
  // Nothing is broken by that.
  second->Set("k", "v", {.ttl = 1ms});
  EXPECT_TRUE(Eventually([&] { return second->Size() == 0; }));
}

TEST(Engine, TwoEnginesShareNothing) {
  const auto a = OpenEngine(), b = OpenEngine();
  a->Set("k", "v");
  EXPECT_FALSE(b->Exists("k"));
}

TEST(Engine, FlushesOneRunAtATime) {
  const auto db = OpenEngine();
  constexpr int kThreads = 8;
  std::atomic<int> ended{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto report = db->FlushExpired();
      ++(report ? ended : refused);
      EXPECT_THAT(report.error(), AnyOf("", HasSubstr("is going")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(ended, 1);
  EXPECT_EQ(ended + refused, kThreads);
}

}  // namespace
}  // namespace lapse
