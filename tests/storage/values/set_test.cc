// Sets in their three representations, and the parts they are made of.

#include "storage/values/set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace lapse {
namespace {

std::set<std::string> Members(const Set& set) {
  std::set<std::string> members;
  set.ForEach([&](std::string_view member) { members.emplace(member); });
  return members;
}

TEST(Intset, KeepsNumbersInOrderAndInRedisBytes) {
  Intset numbers;
  EXPECT_EQ(numbers.view(), std::string_view("\2\0\0\0\0\0\0\0", 8));
  EXPECT_TRUE(numbers.Insert(5));
  EXPECT_TRUE(numbers.Insert(-1));
  EXPECT_FALSE(numbers.Insert(5));
  EXPECT_EQ(numbers.view(), std::string_view("\2\0\0\0\2\0\0\0\xff\xff\5\0", 12));
  EXPECT_TRUE(numbers.Insert(40'000));
  EXPECT_EQ(numbers.view().substr(0, 12), std::string_view("\4\0\0\0\3\0\0\0\xff\xff\xff\xff", 12));
  EXPECT_TRUE(numbers.Erase(-1));
  EXPECT_FALSE(numbers.Erase(-1));
  EXPECT_EQ(numbers.at(0), 5);
  EXPECT_TRUE(Intset::Validate(numbers.view()));
  EXPECT_EQ(Intset(numbers.view()).view(), numbers.view());
}

TEST(Intset, ValidateRefusesWhatIsNotOne) {
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("\2\0\0\0", 4),
        std::string_view("\3\0\0\0\0\0\0\0", 8), std::string_view("\2\0\0\0\1\0\0\0", 8),
        std::string_view("\2\0\0\0\2\0\0\0\1\0\1\0", 12),
        std::string_view("\2\0\0\0\2\0\0\0\2\0\1\0", 12),
        std::string_view("\2\0\0\0\1\0\0\0\1\0\2", 11)}) {
    EXPECT_FALSE(Intset::Validate(bytes)) << bytes.size();
  }
}

TEST(Intset, RandomOperationsAgreeWithASet) {
  std::mt19937_64 random(1);
  for (const int bits : {8, 16, 20, 40, 64}) {
    Intset numbers;
    std::set<int64_t> model;
    for (int i = 0; i < 3000; ++i) {
      const int64_t number = static_cast<int64_t>(random()) >> (64 - (i % 50 == 0 ? bits : 7));
      if (random() % 3 != 0) {
        ASSERT_EQ(numbers.Insert(number), model.insert(number).second);
      } else {
        ASSERT_EQ(numbers.Erase(number), model.erase(number) == 1);
      }
      ASSERT_EQ(numbers.Contains(number), model.contains(number));
      ASSERT_EQ(numbers.size(), model.size());
    }
    size_t i = 0;
    for (const int64_t number : model) ASSERT_EQ(numbers.at(i++), number);
    ASSERT_TRUE(Intset::Validate(numbers.view()));
  }
}

TEST(Set, RepresentationFollowsMembersAndLimits) {
  const Set::Limits limits{.intset_entries = 4, .listpack_entries = 6, .listpack_value = 10};
  Set set;
  for (const char* member : {"1", "2", "3", "4"}) EXPECT_TRUE(set.Add(member, limits));
  EXPECT_EQ(set.encoding(), Encoding::kIntset);
  Set copy = set;
  EXPECT_TRUE(copy.Add("5", limits));
  EXPECT_EQ(copy.encoding(), Encoding::kHashtable);
  EXPECT_EQ(copy.size(), 5u);

  EXPECT_TRUE(set.Add("05", limits));
  EXPECT_EQ(set.encoding(), Encoding::kListpack);
  EXPECT_FALSE(set.Add("3", limits));
  EXPECT_TRUE(set.Add("x", limits));
  EXPECT_EQ(set.encoding(), Encoding::kListpack);
  copy = set;
  EXPECT_TRUE(copy.Add("y", limits));
  EXPECT_EQ(copy.encoding(), Encoding::kHashtable) << "too many";
  set.Remove("1");
  EXPECT_TRUE(set.Add("elevenchars", limits));
  EXPECT_EQ(set.encoding(), Encoding::kHashtable) << "too long";
  EXPECT_EQ(Members(set), (std::set<std::string>{"2", "3", "4", "05", "x", "elevenchars"}));
}

TEST(Set, ExpectTakesTheFinalRepresentationAtOnce) {
  const Set::Limits limits;
  const auto encoding = [&](std::string_view first, size_t members) {
    Set set;
    set.Expect(first, members, limits);
    return set.encoding();
  };
  EXPECT_EQ(encoding("1", 512), Encoding::kIntset);
  EXPECT_EQ(encoding("1", 513), Encoding::kHashtable);
  EXPECT_EQ(encoding("x", 128), Encoding::kListpack);
  EXPECT_EQ(encoding("x", 129), Encoding::kHashtable);
}

// What is counted is what was allocated: an emptied table is as small as a new one.
TEST(MemberTable, BytesReturnToWhatTheyWere) {
  MemberTable table;
  const size_t empty = table.allocated_bytes();
  for (int i = 0; i < 50'000; ++i) table.Insert("member:" + std::to_string(i));
  EXPECT_LT(table.allocated_bytes(), 50'000u * 56);
  const MemberTable copy = table;
  EXPECT_LE(copy.allocated_bytes(), table.allocated_bytes());
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(table.Erase("member:" + std::to_string(i)));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_LE(table.allocated_bytes(), empty + 200);
  EXPECT_EQ(copy.size(), 50'000u);
  EXPECT_TRUE(copy.Contains("member:49999"));
}

TEST(MemberTable, MembersOfAnyLength) {
  MemberTable table;
  for (const size_t size : {0, 1, 23, 254, 255, 256, 70'000}) {
    const std::string member(size, 'm');
    EXPECT_TRUE(table.Insert(member));
    EXPECT_FALSE(table.Insert(member));
    EXPECT_TRUE(table.Contains(member));
  }
  EXPECT_TRUE(table.Erase(std::string(255, 'm')));
  EXPECT_FALSE(table.Contains(std::string(255, 'm')));
  EXPECT_TRUE(table.Contains(""));
}

TEST(MemberTable, RandomIsFair) {
  absl::InsecureBitGen random;
  for (const int members : {3, 700}) {
    MemberTable table;
    for (int i = 0; i < members; ++i) table.Insert(std::to_string(i));
    std::map<std::string, int> drawn;
    const int draws = members * 400;
    for (int i = 0; i < draws; ++i) ++drawn[std::string(table.Random(random))];
    EXPECT_EQ(drawn.size(), static_cast<size_t>(members));
    for (const auto& [member, times] : drawn) {
      // 400 are expected, with a standard deviation of 20.
      EXPECT_GT(times, 270) << member;
      EXPECT_LT(times, 530) << member;
    }
  }
}

class SetModelTest : public ::testing::TestWithParam<int> {
 protected:
  // Mostly of one kind, so that each representation is met.
  std::string AnyMember() {
    const auto number = static_cast<int64_t>(random_() % range_);
    if (GetParam() % 3 == 0) return std::to_string(number - static_cast<int64_t>(range_ / 2));
    std::string member = "m" + std::to_string(number);
    if (GetParam() % 3 == 1 && number % 50 == 0) member.resize(300, 'x');
    return member;
  }

  std::mt19937_64 random_{static_cast<uint64_t>(GetParam())};
  const uint64_t range_ = GetParam() < 4 ? 60 : GetParam() < 8 ? 1000 : 30'000;
  const Set::Limits limits_{};
  absl::InsecureBitGen bits_;
};

TEST_P(SetModelTest, RandomOperationsAgree) {
  Set set;
  std::set<std::string> model;
  bool growing = true;
  const uint64_t steps = range_ * 20;
  for (uint64_t i = 0; i < steps; ++i) {
    if (i % (range_ * 4) == 0) growing = !growing || i == 0;
    const std::string member = AnyMember();
    if (random_() % 10 < (growing ? 8U : 2U)) {
      ASSERT_EQ(set.Add(member, limits_), model.insert(member).second);
    } else if (random_() % 4 != 0 || model.empty()) {
      ASSERT_EQ(set.Remove(member), model.erase(member) == 1);
    } else {
      ASSERT_EQ(model.erase(set.Pop(bits_)), 1u);
    }
    ASSERT_EQ(set.size(), model.size());
    const std::string other = AnyMember();
    ASSERT_EQ(set.Contains(other), model.contains(other));
    if (i % (steps / 10) == 0) {
      ASSERT_EQ(Members(set), model);
      const auto clone = set.Clone();
      ASSERT_EQ(Members(static_cast<const Set&>(*clone)), model);
    }
  }
  ASSERT_EQ(Members(set), model);
}

// What stays during a whole scan is returned, whatever comes and goes meanwhile.
TEST_P(SetModelTest, ScanReturnsWhatStays) {
  Set set;
  std::set<std::string> staying;
  for (uint64_t i = 0; i < range_; i += 3) {
    staying.insert("stays" + std::to_string(i));
    set.Add("stays" + std::to_string(i), limits_);
  }
  for (const bool growing : {true, false}) {
    std::set<std::string> found;
    uint64_t cursor = 0;
    uint64_t calls = 0;
    do {
      const size_t count = 1 + random_() % 20;
      cursor = set.Scan(cursor, count, [&](std::string_view member) { found.emplace(member); });
      for (int i = 0; i < 40; ++i) {
        const std::string member = "m" + std::to_string(random_() % (range_ * 4));
        growing ? set.Add(member, limits_) : set.Remove(member);
      }
      ASSERT_LT(++calls, 1'000'000u);
    } while (cursor != 0);
    ASSERT_TRUE(std::includes(found.begin(), found.end(), staying.begin(), staying.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SetModelTest, ::testing::Range(0, 10));

}  // namespace
}  // namespace lapse
