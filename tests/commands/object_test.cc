#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

TEST(ObjectEncoding, AsRedisNamesIt) {
  Db db;
  const struct {
    std::string value;
    const char* encoding;
  } cases[] = {
      {"0", "int"},
      {"12", "int"},
      {"-9223372036854775808", "int"},
      {"9223372036854775807", "int"},
      {"9223372036854775808", "embstr"},
      {"12345678901234567890", "embstr"},
      {"0001", "embstr"},
      {"-0", "embstr"},
      {" 1", "embstr"},
      {"1.5", "embstr"},
      {"", "embstr"},
      {std::string(44, 'x'), "embstr"},
      {std::string(45, 'x'), "raw"},
      {std::string(100'000, 'x'), "raw"},
  };
  for (const auto& [value, encoding] : cases) {
    db.Call({"SET", "k", value});
    EXPECT_EQ(db.Run("OBJECT ENCODING k"), encoding) << value.substr(0, 50);
    db.Call({"GETSET", "k", value});
    EXPECT_EQ(db.Run("OBJECT ENCODING k"), encoding) << value.substr(0, 50);
    db.Run("EXPIRE k 100");
    EXPECT_EQ(db.Run("OBJECT ENCODING k"), encoding) << value.substr(0, 50);
    db.Run("PERSIST k");
    EXPECT_EQ(db.Run("OBJECT ENCODING k"), encoding) << value.substr(0, 50);
  }
}

TEST(ObjectIdleTime, SecondsSinceTheLastAccess) {
  Db db;
  db.Run("SET k v");
  db.AdvanceMs(10'000);
  EXPECT_EQ(db.Run("OBJECT IDLETIME k"), 10);
  for (const char* line : {"EXISTS k", "TYPE k", "TTL k", "OBJECT ENCODING k", "KEYS *"}) {
    db.Run(line);
    EXPECT_EQ(db.Run("OBJECT IDLETIME k"), 10) << line << " does not touch";
  }
  for (const char* line :
       {"GET k", "STRLEN k", "MGET k", "APPEND k x", "EXPIRE k 1000", "SET k v KEEPTTL"}) {
    db.AdvanceMs(10'000);
    db.Run(line);
    EXPECT_EQ(db.Run("OBJECT IDLETIME k"), 0) << line << " touches";
  }
}

TEST(Object, FreqNeedsAnotherPolicy) {
  Db db;
  db.Run("SET k v");
  EXPECT_THAT(db.Run("OBJECT FREQ k").text,
              HasSubstr("ERR An LFU maxmemory policy is not selected"));
}

TEST(Object, RefCount) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("OBJECT REFCOUNT k"), 1);
}

TEST(Object, MissingKey) {
  Db db;
  for (const char* line :
       {"OBJECT ENCODING k", "OBJECT FREQ k", "OBJECT IDLETIME k", "OBJECT REFCOUNT k"}) {
    EXPECT_TRUE(db.Run(line).IsNull()) << line;
  }
}

TEST(Object, HelpListsTheSubcommands) {
  Db db;
  const auto lines = Texts(db.Run("object help"));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("IDLETIME")));
}

TEST(Object, Errors) {
  Db db;
  EXPECT_EQ(db.Run("OBJECT bogus k"), "ERR unknown subcommand 'bogus'. Try OBJECT HELP.");
  EXPECT_EQ(db.Run("OBJECT ENCODING"),
            "ERR wrong number of arguments for 'object|encoding' command");
  EXPECT_EQ(db.Run("OBJECT HELP x"), "ERR wrong number of arguments for 'object|help' command");
  EXPECT_EQ(db.Run("OBJECT"), "ERR wrong number of arguments for 'object' command");
}

}  // namespace
}  // namespace lapse
