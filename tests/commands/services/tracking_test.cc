// CLIENT TRACKING and its relatives: who is told of which change.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/services/services.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string Invalid(std::string_view key) {
  return ">2\r\n" + Bulk("invalidate") + "*1\r\n" + Bulk(key);
}

struct Tracking : ::testing::Test {
  Tracking() : reader(db) { reader.Resp(3); }

  Db db;
  Db::Client reader;
};

TEST_F(Tracking, ToldOnceOfWhatWasRead) {
  EXPECT_EQ(reader.Run("CLIENT TRACKING ON"), "OK");
  reader.Run("GET a");
  db.Run("SET b 1");
  EXPECT_EQ(reader.TakePushes(), "");
  db.Run("SET a 1");
  db.Run("SET a 2");
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
  reader.Run("MGET a b");
  EXPECT_EQ(reader.CallRaw({"SET", "a", "3"}), "+OK\r\n" + Invalid("a")) << "its own, too";
  EXPECT_EQ(reader.TakePushes(), "");
  EXPECT_EQ(reader.Run("CLIENT TRACKING OFF"), "OK");
  db.Run("SET b 2");
  EXPECT_EQ(reader.TakePushes(), "");
}

TEST_F(Tracking, ExpiryAndDeadlines) {
  db.Run("SET a 1 PX 10");
  reader.Run("CLIENT TRACKING ON");
  reader.Run("GET a");
  db.AdvanceMs(1000);
  db.DriveExpiry();
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
}

TEST_F(Tracking, Flush) {
  reader.Run("CLIENT TRACKING ON");
  reader.Run("GET a");
  db.Run("FLUSHALL");
  EXPECT_EQ(reader.TakePushes(), ">2\r\n" + Bulk("invalidate") + "_\r\n");
  db.Run("SET a 1");
  EXPECT_EQ(reader.TakePushes(), "");
}

TEST_F(Tracking, SeesWhatAScriptReads) {
  reader.Run("CLIENT TRACKING ON");
  reader.Call({"EVAL", "redis.call('SET', 'b', 1) return redis.call('GET', 'a')", "0"});
  db.Run("SET b 2");
  EXPECT_EQ(reader.TakePushes(), "") << "written, not read";
  db.Run("SET a 1");
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
}

// Each behind the reply of the command that made the change, once that is complete.
TEST_F(Tracking, OwnChangesAreToldBehindTheReply) {
  reader.Run("CLIENT TRACKING ON");
  reader.Run("MGET a b c");
  EXPECT_EQ(reader.CallRaw({"MSET", "c", "1", "a", "1"}), "+OK\r\n" + Invalid("c") + Invalid("a"));
  reader.Run("GET a");
  EXPECT_EQ(reader.CallRaw({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(reader.CallRaw({"SET", "b", "1"}), "+QUEUED\r\n");
  EXPECT_EQ(reader.CallRaw({"INCR", "a"}), "+QUEUED\r\n");
  EXPECT_EQ(reader.CallRaw({"EXEC"}), "*2\r\n+OK\r\n:2\r\n" + Invalid("b") + Invalid("a"));
  reader.Run("GET a");
  EXPECT_EQ(reader.CallRaw({"EVAL", "redis.call('DEL', 'a') return 1", "0"}),
            ":1\r\n" + Invalid("a"));
  reader.Run("GET a");
  EXPECT_EQ(reader.CallRaw({"FLUSHALL"}), "+OK\r\n>2\r\n" + Bulk("invalidate") + "_\r\n");
  EXPECT_EQ(reader.TakePushes(), "");
  EXPECT_EQ(reader.CallRaw({"SET", "a", "1"}), "+OK\r\n") << "not read since";
}

TEST_F(Tracking, OwnChangesWhoseReplyIsNotSent) {
  reader.Run("CLIENT TRACKING ON");
  for (const char* const mode : {"OFF", "SKIP"}) {
    reader.Run("GET a");
    EXPECT_EQ(reader.CallRaw({"CLIENT", "REPLY", mode}), "");
    EXPECT_EQ(reader.CallRaw({"SET", "a", "1"}), "");
    EXPECT_EQ(reader.TakePushes(), Invalid("a"));
    reader.Run("CLIENT REPLY ON");
  }
}

TEST_F(Tracking, OwnChangesByTheThousands) {
  reader.Run("CLIENT TRACKING ON");
  std::vector<std::string> words = {"DEL"};
  std::vector<std::string> stores = {"MSET"};
  const std::string prefix(1000, 'k');
  constexpr size_t kKeys = 2000;  // more than are told at once
  for (size_t i = 0; i < kKeys; ++i) {
    words.push_back(prefix + std::to_string(i));
    stores.push_back(words.back());
    stores.emplace_back("1");
  }
  db.Call(stores);
  for (size_t i = 0; i < kKeys; ++i) reader.Call({"GET", words[i + 1]});
  const std::string behind = reader.CallRaw(words);
  EXPECT_LT(behind.size(), 2 * lapse::Tracking::kMostOwnBytes);
  std::string expected = ":" + std::to_string(kKeys) + "\r\n";
  for (size_t i = 0; i < kKeys; ++i) expected += Invalid(words[i + 1]);
  EXPECT_EQ(behind + reader.TakePushes(), expected);
}

// What a blocked client gets comes about on the thread of whoever gave it.
TEST_F(Tracking, WhatABlockedClientTakes) {
  reader.Run("CLIENT TRACKING ON");
  reader.Run("LLEN l");
  reader.Send("BLPOP l 0");
  std::thread([&] { Db::Client(db).Run("RPUSH l x"); }).join();
  EXPECT_EQ(reader.TakePushes(), Invalid("l"));
  EXPECT_EQ(reader.TakeReplies(), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
}

TEST_F(Tracking, InTransaction) {
  reader.Run("CLIENT TRACKING ON");
  reader.Run("MULTI");
  reader.Run("GET a");
  db.Run("SET a 1");
  EXPECT_EQ(reader.TakePushes(), "") << "it was not read yet";
  reader.Run("EXEC");
  db.Run("SET a 2");
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
}

TEST_F(Tracking, Broadcast) {
  EXPECT_EQ(reader.Run("CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:"), "OK");
  reader.Run("GET other");
  db.Run("MSET user:1 x other x item:2 x");
  EXPECT_EQ(reader.TakePushes(), Invalid("user:1") + Invalid("item:2"));
  EXPECT_EQ(reader.Run("CLIENT TRACKING ON BCAST PREFIX user:1"),
            "ERR Prefix 'user:1' overlaps with an existing prefix 'user:'. Prefixes for a single "
            "client must not overlap.");
  EXPECT_THAT(db.Run("INFO stats").text, HasSubstr("tracking_total_prefixes:2\r\n"));
}

TEST_F(Tracking, BroadcastGathersWhatChangedUnderAPrefix) {
  const auto keys = [](std::initializer_list<std::string_view> names) {
    std::string bytes = ">2\r\n" + Bulk("invalidate") + "*" + std::to_string(names.size()) + "\r\n";
    for (const std::string_view name : names) bytes += Bulk(name);
    return bytes;
  };
  reader.Run("CLIENT TRACKING ON BCAST PREFIX a PREFIX b");
  db.Run("MSET ab 1 b 1 aa 1 ab 2 c 1");
  EXPECT_EQ(reader.TakePushes(), keys({"aa", "ab"}) + keys({"b"}));
  db.Run("MULTI");
  db.Run("SET a2 1");
  db.Run("DEL aa a2");
  db.Run("EXEC");
  EXPECT_EQ(reader.TakePushes(), keys({"a2", "aa"}));
  db.Run("SET a2 1");
  EXPECT_EQ(reader.TakePushes(), keys({"a2"}));
  EXPECT_EQ(reader.TakePushes(), "");

  // Keys by the thousands are told in several messages, and none is lost.
  std::vector<std::string> words = {"MSET"};
  constexpr size_t kKeys = 3000;
  for (size_t i = 0; i < kKeys; ++i) {
    words.push_back("a" + std::to_string(i));
    words.emplace_back("1");
  }
  db.Call(words);
  const std::string pushes = reader.TakePushes();
  size_t told = 0;
  for (size_t at = pushes.find("\na"); at != pushes.npos; at = pushes.find("\na", at + 1)) ++told;
  EXPECT_EQ(told, kKeys);
}

TEST_F(Tracking, NoLoop) {
  reader.Run("CLIENT TRACKING ON NOLOOP");
  reader.Run("GET a");
  reader.Run("SET a 1");
  EXPECT_EQ(reader.TakePushes(), "");
  reader.Run("GET a");
  db.Run("SET a 2");
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
}

TEST_F(Tracking, OptIn) {
  reader.Run("CLIENT TRACKING ON OPTIN");
  reader.Run("GET a");
  reader.Run("CLIENT CACHING YES");
  reader.Run("GET b");
  reader.Run("GET c");
  db.Run("MSET a 1 b 1 c 1");
  EXPECT_EQ(reader.TakePushes(), Invalid("b"));
  EXPECT_EQ(reader.Run("CLIENT CACHING NO"),
            "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
}

TEST_F(Tracking, OptOut) {
  reader.Run("CLIENT TRACKING ON OPTOUT");
  reader.Run("GET a");
  reader.Run("CLIENT CACHING NO");
  reader.Run("GET b");
  db.Run("MSET a 1 b 1");
  EXPECT_EQ(reader.TakePushes(), Invalid("a"));
}

TEST_F(Tracking, Redirect) {
  Db::Client old(db);
  const std::string id = std::to_string(old.session().id);
  old.CallRaw({"SUBSCRIBE", "__redis__:invalidate"});
  EXPECT_EQ(db.Call({"CLIENT", "TRACKING", "ON", "REDIRECT", id}), "OK");
  EXPECT_EQ(db.Run("CLIENT GETREDIR"), static_cast<int64_t>(old.session().id));
  db.Run("GET a");
  reader.Run("SET a 1");
  EXPECT_EQ(old.TakePushes(),
            "*3\r\n" + Bulk("message") + Bulk("__redis__:invalidate") + "*1\r\n" + Bulk("a"));
  EXPECT_EQ(db.client().TakePushes(), "");
  EXPECT_EQ(db.Run("CLIENT TRACKING ON REDIRECT 999"),
            "ERR The client ID you want redirect to does not exist");
}

TEST_F(Tracking, RedirectionThatIsGone) {
  {
    Db::Client gone(db);
    const std::string id = std::to_string(gone.session().id);
    reader.Call({"CLIENT", "TRACKING", "ON", "REDIRECT", id});
  }
  reader.Run("GET a");
  db.Run("SET a 1");
  EXPECT_THAT(reader.TakePushes(), HasSubstr("tracking-redir-broken"));
  EXPECT_THAT(reader.Run("CLIENT TRACKINGINFO").ToString(), HasSubstr("broken_redirect"));
}

TEST_F(Tracking, TableIsBounded) {
  db.Run("CONFIG SET tracking-table-max-keys 100");
  reader.Run("CLIENT TRACKING ON");
  for (int i = 0; i < 1000; ++i) reader.Call({"GET", "k" + std::to_string(i)});
  EXPECT_LE(Services::Of(db.instance()).tracking().key_count(), 116u) << "one more for a stripe";
  EXPECT_NE(reader.TakePushes(), "") << "whose keys are forgotten is told";
}

TEST_F(Tracking, Errors) {
  for (const auto& [line, error] : std::vector<std::pair<const char*, const char*>>{
           {"CLIENT TRACKING MAYBE", "ERR syntax error"},
           {"CLIENT TRACKING ON WHAT", "ERR syntax error"},
           {"CLIENT TRACKING ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"},
           {"CLIENT TRACKING ON BCAST OPTIN", "ERR OPTIN and OPTOUT are not compatible with BCAST"},
           {"CLIENT TRACKING ON OPTIN OPTOUT",
            "ERR You can't specify both OPTIN mode and OPTOUT mode"},
           {"CLIENT TRACKING ON BCAST PREFIX a PREFIX ab",
            "ERR Prefix 'a' overlaps with another provided prefix 'ab'. Prefixes for a single "
            "client must not overlap."},
           {"CLIENT CACHING YES",
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN "
            "or OPTOUT mode enabled"}}) {
    EXPECT_EQ(db.Run(line), error) << line;
  }
  EXPECT_EQ(db.Run("CLIENT GETREDIR"), -1);
}

}  // namespace
}  // namespace lapse
