#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {

Db& WithTexts(Db& db) {
  db.Run("MSET a ohmytext b mynewtext");
  return db;
}

TEST(Lcs, TextAndLength) {
  Db db;
  WithTexts(db);
  EXPECT_EQ(db.Run("LCS a b"), "mytext");
  EXPECT_EQ(db.Run("LCS a b LEN"), 6);
  EXPECT_EQ(db.Run("LCS a b WITHMATCHLEN"), "mytext");
  EXPECT_EQ(db.Run("LCS a b MINMATCHLEN -1"), "mytext");
  EXPECT_EQ(db.Run("LCS a a"), "ohmytext");
}

TEST(Lcs, Indexes) {
  Db db;
  WithTexts(db);
  EXPECT_EQ(db.client().CallRaw({"LCS", "a", "b", "IDX"}),
            "*4\r\n$7\r\nmatches\r\n*2\r\n"
            "*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n"
            "*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n"
            "$3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(db.client().CallRaw({"LCS", "a", "b", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN"}),
            "*4\r\n$7\r\nmatches\r\n*1\r\n"
            "*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n"
            "$3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(db.client().CallRaw({"LCS", "a", "missing", "IDX"}),
            "*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n");
}

TEST(Lcs, SingleBytesApart) {
  Db db;
  db.Run("MSET a aXbXcX b abc");
  const Reply reply = db.Run("LCS a b IDX WITHMATCHLEN");
  ASSERT_EQ(reply.size(), 4u);
  ASSERT_EQ(reply[1].size(), 3u);
  const int64_t expected[3][2] = {{4, 2}, {2, 1}, {0, 0}};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(reply[1][i][0][0], expected[i][0]);
    EXPECT_EQ(reply[1][i][1][1], expected[i][1]);
    EXPECT_EQ(reply[1][i][2], 1);
  }
  EXPECT_EQ(reply[3], 3);
}

TEST(Lcs, MissingKeysAreEmpty) {
  Db db;
  EXPECT_EQ(db.Run("LCS a b"), "");
  EXPECT_EQ(db.Run("LCS a b LEN"), 0);
  EXPECT_EQ(db.Run("EXISTS a b"), 0);
}

TEST(Lcs, Errors) {
  Db db;
  WithTexts(db);
  EXPECT_EQ(db.Run("LCS a b IDX LEN"),
            "ERR If you want both the length and indexes, please just use IDX.");
  EXPECT_EQ(db.Run("LCS a b MINMATCHLEN"), "ERR syntax error");
  EXPECT_EQ(db.Run("LCS a b MINMATCHLEN abc"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("LCS a b BOGUS"), "ERR syntax error");
  EXPECT_EQ(db.Run("LCS a"), "ERR wrong number of arguments for 'lcs' command");
}

TEST(Lcs, TheTableIsBounded) {
  Config config;
  config.proto_max_bulk_len = 4 * 101 * 101;
  Db db(config);
  const std::string text(100, 'x');
  db.Call({"MSET", "a", text, "b", text, "c", text + "x"});
  EXPECT_EQ(db.Run("LCS a b"), text);
  EXPECT_EQ(db.Run("LCS a c LEN"),
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
}

size_t LengthByRecursion(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return 0;
  if (a.back() == b.back()) {
    return 1 + LengthByRecursion(a.substr(0, a.size() - 1), b.substr(0, b.size() - 1));
  }
  return std::max(LengthByRecursion(a.substr(0, a.size() - 1), b),
                  LengthByRecursion(a, b.substr(0, b.size() - 1)));
}

bool IsSubsequence(std::string_view part, std::string_view whole) {
  size_t at = 0;
  for (const char c : whole) at += at < part.size() && part[at] == c;
  return at == part.size();
}

TEST(Lcs, AgreesWithItsDefinition) {
  Db db;
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    std::string texts[2];
    for (std::string& text : texts) {
      for (unsigned n = random() % 9; n > 0; --n) text += "abc"[random() % 3];
    }
    db.Call({"MSET", "a", texts[0], "b", texts[1]});
    const std::string found = db.Run("LCS a b").text;
    ASSERT_EQ(found.size(), LengthByRecursion(texts[0], texts[1])) << texts[0] << ' ' << texts[1];
    ASSERT_TRUE(IsSubsequence(found, texts[0])) << found;
    ASSERT_TRUE(IsSubsequence(found, texts[1])) << found;
  }
}

}  // namespace
}  // namespace lapse
