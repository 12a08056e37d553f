#include "server/core/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(SplitWords, BlanksAndQuotes) {
  EXPECT_THAT(SplitWords(""), Optional(IsEmpty()));
  EXPECT_THAT(SplitWords("  a  b\t"), Optional(ElementsAre("a", "b")));
  EXPECT_THAT(SplitWords(R"(save "" 'x y' "a\"b\x41\n")"),
              Optional(ElementsAre("save", "", "x y", "a\"bA\n")));
  EXPECT_THAT(SplitWords("*3 is a word"), Optional(ElementsAre("*3", "is", "a", "word")));
}

TEST(SplitWords, RefusesUnbalancedQuotes) {
  EXPECT_EQ(SplitWords("port \"1"), std::nullopt);
  EXPECT_EQ(SplitWords("port 'a'b"), std::nullopt);
  EXPECT_EQ(SplitWords("a\nb"), std::nullopt);
}

TEST(QuoteWord, ReadsBackAsItWas) {
  EXPECT_EQ(QuoteWord("plain-word/1"), "plain-word/1");
  EXPECT_EQ(QuoteWord(""), "\"\"");
  EXPECT_EQ(QuoteWord("a b"), "\"a b\"");
  EXPECT_EQ(QuoteWord("#x"), "\"#x\"") << "would be a comment";
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string word;
    for (size_t n = random() % 8; n > 0; --n) word += static_cast<char>(random() % 256);
    EXPECT_THAT(SplitWords(QuoteWord(word)), Optional(ElementsAre(word)));
  }
}

}  // namespace
}  // namespace lapse
