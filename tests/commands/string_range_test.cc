// APPEND, SETRANGE, GETRANGE, SUBSTR.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";

Config SmallStrings() {
  Config config;
  config.proto_max_bulk_len = 100;
  return config;
}

TEST(Append, GrowsTheString) {
  Db db;
  EXPECT_EQ(db.Run("APPEND k Hello"), 5);
  EXPECT_EQ(db.Run("APPEND k ' World'"), 11);
  EXPECT_EQ(db.Run("APPEND k ''"), 11);
  EXPECT_EQ(db.Run("GET k"), "Hello World");
  EXPECT_EQ(db.Run("APPEND new ''"), 0);
  EXPECT_EQ(db.Run("EXISTS new"), 1);
}

TEST(Append, ByteByByteThroughEverySize) {
  Db db;
  std::string expected;
  for (int64_t i = 1; i <= 10'000; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    expected += c;
    ASSERT_EQ(db.Call({"APPEND", "k", std::string(1, c)}), i);
  }
  EXPECT_EQ(db.Run("GET k"), expected);
}

TEST(Append, EncodingIsRawOnceChangedInPlace) {
  Db db;
  db.Run("APPEND k 12");
  EXPECT_EQ(db.Run("OBJECT ENCODING k"), "int");
  db.Run("APPEND k 3");
  EXPECT_EQ(db.Run("OBJECT ENCODING k"), "raw");
}

TEST(Append, Limit) {
  Db db(SmallStrings());
  EXPECT_EQ(db.Call({"APPEND", "k", std::string(60, 'x')}), 60);
  EXPECT_EQ(db.Call({"APPEND", "k", std::string(41, 'x')}), kTooLong);
  EXPECT_EQ(db.Call({"APPEND", "k", std::string(40, 'x')}), 100);
  EXPECT_EQ(db.Run("APPEND k x"), kTooLong);
  EXPECT_EQ(db.Run("STRLEN k"), 100);
}

TEST(SetRange, OverwritesAndPads) {
  Db db;
  db.Run("SET k 'Hello World'");
  EXPECT_EQ(db.Run("SETRANGE k 6 Redis"), 11);
  EXPECT_EQ(db.Run("GET k"), "Hello Redis");
  EXPECT_EQ(db.Run("SETRANGE k 0 J"), 11);
  EXPECT_EQ(db.Run("SETRANGE k 13 !"), 14);
  EXPECT_EQ(db.Run("GET k"), std::string("Jello Redis\0\0!", 14));
  EXPECT_EQ(db.Run("SETRANGE new 3 x"), 4);
  EXPECT_EQ(db.Run("GET new"), std::string("\0\0\0x", 4));
  EXPECT_EQ(db.Run("OBJECT ENCODING new"), "raw");
}

TEST(SetRange, FarBeyondTheEnd) {
  Db db;
  db.Run("SET k abc");
  EXPECT_EQ(db.Run("SETRANGE k 100000 x"), 100'001);
  EXPECT_EQ(db.Run("GET k"), "abc" + std::string(99'997, '\0') + "x");
}

TEST(SetRange, NothingToWriteChangesNothing) {
  Db db;
  EXPECT_EQ(db.Run("SETRANGE k 5 ''"), 0);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  db.Run("SET k 12");
  db.events();
  EXPECT_EQ(db.Run("SETRANGE k 99999999999 ''"), 2);
  EXPECT_THAT(db.events(), IsEmpty());
  EXPECT_EQ(db.Run("OBJECT ENCODING k"), "int");
}

TEST(SetRange, Errors) {
  Db db(SmallStrings());
  EXPECT_EQ(db.Run("SETRANGE k -1 x"), "ERR offset is out of range");
  EXPECT_EQ(db.Run("SETRANGE k -1 ''"), "ERR offset is out of range");
  EXPECT_EQ(db.Run("SETRANGE k abc x"), kNotInteger);
  EXPECT_EQ(db.Run("SETRANGE k 100 x"), kTooLong);
  EXPECT_EQ(db.Run("SETRANGE k 99 x"), 100);
  EXPECT_EQ(db.Run("SETRANGE k 99 xy"), kTooLong);
  EXPECT_EQ(db.Run("SETRANGE k 9223372036854775807 xy"), kTooLong);
  EXPECT_EQ(db.Run("SETRANGE other 9223372036854775807 x"), kTooLong);
  EXPECT_EQ(db.Run("STRLEN k"), 100);
}

TEST(SetRange, Events) {
  Db db;
  db.Run("SETRANGE k 0 a");
  db.Run("SETRANGE k 3 b");
  db.Run("APPEND k c");
  db.Run("APPEND new c");
  EXPECT_THAT(db.events(), ElementsAre("setrange k", "setrange k", "append k", "append new"));
}

TEST(GetRange, Slices) {
  Db db;
  db.Run("SET k 'Hello World'");
  const struct {
    const char* range;
    const char* expected;
  } cases[] = {
      {"0 4", "Hello"},
      {"0 -1", "Hello World"},
      {"-5 -1", "World"},
      {"-1 -5", ""},
      {"5 100", " World"},
      {"-100 2", "Hel"},
      {"3 1", ""},
      {"0 -100", "H"},
      {"-100 -100", "H"},
      {"-100 -101", ""},
      {"11 12", ""},
      {"10 10", "d"},
      {"9223372036854775807 9223372036854775807", ""},
      {"-9223372036854775808 9223372036854775807", "Hello World"},
      {"-9223372036854775808 -9223372036854775808", "H"},
  };
  for (const auto& [range, expected] : cases) {
    EXPECT_EQ(db.Run(std::string("GETRANGE k ") + range), expected) << range;
    EXPECT_EQ(db.Run(std::string("SUBSTR k ") + range), expected) << range;
  }
}

TEST(GetRange, EmptyAndMissing) {
  Db db;
  EXPECT_EQ(db.Run("GETRANGE k 0 -1"), "");
  db.Run("SET k ''");
  EXPECT_EQ(db.Run("GETRANGE k 0 -1"), "");
  EXPECT_EQ(db.Run("GETRANGE k 0 0"), "");
  EXPECT_EQ(db.Run("GETRANGE missing abc 1"), kNotInteger);
  EXPECT_EQ(db.Run("GETRANGE missing 1 abc"), kNotInteger);
}

}  // namespace
}  // namespace lapse
