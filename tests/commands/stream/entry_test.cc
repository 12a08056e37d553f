// XADD, XRANGE, XDEL, XTRIM and XSETID.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kBadId = "ERR Invalid stream ID specified as stream command argument";
constexpr std::string_view kTooSmall =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";

// The ids of entries in a reply.
std::vector<std::string> Ids(const Reply& entries) {
  std::vector<std::string> ids;
  for (const Reply& entry : entries.elements) ids.push_back(entry[0].text);
  return ids;
}

TEST(XAdd, MakesIdsFromTheClock) {
  Db db;
  const std::string now = std::to_string(db.clock().NowMs());
  EXPECT_EQ(db.Run("XADD s * f v"), now + "-0");
  EXPECT_EQ(db.Run("XADD s * f v"), now + "-1");
  db.AdvanceMs(5);
  EXPECT_EQ(db.Run("XADD s * f v"), std::to_string(db.clock().NowMs()) + "-0");
  EXPECT_EQ(db.Run("TYPE s"), "stream");
  EXPECT_EQ(db.Run("OBJECT ENCODING s"), "stream");
  EXPECT_EQ(db.Run("XLEN s"), 3);
}

TEST(XAdd, TakesIdsThatGrow) {
  Db db;
  EXPECT_EQ(db.Run("XADD s 5-2 f v"), "5-2");
  EXPECT_EQ(db.Run("XADD s 5-2 f v"), kTooSmall);
  EXPECT_EQ(db.Run("XADD s 5 f v"), kTooSmall) << "5-0";
  EXPECT_EQ(db.Run("XADD s 5-* f v"), "5-3");
  EXPECT_EQ(db.Run("XADD s 7-* f v"), "7-0");
  EXPECT_EQ(db.Run("XADD s 6-* f v"), kTooSmall);
  EXPECT_EQ(db.Run("XADD s 7-18446744073709551615 f v"), "7-18446744073709551615");
  EXPECT_EQ(db.Run("XADD s 7-* f v"), kTooSmall);
  EXPECT_EQ(db.Run("XADD t 0-0 f v"), "ERR The ID specified in XADD must be greater than 0-0");
  EXPECT_EQ(db.Run("XADD t 0-* f v"), "0-1");
  EXPECT_EQ(db.Run("XADD s 18446744073709551615-18446744073709551615 f v"),
            "18446744073709551615-18446744073709551615");
  EXPECT_EQ(db.Run("XADD s * f v"),
            "ERR The stream has exhausted the last possible ID, unable to add more items");
}

TEST(XAdd, RefusesWhatIsNoId) {
  Db db;
  for (const char* id : {"-", "+", "abc", "1-", "-1", "1-1-1", "1-x", "18446744073709551616", "''",
                         "(1-1", "1.5", "NOSUCHOPTION"}) {
    EXPECT_EQ(db.Run(std::string("XADD s ") + id + " f v"), kBadId) << id;
  }
  EXPECT_EQ(db.Run("XADD s * f v g"), "ERR wrong number of arguments for 'xadd' command");
  EXPECT_EQ(db.Run("XADD s NOMKSTREAM MAXLEN 5 *"),
            "ERR wrong number of arguments for 'xadd' command");
  EXPECT_EQ(db.Run("EXISTS s"), 0);
}

TEST(XAdd, NoMkStream) {
  Db db;
  EXPECT_TRUE(db.Run("XADD s NOMKSTREAM * f v").IsNull());
  EXPECT_EQ(db.Run("EXISTS s"), 0);
  db.Run("XADD s 1-1 f v");
  EXPECT_EQ(db.Run("XADD s nomkstream 2-1 f v"), "2-1");
}

TEST(XAdd, TrimsAndReports) {
  Db db;
  for (int i = 1; i <= 5; ++i) db.Run("XADD s " + std::to_string(i) + "-0 f v");
  db.events();
  EXPECT_EQ(db.Run("XADD s MAXLEN 3 6-0 f v"), "6-0");
  EXPECT_THAT(db.events(), ElementsAre("xadd s", "xtrim s"));
  EXPECT_THAT(Ids(db.Run("XRANGE s - +")), ElementsAre("4-0", "5-0", "6-0"));
  EXPECT_EQ(db.Run("XADD s MINID = 6 7-0 f v"), "7-0");
  EXPECT_THAT(Ids(db.Run("XRANGE s - +")), ElementsAre("6-0", "7-0"));
  EXPECT_EQ(db.Run("XADD s MAXLEN ~ 1 8-0 f v"), "8-0");
  EXPECT_EQ(db.Run("XLEN s"), 3) << "all are in one block";
}

TEST(XAdd, TrimOptionsThatContradict) {
  Db db;
  EXPECT_EQ(db.Run("XADD s MAXLEN 1 MINID 1 * f v"),
            "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
  EXPECT_EQ(db.Run("XADD s LIMIT 1 * f v"),
            "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  EXPECT_EQ(db.Run("XADD s MAXLEN 1 LIMIT 1 * f v"),
            "ERR syntax error, LIMIT cannot be used without the special ~ option");
  EXPECT_EQ(db.Run("XADD s MAXLEN -1 * f v"), "ERR The MAXLEN argument must be >= 0.");
  EXPECT_EQ(db.Run("XADD s MAXLEN ~ 1 LIMIT -1 * f v"), "ERR The LIMIT argument must be >= 0.");
  EXPECT_EQ(db.Run("XADD s MAXLEN x * f v"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("XTRIM s LIMIT 0"),
            "ERR syntax error, XTRIM must be called with a trimming strategy");
}

TEST(XRange, Intervals) {
  Db db;
  for (const char* id : {"1-1", "1-2", "2-0", "3-5"}) {
    db.Run(std::string("XADD s ") + id + " f v");
  }
  EXPECT_THAT(Ids(db.Run("XRANGE s 1 2")), ElementsAre("1-1", "1-2", "2-0"));
  EXPECT_THAT(Ids(db.Run("XRANGE s (1-1 (3-5")), ElementsAre("1-2", "2-0"));
  EXPECT_THAT(Ids(db.Run("XRANGE s - + COUNT 2")), ElementsAre("1-1", "1-2"));
  EXPECT_THAT(Ids(db.Run("XREVRANGE s + - COUNT 2")), ElementsAre("3-5", "2-0"));
  EXPECT_THAT(Ids(db.Run("XREVRANGE s 2 1-2")), ElementsAre("2-0", "1-2"));
  EXPECT_THAT(Ids(db.Run("XRANGE s 3 1")), IsEmpty());
  EXPECT_TRUE(db.Run("XRANGE s - + COUNT 0").IsNull());
  EXPECT_EQ(db.Run("XRANGE none - + COUNT 0").size(), 0u);
  EXPECT_EQ(db.Run("XRANGE s (18446744073709551615-18446744073709551615 +"),
            "ERR invalid start ID for the interval");
  EXPECT_EQ(db.Run("XRANGE s - (0-0"), "ERR invalid end ID for the interval");
  EXPECT_EQ(db.Run("XRANGE s (- +"), kBadId);
  EXPECT_EQ(db.Run("XRANGE s - + COUNT"), "ERR syntax error");
}

TEST(XRange, FieldsAndValuesInTheirOrder) {
  Db db;
  db.Run("XADD s 1-1 name Ada year 1815");
  db.Run("XADD s 1-2 name Bob year 1900");
  db.Run("XADD s 1-3 other 1 other 2");
  const Reply entries = db.Run("XRANGE s - +");
  EXPECT_THAT(Texts(entries[1][1]), ElementsAre("name", "Bob", "year", "1900"));
  EXPECT_THAT(Texts(entries[2][1]), ElementsAre("other", "1", "other", "2"));
}

TEST(XDel, KeepsTheStreamWhenItIsEmpty) {
  Db db;
  db.Run("XADD s 1-1 f v");
  db.Run("XADD s 2-1 f v");
  db.events();
  EXPECT_EQ(db.Run("XDEL s 2-1 9-9 2-1"), 1);
  EXPECT_THAT(db.events(), ElementsAre("xdel s"));
  EXPECT_EQ(db.Run("XDEL s 2-1"), 0);
  EXPECT_THAT(db.events(), IsEmpty());
  EXPECT_EQ(db.Run("XDEL s 1-1 bad"), kBadId);
  EXPECT_EQ(db.Run("XDEL s 1-1"), 1);
  EXPECT_EQ(db.Run("XLEN s"), 0);
  EXPECT_EQ(db.Run("EXISTS s"), 1);
  EXPECT_EQ(db.Run("XADD s 2-1 f v"), kTooSmall);
  EXPECT_EQ(db.Run("XDEL none bad"), 0);
}

TEST(XTrim, WholeBlocksOrExactly) {
  Db db;
  db.Run("CONFIG SET stream-node-max-entries 10");
  for (int i = 1; i <= 100; ++i) db.Run("XADD s " + std::to_string(i) + " f v");
  EXPECT_EQ(db.Run("XTRIM s MAXLEN ~ 55"), 40);
  EXPECT_EQ(db.Run("XTRIM s MAXLEN = 55"), 5);
  EXPECT_EQ(db.Run("XTRIM s MINID ~ 60 LIMIT 7"), 5);
  EXPECT_EQ(db.Run("XTRIM s MINID 60"), 9);
  EXPECT_EQ(db.Run("XINFO STREAM s")[3], 5);
  EXPECT_EQ(db.Run("XTRIM s MAXLEN 0"), 41);
  EXPECT_EQ(db.Run("XTRIM none MAXLEN 0"), 0);
}

TEST(XSetId, MovesTheLastId) {
  Db db;
  db.Run("XADD s 5-1 f v");
  EXPECT_EQ(db.Run("XSETID s 4"),
            "ERR The ID specified in XSETID is smaller than the target stream top item");
  EXPECT_EQ(db.Run("XSETID s 9-9 ENTRIESADDED 0"),
            "ERR The entries_added specified in XSETID is smaller than the target stream length");
  EXPECT_EQ(db.Run("XSETID s 9-9 MAXDELETEDID 10"),
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
  EXPECT_EQ(db.Run("XSETID s 9-9 ENTRIESADDED 7 MAXDELETEDID 6-1"), "OK");
  EXPECT_EQ(db.Run("XADD s 9-9 f v"), kTooSmall);
  EXPECT_EQ(db.Run("XSETID none 1-1"), "ERR no such key");
}

TEST(Stream, OtherTypes) {
  Db db;
  db.Run("SET k v");
  for (const char* line :
       {"XADD k * f v", "XLEN k", "XRANGE k - +", "XDEL k 1", "XTRIM k MAXLEN 1", "XSETID k 1",
        "XREAD STREAMS k 0", "XGROUP CREATE k g 0", "XACK k g 1", "XPENDING k g",
        "XCLAIM k g c 0 1", "XAUTOCLAIM k g c 0 0", "XINFO STREAM k"}) {
    EXPECT_THAT(db.Run(line).text, HasSubstr("WRONGTYPE")) << line;
  }
  db.Run("XADD s 1-1 f v");
  EXPECT_THAT(db.Run("GET s").text, HasSubstr("WRONGTYPE"));
}

TEST(Stream, CopyStandsOnItsOwn) {
  Db db;
  db.Run("XADD s 1-1 f v");
  db.Run("XGROUP CREATE s g 0");
  EXPECT_EQ(db.Run("COPY s t"), 1);
  db.Run("XADD t 2-1 f v");
  db.Run("XGROUP DESTROY s g");
  EXPECT_EQ(db.Run("XLEN s"), 1);
  EXPECT_EQ(db.Run("XLEN t"), 2);
  EXPECT_EQ(db.Run("XINFO GROUPS t").size(), 1u);
}

}  // namespace
}  // namespace lapse
