// INCR and its relatives.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kOverflow = "ERR increment or decrement would overflow";
constexpr std::string_view kNotFloat = "ERR value is not a valid float";

TEST(Incr, CountsFromZero) {
  Db db;
  EXPECT_EQ(db.Run("INCR n"), 1);
  EXPECT_EQ(db.Run("INCR n"), 2);
  EXPECT_EQ(db.Run("DECR n"), 1);
  EXPECT_EQ(db.Run("INCRBY n 41"), 42);
  EXPECT_EQ(db.Run("DECRBY n 50"), -8);
  EXPECT_EQ(db.Run("INCRBY n -2"), -10);
  EXPECT_EQ(db.Run("DECRBY n -10"), 0);
  EXPECT_EQ(db.Run("GET n"), "0");
  EXPECT_EQ(db.Run("DECR other"), -1);
  EXPECT_EQ(db.Run("OBJECT ENCODING n"), "int");
}

TEST(Incr, DigitsComeAndGo) {
  Db db;
  db.Run("SET n 8");
  for (const int64_t expected : {9, 10, 11}) EXPECT_EQ(db.Run("INCR n"), expected);
  EXPECT_EQ(db.Run("INCRBY n 9223372036854775000"), 9223372036854775011);
  EXPECT_EQ(db.Run("DECRBY n 9223372036854775011"), 0);
  EXPECT_EQ(db.Run("GET n"), "0");
}

TEST(Incr, Bounds) {
  Db db;
  db.Run("SET n 9223372036854775807");
  EXPECT_EQ(db.Run("INCR n"), kOverflow);
  EXPECT_EQ(db.Run("INCRBY n 1"), kOverflow);
  EXPECT_EQ(db.Run("DECRBY n -1"), kOverflow);
  EXPECT_EQ(db.Run("GET n"), "9223372036854775807");
  db.Run("SET n -9223372036854775808");
  EXPECT_EQ(db.Run("DECR n"), kOverflow);
  EXPECT_EQ(db.Run("INCRBY n -1"), kOverflow);
  EXPECT_EQ(db.Run("INCRBY n 9223372036854775807"), -1);
  EXPECT_EQ(db.Run("DECRBY n -9223372036854775808"), "ERR decrement would overflow");
  EXPECT_EQ(db.Run("DECRBY missing -9223372036854775808"), "ERR decrement would overflow");
  EXPECT_EQ(db.Run("INCRBY missing -9223372036854775808"), INT64_MIN);
}

TEST(Incr, OnlyOneSpellingOfANumberCounts) {
  Db db;
  for (const char* value :
       {"", " 1", "1 ", "01", "+1", "1.0", "abc", "0x10", "-0", "9223372036854775808"}) {
    db.Call({"SET", "n", value});
    EXPECT_EQ(db.Run("INCR n"), kNotInteger) << value;
    EXPECT_EQ(db.Run("GET n"), value);
    EXPECT_EQ(db.Call({"INCRBY", "missing", value}), kNotInteger) << value;
    EXPECT_EQ(db.Call({"DECRBY", "missing", value}), kNotInteger) << value;
  }
  EXPECT_EQ(db.Run("EXISTS missing"), 0);
}

TEST(Incr, NumbersThatWereWrittenInPlaceCount) {
  Db db;
  db.Run("APPEND n 1");
  db.Run("APPEND n 2");
  EXPECT_EQ(db.Run("OBJECT ENCODING n"), "raw");
  EXPECT_EQ(db.Run("INCR n"), 13);
  EXPECT_EQ(db.Run("OBJECT ENCODING n"), "int");
}

TEST(Incr, Events) {
  Db db;
  db.Run("INCR n");
  db.Run("DECR n");
  db.Run("INCRBY n 5");
  db.Run("DECRBY n 5");
  db.Run("INCRBYFLOAT n 1");
  EXPECT_THAT(db.events(),
              ElementsAre("incrby n", "incrby n", "incrby n", "incrby n", "incrbyfloat n"));
  db.Run("INCRBY n abc");
  db.Run("INCRBYFLOAT n abc");
  EXPECT_THAT(db.events(), IsEmpty());
}

TEST(IncrByFloat, PlainDecimals) {
  Db db;
  EXPECT_EQ(db.Run("INCRBYFLOAT f 10.50"), "10.5");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 0.1"), "10.6");
  EXPECT_EQ(db.Run("INCRBYFLOAT f -5"), "5.6");
  EXPECT_EQ(db.Run("GET f"), "5.6");
  db.Run("SET f 5.0e3");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 2.0e2"), "5200");
  db.Run("SET f 3.0");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 1"), "4");
  EXPECT_EQ(db.Run("OBJECT ENCODING f"), "embstr") << "even if it came out whole";
  EXPECT_EQ(db.Run("INCR f"), 5);
  db.Run("SET f 9223372036854775807");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 1"), "9223372036854775808");
}

TEST(IncrByFloat, Errors) {
  Db db;
  db.Run("SET f 1");
  EXPECT_EQ(db.Run("INCRBYFLOAT f abc"), kNotFloat);
  EXPECT_EQ(db.Run("INCRBYFLOAT f nan"), kNotFloat);
  EXPECT_EQ(db.Run("INCRBYFLOAT f ''"), kNotFloat);
  EXPECT_EQ(db.Run("INCRBYFLOAT f ' 1'"), kNotFloat);
  EXPECT_EQ(db.Run("INCRBYFLOAT f inf"), "ERR increment would produce NaN or Infinity");
  EXPECT_EQ(db.Run("INCRBYFLOAT f -inf"), "ERR increment would produce NaN or Infinity");
  EXPECT_EQ(db.Run("GET f"), "1");
  db.Run("SET f ' 3'");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 1"), kNotFloat);
}

TEST(IncrByFloat, KeepsTheDeadline) {
  Db db;
  db.Run("SET f 1.5 EX 10");
  EXPECT_EQ(db.Run("INCRBYFLOAT f 1"), "2.5");
  EXPECT_EQ(db.Run("TTL f"), 10);
}

}  // namespace
}  // namespace lapse
