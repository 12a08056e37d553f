#include "storage/values/listpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace lapse {
namespace {

using std::string_literals::operator""s;

std::string Word(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:
      return std::to_string(static_cast<int>(random() % 300) - 100);
    case 1:
      return std::to_string(static_cast<int64_t>(random()) >> (random() % 64));
    case 2:
      return std::string(random() % 200, 'x');
    case 3:
      return std::string(random() % 100 == 0 ? 20'000 : 3, 'y');
    case 4:
      return random() % 2 == 0 ? "-0" : "007";
    default:
      return std::string(1 + random() % 4, static_cast<char>('a' + random() % 3));
  }
}

std::vector<std::string> Contents(const Listpack& list) {
  std::vector<std::string> words;
  char digits[24];
  for (auto at = list.begin(); at != list.end(); at = list.Next(at)) {
    words.emplace_back(list.Get(at).Text(digits));
  }
  return words;
}

std::vector<std::string> ContentsBackwards(const Listpack& list) {
  std::vector<std::string> words;
  char digits[24];
  for (auto at = list.end(); at != list.begin();) {
    at = list.Prev(at);
    words.emplace_back(list.Get(at).Text(digits));
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::string Bytes(const std::vector<std::string>& words) {
  Listpack list;
  for (const std::string& word : words) list.Append(word);
  return std::string(list.view());
}

// As redis-server's DUMP shows them.
TEST(Listpack, HasRedisBytes) {
  EXPECT_EQ(Bytes({}), "\x07\0\0\0\0\0\xff"s);
  EXPECT_EQ(Bytes({"a"}),
            "\x0a\0\0\0\x01\0\x81"
            "a\x02\xff"s);
  EXPECT_EQ(Bytes({"0", "127"}), "\x0b\0\0\0\x02\0\0\x01\x7f\x01\xff"s);
  EXPECT_EQ(Bytes({"128"}), "\x0a\0\0\0\x01\0\xc0\x80\x02\xff"s);
  EXPECT_EQ(Bytes({"-1"}), "\x0a\0\0\0\x01\0\xdf\xff\x02\xff"s);
  EXPECT_EQ(Bytes({"-4097"}), "\x0b\0\0\0\x01\0\xf1\xff\xef\x03\xff"s);
  EXPECT_EQ(Bytes({"32768"}), "\x0c\0\0\0\x01\0\xf2\x00\x80\x00\x04\xff"s);
  EXPECT_EQ(Bytes({"8388608"}), "\x0d\0\0\0\x01\0\xf3\x00\x00\x80\x00\x05\xff"s);
  EXPECT_EQ(Bytes({"2147483648"}), "\x11\0\0\0\x01\0\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09\xff"s);
  EXPECT_EQ(Bytes({std::string(64, 'x')}),
            "\x4a\0\0\0\x01\0\xe0\x40"s + std::string(64, 'x') + "\x42\xff"s);
  EXPECT_EQ(Bytes({std::string(4096, 'x')}),
            "\x0e\x10\0\0\x01\0\xf0\x00\x10\x00\x00"s + std::string(4096, 'x') + "\x20\x85\xff"s);
}

TEST(Listpack, KeepsEveryIntegerApart) {
  for (const char* text :
       {"-9223372036854775808", "9223372036854775807", "-4096", "4095", "4096", "-32768", "-32769",
        "-8388608", "-8388609", "8388607", "-2147483648", "-2147483649"}) {
    Listpack list;
    list.Append(text);
    char digits[24];
    EXPECT_TRUE(list.Get(list.begin()).is_number) << text;
    EXPECT_EQ(list.Get(list.begin()).Text(digits), text);
    EXPECT_TRUE(Listpack::Validate(list.view())) << text;
  }
  for (const char* text : {"", "-", "-0", "01", "+1", " 1", "1 ", "9223372036854775808"}) {
    Listpack list;
    list.Append(text);
    EXPECT_FALSE(list.Get(list.begin()).is_number) << text;
    EXPECT_TRUE(list.Get(list.begin()).Equals(text));
  }
}

TEST(Listpack, AnEmptyOneOwnsNothing) {
  Listpack list;
  EXPECT_EQ(list.allocated_bytes(), 0u);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.begin(), list.end());
  EXPECT_EQ(list.Last(), list.end());
  EXPECT_EQ(list.Seek(0), list.end());
  EXPECT_EQ(list.Seek(-1), list.end());
  list.Append("x");
  EXPECT_GT(list.allocated_bytes(), list.bytes());
  Listpack moved = std::move(list);
  EXPECT_EQ(moved.size(), 1u);
  EXPECT_TRUE(
      Listpack(moved.view().substr(0, 0).empty() ? Listpack().view() : moved.view()).empty());
}

TEST(Listpack, CountsBeyondWhatItsHeaderCan) {
  Listpack list;
  for (size_t i = 1; i <= 70'000; ++i) {
    list.Append("a");
    ASSERT_EQ(list.size(), i);
  }
  EXPECT_TRUE(Listpack::Validate(list.view()));
  Listpack copy(list.view());
  EXPECT_EQ(copy.size(), 70'000u);
  Listpack other = copy;
  while (!other.empty()) {
    const size_t before = other.size();
    other.EraseRange(other.begin(), 777);
    ASSERT_EQ(other.size(), before > 777 ? before - 777 : 0);
  }
}

TEST(Listpack, FindSkips) {
  Listpack list;
  for (const char* word : {"a", "b", "b", "12", "12", "a"}) list.Append(word);
  EXPECT_EQ(list.Find("b", list.begin(), 1), list.Seek(2));
  EXPECT_EQ(list.Find("a", list.Seek(1), 1), list.Seek(5));
  EXPECT_EQ(list.Find("12", list.begin()), list.Seek(3));
  EXPECT_EQ(list.Find("012", list.begin()), list.end());
  EXPECT_EQ(list.Find("c", list.end()), list.end());
}

class ListpackModel {
 public:
  explicit ListpackModel(uint64_t seed) : random_(seed) {}

  void Step() {
    const size_t size = model_.size();
    const std::string word = Word(random_);
    const size_t at = size == 0 ? 0 : random_() % size;
    switch (random_() % 7) {
      case 0:
      case 1:
      case 2:
        return Insert(random_() % (size + 1), word);
      case 3:
        if (size > 0) Replace(at, word);
        return;
      case 4:
        return Erase(at, random_() % 3);
      default:
        return Find(word, random_() % 3);
    }
  }

  void Check() {
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_TRUE(Listpack::Validate(list_.view()));
    ASSERT_EQ(Contents(list_), model_);
    ASSERT_EQ(ContentsBackwards(list_), model_);
    const Listpack loaded(list_.view());
    ASSERT_EQ(loaded.view(), list_.view());
    // Damage is found out, or harmless.
    const std::string bytes(list_.view());
    for (int i = 0; i < 20; ++i) {
      std::string damaged = bytes;
      damaged[random_() % damaged.size()] ^= static_cast<char>(1 << (random_() % 8));
      if (Listpack::Validate(damaged)) Contents(Listpack(std::string_view(damaged)));
    }
    for (size_t cut = 0; cut < bytes.size(); cut += 1 + random_() % 50) {
      ASSERT_FALSE(Listpack::Validate(std::string_view(bytes).substr(0, cut)));
    }
  }

 private:
  Listpack::Position At(size_t index) const {
    return index == model_.size() ? list_.end() : list_.Seek(static_cast<int64_t>(index));
  }

  void Insert(size_t index, const std::string& word) {
    const size_t before = list_.bytes();
    const auto at = list_.Insert(At(index), word);
    ASSERT_TRUE(list_.Get(at).Equals(word));
    ASSERT_EQ(list_.bytes(), before + Listpack::EncodedSize(word));
    model_.insert(model_.begin() + static_cast<ptrdiff_t>(index), word);
  }
  void Replace(size_t index, const std::string& word) {
    const auto size = static_cast<int64_t>(model_.size());
    const auto at = list_.Replace(list_.Seek(static_cast<int64_t>(index) - size), word);
    ASSERT_TRUE(list_.Get(at).Equals(word));
    model_[index] = word;
  }
  void Erase(size_t index, size_t count) {
    list_.EraseRange(At(index), count);
    const auto from = model_.begin() + static_cast<ptrdiff_t>(index);
    const auto left = static_cast<size_t>(model_.end() - from);
    model_.erase(from, from + static_cast<ptrdiff_t>(std::min(left, count)));
  }
  void Find(const std::string& word, size_t skip) {
    size_t i = 0;
    while (i < model_.size() && model_[i] != word) i += skip + 1;
    const auto expected = i < model_.size() ? At(i) : list_.end();
    ASSERT_EQ(list_.Find(word, list_.begin(), skip), expected);
  }

  std::mt19937_64 random_;
  Listpack list_;
  std::vector<std::string> model_;
};

TEST(Listpack, AgreesWithAVector) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    ListpackModel model(seed);
    for (int i = 0; i < 1000; ++i) {
      model.Step();
      if (i % 50 == 0) model.Check();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(Listpack, NoRandomBytesAreFollowedBeyondTheirEnd) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(7 + random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    bytes[0] = static_cast<char>(bytes.size());
    bytes[1] = bytes[2] = bytes[3] = 0;
    bytes[4] = static_cast<char>(random() % 8);
    bytes[5] = 0;
    bytes.back() = '\xff';
    if (Listpack::Validate(bytes)) Contents(Listpack(std::string_view(bytes)));
  }
}

}  // namespace
}  // namespace lapse
