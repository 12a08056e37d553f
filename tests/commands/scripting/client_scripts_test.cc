// Scripts in the manner of those that well-known client libraries send: locks, rate limits, queues.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {


Reply Eval(Db& db, const std::string& script, const std::vector<std::string>& keys,
           const std::vector<std::string>& args) {
  std::vector<std::string> words = {"EVAL", script, std::to_string(keys.size())};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), args.begin(), args.end());
  return db.Call(words);
}

bool Has(Db& db, const std::string& command) {
  return !db.Run("COMMAND INFO " + command)[0].IsNull();
}

constexpr const char* kRelease = R"(
  if redis.call('get', KEYS[1]) == ARGV[1] then
    return redis.call('del', KEYS[1])
  end
  return 0
)";

constexpr const char* kExtend = R"(
  local extended = 0
  for _, key in ipairs(KEYS) do
    if redis.call('get', key) == ARGV[1] then
      extended = extended + redis.call('pexpire', key, ARGV[2])
    end
  end
  return extended
)";

TEST(ClientScripts, ALockIsReleasedByItsHolderAlone) {
  Db db;
  db.Run("SET lock mine NX PX 1000");
  EXPECT_EQ(Eval(db, kRelease, {"lock"}, {"theirs"}), 0);
  EXPECT_EQ(Eval(db, kExtend, {"lock", "other"}, {"mine", "5000"}), 1);
  EXPECT_EQ(db.Run("PTTL lock"), 5000);
  EXPECT_EQ(Eval(db, kRelease, {"lock"}, {"mine"}), 1);
  EXPECT_EQ(db.Run("EXISTS lock"), 0);
}

constexpr const char* kWindow = R"(
  local count = redis.call('INCR', KEYS[1])
  if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
  if count > tonumber(ARGV[2]) then return {0, redis.call('TTL', KEYS[1])} end
  return {1, tonumber(ARGV[2]) - count}
)";

TEST(ClientScripts, AWindowLimitsItsRate) {
  Db db;
  EXPECT_EQ(Eval(db, kWindow, {"w"}, {"10", "2"}).ToString(), "1) (integer) 1\n2) (integer) 1");
  EXPECT_EQ(Eval(db, kWindow, {"w"}, {"10", "2"}).ToString(), "1) (integer) 1\n2) (integer) 0");
  EXPECT_EQ(Eval(db, kWindow, {"w"}, {"10", "2"}).ToString(), "1) (integer) 0\n2) (integer) 10");
  db.AdvanceMs(10'001);
  EXPECT_EQ(Eval(db, kWindow, {"w"}, {"10", "2"})[0], 1);
}

constexpr const char* kBucket = R"(
  local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local saved = redis.call('GET', KEYS[1])
  local state = saved and cjson.decode(saved) or {tokens = burst, at = now}
  local tokens = math.min(burst, state.tokens + (now - state.at) * rate)
  local allowed = tokens >= 1
  if allowed then tokens = tokens - 1 end
  local ttl = math.ceil(burst / rate)
  redis.call('SET', KEYS[1], cjson.encode({tokens = tokens, at = now}), 'EX', ttl)
  return {allowed and 1 or 0, tostring(tokens)}
)";

TEST(ClientScripts, ATokenBucketFillsAgain) {
  Db db;
  const auto take = [&](const std::string& now) {
    return Eval(db, kBucket, {"bucket"}, {"0.5", "2", now})[0].integer;
  };
  EXPECT_EQ(take("100"), 1);
  EXPECT_EQ(take("100"), 1);
  EXPECT_EQ(take("100"), 0);
  EXPECT_EQ(take("102"), 1);
  EXPECT_EQ(db.Run("TTL bucket"), 4);
}

// A job's options come packed, its data as JSON, and what is returned is an id.
constexpr const char* kAddJob = R"(
  local options = cmsgpack.unpack(ARGV[1])
  local data = cjson.decode(ARGV[2])
  local id = redis.call('INCR', KEYS[1] .. ':id')
  local job = {id = id, name = data.name, attempts = options.attempts or 1}
  if options.delay and options.delay > 0 then job.delay = options.delay end
  redis.call('SET', KEYS[1] .. ':' .. id, cjson.encode(job))
  return id .. ''
)";

TEST(ClientScripts, AQueueTakesAJob) {
  Db db;
  const std::string options(
      "\x82\xa8"
      "attempts"
      "\x03\xa5"
      "delay"
      "\x00",
      18);
  EXPECT_EQ(Eval(db, kAddJob, {"queue"}, {options, R"({"name":"mail"})"}), "1");
  EXPECT_EQ(Eval(db, "return cjson.decode(redis.call('GET', KEYS[1])).attempts", {"queue:1"}, {}),
            3);
  EXPECT_EQ(Eval(db, "return cjson.decode(redis.call('GET', KEYS[1])).delay", {"queue:1"}, {}).type,
            ReplyType::kNull);
}

constexpr const char* kReentrantLock = R"(
  if redis.call('exists', KEYS[1]) == 0 or redis.call('hexists', KEYS[1], ARGV[2]) == 1 then
    redis.call('hincrby', KEYS[1], ARGV[2], 1)
    redis.call('pexpire', KEYS[1], ARGV[1])
    return nil
  end
  return redis.call('pttl', KEYS[1])
)";

TEST(ClientScripts, ALockIsTakenTwiceByOneThread) {
  Db db;
  if (!Has(db, "hincrby")) GTEST_SKIP() << "no hashes";
  EXPECT_TRUE(Eval(db, kReentrantLock, {"l"}, {"1000", "a"}).IsNull());
  EXPECT_TRUE(Eval(db, kReentrantLock, {"l"}, {"1000", "a"}).IsNull());
  EXPECT_EQ(Eval(db, kReentrantLock, {"l"}, {"1000", "b"}), 1000);
  EXPECT_EQ(db.Run("HGET l a"), "2");
}

// Moves the members that are due to a list.
constexpr const char* kPromote = R"(
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
  for _, job in ipairs(due) do
    redis.call('ZREM', KEYS[1], job)
    redis.call('LPUSH', KEYS[2], job)
  end
  return #due
)";

TEST(ClientScripts, DueJobsMoveToTheirQueue) {
  Db db;
  if (!Has(db, "zrangebyscore") || !Has(db, "lpush")) GTEST_SKIP() << "no sorted sets or lists";
  db.Run("ZADD schedule 1 a 2 b 9 c");
  EXPECT_EQ(Eval(db, kPromote, {"schedule", "queue"}, {"5"}), 2);
  EXPECT_EQ(db.Run("LRANGE queue 0 -1").ToString(), "1) \"b\"\n2) \"a\"");
  EXPECT_EQ(db.Run("ZCARD schedule"), 1);
}

}  // namespace
}  // namespace lapse
