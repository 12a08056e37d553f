// CLIENT: names, lists, kills and reply modes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A client that looks like a connected one.
struct Connected {
  Connected(Db& db, std::string address) : client(db) {
    client.session().address = std::move(address);
    client.session().local_address = "127.0.0.1:6379";
  }
  Db::Client client;
};

std::string IdOf(Db::Client& client) { return std::to_string(client.session().id); }

TEST(Client, NamesAndIds) {
  Db db;
  Db::Client other(db);
  EXPECT_EQ(db.Run("CLIENT ID"), 1);
  EXPECT_EQ(other.Run("CLIENT ID"), 2);
  EXPECT_TRUE(db.Run("CLIENT GETNAME").IsNull());
  EXPECT_EQ(db.Run("CLIENT SETNAME worker-1"), "OK");
  EXPECT_EQ(db.Run("CLIENT GETNAME"), "worker-1");
  EXPECT_EQ(db.Call({"CLIENT", "SETNAME", "a b"}),
            "ERR Client names cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(db.Run("CLIENT GETNAME"), "worker-1");
  EXPECT_EQ(db.Call({"CLIENT", "SETNAME", ""}), "OK");
  EXPECT_TRUE(db.Run("CLIENT GETNAME").IsNull());
}

TEST(Client, SetInfo) {
  Db db;
  EXPECT_EQ(db.Run("CLIENT SETINFO lib-name redis-py"), "OK");
  EXPECT_EQ(db.Run("CLIENT SETINFO LIB-VER 5.0.1"), "OK");
  EXPECT_EQ(db.Call({"CLIENT", "SETINFO", "lib-name", "a b"}),
            "ERR lib-name cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(db.Run("CLIENT SETINFO foo bar"), "ERR Unrecognized option 'foo'");
  EXPECT_THAT(db.Run("CLIENT INFO").text, HasSubstr("lib-name=redis-py lib-ver=5.0.1"));
}

TEST(Client, InfoHasRedisFields) {
  Db db;
  db.Run("CLIENT SETNAME joe");
  db.Run("SELECT 2");
  db.AdvanceMs(2500);
  const Reply info = db.Run("CLIENT INFO");
  EXPECT_THAT(info.text, StartsWith("id=1 addr= laddr= fd=-1 name=joe age=2 idle=0 flags=N db=2 "));
  EXPECT_THAT(info.text, HasSubstr(" cmd=client|info user=default "));
  EXPECT_THAT(info.text, HasSubstr(" resp=2 "));
  EXPECT_EQ(info.text.back(), '\n');
  db.Resp(3);
  EXPECT_EQ(db.Run("CLIENT INFO").type, ReplyType::kVerbatim);
}

TEST(ClientList, ListsAndFilters) {
  Db db;
  Connected a(db, "10.0.0.1:1000");
  const std::string all = db.Run("CLIENT LIST").text;
  EXPECT_THAT(all, HasSubstr("id=1 "));
  EXPECT_THAT(all, HasSubstr("addr=10.0.0.1:1000 "));
  EXPECT_EQ(db.Run("CLIENT LIST TYPE normal"), all);
  EXPECT_EQ(db.Run("CLIENT LIST TYPE pubsub"), "");
  const std::string one = db.Call({"CLIENT", "LIST", "ID", IdOf(a.client), "77"}).text;
  EXPECT_THAT(one, HasSubstr("addr=10.0.0.1:1000 "));
  EXPECT_THAT(one, Not(HasSubstr("id=1 ")));
  EXPECT_EQ(db.Run("CLIENT LIST TYPE foo"), "ERR Unknown client type 'foo'");
  EXPECT_EQ(db.Run("CLIENT LIST ID x"), "ERR Invalid client ID");
  EXPECT_EQ(db.Run("CLIENT LIST ID 0 -1"), "") << "as in Redis, no error";
  for (const char* line :
       {"CLIENT LIST TYPE", "CLIENT LIST ID", "CLIENT LIST FOO", "CLIENT LIST TYPE normal x"}) {
    EXPECT_EQ(db.Run(line), "ERR syntax error") << line;
  }
}

TEST(ClientList, ForgetsWhoHasGone) {
  Db db;
  { Connected gone(db, "10.0.0.9:1"); }
  EXPECT_THAT(db.Run("CLIENT LIST").text, Not(HasSubstr("10.0.0.9")));
}

TEST(ClientKill, OldForm) {
  Db db;
  Connected a(db, "10.0.0.1:1000");
  EXPECT_EQ(db.Run("CLIENT KILL 10.0.0.1:1001"), "ERR No such client");
  EXPECT_EQ(db.Run("CLIENT KILL 10.0.0.1:1000"), "OK");
  EXPECT_TRUE(a.client.closed());
  EXPECT_TRUE(a.client.session().killed);
}

TEST(ClientKill, OldFormSparesNobody) {
  Db db;
  Connected a(db, "10.0.0.1:1000");
  EXPECT_EQ(a.client.Run("CLIENT KILL 10.0.0.1:1000"), "OK");
  EXPECT_TRUE(a.client.session().close_after_reply);
}

TEST(ClientKill, NothingMoreIsHandedToTheKilled) {
  Db db;
  Connected waiter(db, "10.0.0.1:1000");
  Connected subscriber(db, "10.0.0.2:1000");
  waiter.client.Send("BLPOP list 0");
  subscriber.client.Run("SUBSCRIBE news");
  subscriber.client.Run("PSUBSCRIBE n*");
  ASSERT_EQ(db.Run("PUBLISH news rain"), 2);
  ASSERT_EQ(db.Run("CLIENT KILL ADDR 10.0.0.1:1000"), 1);
  ASSERT_EQ(db.Run("CLIENT KILL ADDR 10.0.0.2:1000"), 1);
  // Their connections are still there, as they are until their threads have closed them.
  EXPECT_EQ(db.Run("RPUSH list v"), 1);
  EXPECT_EQ(db.Run("LLEN list"), 1);
  EXPECT_EQ(db.Run("PUBLISH news rain"), 0);
}

TEST(ClientKill, ByFilters) {
  Db db;
  Connected a(db, "10.0.0.1:1000");
  Connected b(db, "10.0.0.2:1000");
  Connected c(db, "10.0.0.3:1000");
  EXPECT_EQ(db.Call({"CLIENT", "KILL", "ID", IdOf(a.client)}), 1);
  EXPECT_TRUE(a.client.closed());
  EXPECT_EQ(db.Run("CLIENT KILL ADDR 10.0.0.2:1000 USER default"), 1);
  EXPECT_TRUE(b.client.closed());
  EXPECT_EQ(db.Run("CLIENT KILL LADDR 127.0.0.1:9999"), 0);
  EXPECT_EQ(db.Run("CLIENT KILL TYPE replica SKIPME no"), 0);
  EXPECT_FALSE(c.client.closed());
  EXPECT_EQ(c.client.Run("CLIENT KILL TYPE normal"), 2) << "the two that have not gone yet";
  EXPECT_FALSE(c.client.closed()) << "SKIPME is yes unless said";
  EXPECT_EQ(c.client.Run("CLIENT KILL TYPE normal SKIPME no"), 3);
  EXPECT_TRUE(c.client.closed());
  EXPECT_FALSE(db.client().closed()) << "a host program's session has no connection";
}

TEST(ClientKill, Errors) {
  Db db;
  EXPECT_EQ(db.Run("CLIENT KILL ID 0"), "ERR client-id should be greater than 0");
  EXPECT_EQ(db.Run("CLIENT KILL ID x"), "ERR client-id should be greater than 0");
  EXPECT_EQ(db.Run("CLIENT KILL TYPE foo"), "ERR Unknown client type 'foo'");
  EXPECT_EQ(db.Run("CLIENT KILL USER bob"), "ERR No such user 'bob'");
  for (const char* line : {"CLIENT KILL FOO bar", "CLIENT KILL ID 5 SKIPME maybe",
                           "CLIENT KILL ID 5 ADDR", "CLIENT KILL ID 5 FOO bar"}) {
    EXPECT_EQ(db.Run(line), "ERR syntax error") << line;
  }
}

TEST(ClientReply, OffAndOn) {
  Db db;
  EXPECT_EQ(db.client().CallRaw({"CLIENT", "REPLY", "OFF"}), "");
  EXPECT_EQ(db.client().CallRaw({"SET", "k", "v"}), "");
  EXPECT_EQ(db.client().CallRaw({"NOSUCH"}), "");
  EXPECT_EQ(db.client().CallRaw({"CLIENT", "REPLY", "SKIP"}), "");
  EXPECT_EQ(db.client().CallRaw({"PING"}), "");
  EXPECT_EQ(db.Run("CLIENT REPLY ON"), "OK");
  EXPECT_EQ(db.Run("GET k"), "v");
}

TEST(ClientReply, SkipsOne) {
  Db db;
  EXPECT_EQ(db.client().CallRaw({"CLIENT", "REPLY", "SKIP"}), "");
  EXPECT_EQ(db.client().CallRaw({"SET", "k", "v"}), "");
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("CLIENT REPLY MAYBE"), "ERR syntax error");
}

TEST(ClientSwitches, TouchAndEvict) {
  Db db;
  EXPECT_EQ(db.Run("CLIENT NO-TOUCH ON"), "OK");
  EXPECT_EQ(db.Run("CLIENT NO-EVICT on"), "OK");
  EXPECT_THAT(db.Run("CLIENT INFO").text, HasSubstr(" flags=eT "));
  EXPECT_EQ(db.Run("CLIENT NO-TOUCH OFF"), "OK");
  EXPECT_EQ(db.Run("CLIENT NO-EVICT OFF"), "OK");
  EXPECT_THAT(db.Run("CLIENT INFO").text, HasSubstr(" flags=N "));
  EXPECT_EQ(db.Run("CLIENT NO-TOUCH x"), "ERR syntax error");
  EXPECT_EQ(db.Run("CLIENT NO-EVICT x"), "ERR syntax error");
}

TEST(Client, HelpListsTheSubcommands) {
  Db db;
  const auto lines = Texts(db.Run("CLIENT HELP"));
  ASSERT_GT(lines.size(), 2u);
  EXPECT_EQ(lines[0], "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  EXPECT_EQ(lines[1], "ID");
  EXPECT_EQ(lines[2], "    Return the connection's id.");
}

}  // namespace
}  // namespace lapse
