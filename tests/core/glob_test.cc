#include "server/core/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace lapse {
namespace {

TEST(Glob, PlainTextMatchesItself) {
  EXPECT_TRUE(GlobMatch("hello", "hello"));
  EXPECT_FALSE(GlobMatch("hello", "hell"));
  EXPECT_FALSE(GlobMatch("hello", "hello!"));
  EXPECT_FALSE(GlobMatch("hello", "Hello"));
  EXPECT_TRUE(GlobMatch("", ""));
  EXPECT_FALSE(GlobMatch("", "a"));
}

TEST(Glob, QuestionMarkTakesOneByte) {
  EXPECT_TRUE(GlobMatch("h?llo", "hxllo"));
  EXPECT_FALSE(GlobMatch("h?llo", "hllo"));
  EXPECT_TRUE(GlobMatch("??", "ab"));
  EXPECT_FALSE(GlobMatch("??", "a"));
  EXPECT_TRUE(GlobMatch("?", std::string_view("\0", 1)));
}

TEST(Glob, StarTakesAnyRun) {
  EXPECT_TRUE(GlobMatch("*", "anything"));
  EXPECT_TRUE(GlobMatch("h*o", "ho"));
  EXPECT_TRUE(GlobMatch("h*o", "hello"));
  EXPECT_TRUE(GlobMatch("h*o", "hooo"));
  EXPECT_FALSE(GlobMatch("h*o", "hell"));
  EXPECT_TRUE(GlobMatch("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(GlobMatch("*a*b*", "xxbxxaxx"));
  EXPECT_TRUE(GlobMatch("abc**", "abc"));
  EXPECT_TRUE(GlobMatch("**abc", "abc"));
  EXPECT_TRUE(GlobMatch("*aab", "aaaab"));
}

TEST(Glob, NoPatternButTheEmptyOneMatchesTheEmptyText) {
  EXPECT_FALSE(GlobMatch("*", ""));
  EXPECT_FALSE(GlobMatch("**", ""));
  EXPECT_FALSE(GlobMatch("?", ""));
}

TEST(Glob, SetsOfBytes) {
  EXPECT_TRUE(GlobMatch("h[ae]llo", "hallo"));
  EXPECT_TRUE(GlobMatch("h[ae]llo", "hello"));
  EXPECT_FALSE(GlobMatch("h[ae]llo", "hillo"));
  EXPECT_TRUE(GlobMatch("h[a-c]llo", "hbllo"));
  EXPECT_FALSE(GlobMatch("h[a-c]llo", "hdllo"));
  EXPECT_TRUE(GlobMatch("h[c-a]llo", "hbllo")) << "a range may run backwards";
  EXPECT_TRUE(GlobMatch("h[^e]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[^e]llo", "hello"));
  EXPECT_TRUE(GlobMatch("[0-9a-f]*", "f00d"));
  EXPECT_TRUE(GlobMatch("[a^]", "^")) << "a caret that is not first is itself";
}

TEST(Glob, OddSetsAreAsRedisReadsThem) {
  EXPECT_FALSE(GlobMatch("[]", "]")) << "an empty set";
  EXPECT_FALSE(GlobMatch("[]]", "]"));
  EXPECT_TRUE(GlobMatch("[^]", "x"));
  EXPECT_TRUE(GlobMatch("[^]*", "xyz"));
  EXPECT_TRUE(GlobMatch("[\\]]", "]"));
  EXPECT_TRUE(GlobMatch("[ab", "b")) << "unterminated";
  EXPECT_FALSE(GlobMatch("[ab", "c"));
  EXPECT_FALSE(GlobMatch("[", "["));
  EXPECT_TRUE(GlobMatch("[\\", "\\"));
  EXPECT_TRUE(GlobMatch("a[-]b", "a-b"));
  EXPECT_TRUE(GlobMatch("[a-", "-"));
  // From ']' to 'a', then a star; and all of it one unterminated set.
  EXPECT_TRUE(GlobMatch("[a-]*", "]"));
  EXPECT_TRUE(GlobMatch("[a-]*", "^"));
  EXPECT_TRUE(GlobMatch("[a-]*", "*"));
  EXPECT_FALSE(GlobMatch("[a-]*", "a-b"));
}

TEST(Glob, EscapesTakeTheByteItself) {
  EXPECT_TRUE(GlobMatch("h\\?llo", "h?llo"));
  EXPECT_FALSE(GlobMatch("h\\?llo", "hello"));
  EXPECT_TRUE(GlobMatch("\\*", "*"));
  EXPECT_TRUE(GlobMatch("\\\\", "\\"));
  EXPECT_TRUE(GlobMatch("\\", "\\")) << "with nothing to escape";
  EXPECT_TRUE(GlobMatch("\\a", "a"));
}

TEST(Glob, LetterCaseCanBeIgnored) {
  EXPECT_TRUE(GlobMatchIgnoreCase("MAXmem*", "maxMEMory"));
  EXPECT_TRUE(GlobMatchIgnoreCase("[A-C]x", "bX"));
  EXPECT_TRUE(GlobMatchIgnoreCase("[abc]", "B"));
  EXPECT_FALSE(GlobMatchIgnoreCase("[^abc]", "B"));
  EXPECT_FALSE(GlobMatchIgnoreCase("[\\a]", "A")) << "an escape in a set heeds it";
  EXPECT_TRUE(GlobMatchIgnoreCase("\\A", "a"));
  EXPECT_FALSE(GlobMatchIgnoreCase("@", "`")) << "no letters";
}

TEST(Glob, BytesAreComparedAsSigned) {
  EXPECT_TRUE(GlobMatch("[a-\xff]", "A")) << "0xff is less than 'a'";
  EXPECT_FALSE(GlobMatch("[a-\xff]", "b"));
  EXPECT_TRUE(GlobMatch("\xff*", "\xff\xfe"));
}

TEST(Glob, ManyStarsDoNotExplode) {
  const std::string text(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_TRUE(GlobMatch(pattern, text));
  pattern.append("b");
  EXPECT_FALSE(GlobMatch(pattern, text));
  pattern.assign(1000, '*');
  pattern.append("b");
  EXPECT_FALSE(GlobMatch(pattern, text));
}

// The language's definition, for plain bytes, '?' and '*'.
bool Defined(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return Defined(pattern.substr(1), text) || (!text.empty() && Defined(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         Defined(pattern.substr(1), text.substr(1));
}

TEST(Glob, AgreesWithItsDefinition) {
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    std::string pattern;
    std::string text;
    for (unsigned n = random() % 8; n > 0; --n) pattern += "ab?*"[random() % 4];
    for (unsigned n = 1 + random() % 9; n > 0; --n) text += "ab"[random() % 2];
    ASSERT_EQ(GlobMatch(pattern, text), Defined(pattern, text)) << pattern << " on " << text;
  }
}

}  // namespace
}  // namespace lapse
