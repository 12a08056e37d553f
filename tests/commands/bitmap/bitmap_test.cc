// SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "tests/support/db.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kBadOffset = "ERR bit offset is not an integer or out of range";
constexpr std::string_view kBadBit = "ERR bit is not an integer or out of range";
constexpr std::string_view kSyntax = "ERR syntax error";
constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";

TEST(SetBit, SetsAndRepliesWithTheOldBit) {
  Db db;
  EXPECT_EQ(db.Run("SETBIT k 1 1"), 0);
  EXPECT_EQ(db.Run("GET k"), "@");
  EXPECT_EQ(db.Run("SETBIT k 7 1"), 0);
  EXPECT_EQ(db.Run("GET k"), "A");
  EXPECT_EQ(db.Run("SETBIT k 1 0"), 1);
  EXPECT_EQ(db.Run("GETBIT k 1"), 0);
  EXPECT_EQ(db.Run("GETBIT k 7"), 1);
  EXPECT_EQ(db.Run("SETBIT k 8000 1"), 0);
  EXPECT_EQ(db.Run("STRLEN k"), 1001);
  EXPECT_EQ(db.Run("GETBIT k 8000"), 1);
  EXPECT_EQ(db.Run("GETBIT k 9000"), 0);
}

TEST(SetBit, ReportsOnlyChanges) {
  Db db;
  db.Run("SETBIT k 7 0");
  EXPECT_THAT(db.events(), ElementsAre("setbit k")) << "made";
  db.Run("SETBIT k 3 0");
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("SETBIT k 8 0");
  EXPECT_THAT(db.events(), ElementsAre("setbit k")) << "longer";
  db.Run("SETBIT k 8 1");
  EXPECT_THAT(db.events(), ElementsAre("setbit k"));
}

TEST(SetBit, KeepsTheDeadlineAndMakesTheEncodingRaw) {
  Db db;
  db.Run("SET k 12 PX 500");
  EXPECT_EQ(db.Run("SETBIT k 6 1"), 0);
  EXPECT_EQ(db.Run("GET k"), "32");
  EXPECT_EQ(db.Run("PTTL k"), 500);
  EXPECT_EQ(db.Run("OBJECT ENCODING k"), "raw");
}

TEST(SetBit, Errors) {
  Db db;
  for (const char* offset : {"-1", "x", "4294967296", "#1", "", "9223372036854775808"}) {
    EXPECT_EQ(db.Call({"SETBIT", "k", offset, "1"}), kBadOffset) << offset;
    EXPECT_EQ(db.Call({"GETBIT", "k", offset}), kBadOffset) << offset;
  }
  for (const char* bit : {"2", "-1", "x", ""}) {
    EXPECT_EQ(db.Call({"SETBIT", "k", "1", bit}), kBadBit) << bit;
  }
  EXPECT_EQ(db.Run("EXISTS k"), 0);
}

TEST(BitCount, Ranges) {
  Db db;
  db.Run("SET k foobar");
  EXPECT_EQ(db.Run("BITCOUNT k"), 26);
  EXPECT_EQ(db.Run("BITCOUNT k 0 0"), 4);
  EXPECT_EQ(db.Run("BITCOUNT k 1 1"), 6);
  EXPECT_EQ(db.Run("BITCOUNT k 1 1 BYTE"), 6);
  EXPECT_EQ(db.Run("BITCOUNT k 5 30 BIT"), 17);
  EXPECT_EQ(db.Run("BITCOUNT k -2 -1"), 7);
  EXPECT_EQ(db.Run("BITCOUNT k -1 -2"), 0);
  EXPECT_EQ(db.Run("BITCOUNT k 3 1"), 0);
  EXPECT_EQ(db.Run("BITCOUNT missing 0 x"), 0);
}

TEST(BitCount, Errors) {
  Db db;
  db.Run("SET k foobar");
  EXPECT_EQ(db.Run("BITCOUNT k 1"), kSyntax);
  EXPECT_EQ(db.Run("BITCOUNT k 1 2 WORD"), kSyntax);
  EXPECT_EQ(db.Run("BITCOUNT k 1 2 BIT x"), kSyntax);
  EXPECT_EQ(db.Run("BITCOUNT k 1 x"), kNotInteger);
}

TEST(BitPos, FindsTheFirst) {
  Db db;
  db.Call({"SET", "k", std::string("\xff\xf0\x00", 3)});
  EXPECT_EQ(db.Run("BITPOS k 0"), 12);
  EXPECT_EQ(db.Run("BITPOS k 1"), 0);
  EXPECT_EQ(db.Run("BITPOS k 1 2"), -1);
  EXPECT_EQ(db.Run("BITPOS k 0 0 0"), -1) << "the end was named";
  EXPECT_EQ(db.Run("BITPOS k 1 7 15 BIT"), 7);
  EXPECT_EQ(db.Run("BITPOS k 0 7 11 BIT"), -1);
  EXPECT_EQ(db.Run("BITPOS k 0 7 12 BIT"), 12);
  db.Call({"SET", "ones", std::string(100, '\xff')});
  EXPECT_EQ(db.Run("BITPOS ones 0"), 800) << "beyond the end are zeroes";
  EXPECT_EQ(db.Run("BITPOS ones 0 5"), 800);
  EXPECT_EQ(db.Run("BITPOS ones 0 0 -1"), -1);
  EXPECT_EQ(db.Run("BITPOS ones 0 200"), -1);
  EXPECT_EQ(db.Run("BITPOS missing 0"), 0);
  EXPECT_EQ(db.Run("BITPOS missing 1"), -1);
}

TEST(BitPos, Errors) {
  Db db;
  db.Run("SET k v");
  EXPECT_EQ(db.Run("BITPOS k 2"), "ERR The bit argument must be 1 or 0.");
  EXPECT_EQ(db.Run("BITPOS k x"), kNotInteger);
  EXPECT_EQ(db.Run("BITPOS k 1 x"), kNotInteger);
  EXPECT_EQ(db.Run("BITPOS k 1 0 x WORD"), kSyntax);
  EXPECT_EQ(db.Run("BITPOS k 1 0 x BIT"), kNotInteger);
  EXPECT_EQ(db.Run("BITPOS k 1 0 1 BIT x"), kSyntax);
}

TEST(BitCount, AgreesWithCountingOneByOne) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Db db;
    std::string bytes(random() % 60, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 2 * 255);
    }
    const auto bit = [&](int64_t i) {
      return bytes[static_cast<size_t>(i >> 3)] >> (7 - (i & 7)) & 1;
    };
    db.Call({"SET", "k", bytes});
    const auto size = static_cast<int64_t>(bytes.size()) * 8;
    const int64_t first = static_cast<int64_t>(random()) % (size + 1);
    const int64_t last = static_cast<int64_t>(random()) % (size + 10);
    int64_t ones = 0;
    int64_t found[2] = {-1, -1};
    for (int64_t i = first; i <= last && i < size; ++i) {
      ones += bit(i);
      if (found[bit(i)] < 0) found[bit(i)] = i;
    }
    const std::string from = std::to_string(first);
    const std::string to = std::to_string(last);
    ASSERT_EQ(db.Call({"BITCOUNT", "k", from, to, "BIT"}), ones);
    ASSERT_EQ(db.Call({"BITPOS", "k", "0", from, to, "BIT"}), found[0]);
    ASSERT_EQ(db.Call({"BITPOS", "k", "1", from, to, "BIT"}), found[1]);
  }
}

TEST(BitOp, CombinesStringsOfDifferentLengths) {
  Db db;
  db.Run("SET a abcdef");
  db.Run("SET b foob");
  EXPECT_EQ(db.Run("BITOP AND d a b missing"), 6);
  EXPECT_EQ(db.Run("GET d"), std::string(6, '\0'));
  EXPECT_EQ(db.Run("BITOP and d a b"), 6);
  EXPECT_EQ(db.Run("GET d"), std::string("`bc`\0\0", 6));
  EXPECT_EQ(db.Run("BITOP OR d a b"), 6);
  EXPECT_EQ(db.Run("GET d"), "goofef");
  EXPECT_EQ(db.Run("BITOP XOR d a b"), 6);
  EXPECT_EQ(db.Run("GET d"), std::string("\x07\x0d\x0c\x06"
                                         "ef"));
  EXPECT_EQ(db.Run("BITOP NOT d b"), 4);
  EXPECT_EQ(db.Run("GET d"), "\x99\x90\x90\x9d");
  EXPECT_EQ(db.Run("BITOP NOT b b"), 4) << "onto itself";
  EXPECT_EQ(db.Run("GET b"), "\x99\x90\x90\x9d");
}

TEST(BitOp, NothingRemovesTheDestination) {
  Db db;
  db.Run("SET d x EX 10");
  db.Run("SET a ''");
  db.events();
  EXPECT_EQ(db.Run("BITOP OR d a missing"), 0);
  EXPECT_THAT(db.events(), ElementsAre("del d"));
  EXPECT_EQ(db.Run("BITOP OR d a"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("SET a x");
  db.Run("SET d y EX 10");
  db.events();
  EXPECT_EQ(db.Run("BITOP OR d a"), 1);
  EXPECT_THAT(db.events(), ElementsAre("set d"));
  EXPECT_EQ(db.Run("TTL d"), -1);
}

TEST(BitOp, Errors) {
  Db db;
  EXPECT_EQ(db.Run("BITOP NAND d a"), kSyntax);
  EXPECT_EQ(db.Run("BITOP NOT d a b"), "ERR BITOP NOT must be called with a single source key.");
}

TEST(BitField, SetGetAndIncrement) {
  Db db;
  EXPECT_EQ(
      db.Run("BITFIELD k SET u8 0 200 GET u8 0 GET i8 0 INCRBY u8 0 100 INCRBY u4 #1 1").ToString(),
      db.Run("BITFIELD k2 SET u8 0 200 GET u8 0 GET i8 0 INCRBY u8 0 100 INCRBY u4 4 1")
          .ToString());
  const Reply reply = db.Run("BITFIELD m SET i5 100 -3 GET i5 100 GET u63 90 INCRBY i64 0 -1");
  ASSERT_EQ(reply.size(), 4u);
  EXPECT_EQ(reply[0], 0);
  EXPECT_EQ(reply[1], -3);
  EXPECT_EQ(reply[3], -1);
  EXPECT_EQ(db.Run("STRLEN m"), 14);
  EXPECT_EQ(db.Run("BITFIELD missing").size(), 0u);
  EXPECT_EQ(db.Run("EXISTS missing"), 0);
}

TEST(BitField, OverflowModes) {
  Db db;
  const auto run = [&](const std::string& operation) {
    db.Run("DEL k");
    db.Run("BITFIELD k SET u8 0 250 SET i8 8 -120");
    return db.Run("BITFIELD k OVERFLOW " + operation)[0];
  };
  EXPECT_EQ(run("WRAP INCRBY u8 0 10"), 4);
  EXPECT_EQ(run("SAT INCRBY u8 0 10"), 255);
  EXPECT_EQ(run("SAT INCRBY u8 0 -251"), 0);
  EXPECT_TRUE(run("FAIL INCRBY u8 0 10").IsNull());
  EXPECT_EQ(run("WRAP INCRBY i8 8 -10"), 126);
  EXPECT_EQ(run("SAT INCRBY i8 8 -10"), -128);
  EXPECT_TRUE(run("FAIL INCRBY i8 8 -10").IsNull());
  EXPECT_EQ(run("SAT SET u8 0 -1"), 250);
  EXPECT_EQ(db.Run("BITFIELD k GET u8 0")[0], 255);
  EXPECT_EQ(run("WRAP SET u8 0 257"), 250);
  EXPECT_EQ(db.Run("BITFIELD k GET u8 0")[0], 1);
}

TEST(BitField, WidestFields) {
  Db db;
  db.Run("BITFIELD k SET i64 3 9223372036854775807");
  EXPECT_EQ(db.Run("BITFIELD k GET i64 3")[0], INT64_MAX);
  EXPECT_EQ(db.Run("BITFIELD k OVERFLOW SAT INCRBY i64 3 1")[0], INT64_MAX);
  EXPECT_EQ(db.Run("BITFIELD k INCRBY i64 3 1")[0], INT64_MIN);
  EXPECT_EQ(db.Run("BITFIELD k OVERFLOW SAT INCRBY i64 3 -1")[0], INT64_MIN);
  db.Run("BITFIELD k OVERFLOW SAT SET u63 3 -1");
  EXPECT_EQ(db.Run("BITFIELD k GET u63 3")[0], INT64_MAX);
}

TEST(BitField, Events) {
  Db db;
  db.Run("BITFIELD k SET u8 0 0");
  EXPECT_THAT(db.events(), ElementsAre("setbit k"));
  db.Run("BITFIELD k SET u8 0 0 GET u8 0");
  EXPECT_THAT(db.events(), IsEmpty());
  db.Run("BITFIELD k SET u8 0 5 INCRBY u8 0 5");
  EXPECT_THAT(db.events(), ElementsAre("setbit k"));
}

TEST(BitField, Errors) {
  Db db;
  const std::string_view bad_type =
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.";
  for (const char* type : {"u64", "i65", "i0", "x8", "8", "I8", "", "u", "i-1"}) {
    EXPECT_EQ(db.Call({"BITFIELD", "k", "GET", type, "0"}), bad_type) << type;
  }
  EXPECT_EQ(db.Run("BITFIELD k GET u8"), kSyntax);
  EXPECT_EQ(db.Run("BITFIELD k SET u8 0"), kSyntax);
  EXPECT_EQ(db.Run("BITFIELD k SET u8 0 x"), kNotInteger);
  EXPECT_EQ(db.Run("BITFIELD k SET u8 -1 1"), kBadOffset);
  EXPECT_EQ(db.Run("BITFIELD k SET u8 #x 1"), kBadOffset);
  EXPECT_EQ(db.Run("BITFIELD k OVERFLOW"), kSyntax);
  EXPECT_EQ(db.Run("BITFIELD k OVERFLOW x"), "ERR Invalid OVERFLOW type specified");
  EXPECT_EQ(db.Run("BITFIELD_RO k SET u8 0 1"), "ERR BITFIELD_RO only supports the GET subcommand");
  EXPECT_EQ(db.Run("BITFIELD_RO k GET u8 0")[0], 0);
  EXPECT_EQ(db.Run("EXISTS k"), 0);
  EXPECT_NE(db.Run("SETBIT k 0 1"), kWrongType);
}

}  // namespace
}  // namespace lapse
