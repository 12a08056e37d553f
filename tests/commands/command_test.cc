// COMMAND and its subcommands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(CommandInfo, OfGet) {
  Db db;
  const Reply all = db.Run("COMMAND INFO get");
  ASSERT_EQ(all.size(), 1u);
  const Reply& info = all[0];
  ASSERT_EQ(info.size(), 10u);
  EXPECT_EQ(info[0], "get");
  EXPECT_EQ(info[1], 2);
  EXPECT_THAT(Texts(info[2]), ElementsAre("readonly", "fast"));
  EXPECT_EQ(info[3], 1);
  EXPECT_EQ(info[4], 1);
  EXPECT_EQ(info[5], 1);
  EXPECT_THAT(Texts(info[6]), ElementsAre("@read", "@string", "@fast"));
  EXPECT_EQ(info[7].size(), 0u);
  const Reply& spec = info[8][0];
  EXPECT_EQ(spec[0], "flags");
  EXPECT_THAT(Texts(spec[1]), ElementsAre("RO", "access"));
  EXPECT_THAT(Texts(spec[3]), ElementsAre("type", "index", "spec", spec[3][3].ToString()));
  EXPECT_THAT(Texts(spec[3][3]), ElementsAre("index", "1"));
  EXPECT_THAT(Texts(spec[5][3]), ElementsAre("lastkey", "0", "keystep", "1", "limit", "0"));
  EXPECT_EQ(info[9].size(), 0u);
}

TEST(CommandInfo, OfContainersAndSubcommands) {
  Db db;
  const Reply info = db.Run("COMMAND INFO config config|GET nosuch config|nosuch");
  ASSERT_EQ(info.size(), 4u);
  EXPECT_EQ(info[0][0], "config");
  EXPECT_EQ(info[0][9][0][0], "config|get");
  EXPECT_EQ(info[1][0], "config|get");
  EXPECT_THAT(Texts(info[1][2]), ElementsAre("admin", "noscript", "loading", "stale"));
  EXPECT_THAT(Texts(info[1][6]), ElementsAre("@admin", "@slow", "@dangerous"));
  EXPECT_TRUE(info[2].IsNull());
  EXPECT_TRUE(info[3].IsNull());
}

TEST(CommandInfo, UsesResp3Types) {
  Db db;
  db.Resp(3);
  const Reply info = db.Run("COMMAND INFO set");
  EXPECT_EQ(info[0][2].type, ReplyType::kSet);
  EXPECT_EQ(info[0][6].type, ReplyType::kSet);
  EXPECT_EQ(info[0][8].type, ReplyType::kSet);
  EXPECT_EQ(info[0][8][0].type, ReplyType::kMap);
}

TEST(CommandDocs, OfExpire) {
  Db db;
  const Reply docs = db.Run("COMMAND DOCS expire nosuch");
  ASSERT_EQ(docs.size(), 2u) << "unknown names are left out";
  EXPECT_EQ(docs[0], "expire");
  const Reply& fields = docs[1];
  EXPECT_EQ(fields[0], "summary");
  EXPECT_EQ(fields[2], "since");
  EXPECT_EQ(fields[3], "1.0.0");
  EXPECT_EQ(fields[4], "group");
  EXPECT_EQ(fields[5], "generic");
  ASSERT_EQ(fields[8], "arguments");
  const Reply& arguments = fields[9];
  ASSERT_EQ(arguments.size(), 3u);
  EXPECT_THAT(Texts(arguments[0]),
              ElementsAre("name", "key", "type", "key", "key_spec_index", "0"));
  EXPECT_THAT(Texts(arguments[1]), ElementsAre("name", "seconds", "type", "integer"));
  EXPECT_EQ(arguments[2][3], "oneof");
  EXPECT_EQ(arguments[2][4], "flags");
  EXPECT_THAT(Texts(arguments[2][5]), ElementsAre("optional"));
  EXPECT_THAT(Texts(arguments[2][7][0]),
              ElementsAre("name", "nx", "type", "pure-token", "token", "NX"));
}

TEST(CommandDocs, OfAContainer) {
  Db db;
  const Reply docs = db.Run("COMMAND DOCS memory");
  const Reply& fields = docs[1];
  ASSERT_EQ(fields[fields.size() - 2], "subcommands");
  EXPECT_EQ(fields[fields.size() - 1][0], "memory|usage");
  EXPECT_EQ(db.Run("COMMAND DOCS memory|usage")[0], "memory|usage");
}

TEST(CommandList, Filters) {
  Db db;
  const auto all = Texts(db.Run("COMMAND LIST"));
  EXPECT_THAT(all, Contains("get"));
  EXPECT_THAT(all, Contains("config|get"));
  EXPECT_THAT(Texts(db.Run("COMMAND LIST FILTERBY PATTERN CONFIG|R*")),
              ElementsAre("config|resetstat", "config|rewrite"));
  EXPECT_THAT(Texts(db.Run("COMMAND LIST FILTERBY MODULE x")), IsEmpty());
  const auto admin = Texts(db.Run("COMMAND LIST FILTERBY ACLCAT Admin"));
  EXPECT_THAT(admin, Contains("client|kill"));
  EXPECT_THAT(admin, Not(Contains("get")));
  EXPECT_THAT(Texts(db.Run("COMMAND LIST FILTERBY ACLCAT nosuch")), IsEmpty());
  for (const char* line : {"COMMAND LIST x", "COMMAND LIST FILTERBY", "COMMAND LIST FILTERBY FOO x",
                           "COMMAND LIST FILTERBY MODULE", "COMMAND LIST FILTERBY PATTERN a b"}) {
    EXPECT_EQ(db.Run(line), "ERR syntax error") << line;
  }
}

TEST(CommandGetKeys, FindsThem) {
  Db db;
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS MSET a 1 b 2")), ElementsAre("a", "b"));
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS MSET a 1 b")), ElementsAre("a", "b"));
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS set k v EX 5")), ElementsAre("k"));
  EXPECT_THAT(Texts(db.Run("COMMAND GETKEYS MEMORY USAGE k")), ElementsAre("k"));
  EXPECT_EQ(db.Run("COMMAND GETKEYS FOO x"), "ERR Invalid command specified");
  EXPECT_EQ(db.Run("COMMAND GETKEYS CONFIG FOO"), "ERR Invalid command specified");
  EXPECT_EQ(db.Run("COMMAND GETKEYS PING x"), "ERR The command has no key arguments");
  EXPECT_EQ(db.Run("COMMAND GETKEYS GET a b"),
            "ERR Invalid number of arguments specified for command");
  EXPECT_EQ(db.Run("COMMAND GETKEYS GET"),
            "ERR wrong number of arguments for 'command|getkeys' command");
}

TEST(Command, WithoutArgumentsIsInfoOfAll) {
  Db db;
  const Reply all = db.Run("COMMAND");
  EXPECT_EQ(db.Run("COMMAND COUNT"), static_cast<int64_t>(all.size()));
  EXPECT_EQ(all, db.Run("COMMAND INFO"));
  EXPECT_EQ(db.Run("COMMAND DOCS").size(), 2 * all.size());
  EXPECT_EQ(db.Run("COMMAND FOO"), "ERR unknown subcommand 'FOO'. Try COMMAND HELP.");
}

}  // namespace
}  // namespace lapse
