#include "protocol/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>

namespace lapse {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(ParseInt64, TakesTheOneSpelling) {
  std::mt19937_64 random(1);
  for (int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{10}, kMin, kMin + 1, kMax}) {
    int64_t parsed = 42;
    EXPECT_TRUE(ParseInt64(std::to_string(value), parsed)) << value;
    EXPECT_EQ(parsed, value);
  }
  for (int i = 0; i < 10000; ++i) {
    const int64_t value = static_cast<int64_t>(random()) >> (random() % 64);
    int64_t parsed = 42;
    ASSERT_TRUE(ParseInt64(std::to_string(value), parsed)) << value;
    ASSERT_EQ(parsed, value);
  }
}

TEST(ParseInt64, RefusesAnyOther) {
  for (const std::string text : {"",
                                 "-",
                                 "+1",
                                 " 1",
                                 "1 ",
                                 "01",
                                 "-01",
                                 "-0",
                                 "00",
                                 "1.0",
                                 "0x1",
                                 "1e3",
                                 "--1",
                                 "a",
                                 "1a",
                                 "9223372036854775808",
                                 "-9223372036854775809",
                                 "18446744073709551616",
                                 "99999999999999999999",
                                 "-99999999999999999999",
                                 "100000000000000000000"}) {
    int64_t parsed = 42;
    EXPECT_FALSE(ParseInt64(text, parsed)) << text;
    EXPECT_EQ(parsed, 42) << text;
  }
  int64_t parsed;
  EXPECT_FALSE(ParseInt64(std::string_view("1\0", 2), parsed));
}

TEST(FormatInt64, AgreesWithTheLibrary) {
  std::mt19937_64 random(2);
  for (int64_t value :
       {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{99}, int64_t{100}, kMin, kMax, int64_t{-7}}) {
    EXPECT_EQ(FormatInt64(value), std::to_string(value));
  }
  int64_t power = 1;
  for (int i = 0; i < 18; ++i, power *= 10) {
    EXPECT_EQ(FormatInt64(power), std::to_string(power));
    EXPECT_EQ(FormatInt64(power - 1), std::to_string(power - 1));
  }
  for (int i = 0; i < 10000; ++i) {
    const int64_t value = static_cast<int64_t>(random()) >> (random() % 64);
    ASSERT_EQ(FormatInt64(value), std::to_string(value));
  }
}

TEST(ParseDouble, TakesWhatRedisTakes) {
  const struct {
    const char* text;
    double value;
  } kCases[] = {
      {"0", 0},
      {"5", 5},
      {"+5", 5},
      {"-5", -5},
      {".5", 0.5},
      {"5.", 5},
      {"1e5", 1e5},
      {"1e+5", 1e5},
      {"0x10", 16},
      {"0x.8", 0.5},
      {"-0x1p3", -8},
      {"1e-310", 1e-310},
      {"5e-324", 5e-324},
      {"3.1", 3.1},
      {"007", 7},
      {"inf", INFINITY},
      {"+inf", INFINITY},
      {"INF", INFINITY},
      {"-inf", -INFINITY},
      {"infinity", INFINITY},
      {"-0", -0.0},
      {"0e5", 0},
      {"0.000", 0},
      {"0x0p1", 0},
      {"1.7976931348623157e308", 1.7976931348623157e308},
  };
  for (const auto& [text, value] : kCases) {
    double parsed = 42;
    EXPECT_TRUE(ParseDouble(text, parsed)) << text;
    EXPECT_EQ(parsed, value) << text;
    EXPECT_EQ(std::signbit(parsed), std::signbit(value)) << text;
    long double wide = 42;
    EXPECT_TRUE(ParseLongDouble(text, wide)) << text;
    EXPECT_EQ(static_cast<double>(wide), value) << text;
  }
}

TEST(ParseDouble, RefusesWhatRedisRefuses) {
  for (const std::string text :
       {"",    " ",   " 5", "5 ",   "\t5", "nan", "NaN",  "+nan",  "-nan", "nan(1)", ".",
        "-",   "+",   "1e", "1e+",  "0x",  "-0x", "0x.",  "--5",   "+-5",  "-+5",    "++5",
        "+ 5", "abc", "5a", "infx", "in",  "1,5", "0x-5", "0xinf", "e5"}) {
    double parsed = 42;
    EXPECT_FALSE(ParseDouble(text, parsed)) << text;
    EXPECT_EQ(parsed, 42) << text;
    long double wide = 42;
    EXPECT_FALSE(ParseLongDouble(text, wide)) << text;
    EXPECT_EQ(wide, 42) << text;
  }
  double parsed;
  EXPECT_FALSE(ParseDouble(std::string_view("5\0", 2), parsed));
  for (const char* text : {"1e400", "-1e400", "1e-400", "0x1p-1080", "0x1p2000", "-1e-400"}) {
    EXPECT_FALSE(ParseDouble(text, parsed)) << text;
    long double wide;
    EXPECT_TRUE(ParseLongDouble(text, wide)) << text;
  }
}

TEST(ParseLongDouble, IsBounded) {
  long double wide;
  EXPECT_TRUE(ParseLongDouble(std::string(kMaxLongDoubleChars - 1, '0'), wide));
  EXPECT_FALSE(ParseLongDouble(std::string(kMaxLongDoubleChars, '0'), wide));
  EXPECT_FALSE(ParseLongDouble(std::string_view("5\0", 2), wide));
  EXPECT_FALSE(ParseLongDouble("1e5000", wide));
  EXPECT_FALSE(ParseLongDouble("1e-5000", wide));
}

std::string Printf(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

TEST(FormatDouble, LooksLikeRedis) {
  EXPECT_EQ(FormatDouble(3), "3");
  EXPECT_EQ(FormatDouble(3.1), "3.1000000000000001");
  EXPECT_EQ(FormatDouble(0.5), "0.5");
  EXPECT_EQ(FormatDouble(0.0001), "0.0001");
  EXPECT_EQ(FormatDouble(0.00001), "1.0000000000000001e-05");
  EXPECT_EQ(FormatDouble(1e16), "10000000000000000");
  EXPECT_EQ(FormatDouble(1e17), "1e+17");
  EXPECT_EQ(FormatDouble(1.2345678901234568e17), "1.2345678901234568e+17");
  EXPECT_EQ(FormatDouble(5e-324), "4.9406564584124654e-324");
  EXPECT_EQ(FormatDouble(-0.0), "-0");
  EXPECT_EQ(FormatDouble(INFINITY), "inf");
  EXPECT_EQ(FormatDouble(-INFINITY), "-inf");
  EXPECT_EQ(FormatDouble(-NAN), "nan");
}

TEST(FormatDouble, AgreesWithPrintf) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    double value;
    static_assert(sizeof(value) == sizeof(bits));
    std::memcpy(&value, &bits, sizeof(value));
    if (i % 2 == 0) value = static_cast<double>(static_cast<int64_t>(bits) >> (random() % 64));
    if (std::isnan(value)) continue;
    ASSERT_EQ(FormatDouble(value), Printf(value));
    double parsed;
    ASSERT_TRUE(ParseDouble(FormatDouble(value), parsed) || std::isinf(value));
    ASSERT_TRUE(parsed == value || std::isinf(value));
  }
  EXPECT_LE(FormatDouble(-std::numeric_limits<double>::max()).size(), kMaxDoubleChars);
  EXPECT_LE(FormatDouble(-std::numeric_limits<double>::denorm_min()).size(), kMaxDoubleChars);
}

TEST(FormatLongDoubleHuman, LooksLikeRedis) {
  const auto format = [](const char* text) {
    long double value;
    return ParseLongDouble(text, value) ? FormatLongDoubleHuman(value) : "refused";
  };
  EXPECT_EQ(format("3.1"), "3.1");
  EXPECT_EQ(format("10.50"), "10.5");
  EXPECT_EQ(format("5.0e3"), "5000");
  EXPECT_EQ(format("0"), "0");
  EXPECT_EQ(format("-0"), "0");
  EXPECT_EQ(format("1e-310"), "0");
  EXPECT_EQ(format("-1e-310"), "0");
  EXPECT_EQ(format("100"), "100");
  EXPECT_EQ(format("0.00001"), "0.00001");
  EXPECT_EQ(format("123456789012345678"), "123456789012345678");
  EXPECT_EQ(
      format("1e100"),
      "9999999999999999999669353532207342619498699019828496079271391541752018669482644324418977"
      "840117055488");
  EXPECT_EQ(format("inf"), "inf");
  EXPECT_EQ(format("-inf"), "-inf");
  EXPECT_EQ(format("1e4932").size(), 4933u);
  EXPECT_EQ(FormatLongDoubleHuman(-std::numeric_limits<long double>::max()).size(), 4934u);
}

}  // namespace
}  // namespace lapse
