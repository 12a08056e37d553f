// Commands on several sets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(SetOperations, OnSmallSets) {
  Db db;
  db.Run("SADD a 1 2 3 x");
  db.Run("SADD b 2 3 y");
  db.Run("SADD c 3 z");
  EXPECT_THAT(Texts(db.Run("SINTER a b c")), ElementsAre("3"));
  EXPECT_THAT(Texts(db.Run("SINTER a")), UnorderedElementsAre("1", "2", "3", "x"));
  EXPECT_THAT(Texts(db.Run("SINTER a missing")), IsEmpty());
  EXPECT_THAT(Texts(db.Run("SUNION a b c missing")),
              UnorderedElementsAre("1", "2", "3", "x", "y", "z"));
  EXPECT_THAT(Texts(db.Run("SDIFF a b c")), UnorderedElementsAre("1", "x"));
  EXPECT_THAT(Texts(db.Run("SDIFF a a")), IsEmpty());
  EXPECT_THAT(Texts(db.Run("SDIFF missing a")), IsEmpty());
}

TEST(SetOperations, StoreReplacesTheDestination) {
  Db db;
  db.Run("SADD a 1 2");
  db.Run("SADD b 2 3");
  db.Run("SET d v EX 100");
  db.events();
  EXPECT_EQ(db.Run("SINTERSTORE d a b"), 1);
  EXPECT_EQ(db.Run("TTL d"), -1);
  EXPECT_EQ(db.Run("OBJECT ENCODING d"), "intset");
  EXPECT_EQ(db.Run("SUNIONSTORE d a b"), 3);
  EXPECT_EQ(db.Run("SDIFFSTORE a a b"), 1) << "onto a source";
  EXPECT_THAT(Texts(db.Run("SMEMBERS a")), ElementsAre("1"));
  EXPECT_THAT(db.events(), ElementsAre("sinterstore d", "sunionstore d", "sdiffstore a"));
  EXPECT_EQ(db.Run("SINTERSTORE d a missing"), 0);
  EXPECT_EQ(db.Run("SDIFFSTORE d a a"), 0);
  EXPECT_THAT(db.events(), ElementsAre("del d"));
}

TEST(SInterCard, CountsUpToALimit) {
  Db db;
  db.Run("SADD a 1 2 3 4 5");
  db.Run("SADD b 2 3 4 9");
  EXPECT_EQ(db.Run("SINTERCARD 2 a b"), 3);
  EXPECT_EQ(db.Run("SINTERCARD 2 a b LIMIT 2"), 2);
  EXPECT_EQ(db.Run("SINTERCARD 2 a b limit 0"), 3);
  EXPECT_EQ(db.Run("SINTERCARD 2 a b LIMIT 7"), 3);
  EXPECT_EQ(db.Run("SINTERCARD 1 a"), 5);
  EXPECT_EQ(db.Run("SINTERCARD 2 a missing"), 0);
}

TEST(SInterCard, Errors) {
  Db db;
  EXPECT_EQ(db.Run("SINTERCARD 0 a"), "ERR numkeys should be greater than 0");
  EXPECT_EQ(db.Run("SINTERCARD x a"), "ERR numkeys should be greater than 0");
  EXPECT_EQ(db.Run("SINTERCARD 2 a"), "ERR Number of keys can't be greater than number of args");
  EXPECT_EQ(db.Run("SINTERCARD 1 a LIMIT"), "ERR syntax error");
  EXPECT_EQ(db.Run("SINTERCARD 1 a b"), "ERR syntax error");
  EXPECT_EQ(db.Run("SINTERCARD 1 a LIMIT -1"), "ERR LIMIT can't be negative");
  EXPECT_EQ(db.Run("SINTERCARD 1 a LIMIT x"), "ERR LIMIT can't be negative");
}

// Sets of different sizes and representations, against std::set.
class SetOperationModelTest : public ::testing::TestWithParam<int> {};

TEST_P(SetOperationModelTest, ResultsAgree) {
  std::mt19937 random(static_cast<uint32_t>(GetParam()));
  for (int round = 0; round < 20; ++round) {
    Db db;
    std::vector<std::set<std::string>> sets(1 + random() % 4);
    std::string keys;
    for (size_t i = 0; i < sets.size(); ++i) {
      const std::string key = "s" + std::to_string(i);
      keys += " " + key;
      const char* const prefix = random() % 2 == 0 ? "" : "m";
      const size_t size = random() % std::vector<size_t>{5, 150, 1500}[random() % 3];
      std::vector<std::string> words = {"SADD", key};
      for (size_t j = 0; j < size; ++j) words.push_back(prefix + std::to_string(random() % 1500));
      sets[i].insert(words.begin() + 2, words.end());
      if (size > 0) db.Call(words);
    }
    std::set<std::string> both = sets[0];
    std::set<std::string> either = sets[0];
    std::set<std::string> only = sets[0];
    for (size_t i = 1; i < sets.size(); ++i) {
      std::erase_if(both, [&](const std::string& m) { return !sets[i].contains(m); });
      std::erase_if(only, [&](const std::string& m) { return sets[i].contains(m); });
      either.insert(sets[i].begin(), sets[i].end());
    }
    const auto sorted = [&](const std::string& line) {
      auto texts = Texts(db.Run(line));
      EXPECT_TRUE(std::set<std::string>(texts.begin(), texts.end()).size() == texts.size());
      return std::set<std::string>(texts.begin(), texts.end());
    };
    ASSERT_EQ(sorted("SINTER" + keys), both);
    ASSERT_EQ(sorted("SUNION" + keys), either);
    ASSERT_EQ(sorted("SDIFF" + keys), only);
    ASSERT_EQ(db.Run("SINTERCARD " + std::to_string(sets.size()) + keys),
              static_cast<int64_t>(both.size()));
    ASSERT_EQ(db.Run("SUNIONSTORE d" + keys), static_cast<int64_t>(either.size()));
    ASSERT_EQ(sorted("SMEMBERS d"), either);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SetOperationModelTest, ::testing::Range(1, 6));

}  // namespace
}  // namespace lapse
