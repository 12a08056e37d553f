// PFADD, PFCOUNT, PFMERGE, PFDEBUG.

#include "storage/values/hyperloglog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AddNumbers(Db& db, const std::string& key, int from, int to) {
  std::vector<std::string> words = {"PFADD", key};
  for (int i = from; i < to; ++i) words.push_back("element:" + std::to_string(i));
  db.Call(words);
}

TEST(PfAdd, MakesASparseValueAndSaysWhetherItChanged) {
  Db db;
  EXPECT_EQ(db.Run("PFADD k"), 1);
  EXPECT_EQ(db.Run("PFADD k"), 0);
  EXPECT_EQ(db.Run("PFDEBUG DECODE k"), "Z:16384");
  EXPECT_EQ(db.Run("PFADD k a b c"), 1);
  EXPECT_EQ(db.Run("PFADD k a b c"), 0);
  EXPECT_EQ(db.Run("PFCOUNT k"), 3);
  // As redis-server 7.0 says.
  EXPECT_EQ(db.Run("PFDEBUG DECODE k"), "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
  EXPECT_EQ(db.Run("PFDEBUG ENCODING k"), "sparse");
  EXPECT_THAT(db.events(), ElementsAre("pfadd k", "pfadd k"));
}

TEST(PfAdd, CachesTheCount) {
  Db db;
  db.Run("PFADD k a");
  EXPECT_EQ(db.Run("GET k").text[15], '\x80') << "out of date";
  EXPECT_EQ(db.Run("PFCOUNT k"), 1);
  EXPECT_EQ(db.Run("GET k").text.substr(8, 8), std::string("\1\0\0\0\0\0\0\0", 8));
  db.Run("PFADD k a");
  EXPECT_EQ(db.Run("GET k").text[15], '\0');
}

TEST(PfCount, IsNearTheTruth) {
  Db db;
  for (int from = 0; from < 50'000; from += 1000) {
    AddNumbers(db, "k", from, from + 1000);
    const auto count = static_cast<double>(db.Run("PFCOUNT k").integer);
    EXPECT_NEAR(count, from + 1000, 0.03 * (from + 1000));
  }
  EXPECT_EQ(db.Run("PFDEBUG ENCODING k"), "dense");
  EXPECT_EQ(db.Run("STRLEN k"), 12'304);
}

TEST(PfCount, OfSeveralKeysIsOfTheirUnion) {
  Db db;
  AddNumbers(db, "a", 0, 300);
  AddNumbers(db, "b", 200, 500);
  AddNumbers(db, "both", 0, 500);
  EXPECT_EQ(db.Run("PFCOUNT a b missing"), db.Run("PFCOUNT both").integer);
  EXPECT_EQ(db.Run("PFCOUNT missing"), 0);
  EXPECT_EQ(db.Run("PFCOUNT missing missing"), 0);
}

TEST(PfMerge, GivesTheUnion) {
  Db db;
  AddNumbers(db, "a", 0, 300);
  AddNumbers(db, "b", 200, 500);
  AddNumbers(db, "both", 0, 500);
  db.events();
  EXPECT_EQ(db.Run("PFMERGE d a b missing"), "OK");
  EXPECT_EQ(db.Run("PFCOUNT d"), db.Run("PFCOUNT both").integer);
  EXPECT_EQ(db.Run("PFMERGE a b"), "OK");
  EXPECT_EQ(db.Run("PFCOUNT a"), db.Run("PFCOUNT both").integer);
  EXPECT_EQ(db.Run("PFMERGE fresh"), "OK");
  EXPECT_EQ(db.Run("PFCOUNT fresh"), 0);
  EXPECT_THAT(db.events(), ElementsAre("pfadd d", "pfadd a", "pfadd fresh"));
}

TEST(PfMerge, OneDenseSourceMakesTheResultDense) {
  Db db;
  AddNumbers(db, "a", 0, 10);
  AddNumbers(db, "b", 0, 10);
  EXPECT_EQ(db.Run("PFDEBUG TODENSE b"), 1);
  EXPECT_EQ(db.Run("PFDEBUG TODENSE b"), 0);
  db.Run("PFMERGE a b");
  EXPECT_EQ(db.Run("PFDEBUG ENCODING a"), "dense");
  EXPECT_EQ(Texts(db.Run("PFDEBUG GETREG a")), Texts(db.Run("PFDEBUG GETREG b")));
}

TEST(PfAdd, TurnsDenseAtTheConfiguredLength) {
  Config config;
  config.hll_sparse_max_bytes = 40;
  Db db(config);
  for (int i = 0; db.Run("PFDEBUG ENCODING k") != "dense" && i < 100; ++i) {
    AddNumbers(db, "k", i, i + 1);
    const bool sparse = db.Run("PFDEBUG ENCODING k") == "sparse";
    EXPECT_LE(db.Run("STRLEN k").integer, sparse ? 40 : 12'304);
  }
  EXPECT_EQ(db.Run("STRLEN k"), 12'304);
}

TEST(HyperLogLog, Errors) {
  Db db;
  const std::string_view not_one = "WRONGTYPE Key is not a valid HyperLogLog string value.";
  db.Run("SET k abc");
  for (const char* line : {"PFADD k a", "PFCOUNT k", "PFCOUNT k missing", "PFMERGE d k",
                           "PFMERGE k d", "PFDEBUG ENCODING k"}) {
    EXPECT_EQ(db.Run(line), not_one) << line;
  }
  EXPECT_EQ(db.Run("PFDEBUG ENCODING missing"), "ERR The specified key does not exist");
  db.Run("PFADD h a");
  EXPECT_EQ(db.Run("PFDEBUG NOSUCH h"), "ERR Unknown PFDEBUG subcommand 'NOSUCH'");
  db.Run("PFDEBUG TODENSE h");
  EXPECT_EQ(db.Run("PFDEBUG DECODE h"), "ERR HLL encoding is not sparse");
  EXPECT_EQ(db.Run("PFSELFTEST"), "OK");
}

TEST(HyperLogLog, CorruptRunsAreFound) {
  Db db;
  const std::string_view corrupt = "INVALIDOBJ Corrupted HLL object detected";
  std::string bytes = hyperloglog::Make();
  hyperloglog::InvalidateCount(bytes.data());
  for (const std::string& runs :
       {std::string(), std::string("\x00", 1), std::string("\x7f\xff\x80"), std::string("\x7f"),
        std::string("\x40\x00", 2)}) {
    db.Call({"SET", "k", bytes.substr(0, 16) + runs});
    if (runs != "\x7f") {
      EXPECT_EQ(db.Run("PFCOUNT k"), corrupt) << runs.size();
      EXPECT_EQ(db.Run("PFCOUNT k k"), corrupt);
      EXPECT_EQ(db.Run("PFDEBUG TODENSE k"), corrupt);
    }
    db.Run("PFADD k a b c d e f g");
    db.Run("PFMERGE k k");
  }
}

// Both forms, register by register, against an array.
TEST(HyperLogLog, RandomRaisesAgreeWithAnArray) {
  std::mt19937 random(3);
  for (const size_t limit : {size_t{0}, size_t{100}, size_t{3000}, size_t{100'000}}) {
    std::string bytes = hyperloglog::Make();
    hyperloglog::Registers model{};
    for (int i = 0; i < 6000; ++i) {
      const size_t index = i % 3 == 0 ? random() % 16384 : random() % 200;
      const auto rank =
          static_cast<uint8_t>(1 + random() % (i % 100 == 99 && limit < 3000 ? 51 : 5));
      const auto outcome = hyperloglog::Raise(bytes, {index, rank}, limit);
      ASSERT_EQ(outcome == hyperloglog::Outcome::kChanged, rank > model[index]);
      model[index] = std::max(model[index], rank);
      if (i % 500 != 0) continue;
      hyperloglog::Registers registers{};
      ASSERT_TRUE(hyperloglog::MergeInto(registers, bytes));
      ASSERT_EQ(registers, model);
      ASSERT_EQ(hyperloglog::Count(bytes), hyperloglog::Count(model));
      std::string dense = bytes;
      ASSERT_TRUE(hyperloglog::MakeDense(dense));
      ASSERT_EQ(hyperloglog::Count(dense), hyperloglog::Count(model));
    }
  }
}

}  // namespace
}  // namespace lapse
