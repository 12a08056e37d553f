// DEBUG's subcommands for tests of servers and clients.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Config Allowing() {
  Config config;
  config.enable_debug_command = "yes";
  return config;
}

TEST(DebugPopulate, MakesWhatIsNotThere) {
  Db db(Allowing());
  db.Run("SET key:1 mine");
  EXPECT_EQ(db.Run("DEBUG POPULATE 3"), "OK");
  EXPECT_EQ(db.Run("DBSIZE").integer, 3);
  EXPECT_EQ(db.Run("GET key:0"), "value:0");
  EXPECT_EQ(db.Run("GET key:1"), "mine");
  EXPECT_EQ(db.Run("DEBUG POPULATE 2 big 100"), "OK");
  EXPECT_EQ(db.Run("STRLEN big:1").integer, 100);
  EXPECT_EQ(db.Run("DEBUG POPULATE x"), "ERR value is out of range, must be positive");
}

void Fill(Db& db, bool backwards) {
  std::vector<std::string> lines = {"SET s v",         "RPUSH l a b 3",    "SADD set 1 2 3",
                                    "HSET h f v g 12", "ZADD z 1.5 a 2 b", "XADD x 1-1 f v"};
  if (backwards) std::reverse(lines.begin(), lines.end());
  for (const std::string& line : lines) db.Run(line);
}

TEST(DebugDigest, IsOfTheDataWhateverTheirOrder) {
  Db one(Allowing());
  Db other(Allowing());
  EXPECT_EQ(one.Run("DEBUG DIGEST"), std::string(40, '0'));
  Fill(one, false);
  Fill(other, true);
  const std::string digest = one.Run("DEBUG DIGEST").text;
  EXPECT_EQ(digest.size(), 40u);
  EXPECT_NE(digest, std::string(40, '0'));
  EXPECT_EQ(other.Run("DEBUG DIGEST"), digest);
  for (const char* change : {"APPEND s w", "LSET l 0 z", "SREM set 1", "HSET h f w",
                             "ZADD z 1.25 a", "XADD x 1-2 f v", "EXPIRE s 100"}) {
    const std::string before = other.Run("DEBUG DIGEST").text;
    other.Run(change);
    EXPECT_NE(other.Run("DEBUG DIGEST").text, before) << change;
  }
}

TEST(DebugDigestValue, IsTheSameUnderAnotherName) {
  Db db(Allowing());
  Fill(db, false);
  for (const char* key : {"s", "l", "set", "h", "z", "x"}) {
    db.Call({"COPY", key, "copy", "REPLACE"});
    const auto digests = Texts(db.Call({"DEBUG", "DIGEST-VALUE", key, "copy", "none"}));
    ASSERT_EQ(digests.size(), 3u);
    EXPECT_EQ(digests[0], digests[1]) << key;
    EXPECT_EQ(digests[2], std::string(40, '0'));
  }
}

TEST(DebugDigestValue, OfASetIsWithoutOrderAndEncoding) {
  Db db(Allowing());
  db.Run("SADD a 1 2 3");
  db.Run("SADD b x 3 2 1");
  db.Run("SREM b x");
  const auto digests = Texts(db.Run("DEBUG DIGEST-VALUE a b"));
  EXPECT_EQ(digests[0], digests[1]);
}

TEST(DebugObject, SaysHowAValueIsKept) {
  Db db(Allowing());
  db.Run("RPUSH l a b");
  EXPECT_THAT(db.Run("DEBUG OBJECT l").text, HasSubstr(" refcount:1 encoding:"));
  EXPECT_EQ(db.Run("DEBUG OBJECT none"), "ERR no such key");
  EXPECT_EQ(db.Run("DEBUG OBJECT"),
            "ERR unknown subcommand or wrong number of arguments for 'OBJECT'. Try DEBUG HELP.");
  db.Run("HSET h f v");
  EXPECT_THAT(db.Run("DEBUG LISTPACK h").text, StartsWith("Listpack of"));
  db.Run("SET s v");
  EXPECT_EQ(db.Run("DEBUG LISTPACK s"), "ERR Not a listpack encoded object.");
  EXPECT_THAT(db.Run("DEBUG HTSTATS 0").text, HasSubstr("number of elements: 3"));
  EXPECT_EQ(db.Run("DEBUG HTSTATS 99"), "ERR Out of range database");
  EXPECT_THAT(db.Run("DEBUG HTSTATS-KEY h").text, StartsWith("ERR The value stored"));
}

TEST(DebugProtocol, HasAReplyOfEachType) {
  Db db(Allowing());
  EXPECT_EQ(db.Run("DEBUG PROTOCOL push"), "ERR RESP2 is not supported by this command");
  const auto raw = [&db](const char* type) {
    return db.client().CallRaw({"DEBUG", "PROTOCOL", type});
  };
  EXPECT_EQ(raw("true"), ":1\r\n");
  EXPECT_EQ(raw("set"), "*3\r\n:0\r\n:1\r\n:2\r\n");
  db.Resp(3);
  EXPECT_EQ(raw("string"), "$11\r\nHello World\r\n");
  EXPECT_EQ(raw("bignum"), "(1234567999999999999999999999999999999\r\n");
  EXPECT_EQ(raw("null"), "_\r\n");
  EXPECT_EQ(raw("map"), "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
  EXPECT_EQ(raw("verbatim"), "=29\r\ntxt:This is a verbatim\nstring\r\n");
  EXPECT_EQ(raw("push"), ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n");
  EXPECT_THAT(raw("nothing"), StartsWith("-ERR Wrong protocol type name."));
}

TEST(Debug, SmallThings) {
  Db db(Allowing());
  EXPECT_EQ(db.Run("DEBUG ERROR 'MY words'"), "MY words");
  EXPECT_EQ(db.Run("DEBUG STRINGMATCH-LEN a* abc").integer, 1);
  EXPECT_EQ(db.Run("DEBUG QUICKLIST-PACKED-THRESHOLD 100b"), "OK");
  EXPECT_THAT(db.Run("DEBUG QUICKLIST-PACKED-THRESHOLD x").text, StartsWith("ERR argument must"));
  for (const char* taken : {"LOG x", "CHANGE-REPL-ID", "DICT-RESIZING 0", "PAUSE-CRON 1"}) {
    EXPECT_EQ(db.Run(std::string("DEBUG ") + taken), "OK") << taken;
  }
  EXPECT_THAT(Texts(db.Run("DEBUG HELP"))[0], StartsWith("DEBUG <subcommand>"));
}

TEST(KeyFlags, DependOnTheArguments) {
  Db db;
  const auto flags = [&db](const std::vector<std::string>& request) {
    std::vector<std::string> words = {"COMMAND", "GETKEYSANDFLAGS"};
    words.insert(words.end(), request.begin(), request.end());
    std::string text;
    const Reply reply = db.Call(words);
    for (const Reply& key : reply.elements) {
      text += key[0].text + ":";
      for (const Reply& flag : key[1].elements) text += " " + flag.text;
      text += ";";
    }
    return text;
  };
  EXPECT_EQ(flags({"SET", "k", "v"}), "k: OW update;");
  EXPECT_EQ(flags({"SET", "k", "v", "GET"}), "k: RW access update;");
  EXPECT_EQ(flags({"BITFIELD", "k", "GET", "u8", "0"}), "k: RO access;");
  EXPECT_EQ(flags({"BITFIELD", "k", "SET", "u8", "0", "1"}), "k: RW access update;");
  EXPECT_EQ(flags({"RENAME", "a", "b"}), "a: RW access delete;b: OW update;");
  EXPECT_EQ(flags({"BITOP", "AND", "a", "b", "c"}), "a: OW update;b: RO access;c: RO access;");
  EXPECT_EQ(flags({"ZUNIONSTORE", "a", "2", "b", "c"}), "a: OW update;b: RO access;c: RO access;");
  EXPECT_EQ(flags({"LMPOP", "1", "a", "LEFT"}), "a: RW access delete;");
  EXPECT_EQ(flags({"EXISTS", "a"}), "a: RO;");
}

}  // namespace
}  // namespace lapse
