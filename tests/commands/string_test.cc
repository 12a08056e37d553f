// GET, SET and their relatives.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSyntax = "ERR syntax error";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";

TEST(Get, RepliesWithTheValueOrNothing) {
  Db db;
  EXPECT_TRUE(db.Run("GET k").IsNull());
  EXPECT_EQ(db.Run("SET k v"), "OK");
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("SET k ''"), "OK");
  EXPECT_EQ(db.Run("GET k"), "");
  EXPECT_EQ(db.Run("SET '' empty"), "OK");
  EXPECT_EQ(db.Run("GET ''"), "empty");
}

TEST(Get, BytesAreKeptAsTheyAre) {
  Db db;
  const std::string odd("\0\r\n\xff\x80", 5);
  EXPECT_EQ(db.Call({"SET", odd, odd}), "OK");
  EXPECT_EQ(db.Call({"GET", odd}), odd);
}

TEST(Set, ValuesOfEverySizeReplaceEachOther) {
  Db db;
  const size_t sizes[] = {0, 1, 44, 45, 300, 4096, 4097, 70'000, 1'000'000};
  for (const size_t from : sizes) {
    for (const size_t to : sizes) {
      ASSERT_EQ(db.Call({"SET", "k", std::string(from, 'a')}), "OK");
      ASSERT_EQ(db.Call({"SET", "k", std::string(to, 'b')}), "OK");
      ASSERT_EQ(db.Run("GET k"), std::string(to, 'b')) << from << " to " << to;
    }
  }
}

TEST(Set, DropsTheDeadline) {
  Db db;
  db.Run("SET k v EX 100");
  EXPECT_EQ(db.Run("SET k w"), "OK");
  EXPECT_EQ(db.Run("TTL k"), -1);
}

TEST(Set, KeepTtlKeepsIt) {
  Db db;
  db.Run("SET k v PX 1500");
  db.AdvanceMs(500);
  EXPECT_EQ(db.Run("SET k w KEEPTTL"), "OK");
  EXPECT_EQ(db.Run("GET k"), "w");
  EXPECT_EQ(db.Run("PTTL k"), 1000);
  EXPECT_EQ(db.Run("SET new v keepttl"), "OK");
  EXPECT_EQ(db.Run("TTL new"), -1);
}

TEST(Set, TtlInEachForm) {
  Db db;
  const int64_t now_ms = db.clock().NowMs();
  EXPECT_EQ(db.Run("SET k v EX 10"), "OK");
  EXPECT_EQ(db.Run("PTTL k"), 10'000);
  EXPECT_EQ(db.Run("SET k v px 250"), "OK");
  EXPECT_EQ(db.Run("PTTL k"), 250);
  EXPECT_EQ(db.Call({"SET", "k", "v", "EXAT", std::to_string(now_ms / 1000 + 7)}), "OK");
  EXPECT_EQ(db.Run("EXPIRETIME k"), now_ms / 1000 + 7);
  EXPECT_EQ(db.Call({"SET", "k", "v", "PXAT", std::to_string(now_ms + 5)}), "OK");
  EXPECT_EQ(db.Run("PEXPIRETIME k"), now_ms + 5);
  EXPECT_EQ(db.Run("SET k v EX 10 EX 20"), "OK") << "the last one counts";
  EXPECT_EQ(db.Run("TTL k"), 20);
}

TEST(Set, KeyIsThereUntilTheMillisecondAfterItsDeadline) {
  Db db;
  db.Run("SET k v PX 10");
  db.AdvanceMs(10);
  EXPECT_EQ(db.Run("GET k"), "v");
  db.AdvanceMs(1);
  EXPECT_TRUE(db.Run("GET k").IsNull());
}

TEST(Set, NxAndXx) {
  Db db;
  EXPECT_TRUE(db.Run("SET k v XX").IsNull());
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  EXPECT_EQ(db.Run("SET k v NX"), "OK");
  EXPECT_TRUE(db.Run("SET k w nx EX 10").IsNull());
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("TTL k"), -1) << "a SET that is refused changes nothing";
  EXPECT_EQ(db.Run("SET k w XX"), "OK");
  EXPECT_EQ(db.Run("GET k"), "w");
}

TEST(Set, NxSucceedsOverAnExpiredKey) {
  Db db;
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_TRUE(db.Run("SET k w XX").IsNull());
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("SET k w NX"), "OK");
  EXPECT_EQ(db.Run("TTL k"), -1);
}

TEST(Set, GetRepliesWithTheOldValue) {
  Db db;
  EXPECT_TRUE(db.Run("SET k v GET").IsNull());
  EXPECT_EQ(db.Run("SET k w GET"), "v");
  EXPECT_EQ(db.Run("SET k x NX GET"), "w") << "refused, yet answered";
  EXPECT_EQ(db.Run("GET k"), "w");
  EXPECT_TRUE(db.Run("SET other x XX GET").IsNull());
  EXPECT_EQ(db.Run("EXISTS other"), 0);
  EXPECT_TRUE(db.Run("SET other x NX GET EX 5").IsNull());
  EXPECT_EQ(db.Run("TTL other"), 5);
}

TEST(Set, BadOptions) {
  Db db;
  for (const char* line :
       {"SET k v BOGUS", "SET k v NX XX", "SET k v XX NX GET", "SET k v EX", "SET k v EX 10 PX 10",
        "SET k v PX 10 EXAT 10", "SET k v KEEPTTL EX 10", "SET k v EX 10 KEEPTTL",
        "SET k v PERSIST", "SET k v EX 10 PERSIST", "SET k v ''", "SET k v EX abc BOGUS",
        "SET k v GETT", "SET k v KEEPTTLX"}) {
    EXPECT_EQ(db.Run(line), kSyntax) << line;
  }
  EXPECT_EQ(db.Call({"SET", "k", "v", std::string("\0NX", 3)}), kSyntax);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  EXPECT_EQ(db.Run("SET k"), "ERR wrong number of arguments for 'set' command");
}

TEST(Set, BadTtl) {
  Db db;
  for (const char* ttl :
       {"EX abc", "PX 1.5", "EX ''", "EX +1", "EXAT 0x10", "PXAT 9223372036854775808"}) {
    EXPECT_EQ(db.Run(std::string("SET k v ") + ttl), kNotInteger) << ttl;
  }
  for (const char* ttl : {"EX 0", "PX -1", "EXAT 0", "EXAT -1", "PXAT 0", "EX 9223372036854775807",
                          "EX 9223372036854776", "PX 9223372036854775807",
                          "EXAT 9223372036854775807", "EX -9223372036854775808"}) {
    EXPECT_EQ(db.Run(std::string("SET k v ") + ttl), "ERR invalid expire time in 'set' command")
        << ttl;
  }
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Set, DeadlinesAsFarAsTheyGo) {
  Db db;
  EXPECT_EQ(db.Run("SET k v PXAT 9223372036854775806"), "OK");
  EXPECT_EQ(db.Run("PEXPIRETIME k"), 9223372036854775806);
  EXPECT_EQ(db.Run("EXPIRETIME k"), 9223372036854776);
  EXPECT_EQ(db.Run("GET k"), "v");
  // The very last one stands for "none" inside, and is a millisecond short outside.
  EXPECT_EQ(db.Run("SET k v PXAT 9223372036854775807"), "OK");
  EXPECT_EQ(db.Run("PEXPIRETIME k"), 9223372036854775806);
  EXPECT_EQ(db.Run("SET k w KEEPTTL"), "OK");
  EXPECT_EQ(db.Run("DEL k"), 1);
}

TEST(Set, PastDeadlineStoresAKeyThatIsDead) {
  Db db;
  EXPECT_EQ(db.Run("SET k v EXAT 1"), "OK");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k"));
  EXPECT_TRUE(db.Run("GET k").IsNull());
  EXPECT_THAT(db.events(), ElementsAre("expired k"));
  db.Run("SET k v");
  EXPECT_EQ(db.Run("SET k w PXAT 5"), "OK");
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(Set, Events) {
  Db db;
  db.Run("SET k v");
  EXPECT_THAT(db.events(), ElementsAre("set k"));
  db.Run("SET k v EX 10");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k"));
  db.Run("SET k v KEEPTTL");
  EXPECT_THAT(db.events(), ElementsAre("set k"));
  db.Run("SET k v NX");
  db.Run("SET k v BOGUS");
  EXPECT_THAT(db.events(), IsEmpty());
  db.AdvanceMs(10'001);
  db.Run("SET k v");
  EXPECT_THAT(db.events(), ElementsAre("expired k", "set k"));
}

TEST(SetNx, StoresOnlyWhatIsMissing) {
  Db db;
  EXPECT_EQ(db.Run("SETNX k v"), 1);
  EXPECT_EQ(db.Run("SETNX k w"), 0);
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_EQ(db.Run("PEXPIRE k 1"), 1);
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("SETNX k w"), 1);
  EXPECT_EQ(db.Run("TTL k"), -1);
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "expired k", "set k"));
}

TEST(SetEx, StoresWithATtl) {
  Db db;
  EXPECT_EQ(db.Run("SETEX k 10 v"), "OK");
  EXPECT_EQ(db.Run("PTTL k"), 10'000);
  EXPECT_EQ(db.Run("PSETEX k 10 w"), "OK");
  EXPECT_EQ(db.Run("PTTL k"), 10);
  EXPECT_EQ(db.Run("GET k"), "w");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "set k", "expire k"));
}

TEST(SetEx, BadTtl) {
  Db db;
  EXPECT_EQ(db.Run("SETEX k abc v"), kNotInteger);
  EXPECT_EQ(db.Run("SETEX k 0 v"), "ERR invalid expire time in 'setex' command");
  EXPECT_EQ(db.Run("SETEX k -1 v"), "ERR invalid expire time in 'setex' command");
  EXPECT_EQ(db.Run("PSETEX k 0 v"), "ERR invalid expire time in 'psetex' command");
  EXPECT_EQ(db.Run("PSETEX k 9223372036854775807 v"),
            "ERR invalid expire time in 'psetex' command");
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(GetSet, GivesTheOldValueAndDropsTheDeadline) {
  Db db;
  EXPECT_TRUE(db.Run("GETSET k v").IsNull());
  db.Run("EXPIRE k 10");
  EXPECT_EQ(db.Run("GETSET k w"), "v");
  EXPECT_EQ(db.Run("TTL k"), -1);
  EXPECT_EQ(db.Run("GET k"), "w");
  EXPECT_THAT(db.events(), ElementsAre("set k", "expire k", "set k"));
}

TEST(GetDel, GivesTheValueAndRemovesTheKey) {
  Db db;
  EXPECT_TRUE(db.Run("GETDEL k").IsNull());
  db.Run("SET k v");
  db.events();
  EXPECT_EQ(db.Run("GETDEL k"), "v");
  EXPECT_THAT(db.events(), ElementsAre("del k"));
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  db.Run("SET k v PX 1");
  db.AdvanceMs(2);
  EXPECT_TRUE(db.Run("GETDEL k").IsNull());
}

TEST(GetEx, ChangesTheDeadlineInEachForm) {
  Db db;
  const int64_t now_ms = db.clock().NowMs();
  db.Run("SET k v");
  EXPECT_EQ(db.Run("GETEX k"), "v");
  EXPECT_EQ(db.Run("TTL k"), -1);
  EXPECT_EQ(db.Run("GETEX k EX 10"), "v");
  EXPECT_EQ(db.Run("PTTL k"), 10'000);
  EXPECT_EQ(db.Run("GETEX k"), "v");
  EXPECT_EQ(db.Run("PTTL k"), 10'000);
  EXPECT_EQ(db.Run("GETEX k PX 10"), "v");
  EXPECT_EQ(db.Run("PTTL k"), 10);
  EXPECT_EQ(db.Call({"GETEX", "k", "EXAT", std::to_string(now_ms / 1000 + 9)}), "v");
  EXPECT_EQ(db.Run("EXPIRETIME k"), now_ms / 1000 + 9);
  EXPECT_EQ(db.Call({"GETEX", "k", "PXAT", std::to_string(now_ms + 9)}), "v");
  EXPECT_EQ(db.Run("PEXPIRETIME k"), now_ms + 9);
  EXPECT_EQ(db.Run("GETEX k PERSIST"), "v");
  EXPECT_EQ(db.Run("TTL k"), -1);
}

TEST(GetEx, Events) {
  Db db;
  db.Run("SET k v");
  db.events();
  db.Run("GETEX k");
  db.Run("GETEX k PERSIST");
  EXPECT_THAT(db.events(), IsEmpty()) << "nothing changed";
  db.Run("GETEX k EX 10");
  db.Run("GETEX k PERSIST PERSIST");
  EXPECT_THAT(db.events(), ElementsAre("expire k", "persist k"));
}

TEST(GetEx, PastDeadlineDeletes) {
  Db db;
  db.Run("SET k v");
  db.events();
  EXPECT_EQ(db.Run("GETEX k EXAT 1"), "v");
  EXPECT_THAT(db.events(), ElementsAre("del k"));
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  db.Run("SET k v");
  EXPECT_EQ(db.Call({"GETEX", "k", "PXAT", std::to_string(db.clock().NowMs())}), "v");
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(GetEx, ErrorsAndTheirOrder) {
  Db db;
  EXPECT_EQ(db.Run("GETEX missing EX 0 PX"), kSyntax) << "options come first";
  EXPECT_TRUE(db.Run("GETEX missing EX abc").IsNull()) << "then the key";
  EXPECT_TRUE(db.Run("GETEX missing EX 0").IsNull());
  db.Run("SET k v");
  EXPECT_EQ(db.Run("GETEX k EX abc"), kNotInteger);
  EXPECT_EQ(db.Run("GETEX k EX 0"), "ERR invalid expire time in 'getex' command");
  EXPECT_EQ(db.Run("GETEX k PX 9223372036854775807"), "ERR invalid expire time in 'getex' command");
  for (const char* options :
       {"NX", "GET", "KEEPTTL", "EX", "EX 10 PERSIST", "PERSIST EX 10", "EX 10 PX 10"}) {
    EXPECT_EQ(db.Run(std::string("GETEX k ") + options), kSyntax) << options;
  }
  EXPECT_EQ(db.Run("TTL k"), -1);
}

TEST(MGet, OneReplyForEachKey) {
  Db db;
  db.Run("SET a 1");
  db.Run("SET b 2 PX 1");
  db.AdvanceMs(2);
  EXPECT_THAT(Texts(db.Run("MGET a b c a")), ElementsAre("1", "(nil)", "(nil)", "1"));
  EXPECT_EQ(db.Run("MGET"), "ERR wrong number of arguments for 'mget' command");
}

TEST(MSet, StoresAllAndDropsDeadlines) {
  Db db;
  db.Run("SET a x EX 10");
  db.events();
  EXPECT_EQ(db.Run("MSET a 1 b 2 a 3"), "OK");
  EXPECT_THAT(Texts(db.Run("MGET a b")), ElementsAre("3", "2"));
  EXPECT_EQ(db.Run("TTL a"), -1);
  EXPECT_THAT(db.events(), ElementsAre("set a", "set b", "set a"));
}

TEST(MSet, PairsOnly) {
  Db db;
  EXPECT_EQ(db.Run("MSET a 1 b"), "ERR wrong number of arguments for 'mset' command");
  EXPECT_EQ(db.Run("MSETNX a 1 b"), "ERR wrong number of arguments for 'msetnx' command");
  EXPECT_EQ(db.Run("MSET a"), "ERR wrong number of arguments for 'mset' command");
  EXPECT_EQ(db.Run("DBSIZE"), 0);
}

TEST(MSetNx, AllOrNothing) {
  Db db;
  EXPECT_EQ(db.Run("MSETNX a 1 b 2"), 1);
  EXPECT_EQ(db.Run("MSETNX c 3 b 4"), 0);
  EXPECT_THAT(Texts(db.Run("MGET a b c")), ElementsAre("1", "2", "(nil)"));
  db.Run("PEXPIRE b 1");
  db.AdvanceMs(2);
  EXPECT_EQ(db.Run("MSETNX c 3 b 4"), 1) << "an expired key does not stand in the way";
  EXPECT_EQ(db.Run("MSETNX x 1 x 2"), 1);
  EXPECT_EQ(db.Run("GET x"), "2");
}

TEST(MSet, ManyKeysOverManyShards) {
  Db db;
  std::vector<std::string> set = {"MSET"};
  std::vector<std::string> get = {"MGET"};
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) {
    set.push_back("key:" + std::to_string(i));
    set.push_back(std::to_string(i));
    get.push_back("key:" + std::to_string(i));
    values.push_back(std::to_string(i));
  }
  EXPECT_EQ(db.Call(set), "OK");
  EXPECT_EQ(Texts(db.Call(get)), values);
}

TEST(StrLen, Bytes) {
  Db db;
  EXPECT_EQ(db.Run("STRLEN k"), 0);
  db.Run("SET k 12345");
  EXPECT_EQ(db.Run("STRLEN k"), 5);
  db.Run("SET k ''");
  EXPECT_EQ(db.Run("STRLEN k"), 0);
}

TEST(Get, NullInResp3) {
  Db db;
  db.Resp(3);
  EXPECT_EQ(db.client().CallRaw({"GET", "k"}), "_\r\n");
  EXPECT_EQ(db.client().CallRaw({"SET", "k", "v", "XX"}), "_\r\n");
  db.Resp(2);
  EXPECT_EQ(db.client().CallRaw({"GET", "k"}), "$-1\r\n");
}

TEST(Get, CountsHitsAndMisses) {
  Db db;
  db.Run("SET k v");
  db.Run("GET k");
  db.Run("GET missing");
  db.Run("SET k w GET");
  db.Run("MGET k missing");
  const KeyspaceTotals totals = db.instance().keyspace.Totals();
  EXPECT_EQ(totals.hits, 3);
  EXPECT_EQ(totals.misses, 2);
}

}  // namespace
}  // namespace lapse
