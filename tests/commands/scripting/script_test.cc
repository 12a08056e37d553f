// EVAL and its like: running, atomicity, what scripts leave behind, and what they may not do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Reply Eval(Db& db, const std::string& script, const std::vector<std::string>& keys = {},
           const std::vector<std::string>& args = {}) {
  std::vector<std::string> words = {"EVAL", script, std::to_string(keys.size())};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), args.begin(), args.end());
  return db.Call(words);
}

TEST(Script, ReturnsValues) {
  Db db;
  EXPECT_EQ(Eval(db, "return 1"), 1);
  EXPECT_EQ(Eval(db, "return 'a'"), "a");
  EXPECT_EQ(Eval(db, "return ARGV[1] .. KEYS[1]", {"k"}, {"v"}), "vk");
  EXPECT_TRUE(Eval(db, "return nil").IsNull());
  EXPECT_EQ(Eval(db, "return {1, {2, 'x'}}").ToString(),
            "1) (integer) 1\n2) 1) (integer) 2\n   2) \"x\"");
}

TEST(Script, RunsCommands) {
  Db db;
  EXPECT_EQ(Eval(db, "return redis.call('SET', KEYS[1], ARGV[1], 'PX', 10)", {"k"}, {"v"}), "OK");
  EXPECT_EQ(Eval(db, "return redis.call('GET', KEYS[1])", {"k"}), "v");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k"));
  db.AdvanceMs(11);
  EXPECT_TRUE(Eval(db, "return redis.call('GET', KEYS[1])", {"k"}).IsNull());
}

TEST(Script, ReachesKeysThatWereNotDeclared) {
  Db db;
  Eval(db, "for i = 1, 500 do redis.call('SET', 'k' .. i, i) end");
  EXPECT_EQ(db.Run("DBSIZE"), 500);
  EXPECT_EQ(
      Eval(db, "local n = 0 for i = 1, 500 do n = n + redis.call('GET', 'k' .. i) end return n"),
      125250);
}

TEST(Script, CommandsOfSeveralKeysAreWithin) {
  Db db;
  Eval(db, "return redis.call('MSET', 'a', 1, 'b', 2, 'c', 3)", {"a"});
  EXPECT_EQ(Eval(db, "return #redis.call('MGET', 'a', 'b', 'c')", {"b"}), 3);
  EXPECT_EQ(Eval(db, "return redis.call('DBSIZE')", {"b"}), 3);
  EXPECT_EQ(Eval(db, "return redis.call('RENAME', 'a', 'd')", {"a"}), "OK");
}

TEST(Script, HasItsOwnDatabase) {
  Db db;
  Eval(db, "redis.call('SELECT', 3) redis.call('SET', 'there', 1)");
  EXPECT_TRUE(db.Run("GET there").IsNull());
  db.Run("SELECT 3");
  EXPECT_EQ(db.Run("GET there"), "1");
}

TEST(Script, MayUseCommandsThatNeedTheServerForThemselves) {
  Db db;
  db.Run("SET a 1");
  EXPECT_EQ(Eval(db, "return redis.call('FLUSHALL')"), "OK");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
  db.Run("SET a 1");
  // The name is put together, so that only running it tells.
  EXPECT_EQ(Eval(db, "return redis.call('FLUSH' .. 'ALL')"), "OK");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
  EXPECT_TRUE(Eval(db, "redis.call('SET', 'a', 1) redis.call('FLUSH' .. 'ALL')").IsError());
}

TEST(Script, ErrorsNameTheirPlace) {
  Db db;
  EXPECT_EQ(Eval(db, "return redis.call('nosuch')").text,
            "ERR Unknown Redis command called from script script: "
            "206396248e12c6e742fd7296250433c8d7343b74, on @user_script:1.");
  EXPECT_EQ(Eval(db, "\n\nreturn redis.call('INCR')").text.substr(0, 56),
            "ERR Wrong number of args calling Redis command from scri");
  EXPECT_THAT(Eval(db, "\n\nerror('x')").text, StartsWith("ERR user_script:3: x script: "));
  EXPECT_THAT(Eval(db, "return (").text, StartsWith("ERR Error compiling script (new function): "));
}

TEST(Script, CatchesErrors) {
  Db db;
  db.Run("SET k text");
  EXPECT_THAT(Eval(db, "return redis.pcall('INCR', 'k')").text, StartsWith("ERR value is not an"));
  EXPECT_THAT(Eval(db, "return redis.pcall('INCR', 'k').err").text, StartsWith("ERR value is"));
  EXPECT_EQ(Eval(db, "return type(select(2, pcall(redis.call, 'INCR', 'k')))"), "string");
}

TEST(Script, LeavesNothingBehind) {
  Db db;
  for (const std::string script :
       {"x = 1", "redis = 1", "redis.x = 1", "string.x = 1", "_G.x = 1", "rawset(_G, 'x', 1)",
        "rawset(redis, 'x', 1)", "setmetatable(_G, {})", "setmetatable(redis, {})",
        "table.insert(redis, 1)", "getmetatable('').__index = 1", "KEYS = 1",
        "local f, t = pairs(redis) t.x = 1", "loadstring('x = 1')()"}) {
    EXPECT_THAT(Eval(db, script).text, HasSubstr("Attempt to modify a readonly table")) << script;
  }
  EXPECT_THAT(Eval(db, "return x").text,
              HasSubstr("Script attempted to access nonexistent global variable 'x'"));
}

TEST(Script, ReachesNothingOutside) {
  Db db;
  for (const std::string name : {"print", "dofile", "loadfile", "require", "module", "package",
                                 "os", "io", "debug", "getfenv", "setfenv", "newproxy"}) {
    EXPECT_THAT(Eval(db, "return " + name).text, HasSubstr("nonexistent global variable")) << name;
  }
  EXPECT_TRUE(Eval(db, "return loadstring(string.dump(function() return 1 end))").IsNull());
  EXPECT_THAT(Eval(db, "return redis.call('EVAL', 'return 1', 0)").text,
              StartsWith("ERR This Redis command is not allowed from script"));
}

TEST(Script, CacheGoesByDigest) {
  Db db;
  const std::string digest = db.Call({"SCRIPT", "LOAD", "return 7"}).text;
  EXPECT_EQ(digest.size(), 40u);
  EXPECT_EQ(db.Run("EVALSHA " + digest + " 0"), 7);
  EXPECT_EQ(db.Run("SCRIPT EXISTS x " + digest).ToString(), "1) (integer) 0\n2) (integer) 1");
  EXPECT_EQ(db.Run("SCRIPT FLUSH"), "OK");
  EXPECT_EQ(db.Run("EVALSHA " + digest + " 0").text,
            "NOSCRIPT No matching script. Please use EVAL.");
}

TEST(Script, ReadOnlyFormsWriteNothing) {
  Db db;
  EXPECT_THAT(db.Call({"EVAL_RO", "return redis.call('SET', 'a', 1)", "0"}).text,
              StartsWith("ERR Write commands are not allowed from read-only scripts."));
  EXPECT_THAT(Eval(db, "#!lua flags=no-writes\nreturn redis.call('SET', 'a', 1)").text,
              StartsWith("ERR Write commands are not allowed from read-only scripts."));
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(Script, RefusesTheFirstWriteWhenMemoryIsFull) {
  Db db;
  db.Run("SET a 1");
  db.Run("CONFIG SET maxmemory 1");
  constexpr std::string_view kFull = "OOM command not allowed when used memory > 'maxmemory'.";
  EXPECT_THAT(Eval(db, "return redis.call('SET', 'b', 1)").text, StartsWith(std::string(kFull)));
  EXPECT_EQ(Eval(db, "return redis.call('GET', 'a')"), "1");
  EXPECT_EQ(Eval(db, "#!lua\nreturn redis.call('GET', 'a')").text, kFull);
  EXPECT_EQ(Eval(db, "#!lua flags=no-writes\nreturn redis.call('GET', 'a')"), "1");
  EXPECT_EQ(db.Run("EXISTS b"), 0);
  EXPECT_EQ(Eval(db, "#!lua flags=allow-oom\nreturn redis.call('SET', 'b', 1)"), "OK");
  EXPECT_EQ(Eval(db, "redis.call('DEL', 'none') return redis.call('SET', 'c', 1)"), "OK")
      << "not stopped half-way";
}

TEST(Script, AsksWhatItsUserMay) {
  Db db;
  db.Run("ACL SETUSER bob on nopass ~a* +eval +get");
  Db::Client bob(db);
  EXPECT_EQ(bob.Run("AUTH bob x"), "OK");
  const auto may = [&](const std::string& command) {
    return bob.Call({"EVAL", "return redis.acl_check_cmd(" + command + ") and 1 or 0", "0"});
  };
  EXPECT_EQ(may("'get', 'a'"), 1);
  EXPECT_EQ(may("'get', 'b'"), 0);
  EXPECT_EQ(may("'set', 'a', '1'"), 0);
  EXPECT_EQ(may("'config', 'get', 'x'"), 0);
  EXPECT_EQ(Eval(db, "return redis.acl_check_cmd('set', 'a', '1')"), 1);
}

TEST(Script, NeedsTheServerForItselfWithinATransaction) {
  Db db;
  db.Run("MULTI");
  Eval(db, "redis.call('FLUSHALL') return redis.call('SET', 'a', 1)");
  Eval(db, "local f = 'flush' .. 'db' return redis.call(f)");
  EXPECT_EQ(db.Run("EXEC").ToString(), "1) OK\n2) OK");
}

TEST(Script, ConvertsResp3) {
  Db db;
  db.Resp(3);
  EXPECT_EQ(Eval(db, "return {double = 1.5}").ToString(), "(double) 1.5");
  EXPECT_EQ(Eval(db, "return {map = {a = 1}}").type, ReplyType::kMap);
  EXPECT_EQ(Eval(db, "return {set = {a = true}}").type, ReplyType::kSet);
  EXPECT_EQ(Eval(db, "return {big_number = '12'}").type, ReplyType::kBigNumber);
  EXPECT_EQ(Eval(db, "redis.setresp(3) return true").type, ReplyType::kBoolean);
  EXPECT_EQ(Eval(db, "return true"), 1);
  EXPECT_EQ(Eval(db, "return {verbatim_string = {string = 'x', format = 'txt'}}").type,
            ReplyType::kVerbatim);
}

TEST(Script, NothingRunsThatCouldBeKilled) {
  Db db;
  EXPECT_EQ(db.Run("SCRIPT KILL").text, "NOTBUSY No scripts in execution right now.");
  EXPECT_EQ(db.Run("FUNCTION KILL").text, "NOTBUSY No scripts in execution right now.");
}

TEST(Script, IsKilledFromAnotherThread) {
  Db db;
  Db::Client killer(db);
  std::thread other([&] {
    while (killer.Run("SCRIPT KILL").IsError()) std::this_thread::yield();
  });
  EXPECT_THAT(Eval(db, "while true do pcall(function() while true do end end) end").text,
              StartsWith("ERR Script killed by user with SCRIPT KILL... script: "));
  other.join();
  EXPECT_EQ(Eval(db, "return 1"), 1);
}

TEST(Script, ThreadsSeeAllOfAScriptOrNothing) {
  Db db;
  constexpr int kRuns = 2000;
  const std::vector<std::string> move = {
      "EVAL", "redis.call('DECR', KEYS[1]) redis.call('INCR', ARGV[1])", "1", "a", "b"};
  std::thread mover([&] {
    Db::Client client(db);
    for (int i = 0; i < kRuns; ++i) client.Call(move);
  });
  Db::Client reader(db);
  for (int i = 0; i < kRuns; ++i) {
    const Reply both = reader.Run("MGET a b");
    EXPECT_EQ(both[0].AsInteger() + both[1].AsInteger(), 0);
  }
  mover.join();
}

}  // namespace
}  // namespace lapse
