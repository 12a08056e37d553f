// The same scripts and functions in both servers: values, conversions and every error's text.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/differential/duel.h"
#include "tests/differential/script_texts.h"

namespace lapse {
namespace {

void PlayScripts(int protocol) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  Duel duel(*rivals, protocol, 0);
  for (const std::string_view script : kScriptTexts) {
    EXPECT_TRUE(duel.Play({{"EVAL", std::string(script), "1", "k", "v"}})) << script;
  }
  for (const std::string_view expression : kScriptExpressions) {
    const std::string script = "return " + std::string(expression);
    EXPECT_TRUE(duel.Play({{"EVAL", script, "0"}})) << script;
  }
}

TEST(DifferentialScripts, Resp2) { PlayScripts(2); }
TEST(DifferentialScripts, Resp3) { PlayScripts(3); }

TEST(DifferentialScripts, Commands) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  Duel duel(*rivals, 2, 0);
  const std::string one = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
  const std::string one_in_capitals = "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB";
  const std::vector<Request> requests = {
      {"EVALSHA", one, "0"},
      {"EVALSHA", "abc", "0"},
      {"EVAL", "return 1", "0"},
      {"EVALSHA", one, "0"},
      {"EVALSHA", one_in_capitals, "0"},
      {"EVALSHA_RO", one, "0"},
      {"EVAL", "return 1", "abc"},
      {"EVAL", "return 1", "-1"},
      {"EVAL", "return 1", "1"},
      {"EVAL"},
      {"EVAL", "return 1"},
      {"SCRIPT"},
      {"SCRIPT", "X"},
      {"SCRIPT", "LOAD"},
      {"SCRIPT", "LOAD", "return 2"},
      {"SCRIPT", "LOAD", "return ("},
      {"SCRIPT", "LOAD", "#!lua foo\nreturn 1"},
      {"SCRIPT", "EXISTS"},
      {"SCRIPT", "EXISTS", "a", one, one_in_capitals},
      {"SCRIPT", "FLUSH", "X"},
      {"SCRIPT", "FLUSH", "ASYNC", "X"},
      {"SCRIPT", "FLUSH", "sync"},
      {"SCRIPT", "EXISTS", one},
      {"SCRIPT", "KILL"},
      {"SCRIPT", "DEBUG"},
      {"SCRIPT", "DEBUG", "no"},
      {"SCRIPT", "DEBUG", "x"},
      {"EVAL_RO", "return redis.call('set','a','b')", "0"},
      {"EVAL_RO", "return redis.call('get','a')", "1", "a"},
      {"EVAL_RO", "#!lua\nreturn redis.call('get','a')", "1", "a"},
      {"EVAL_RO", "#!lua flags=no-writes\nreturn redis.call('get','a')", "1", "a"},
      {"COMMAND", "GETKEYS", "EVAL", "x", "2", "a", "b", "c"},
      {"COMMAND", "GETKEYS", "EVAL", "x", "0"},
      {"EVAL", "redis.call('select', 3) return redis.call('set', 'there', 'x')", "0"},
      {"GET", "there"},
      {"EVAL", "return redis.call('flushall')", "0"},
      {"EVAL", "redis.call('set', 'a', 1) return redis.call('flushdb')", "0"},
      {"GET", "a"},
  };
  for (const Request& request : requests) EXPECT_TRUE(duel.Play({request}));
}

const char* const kBadLibraries[] = {
    "return 1",
    "#!lua\nx",
    "#!lua name=\nx",
    "#!lua name=a-b\nx",
    "#!lua name=a name=b\nx",
    "#!js name=a\nx",
    "#!lua foo=a\nx",
    "#!lua name=a flags=x\nx",
    "#!lua name=lib",
};

const char* const kBodies[] = {
    "return 1",
    "x x",
    "x=1",
    "return x",
    "error('x')",
    "redis.call('get','x')",
    "redis.register_function()",
    "redis.register_function('a')",
    "redis.register_function('a',1)",
    "redis.register_function({},function() end)",
    "redis.register_function('a-b',function() end)",
    "redis.register_function{}",
    "redis.register_function{function_name='a'}",
    "redis.register_function{callback=function() end}",
    "redis.register_function{function_name='a',callback=1}",
    "redis.register_function{function_name='a',callback=function() end,flags=1}",
    "redis.register_function{function_name='a',callback=function() end,flags={'x'}}",
    "redis.register_function{function_name='a',callback=function() end,foo=1}",
    "redis.register_function{function_name='a',callback=function() end,description={}}",
    "redis.register_function('a',function() end)\nredis.register_function('a',function() end)",
    "redis.register_function('a',function() end,1)",
    "local x=math.random()",
    "redis.log(redis.LOG_WARNING,'hi')",
    "redis.foo=1",
    "function g() end",
    "local x=KEYS",
    "local x=redis.REDIS_VERSION",
    "local t={} t.x.y=1",
    "redis.register_function('f1',function(k,a) return {k,a,#k} end)",
};

const char* const kFunctions[] = {
    "function(k,a) return redis.call('set','a',a[1]) end",
    "function(k,a) x=1 end",
    "function(k,a) return x end",
    "function(k,a) return KEYS end",
    "function(k,a) redis.foo=1 end",
    "function(k,a) redis.register_function('z',function() end) end",
    "function(k,a) error('x') end",
    "function(k,a)\n\nreturn redis.call('nosuch') end",
    "function(k,a) return redis.pcall('nosuch') end",
    "function(k,a) local t={} for n in pairs(redis) do t[#t+1]=n end table.sort(t) return "
    "table.concat(t,' ') end",
    "function(k,a) local t={} for n in pairs(_G) do t[#t+1]=n end table.sort(t) return "
    "table.concat(t,' ') end",
};

TEST(DifferentialScripts, Functions) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  Duel duel(*rivals, 2, 0);
  const auto play = [&](const Request& request) { EXPECT_TRUE(duel.Play({request})); };
  for (const std::string code : kBadLibraries) play({"FUNCTION", "LOAD", code});
  for (const std::string body : kBodies) {
    play({"FUNCTION", "LOAD", "#!lua name=lib\n" + body});
  }
  play({"FUNCTION", "LOAD", "#!lua name=lib\nx"});
  play({"FUNCTION", "LOAD", "#!lua name=two\nredis.register_function('f1',function() end)"});
  play({"FUNCTION", "LOAD", "FOO", "#!lua name=two\nx"});
  play({"FUNCTION", "LIST"});
  play({"FUNCTION", "LIST", "WITHCODE"});
  play({"FUNCTION", "LIST", "LIBRARYNAME", "L*"});
  play({"FUNCTION", "LIST", "LIBRARYNAME"});
  play({"FUNCTION", "LIST", "x"});
  for (const std::string function : kFunctions) {
    play({"FUNCTION", "LOAD", "REPLACE",
          "#!lua name=lib\nredis.register_function('f', " + function + ")"});
    play({"FCALL", "f", "0"});
    play({"FCALL", "F", "1", "a", "b"});
    play({"FCALL_RO", "f", "0"});
  }
  play({"FUNCTION", "LOAD", "REPLACE",
        "#!lua name=lib\nredis.register_function{function_name='g', description='d', "
        "callback=function() return redis.call('set','a','x') end, flags={'no-writes'}}"});
  play({"FCALL", "g", "0"});
  play({"FCALL_RO", "g", "0"});
  play({"FCALL", "nosuch", "0"});
  play({"FCALL", "g", "x"});
  play({"FCALL", "g", "-1"});
  play({"FCALL", "g", "2", "a"});
  play({"FUNCTION", "LIST"});
  play({"FUNCTION", "STATS"});
  play({"FUNCTION", "KILL"});
  play({"FUNCTION", "RESTORE", "x"});
  play({"FUNCTION", "DELETE", "x"});
  play({"FUNCTION", "FLUSH", "x"});
  play({"FUNCTION", "FLUSH", "sync", "x"});
  play({"FUNCTION", "DELETE", "lib"});
  play({"FUNCTION", "DUMP"});
  play({"FUNCTION", "FLUSH"});
}

}  // namespace
}  // namespace lapse
