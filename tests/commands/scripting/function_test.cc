// FUNCTION and FCALL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using testing::StartsWith;

Reply Load(Db& db, const std::string& name, const std::string& body) {
  return db.Call({"FUNCTION", "LOAD", "#!lua name=" + name + "\n" + body});
}

TEST(Function, IsCalledWithKeysAndArguments) {
  Db db;
  EXPECT_EQ(Load(db, "lib", "redis.register_function('f', function(k, a) return k[1] .. a[1] end)"),
            "lib");
  EXPECT_EQ(db.Run("FCALL f 1 key arg"), "keyarg");
  EXPECT_EQ(db.Run("FCALL F 1 key arg"), "keyarg");
  EXPECT_EQ(db.Run("FCALL g 0").text, "ERR Function not found");
}

TEST(Function, LibrariesShareNoNames) {
  Db db;
  Load(db, "one", "redis.register_function('f', function() return 1 end)");
  EXPECT_EQ(Load(db, "two", "redis.register_function('f', function() return 2 end)").text,
            "ERR Function f already exists");
  EXPECT_EQ(Load(db, "one", "redis.register_function('g', function() return 2 end)").text,
            "ERR Library 'one' already exists");
  EXPECT_EQ(db.Run("FCALL f 0"), 1);
  EXPECT_EQ(db.Call({"FUNCTION", "LOAD", "REPLACE",
                     "#!lua name=one\nredis.register_function('g', function() return 3 end)"}),
            "one");
  EXPECT_EQ(db.Run("FCALL f 0").text, "ERR Function not found");
  EXPECT_EQ(db.Run("FCALL g 0"), 3);
}

TEST(Function, AFailedReplacementChangesNothing) {
  Db db;
  Load(db, "one", "redis.register_function('f', function() return 1 end)");
  EXPECT_THAT(db.Call({"FUNCTION", "LOAD", "REPLACE", "#!lua name=one\nreturn x"}).text,
              StartsWith("ERR Error registering functions: ERR user_function:2: "));
  EXPECT_EQ(db.Run("FCALL f 0"), 1);
}

TEST(Function, KeepsLocalStateOfItsLibrary) {
  Db db;
  Load(db, "lib", "local n = 0 redis.register_function('f', function() n = n + 1 return n end)");
  EXPECT_EQ(db.Run("FCALL f 0"), 1);
  EXPECT_EQ(db.Run("FCALL f 0"), 2);
}

TEST(Function, RegistersOnlyWhileLoading) {
  Db db;
  Load(db, "lib",
       "local register = redis.register_function "
       "register('f', function() register('g', function() end) end)");
  EXPECT_THAT(db.Run("FCALL f 0").text,
              StartsWith("ERR redis.register_function can only be called on FUNCTION LOAD"));
}

TEST(Function, FlagsAreKept) {
  Db db;
  Load(db, "lib",
       "redis.register_function{function_name = 'f', flags = {'no-writes'}, "
       "callback = function() return redis.call('SET', 'a', 1) end}");
  EXPECT_THAT(db.Run("FCALL f 0").text, StartsWith("ERR Write commands are not allowed"));
  EXPECT_THAT(db.Run("FCALL_RO f 0").text, StartsWith("ERR Write commands are not allowed"));
}

TEST(Function, DumpsAreRestored) {
  Db db;
  Load(db, "one", "redis.register_function('f', function() return 1 end)");
  Load(db, "two", "redis.register_function('g', function() return 2 end)");
  const std::string dump = db.Run("FUNCTION DUMP").text;
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", dump}).text, "ERR Library one already exists");
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", dump, "REPLACE"}), "OK");
  EXPECT_EQ(db.Run("FUNCTION FLUSH"), "OK");
  EXPECT_EQ(db.Run("FUNCTION LIST").size(), 0u);
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", dump}), "OK");
  EXPECT_EQ(db.Run("FCALL f 0"), 1);
  EXPECT_EQ(db.Run("FCALL g 0"), 2);
  Load(db, "three", "redis.register_function('h', function() return 3 end)");
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", dump, "FLUSH"}), "OK");
  EXPECT_EQ(db.Run("FCALL h 0").text, "ERR Function not found");
  std::string broken = dump;
  broken[3] = static_cast<char>(broken[3] ^ 1);
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", broken}).text,
            "ERR DUMP payload version or checksum are wrong");
}

// As redis-server 7.0 wrote it, with compressed texts.
TEST(Function, ReadsTheDumpOfRedis) {
  Db db;
  const std::string dump(
      "\xf5\xc3@\x95@\xa4\x1f#!lua name=lib\nredis.register_fu\x06nction{\xc0\x08\x00_`)\r'f2',"
      "callback=\xc0\x1b\x0b(k,a) return \x06@H@#\x1f('get','a') end,flags={'no-write\x00s@\x1b"
      "\x13llow-stale'},descrip@x\x04='d'}\xf5<#!lua name=lib2\nredis.register_function('f1',"
      "function() end)\n\x00\xfao(\x8dY6\xdb\xaf",
      227);
  EXPECT_EQ(db.Call({"FUNCTION", "RESTORE", dump}), "OK");
  EXPECT_EQ(db.Run("FUNCTION LIST").size(), 2u);
  EXPECT_TRUE(db.Run("FCALL f2 0").IsNull());
}

}  // namespace
}  // namespace lapse
