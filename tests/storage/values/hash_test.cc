#include "storage/values/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace lapse {
namespace {

struct Expected {
  std::string value;
  int64_t deadline = kNoDeadline;
  friend bool operator==(const Expected&, const Expected&) = default;
};
using Model = std::map<std::string, Expected>;

Model Contents(const Hash& hash) {
  Model found;
  hash.Visit([&found](const Hash::Text& name, const Hash::Text& value, int64_t deadline) {
    char name_digits[24];
    char value_digits[24];
    const bool is_new = found
                            .emplace(name.Text(name_digits),
                                     Expected{std::string(value.Text(value_digits)), deadline})
                            .second;
    EXPECT_TRUE(is_new);
  });
  return found;
}

int64_t Earliest(const Model& model) {
  int64_t earliest = kNoDeadline;
  for (const auto& [name, expected] : model) earliest = std::min(earliest, expected.deadline);
  return earliest;
}

std::set<std::string> ScanAll(const Hash& hash, size_t count) {
  std::set<std::string> names;
  uint64_t cursor = 0;
  do {
    cursor = hash.Scan(cursor, count, [&](const Hash::Text& name, const Hash::Text&, int64_t) {
      char digits[24];
      names.emplace(name.Text(digits));
    });
  } while (cursor != 0);
  return names;
}

struct Size {
  size_t names;
  size_t longest;  // value
  Hash::Limits limits;
};

// Random changes of a hash and of a std::map.
class HashModel {
 public:
  HashModel(uint64_t seed, const Size& size) : random_(seed), size_(size) {}

  void Step() {
    const std::string name = Name();
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return Set(name);
      case 3:
        EXPECT_EQ(hash_.Erase(name), model_.erase(name) == 1);
        return;
      case 4:
        return SetDeadline(name);
      case 5:
        if (random_() % 20 == 0) RemoveExpired();
        return;
      default:
        return Find(name);
    }
  }

  void Check() {
    ASSERT_EQ(hash_.size(), model_.size());
    ASSERT_EQ(hash_.earliest_deadline(), Earliest(model_));
    ASSERT_EQ(Contents(hash_), model_);
    std::set<std::string> names;
    for (const auto& [name, expected] : model_) names.insert(name);
    ASSERT_EQ(ScanAll(hash_, 1 + random_() % 20), names);
    const auto copy = hash_.Clone();
    ASSERT_EQ(Contents(static_cast<const Hash&>(*copy)), model_);
    ASSERT_EQ(copy->earliest_deadline(), hash_.earliest_deadline());
    ASSERT_EQ(copy->encoding(), hash_.encoding());
    if (model_.empty()) return;
    hash_.Random(random_, [&](const Hash::Text& name, const Hash::Text&, int64_t) {
      char digits[24];
      EXPECT_TRUE(model_.contains(std::string(name.Text(digits))));
    });
  }

  const Hash& hash() const { return hash_; }
  Hash& hash() { return hash_; }

 private:
  std::string Name() {
    const uint64_t n = random_() % size_.names;
    if (n % 3 == 0) return std::to_string(n);
    return (n % 50 == 1 ? std::string(300, 'n') : "field:") + std::to_string(n);
  }
  std::string Value() {
    if (random_() % 3 == 0) return std::to_string(static_cast<int64_t>(random_()) >> 40);
    return std::string(random_() % (size_.longest + 1), 'v');
  }
  int64_t Deadline() {
    if (random_() % 3 == 0) return kNoDeadline;
    return now_ + 1 + static_cast<int64_t>(random_() % 1000);
  }

  void Set(const std::string& name) {
    const Expected expected{Value(), random_() % 4 == 0 ? Deadline() : kNoDeadline};
    EXPECT_EQ(hash_.Set(name, expected.value, expected.deadline, size_.limits),
              !model_.contains(name));
    model_[name] = expected;
  }
  void SetDeadline(const std::string& name) {
    const int64_t deadline = Deadline();
    const auto it = model_.find(name);
    EXPECT_EQ(hash_.SetDeadline(name, deadline), it != model_.end());
    if (it != model_.end()) it->second.deadline = deadline;
  }
  void RemoveExpired() {
    now_ += static_cast<int64_t>(random_() % 300);
    const size_t expired =
        std::erase_if(model_, [this](const auto& item) { return item.second.deadline < now_; });
    EXPECT_EQ(hash_.RemoveExpired(now_), expired);
    EXPECT_EQ(hash_.earliest_deadline(), Earliest(model_));
  }
  void Find(const std::string& name) {
    const auto found = hash_.Find(name);
    const auto it = model_.find(name);
    ASSERT_EQ(found.has_value(), it != model_.end()) << name;
    if (!found) return;
    EXPECT_TRUE(found->value.Equals(it->second.value));
    EXPECT_EQ(found->deadline, it->second.deadline);
  }

  std::mt19937_64 random_;
  const Size size_;
  int64_t now_ = 1'000'000;
  Hash hash_;
  Model model_;
};

void Play(const Size& size, int seeds, int steps, int check_every) {
  for (int seed = 1; seed <= seeds; ++seed) {
    HashModel model(static_cast<uint64_t>(seed), size);
    for (int i = 0; i < steps; ++i) {
      model.Step();
      if (i % check_every == 0) model.Check();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(HashModel, Packed) { Play({20, 30, {1000, 1000}}, 20, 2000, 20); }
TEST(HashModel, PackedUntilItIsLarge) { Play({200, 30, {60, 64}}, 20, 2000, 50); }
TEST(HashModel, PackedUntilATextIsLong) { Play({100, 70, {512, 64}}, 20, 1000, 20); }
TEST(HashModel, Table) { Play({300, 40, {0, 0}}, 10, 5000, 100); }
TEST(HashModel, LargeTableOfLongTexts) { Play({5000, 600, {0, 0}}, 3, 60'000, 5000); }

TEST(Hash, IsSmall) { EXPECT_LE(sizeof(Hash), 24u); }

TEST(Hash, Encodings) {
  Hash hash;
  const Hash::Limits limits{3, 5};
  hash.Set("a", "1", kNoDeadline, limits);
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.SetDeadline("a", kNoDeadline);
  hash.SetDeadline("missing", 5);
  EXPECT_EQ(hash.encoding(), Encoding::kListpack);
  hash.SetDeadline("a", 5);
  EXPECT_EQ(hash.encoding(), Encoding::kListpackEx);
  hash.SetDeadline("a", kNoDeadline);
  EXPECT_EQ(hash.encoding(), Encoding::kListpackEx);
  hash.Set("b", "12345", kNoDeadline, limits);
  hash.Set("c", "", kNoDeadline, limits);
  EXPECT_EQ(hash.encoding(), Encoding::kListpackEx);
  hash.Set("d", "", kNoDeadline, limits);
  EXPECT_EQ(hash.encoding(), Encoding::kHashtable);

  Hash other;
  other.Set("a", "123456", kNoDeadline, limits);
  EXPECT_EQ(other.encoding(), Encoding::kHashtable);
}

TEST(Hash, PackedFieldsAreSortedByDeadline) {
  Hash hash;
  for (const int deadline : {50, 20, 90, 20}) {
    hash.Set("f" + std::to_string(hash.size()), "v", deadline, {});
  }
  hash.Set("last", "v", kNoDeadline, {});
  hash.SetDeadline("f0", 95);
  std::vector<int64_t> deadlines;
  hash.Visit([&](const Hash::Text&, const Hash::Text&, int64_t deadline) {
    deadlines.push_back(deadline);
  });
  EXPECT_EQ(deadlines, (std::vector<int64_t>{20, 20, 90, 95, kNoDeadline}));
}

// Fields come and go between the steps of a scan; those that stay throughout are all met.
TEST(Hash, ScanMissesNothingThatStays) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    Hash hash;
    const auto name = [](uint64_t n) { return "field" + std::to_string(n); };
    for (uint64_t n = 0; n < 500; ++n) hash.Set(name(n), "v", kNoDeadline, {0, 0});
    std::set<std::string> met;
    uint64_t cursor = 0;
    uint64_t next = 500;
    const bool grows = seed % 2 == 0;
    if (!grows) {
      for (; next < 8000; ++next) hash.Set(name(next), "v", kNoDeadline, {0, 0});
    }
    do {
      cursor = hash.Scan(cursor, 5, [&](const Hash::Text& text, const Hash::Text&, int64_t) {
        met.emplace(text.text);
      });
      for (int i = 0; i < 60; ++i) {
        if (grows) hash.Set(name(next++), "v", kNoDeadline, {0, 0});
        if (!grows && next > 500) hash.Erase(name(--next));
      }
    } while (cursor != 0);
    for (uint64_t n = 0; n < 500; ++n) EXPECT_TRUE(met.contains(name(n))) << n;
  }
}

TEST(Hash, RandomFieldsAreDrawnEvenly) {
  Hash hash;
  std::mt19937_64 random(1);
  constexpr int kFields = 100;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kFields; ++i) hash.Set(std::to_string(i), "v", kNoDeadline, {0, 0});
  std::map<std::string, int> counts;
  for (int i = 0; i < kDraws; ++i) {
    hash.Random(random, [&](const Hash::Text& name, const Hash::Text&, int64_t) {
      ++counts[std::string(name.text)];
    });
  }
  ASSERT_EQ(counts.size(), static_cast<size_t>(kFields));
  for (const auto& [name, count] : counts) EXPECT_NEAR(count, kDraws / kFields, 200) << name;
}

TEST(Hash, BytesAreGivenBack) {
  for (const Hash::Limits limits : {Hash::Limits{}, Hash::Limits{0, 0}}) {
    Hash hash;
    const size_t empty = hash.allocated_bytes();
    for (int i = 0; i < 400; ++i)
      hash.Set(std::to_string(i), std::string(60, 'v'), 100 + i, limits);
    EXPECT_GT(hash.allocated_bytes(), 400u * 60);
    EXPECT_LT(hash.allocated_bytes(), 400u * 130);
    EXPECT_EQ(hash.RemoveExpired(100 + 300), 300u);
    EXPECT_LT(hash.allocated_bytes(), 100u * 170);
    EXPECT_EQ(hash.RemoveExpired(100'000), 100u);
    EXPECT_LE(hash.allocated_bytes(), empty + 400);
    EXPECT_TRUE(hash.vanishes());
  }
}

}  // namespace
}  // namespace lapse
