#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "server/services/services.h"
#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A second client, logged in as the user of these rules.
struct LoggedIn {
  LoggedIn(Db& db, const std::string& rules) : client(db) {
    EXPECT_EQ(db.Run("ACL SETUSER bob on nopass " + rules), "OK");
    EXPECT_EQ(client.Run("AUTH bob x"), "OK");
  }
  std::string Error(std::string_view line) {
    const Reply reply = client.Run(line);
    return reply.IsError() ? reply.text : "";
  }
  Db::Client client;
};

TEST(Acl, ANewUserMayNothing) {
  Db db;
  LoggedIn bob(db, "");
  EXPECT_EQ(bob.Error("GET a"), "NOPERM this user has no permissions to run the 'get' command");
  EXPECT_EQ(bob.Error("PING"), "NOPERM this user has no permissions to run the 'ping' command");
  EXPECT_EQ(bob.client.Run("AUTH default x"), "OK");
  EXPECT_EQ(bob.client.Run("PING"), "PONG");
}

TEST(Acl, CommandsSubcommandsAndFirstArguments) {
  Db db;
  LoggedIn bob(db, "+get +config|get +select|1 ~*");
  EXPECT_EQ(bob.Error("GET a"), "");
  EXPECT_EQ(bob.Error("CONFIG GET port"), "");
  EXPECT_EQ(bob.Error("CONFIG SET timeout 1"),
            "NOPERM this user has no permissions to run the 'config|set' command");
  EXPECT_EQ(bob.Error("SELECT 1"), "");
  EXPECT_THAT(bob.Error("SELECT 0"), StartsWith("NOPERM"));
}

TEST(Acl, CategoriesAndTheirExceptions) {
  Db db;
  LoggedIn bob(db, "~* +@read -get +@connection");
  EXPECT_EQ(bob.Error("STRLEN a"), "");
  EXPECT_THAT(bob.Error("GET a"), StartsWith("NOPERM"));
  EXPECT_THAT(bob.Error("SET a b"), StartsWith("NOPERM"));
  db.Run("ACL SETUSER bob +@all -@dangerous");
  EXPECT_EQ(bob.Error("SET a b"), "");
  EXPECT_THAT(bob.Error("FLUSHALL"), StartsWith("NOPERM"));
}

TEST(Acl, LeastPrivilegeForFlushing) {
  Db db;
  LoggedIn bob(db, "+flushexpirekeys");
  EXPECT_EQ(bob.Error("FLUSHEXPIREKEYS"), "");
  EXPECT_THAT(bob.Error("FLUSHALL"), StartsWith("NOPERM"));
  EXPECT_THAT(bob.Error("GET a"), StartsWith("NOPERM"));
}

TEST(Acl, AllKeysMayBeSaidAgain) {
  Db db;
  LoggedIn bob(db, "+get allkeys");
  EXPECT_EQ(db.Run("ACL SETUSER bob ~*"), "OK");
  EXPECT_EQ(db.Run("ACL SETUSER bob allkeys &* &*"), "OK");
  EXPECT_THAT(db.Run("ACL SETUSER bob ~a").text, HasSubstr("Adding a pattern after the * pattern"));
  EXPECT_EQ(bob.Error("GET a"), "");
}

TEST(Acl, KeyPatternsForReadingAndWriting) {
  Db db;
  LoggedIn bob(db, "+@all ~all:* %R~read:* %W~write:*");
  EXPECT_EQ(bob.Error("SET all:1 x"), "");
  EXPECT_EQ(bob.Error("GET read:1"), "");
  EXPECT_EQ(bob.Error("SET read:1 x"),
            "NOPERM this user has no permissions to access one of the keys used as arguments");
  EXPECT_THAT(bob.Error("GET write:1"), StartsWith("NOPERM"));
  EXPECT_EQ(bob.Error("DEL write:1"), "");
  EXPECT_THAT(bob.Error("MSET all:1 x other y"), StartsWith("NOPERM"));
  EXPECT_EQ(db.Run("EXISTS other"), 0);
}

TEST(Acl, ASelectorMustAllowAllOfARequest) {
  Db db;
  LoggedIn bob(db, "+get ~a* (+set ~b*)");
  EXPECT_EQ(bob.Error("GET a1"), "");
  EXPECT_EQ(bob.Error("SET b1 x"), "");
  EXPECT_THAT(bob.Error("SET a1 x"), HasSubstr("one of the keys"));
  EXPECT_THAT(bob.Error("GET b1"), HasSubstr("one of the keys"));
}

// Whose patterns SORT follows: all keys must be readable by a selector that allows the command.
TEST(Acl, SortByAndGetNeedAllKeysReadable) {
  constexpr std::string_view kBy =
      "ERR BY option of SORT denied due to insufficient ACL permissions.";
  constexpr std::string_view kGet =
      "ERR GET option of SORT denied due to insufficient ACL permissions.";
  const struct {
    const char* rules;
    bool sort;
    bool sort_ro;
  } users[] = {
      {"~* +sort +sort_ro", true, true},
      {"%R~* +@all", true, true},
      {"%R~* %W~* +@all", true, true},
      {"~l ~w_* +@all", false, false},
      {"~l %R~** +@all", false, false},
      {"~l %W~* +@all", false, false},
      {"~l +@all (~* +get)", false, false},
      {"~l +@all (~* +sort)", true, false},
      {"~l +@all (%R~* +@all -sort)", false, true},
  };
  for (const auto& user : users) {
    Db db;
    db.Run("RPUSH l 1 2");
    LoggedIn bob(db, user.rules);
    EXPECT_EQ(bob.Error("SORT l BY w_*"), user.sort ? "" : kBy) << user.rules;
    EXPECT_EQ(bob.Error("SORT l GET #"), user.sort ? "" : kGet) << user.rules;
    EXPECT_EQ(bob.Error("SORT_RO l BY w_* GET w_*"), user.sort_ro ? "" : kBy) << user.rules;
    EXPECT_EQ(bob.Error("SORT l BY nosort"), "") << user.rules;
    EXPECT_EQ(bob.Error("SORT l BY w_* WHAT"), user.sort ? "ERR syntax error" : kBy) << user.rules;
  }
}

TEST(Acl, ChangesConcernSessionsThatAreThere) {
  Db db;
  LoggedIn bob(db, "+@all ~*");
  EXPECT_EQ(bob.Error("SET a 1"), "");
  db.Run("ACL SETUSER bob -set");
  EXPECT_THAT(bob.Error("SET a 1"), StartsWith("NOPERM"));
  db.Run("ACL SETUSER default -flushall");
  EXPECT_TRUE(db.Run("FLUSHALL").IsError());
  db.Run("ACL SETUSER default +@all");
  EXPECT_EQ(db.Run("FLUSHALL"), "OK");
}

TEST(Acl, PasswordsAreKeptHashed) {
  Db db;
  EXPECT_EQ(Sha256Hex("pw"), "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4");
  db.Run("ACL SETUSER eve on >pw +@all");
  Db::Client client(db);
  EXPECT_EQ(client.Run("AUTH eve wrong").text,
            "WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_EQ(client.Run("AUTH eve pw"), "OK");
  EXPECT_EQ(client.Run("ACL WHOAMI"), "eve");
  db.Run("ACL SETUSER eve <pw");
  Db::Client other(db);
  EXPECT_TRUE(other.Run("AUTH eve pw").IsError());
  db.Run("ACL SETUSER eve >pw off");
  EXPECT_TRUE(other.Run("AUTH eve pw").IsError());
}

TEST(Acl, RequirepassIsTheDefaultUsersPassword) {
  Db db;
  db.Run("CONFIG SET requirepass secret");
  Db::Client client(db);
  EXPECT_EQ(client.Run("PING").text, "NOAUTH Authentication required.");
  EXPECT_EQ(client.Run("AUTH secret"), "OK");
  EXPECT_EQ(client.Run("PING"), "PONG");
  EXPECT_THAT(db.Run("ACL LIST").elements[0].text, StartsWith("user default on #2bb80d537b1da3e3"));
  db.Run("CONFIG SET requirepass ''");
  Db::Client free(db);
  EXPECT_EQ(free.Run("PING"), "PONG");
}

TEST(Acl, MistakesAreNamedAndChangeNothing) {
  Db db;
  const auto error = [&](std::string_view rules) {
    return db.Run("ACL SETUSER bob " + std::string(rules)).text;
  };
  EXPECT_EQ(error("on foo"), "ERR Error in ACL SETUSER modifier 'foo': Syntax error");
  EXPECT_EQ(error("+nosuch"),
            "ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL");
  EXPECT_EQ(error("%X~a"), "ERR Error in ACL SETUSER modifier '%X~a': Syntax error");
  EXPECT_EQ(error("(~a"), "ERR Unmatched parenthesis in acl selector starting at '(~a'.");
  EXPECT_EQ(error("#abc"),
            "ERR Error in ACL SETUSER modifier '#abc': The password hash must be exactly 64 "
            "characters and contain only lowercase hexadecimal characters");
  EXPECT_TRUE(db.Run("ACL GETUSER bob").IsNull());
}

TEST(Acl, ListsRulesAsTheyWereGiven) {
  Db db;
  db.Run(
      "ACL SETUSER bob on nopass %R~x ~z &ch* +@all -@dangerous +config|get -get +get (~a +get)");
  EXPECT_EQ(db.Run("ACL LIST").elements[0].text,
            "user bob on nopass %R~x ~z resetchannels &ch* +@all -@dangerous +config|get +get "
            "(~a resetchannels -@all +get)");
}

TEST(Acl, DeletingAUserClosesItsSessions) {
  Db db;
  LoggedIn bob(db, "+@all");
  EXPECT_EQ(db.Run("ACL DELUSER bob nosuch"), 1);
  EXPECT_TRUE(bob.client.closed());
  EXPECT_EQ(db.Run("ACL DELUSER default").text, "ERR The 'default' user cannot be removed");
}

TEST(Acl, LogsDenialsOnce) {
  Db db;
  LoggedIn bob(db, "+get ~a*");
  bob.Error("GET b");
  db.AdvanceMs(500);
  bob.Error("GET b");
  bob.Error("DEL a");
  const Reply log = db.Run("ACL LOG");
  ASSERT_EQ(log.elements.size(), 2u);
  EXPECT_EQ(log.elements[0].elements[3].text, "command");
  EXPECT_EQ(log.elements[0].elements[7].text, "del");
  EXPECT_EQ(log.elements[1].elements[1].integer, 2);
  EXPECT_EQ(log.elements[1].elements[3].text, "key");
  EXPECT_EQ(log.elements[1].elements[7].text, "b");
  EXPECT_EQ(db.Run("ACL LOG RESET"), "OK");
  EXPECT_EQ(db.Run("ACL LOG").elements.size(), 0u);
}

TEST(Acl, DryRunTellsWhatWouldHappen) {
  Db db;
  db.Run("ACL SETUSER bob +get ~a*");
  EXPECT_EQ(db.Run("ACL DRYRUN bob GET a"), "OK");
  EXPECT_EQ(db.Run("ACL DRYRUN bob GET b").text,
            "This user has no permissions to access the 'b' key");
  EXPECT_EQ(db.Run("ACL DRYRUN bob SET a x").text,
            "This user has no permissions to run the 'set' command");
  EXPECT_EQ(db.Run("ACL DRYRUN nosuch GET a").text, "ERR User 'nosuch' not found");
}

TEST(Acl, FileIsLoadedAndSavedAsAWhole) {
  const std::string path = ::testing::TempDir() + "/users.acl";
  std::ofstream(path) << "# staff\nuser alice on >pw ~* +@all\n";
  Config config;
  config.aclfile = path;
  Db db(config);
  Db::Client client(db);
  EXPECT_EQ(client.Run("AUTH alice pw"), "OK");
  db.Run("ACL SETUSER bob on");
  EXPECT_EQ(db.Run("ACL SAVE"), "OK");
  db.Run("ACL DELUSER bob");
  EXPECT_EQ(db.Run("ACL LOAD"), "OK");
  EXPECT_FALSE(db.Run("ACL GETUSER bob").IsNull());
  std::ofstream(path) << "user alice on +nosuch\n";
  EXPECT_THAT(db.Run("ACL LOAD").text, HasSubstr("Unknown command or category name in ACL"));
  EXPECT_FALSE(db.Run("ACL GETUSER bob").IsNull());
}

}  // namespace
}  // namespace lapse
