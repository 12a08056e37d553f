// The format's primitives, its checksum, and LZF.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "storage/persist/crc64.h"
#include "storage/persist/dump_payload.h"
#include "storage/persist/lzf.h"
#include "storage/persist/rdb_reader.h"
#include "storage/persist/rdb_writer.h"

namespace lapse {
namespace {

using std::string_literals::operator""s;

TEST(Crc64, OfTheUsualDigits) {
  EXPECT_EQ(Crc64("123456789"), 0xe9c6d914c4b8d9caULL);
  EXPECT_EQ(Crc64(""), 0u);
}

TEST(Crc64, InPiecesAsInOne) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * 37);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(Crc64(bytes.substr(cut), Crc64(bytes.substr(0, cut))), Crc64(bytes));
  }
}

TEST(Lzf, LiteralsAndCopies) {
  std::string out;
  EXPECT_TRUE(UnpackLzf("\2abc"s, 3, out));
  EXPECT_EQ(out, "abc");
  EXPECT_TRUE(UnpackLzf("\0a\xe0\x0a\0"s, 20, out)) << "a copy of what it is writing";
  EXPECT_EQ(out, std::string(20, 'a'));
  EXPECT_TRUE(UnpackLzf("\2abc\x20\2"s, 6, out));
  EXPECT_EQ(out, "abcabc");
}

TEST(Lzf, Damage) {
  std::string out;
  for (const std::string& packed :
       {"\3abc"s, "\2abc\x20\3"s, "\2abc\x20"s, "\2abc\xe0"s, "\2abc\xe0\1"s, "\2abc"s, ""s}) {
    EXPECT_FALSE(UnpackLzf(packed, 6, out));
  }
  EXPECT_FALSE(UnpackLzf("\2abc"s, 2, out));
  EXPECT_FALSE(UnpackLzf("\2abc"s, size_t{1} << 60, out));
}

TEST(Rdb, LengthsAndTextsReadBack) {
  const std::vector<uint64_t> lengths = {
      0, 63, 64, 16383, 16384, UINT32_MAX, uint64_t{UINT32_MAX} + 1, UINT64_MAX};
  const std::vector<std::string> texts = {"",
                                          "0",
                                          "-128",
                                          "128",
                                          "-32769",
                                          "32768",
                                          "2147483647",
                                          "-2147483648",
                                          "2147483648",
                                          "9223372036854775807",
                                          "007",
                                          "-0",
                                          std::string(70'000, 'x')};
  std::string bytes;
  RdbWriter out(bytes);
  for (const uint64_t length : lengths) out.Length(length);
  for (const std::string& text : texts) out.Text(text);
  out.Millis(-5);
  out.Double(-0.1);
  RdbReader in(bytes);
  for (const uint64_t length : lengths) EXPECT_EQ(in.Length(), length);
  for (const std::string& text : texts) EXPECT_EQ(in.Text(), text);
  EXPECT_EQ(in.Millis(), -5);
  EXPECT_EQ(in.Double(), -0.1);
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.done());
}

TEST(Rdb, NothingMoreAfterAFailure) {
  RdbReader in("\7abc\1d");
  EXPECT_EQ(in.Text(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_TRUE(in.done());
  EXPECT_EQ(in.Byte(), 0);
  EXPECT_EQ(in.Length(), 0u);
}

TEST(Rdb, CountsAreHeldAgainstTheBytes) {
  EXPECT_EQ(RdbReader("\3aaa").Count(1), 3u);
  RdbReader none(std::string_view("\0aaa", 4));
  none.Count(1);
  EXPECT_FALSE(none.ok());
  RdbReader many("\4aaa");
  many.Count(1);
  EXPECT_FALSE(many.ok());
  RdbReader wide("\2aaa");
  wide.Count(2);
  EXPECT_FALSE(wide.ok());
}

TEST(Rdb, DecimalScores) {
  RdbReader in(
      "\3"
      "2.5"
      "\xfe\xff");
  EXPECT_EQ(in.DecimalDouble(), 2.5);
  EXPECT_EQ(in.DecimalDouble(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(in.DecimalDouble(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(in.ok());
  RdbReader nan("\xfd");
  nan.DecimalDouble();
  EXPECT_FALSE(nan.ok());
}

TEST(DumpPayload, ClosedAndOpened) {
  std::string payload = "body";
  SealDump(payload, 10);
  EXPECT_EQ(payload.size(), 14u);
  EXPECT_EQ(OpenDump(payload), "body");
  EXPECT_FALSE(OpenDump(payload + "x").has_value());
  EXPECT_FALSE(OpenDump("").has_value());
  std::string newer = "body";
  SealDump(newer, 13);
  EXPECT_FALSE(OpenDump(newer).has_value());
}

}  // namespace
}  // namespace lapse
