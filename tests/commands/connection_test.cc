// PING, HELLO, AUTH and the other commands about the connection itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::StartsWith;

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";

Config WithPassword(std::string password) {
  Config config;
  config.requirepass = std::move(password);
  return config;
}

// The value of a field of a HELLO reply, in either version of the protocol.
const Reply& Field(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    if (map[i] == name) return map[i + 1];
  }
  static const Reply kNone;
  return kNone;
}

TEST(Ping, AnswersAndEchoes) {
  Db db;
  EXPECT_EQ(db.Run("PING"), "PONG");
  EXPECT_EQ(db.Run("ping hello"), "hello");
  EXPECT_EQ(db.Run("PING a b"), "ERR wrong number of arguments for 'ping' command");
  EXPECT_EQ(db.Run("ECHO \"a b\""), "a b");
}

TEST(Hello, DescribesTheServer) {
  Db db;
  const Reply two = db.Run("HELLO");
  EXPECT_EQ(two.type, ReplyType::kArray);
  EXPECT_EQ(two.size(), 14u);
  EXPECT_EQ(Field(two, "server"), "redis");
  EXPECT_EQ(Field(two, "version"), "7.2.0");
  EXPECT_EQ(Field(two, "proto"), 2);
  EXPECT_EQ(Field(two, "id"), static_cast<int64_t>(db.client().session().id));
  EXPECT_EQ(Field(two, "mode"), "standalone");
  EXPECT_EQ(Field(two, "role"), "master");
  EXPECT_EQ(Field(two, "modules").size(), 0u);
}

TEST(Hello, ChangesTheProtocolBeforeItAnswers) {
  Db db;
  EXPECT_THAT(db.client().CallRaw({"HELLO", "3"}), StartsWith("%7\r\n"));
  EXPECT_EQ(db.client().CallRaw({"GET", "none"}), "_\r\n");
  EXPECT_THAT(db.client().CallRaw({"HELLO"}), StartsWith("%7\r\n")) << "no version: as it was";
  EXPECT_THAT(db.client().CallRaw({"HELLO", "2"}), StartsWith("*14\r\n"));
  EXPECT_EQ(db.client().CallRaw({"GET", "none"}), "$-1\r\n");
}

TEST(Hello, Errors) {
  Db db;
  EXPECT_EQ(db.Run("HELLO 4"), "NOPROTO unsupported protocol version");
  EXPECT_EQ(db.Run("HELLO x"), "ERR Protocol version is not an integer or out of range");
  EXPECT_EQ(db.Run("HELLO 3 FOO"), "ERR Syntax error in HELLO option 'FOO'");
  EXPECT_EQ(db.Run("HELLO 3 AUTH default"), "ERR Syntax error in HELLO option 'AUTH'");
  EXPECT_EQ(db.Run("HELLO 3 SETNAME"), "ERR Syntax error in HELLO option 'SETNAME'");
  EXPECT_THAT(db.Call({"HELLO", "3", "SETNAME", "a b"}).text, StartsWith("ERR Client names"));
  EXPECT_EQ(db.client().session().resp, 2) << "an error changes nothing";
}

TEST(Hello, AuthenticatesAndNames) {
  Db db(WithPassword("secret"));
  EXPECT_THAT(db.Run("HELLO 3").text, StartsWith("NOAUTH HELLO must be called"));
  EXPECT_EQ(db.Run("HELLO 3 AUTH default wrong"), kWrongPassword);
  EXPECT_EQ(db.Run("PING"), "NOAUTH Authentication required.");
  EXPECT_EQ(db.Run("HELLO 3 AUTH default secret SETNAME joe").type, ReplyType::kMap);
  EXPECT_EQ(db.Run("CLIENT GETNAME"), "joe");
}

TEST(Auth, WithAPassword) {
  Db db(WithPassword("secret"));
  EXPECT_EQ(db.Run("GET k"), "NOAUTH Authentication required.");
  for (const char* wrong : {"secre", "secret1", "Secret", "secretsecret", "\"\""}) {
    EXPECT_EQ(db.Run(std::string("AUTH ") + wrong), kWrongPassword) << wrong;
  }
  EXPECT_EQ(db.Run("AUTH bob secret"), kWrongPassword);
  EXPECT_EQ(db.Run("AUTH a b c"), "ERR syntax error");
  EXPECT_TRUE(db.Run("GET k").IsError());
  EXPECT_EQ(db.Run("AUTH secret"), "OK");
  EXPECT_TRUE(db.Run("GET k").IsNull());
  EXPECT_EQ(db.Run("AUTH default wrong"), kWrongPassword);
  EXPECT_TRUE(db.Run("GET k").IsNull()) << "a failure takes nothing away";
}

TEST(Auth, WithoutAPassword) {
  Db db;
  EXPECT_THAT(db.Run("AUTH x").text, StartsWith("ERR AUTH <password> called without any password"));
  EXPECT_EQ(db.Run("AUTH default x"), "OK");
  EXPECT_EQ(db.Run("AUTH bob x"), kWrongPassword);
}

TEST(Auth, FollowsConfigSet) {
  Db db;
  EXPECT_EQ(db.Run("CONFIG SET requirepass p"), "OK");
  EXPECT_EQ(db.Run("PING"), "PONG") << "who is in stays in";
  Db::Client late(db);
  EXPECT_TRUE(late.Run("PING").IsError());
  EXPECT_EQ(late.Run("AUTH p"), "OK");
  EXPECT_EQ(late.Run("PING"), "PONG");
}

TEST(Select, ChoosesADatabase) {
  Db db;
  db.Run("SET k zero");
  EXPECT_EQ(db.Run("SELECT 15"), "OK");
  EXPECT_TRUE(db.Run("GET k").IsNull());
  EXPECT_EQ(db.Run("SELECT 16"), "ERR DB index is out of range");
  EXPECT_EQ(db.Run("SELECT -1"), "ERR DB index is out of range");
  EXPECT_EQ(db.Run("SELECT x"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("SELECT 99999999999"),
            "ERR value is out of range, value must between -2147483648 and 2147483647");
  EXPECT_EQ(db.client().session().db, 15);
  EXPECT_EQ(db.Run("SELECT 0"), "OK");
  EXPECT_EQ(db.Run("GET k"), "zero");
}

TEST(Reset, BringsEverythingBack) {
  Db db;
  db.Run("SELECT 3");
  db.Run("CLIENT SETNAME joe");
  db.Run("CLIENT NO-TOUCH ON");
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(db.client().session().db, 0);
  EXPECT_EQ(db.client().session().resp, 2);
  EXPECT_FALSE(db.client().session().no_touch);
  EXPECT_TRUE(db.Run("CLIENT GETNAME").IsNull());
}

TEST(Reset, TakesAuthenticationAway) {
  Db db(WithPassword("secret"));
  db.Run("AUTH secret");
  EXPECT_EQ(db.Run("RESET"), "RESET");
  EXPECT_TRUE(db.Run("PING").IsError());
}

TEST(Quit, AnswersAndCloses) {
  Db db;
  Db::Client client(db);
  EXPECT_FALSE(client.closed());
  EXPECT_EQ(client.Run("QUIT"), "OK");
  EXPECT_TRUE(client.closed());
}

}  // namespace
}  // namespace lapse
