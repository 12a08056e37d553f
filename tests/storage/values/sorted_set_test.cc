// The sorted set, in both of its forms, against plain containers.

#include "storage/values/sorted_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Ranked = std::pair<double, std::string>;
using Outcome = SortedSet::Outcome;
using RankRange = SortedSet::RankRange;
using ScoreRange = SortedSet::ScoreRange;
using LexBound = SortedSet::LexBound;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr SortedSet::Limits kSmall{.entries = 128, .value_bytes = 64};
constexpr SortedSet::Limits kNonePacked{.entries = 0, .value_bytes = 64};

LexBound Text(std::string_view text, bool open = false) {
  return {.kind = LexBound::Kind::kText, .open = open, .text = text};
}
constexpr LexBound kLowest{.kind = LexBound::Kind::kLowest, .open = false, .text = {}};
constexpr LexBound kHighest{.kind = LexBound::Kind::kHighest, .open = false, .text = {}};

std::vector<Ranked> Members(const SortedSet& set, RankRange range, bool backward = false) {
  std::vector<Ranked> members;
  set.Walk(range, backward, [&](std::string_view member, double score) {
    members.emplace_back(score, std::string(member));
  });
  return members;
}

std::vector<Ranked> Members(const SortedSet& set) { return Members(set, {0, set.size()}); }

TEST(SortedSet, OrdersByScoreThenBytes) {
  for (const auto& limits : {kSmall, kNonePacked}) {
    SortedSet set;
    EXPECT_EQ(set.Set("b", 1, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("a", 1, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("\xff", 1, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("", -kInfinity, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("12", 0.5, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("7", kInfinity, limits), Outcome::kAdded);
    EXPECT_EQ(set.Set("7", 2, limits), Outcome::kMoved);
    EXPECT_EQ(set.Set("7", 2, limits), Outcome::kSame);
    EXPECT_THAT(Members(set), ElementsAre(Pair(-kInfinity, ""), Pair(0.5, "12"), Pair(1, "a"),
                                          Pair(1, "b"), Pair(1, "\xff"), Pair(2, "7")));
    EXPECT_EQ(set.Rank("b"), 3u);
    EXPECT_EQ(set.Rank("c"), std::nullopt);
    EXPECT_EQ(set.Score("12"), 0.5);
    EXPECT_EQ(set.Score("1"), std::nullopt) << "a score is no member";
    EXPECT_TRUE(set.Remove("12"));
    EXPECT_FALSE(set.Remove("12"));
    EXPECT_EQ(set.size(), 5u);
  }
}

TEST(SortedSet, ScoresComeBackExactly) {
  const double scores[] = {0,    0.1,  1e17,  -1e300, 5e-324, std::nextafter(1, 2),
                           1e18, 3e15, -1.5,  12345,  1e16,   std::numeric_limits<double>::max(),
                           -7,   1e19, 2.5e-9};
  for (const auto& limits : {kSmall, kNonePacked}) {
    SortedSet set;
    int name = 0;
    for (const double score : scores) set.Set("m" + std::to_string(name++), score, limits);
    name = 0;
    for (const double score : scores) EXPECT_EQ(set.Score("m" + std::to_string(name++)), score);
  }
}

TEST(SortedSet, DecisionsMayDecline) {
  for (const auto& limits : {kSmall, kNonePacked}) {
    SortedSet set;
    set.Set("a", 1, limits);
    const auto decline = [](const double*) { return std::optional<double>(); };
    EXPECT_EQ(set.Update("a", limits, decline), Outcome::kLeft);
    EXPECT_EQ(set.Update("b", limits, decline), Outcome::kLeft);
    const auto add_one = [](const double* current) {
      return std::optional(current == nullptr ? 1 : *current + 1);
    };
    EXPECT_EQ(set.Update("a", limits, add_one), Outcome::kMoved);
    EXPECT_THAT(Members(set), ElementsAre(Pair(2, "a")));
  }
}

TEST(SortedSet, OutgrowsItsListBySizeOrLength) {
  SortedSet by_size;
  for (int i = 0; i < 128; ++i) by_size.Set(std::to_string(i), i, kSmall);
  EXPECT_EQ(by_size.encoding(), Encoding::kListpack);
  by_size.Set("5", 1000, kSmall);
  EXPECT_EQ(by_size.encoding(), Encoding::kListpack) << "nothing was added";
  by_size.Set("one more", 1, kSmall);
  EXPECT_EQ(by_size.encoding(), Encoding::kSkiplist);
  EXPECT_EQ(by_size.size(), 129u);
  EXPECT_EQ(by_size.packed(), nullptr);
  by_size.RemoveRange({1, 129});
  EXPECT_EQ(by_size.encoding(), Encoding::kSkiplist) << "it does not go back";

  SortedSet by_length;
  by_length.Set(std::string(64, 'x'), 1, kSmall);
  EXPECT_EQ(by_length.encoding(), Encoding::kListpack);
  by_length.Set(std::string(65, 'x'), 1, kSmall);
  EXPECT_EQ(by_length.encoding(), Encoding::kSkiplist);
}

TEST(SortedSet, PacksWhatFits) {
  SortedSet set;
  set.Reserve(10);
  EXPECT_EQ(set.encoding(), Encoding::kSkiplist);
  set.Set("b", 1, kSmall);
  set.Set("a", 2.5, kSmall);
  set.PackWithin({.entries = 1, .value_bytes = 64});
  EXPECT_EQ(set.encoding(), Encoding::kSkiplist);
  set.PackWithin({.entries = 2, .value_bytes = 0});
  EXPECT_EQ(set.encoding(), Encoding::kSkiplist);
  set.PackWithin(kSmall);
  EXPECT_EQ(set.encoding(), Encoding::kListpack);
  EXPECT_THAT(Members(set), ElementsAre(Pair(1, "b"), Pair(2.5, "a")));
}

TEST(SortedSet, PackedFormIsPairsInOrder) {
  SortedSet set;
  set.Set("b", 2.5, kSmall);
  set.Set("a", 1, kSmall);
  set.Set("zero", -0.0, kSmall);
  EXPECT_FALSE(std::signbit(*set.Score("zero"))) << "as in Redis, a packed zero has no sign";
  set.Remove("zero");
  ASSERT_NE(set.packed(), nullptr);
  SortedSet again{*set.packed()};
  EXPECT_EQ(Members(again), Members(set));
  EXPECT_EQ(set.packed()->Get(set.packed()->Seek(1)).number, 1);
  EXPECT_EQ(set.packed()->Get(set.packed()->Seek(3)).text, "2.5");
}

TEST(SortedSet, ScoreRanges) {
  for (const auto& limits : {kSmall, kNonePacked}) {
    SortedSet set;
    for (int i = 0; i < 10; ++i) set.Set(std::to_string(i), i / 2, limits);  // 0 0 1 1 2 2 3 3 4 4
    const auto size = [&](ScoreRange range) { return set.ByScore(range).size(); };
    EXPECT_EQ(size({1, 3}), 6u);
    EXPECT_EQ(size({1, 3, true}), 4u);
    EXPECT_EQ(size({1, 3, true, true}), 2u);
    EXPECT_EQ(size({-kInfinity, kInfinity}), 10u);
    EXPECT_EQ(size({3, 1}), 0u);
    EXPECT_EQ(size({2, 2}), 2u);
    EXPECT_EQ(size({2, 2, true, true}), 0u);
    EXPECT_EQ(size({2, 2, false, true}), 0u);
    EXPECT_EQ(size({4.5, 9}), 0u);
    EXPECT_EQ(set.ByScore({1, 3}).from, 2u);
  }
}

TEST(SortedSet, LexRanges) {
  for (const auto& limits : {kSmall, kNonePacked}) {
    SortedSet set;
    for (const char* member : {"a", "b", "c", "d", "bb"}) set.Set(member, 0, limits);
    for (const bool backward : {false, true}) {
      const auto members = [&](const LexBound& min, const LexBound& max) {
        std::string all;
        set.Walk(set.ByLex({min, max}, backward), false,
                 [&](std::string_view member, double) { all += std::string(member) + " "; });
        return all;
      };
      EXPECT_EQ(members(kLowest, kHighest), "a b bb c d ");
      EXPECT_EQ(members(Text("b"), Text("c")), "b bb c ");
      EXPECT_EQ(members(Text("b", true), Text("c", true)), "bb ");
      EXPECT_EQ(members(Text("aa"), kHighest), "b bb c d ");
      EXPECT_EQ(members(kLowest, Text("a")), "a ");
      EXPECT_EQ(members(kLowest, Text("")), "");
      EXPECT_EQ(members(Text("c"), Text("b")), "");
      EXPECT_EQ(members(Text("e"), kHighest), "");
      EXPECT_EQ(members(kHighest, kLowest), "");
      EXPECT_EQ(members(Text("b", true), Text("b")), "");
    }
  }
}

TEST(SortedSet, AClonesChangesAreItsOwn) {
  for (const size_t count : {50u, 5000u}) {
    SortedSet set;
    for (size_t i = 0; i < count; ++i) {
      set.Set("m" + std::to_string(i), static_cast<double>(i * 7 % 10), kSmall);
    }
    const std::unique_ptr<Value> copy = set.Clone();
    auto& cloned = static_cast<SortedSet&>(*copy);
    EXPECT_EQ(cloned.encoding(), set.encoding());
    EXPECT_EQ(Members(cloned), Members(set));
    cloned.Remove("m1");
    EXPECT_EQ(set.size(), count);
    EXPECT_TRUE(set.Score("m1").has_value());
  }
}

// --- Random changes. ---

class Model {
 public:
  void Set(const std::string& member, double score) {
    Remove(member);
    scores_[member] = score;
    ranked_.emplace(score, member);
  }
  bool Remove(const std::string& member) {
    const auto found = scores_.find(member);
    if (found == scores_.end()) return false;
    ranked_.erase({found->second, member});
    scores_.erase(found);
    return true;
  }
  std::vector<Ranked> All() const { return {ranked_.begin(), ranked_.end()}; }
  const std::map<std::string, double>& scores() const { return scores_; }

 private:
  std::map<std::string, double> scores_;
  std::set<Ranked> ranked_;
};

void ExpectEqual(const SortedSet& set, const Model& model, std::mt19937_64& random) {
  const std::vector<Ranked> all = model.All();
  ASSERT_EQ(set.size(), all.size());
  ASSERT_EQ(Members(set), all);
  const std::vector<Ranked> reversed(all.rbegin(), all.rend());
  ASSERT_EQ(Members(set, {0, set.size()}, true), reversed);
  if (all.empty()) return;
  for (int i = 0; i < 20; ++i) {
    const size_t rank = random() % all.size();
    ASSERT_EQ(set.Rank(all[rank].second), rank);
    ASSERT_EQ(set.Score(all[rank].second), all[rank].first);
    const size_t to = rank + random() % (all.size() - rank + 1);
    const auto at = [&](size_t n) { return all.begin() + static_cast<int64_t>(n); };
    ASSERT_EQ(Members(set, {rank, to}), std::vector<Ranked>(at(rank), at(to)));
    const double bound = all[rank].first;
    const RankRange above = set.ByScore({.min = bound, .max = kInfinity, .min_open = true});
    const auto first_above = std::upper_bound(
        all.begin(), all.end(), bound, [](double b, const Ranked& r) { return b < r.first; });
    ASSERT_EQ(above.from, static_cast<size_t>(first_above - all.begin()));
  }
}

// `names` and `scores`: how many different ones there are.
void ChangeRandomly(size_t names, size_t scores, int changes, int added_percent) {
  std::mt19937_64 random(names * 1000 + scores);
  const SortedSet::Limits limits{.entries = 40, .value_bytes = 64};
  SortedSet set;
  Model model;
  for (int i = 0; i < changes; ++i) {
    const std::string name = "m" + std::to_string(random() % names);
    const double score = static_cast<double>(random() % scores) / 4;
    if (static_cast<int>(random() % 100) < added_percent) {
      const auto before = model.scores().find(name);
      Outcome expected = Outcome::kAdded;
      if (before != model.scores().end()) {
        expected = before->second == score ? Outcome::kSame : Outcome::kMoved;
      }
      ASSERT_EQ(set.Set(name, score, limits), expected);
      model.Set(name, score);
    } else if (random() % 50 != 0 || set.size() == 0) {
      ASSERT_EQ(set.Remove(name), model.Remove(name));
    } else {
      const size_t from = random() % set.size();
      const size_t to = std::min(set.size(), from + random() % 100);
      for (const auto& ranked : Members(set, {from, to})) model.Remove(ranked.second);
      set.RemoveRange({from, to});
    }
    if (i % (changes / 20) != 0) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectEqual(set, model, random));
  }
  ASSERT_NO_FATAL_FAILURE(ExpectEqual(set, model, random));
}

TEST(SortedSetModel, Small) { ChangeRandomly(60, 20, 20'000, 55); }
TEST(SortedSetModel, FewScores) { ChangeRandomly(20'000, 3, 60'000, 80); }
TEST(SortedSetModel, ManyScores) { ChangeRandomly(20'000, 1'000'000, 60'000, 80); }
TEST(SortedSetModel, AsManyLeaveAsCome) { ChangeRandomly(5'000, 1'000, 60'000, 45); }

// Fills in the given order and drains from one end, down to nothing.
void FillAndDrain(int count, bool ascending, bool from_start) {
  SortedSet set;
  for (int i = 0; i < count; ++i) set.Set(std::to_string(i), ascending ? i : -i, kSmall);
  ASSERT_EQ(set.size(), static_cast<size_t>(count));
  const size_t full_bytes = set.allocated_bytes();
  EXPECT_LT(full_bytes, static_cast<size_t>(count) * 68) << "nodes are full after members in order";
  for (int left = count; left > 0; --left) {
    const int expected = from_start == ascending ? count - left : left - 1;
    const auto rank = static_cast<size_t>(from_start ? 0 : left - 1);
    const auto members = Members(set, {rank, rank + 1});
    ASSERT_EQ(members[0].second, std::to_string(expected));
    set.RemoveRange({rank, rank + 1});
  }
  EXPECT_EQ(set.size(), 0u);
  EXPECT_LT(set.allocated_bytes(), full_bytes / 50);
  EXPECT_THAT(Members(set), IsEmpty());
}

TEST(SortedSetModel, InOrder) {
  for (const bool ascending : {false, true}) {
    for (const bool from_start : {false, true}) {
      ASSERT_NO_FATAL_FAILURE(FillAndDrain(20'000, ascending, from_start));
    }
  }
}

TEST(SortedSetModel, AWholeScanVisitsWhatStays) {
  std::mt19937_64 random(7);
  SortedSet set;
  const auto stays = [](size_t i) { return "stays" + std::to_string(i); };
  for (size_t i = 0; i < 3000; ++i) set.Set(stays(i), 1, kSmall);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  int calls = 0;
  do {
    cursor = set.Scan(cursor, 1 + random() % 20,
                      [&](std::string_view member, double) { seen.emplace(member); });
    // Grows to several times its size, then shrinks: the table is rebuilt on the way.
    for (int i = 0; i < 200; ++i) {
      const std::string name = "x" + std::to_string(random() % 20'000);
      if (calls < 150) {
        set.Set(name, 2, kSmall);
      } else {
        set.Remove(name);
      }
    }
    ASSERT_LT(++calls, 100'000);
  } while (cursor != 0);
  for (size_t i = 0; i < 3000; ++i) ASSERT_EQ(seen.count(stays(i)), 1u) << i;
}

TEST(SortedSetModel, AQuietScanVisitsEachOnce) {
  for (const size_t count : {10u, 129u, 4000u}) {
    SortedSet set;
    for (size_t i = 0; i < count; ++i) set.Set(std::to_string(i), 0, kNonePacked);
    size_t visits = 0;
    uint64_t cursor = 0;
    do {
      cursor = set.Scan(cursor, 7, [&](std::string_view, double) { ++visits; });
    } while (cursor != 0);
    EXPECT_EQ(visits, count);
  }
}

TEST(SortedSetModel, BytesFollowTheMembers) {
  SortedSet set;
  const size_t empty = set.allocated_bytes();
  for (int i = 0; i < 100'000; ++i) {
    set.Set("member:" + std::to_string(i * 7919 % 100'000), i % 1000, kSmall);
  }
  const size_t bytes = (set.allocated_bytes() - empty) / 100'000;
  EXPECT_GT(bytes, 48u);
  EXPECT_LT(bytes, 76u);
}

}  // namespace
}  // namespace lapse
