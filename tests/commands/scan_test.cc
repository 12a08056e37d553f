// KEYS, SCAN, RANDOMKEY.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Every key that a whole scan returns, with how often.
std::map<std::string, int> ScanAll(Db& db, const std::vector<std::string>& options = {}) {
  std::map<std::string, int> found;
  std::string cursor = "0";
  do {
    std::vector<std::string> words = {"SCAN", cursor};
    words.insert(words.end(), options.begin(), options.end());
    const Reply reply = db.Call(words);
    EXPECT_EQ(reply.size(), 2u) << reply.ToString();
    if (reply.size() != 2) break;
    for (const std::string& key : Texts(reply[1])) ++found[key];
    cursor = reply[0].text;
  } while (cursor != "0");
  return found;
}

void Fill(Db& db, int count, const std::string& options = "") {
  for (int i = 0; i < count; ++i) db.Run("SET key:" + std::to_string(i) + " v " + options);
}

TEST(Keys, MatchThePattern) {
  Db db;
  db.Run("MSET one 1 two 2 three 3 four 4 '' empty");
  EXPECT_THAT(Texts(db.Run("KEYS *o*")), UnorderedElementsAre("one", "two", "four"));
  EXPECT_THAT(Texts(db.Run("KEYS t??")), UnorderedElementsAre("two"));
  EXPECT_THAT(Texts(db.Run("KEYS nothing")), IsEmpty());
  EXPECT_THAT(Texts(db.Run("KEYS T*")), IsEmpty());
  EXPECT_EQ(db.Run("KEYS *").size(), 5u);
  EXPECT_EQ(db.Run("KEYS **").size(), 4u) << "the empty key matches \"*\" alone, as in Redis";
}

TEST(Keys, OfTheSelectedDatabase) {
  Db db;
  db.Run("SET a 1");
  db.client().session().db = 5;
  EXPECT_THAT(Texts(db.Run("KEYS *")), IsEmpty());
  EXPECT_THAT(ScanAll(db), IsEmpty());
  EXPECT_TRUE(db.Run("RANDOMKEY").IsNull());
}

TEST(Scan, ReturnsEveryKeyOnce) {
  Db db;
  Fill(db, 20'000);
  for (const char* count : {"10", "1000", "9223372036854775807"}) {
    const auto found = ScanAll(db, {"COUNT", count});
    EXPECT_EQ(found.size(), 20'000u);
    for (const auto& [key, times] : found) ASSERT_EQ(times, 1) << key;
  }
}

TEST(Scan, KeysThatStayAreFoundWhileOthersComeAndGo) {
  Db db;
  Fill(db, 3000);
  std::set<std::string> found;
  std::string cursor = "0";
  int step = 0;
  do {
    const Reply reply = db.Call({"SCAN", cursor, "COUNT", "20"});
    for (const std::string& key : Texts(reply[1])) found.insert(key);
    cursor = reply[0].text;
    ++step;
    for (int i = 0; i < 100; ++i) {
      const std::string guest = "guest:" + std::to_string(step) + ":" + std::to_string(i);
      if (step < 60) db.Call({"SET", guest, "v"});
      if (step > 5) db.Call({"DEL", "guest:" + std::to_string(step - 5) + ":" + std::to_string(i)});
    }
  } while (cursor != "0");
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(found.contains("key:" + std::to_string(i))) << i;
}

TEST(Scan, FiltersByPatternAndType) {
  Db db;
  Fill(db, 500);
  db.Run("SET other v");
  EXPECT_EQ(ScanAll(db, {"MATCH", "key:4*"}).size(), 111u);
  EXPECT_EQ(ScanAll(db, {"TYPE", "STRING", "MATCH", "o*"}).size(), 1u);
  EXPECT_THAT(ScanAll(db, {"TYPE", "hash"}), IsEmpty());
  EXPECT_THAT(ScanAll(db, {"TYPE", "nosuchtype"}), IsEmpty());
}

TEST(Scan, DeletesWhatHasElapsed) {
  Db db;
  Fill(db, 300, "PX 10");
  db.Run("SET live v");
  db.AdvanceMs(11);
  db.events();
  const auto found = ScanAll(db);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.contains("live"));
  EXPECT_EQ(db.Run("DBSIZE"), 1);
  EXPECT_EQ(db.events().size(), 300u);
}

TEST(Scan, Cursors) {
  Db db;
  Fill(db, 10);
  for (const char* cursor : {"abc", " 1", "1 ", "1.5", "-", "+", "0x1", "18446744073709551616"}) {
    EXPECT_EQ(db.Call({"SCAN", cursor}), "ERR invalid cursor") << cursor;
  }
  for (const char* cursor :
       {"", "-1", "+1", "18446744073709551615", "9007199254740991", "9007199254740992", "007"}) {
    EXPECT_EQ(db.Call({"SCAN", cursor, "COUNT", "100"}).size(), 2u) << cursor;
  }
  EXPECT_EQ(db.Call({"SCAN", "", "COUNT", "100000"})[1].size(), 10u) << "as 0";
}

TEST(Scan, CursorsFitJavaScript) {
  Db db;
  Fill(db, 2000);
  std::string cursor = "0";
  do {
    cursor = db.Call({"SCAN", cursor, "COUNT", "7"})[0].text;
    ASSERT_LT(std::stoull(cursor), uint64_t{1} << 53);
  } while (cursor != "0");
}

TEST(Scan, Errors) {
  Db db;
  EXPECT_EQ(db.Run("SCAN abc COUNT 0"), "ERR invalid cursor");
  EXPECT_EQ(db.Run("SCAN 0 COUNT 0"), "ERR syntax error");
  EXPECT_EQ(db.Run("SCAN 0 COUNT -5"), "ERR syntax error");
  EXPECT_EQ(db.Run("SCAN 0 COUNT"), "ERR syntax error");
  EXPECT_EQ(db.Run("SCAN 0 COUNT abc"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("SCAN 0 MATCH"), "ERR syntax error");
  EXPECT_EQ(db.Run("SCAN 0 BOGUS x"), "ERR syntax error");
  EXPECT_EQ(db.Run("SCAN"), "ERR wrong number of arguments for 'scan' command");
}

TEST(RandomKey, OneOfTheKeys) {
  Db db;
  EXPECT_TRUE(db.Run("RANDOMKEY").IsNull());
  db.Run("SET only v");
  EXPECT_EQ(db.Run("RANDOMKEY"), "only");
  Fill(db, 50);
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(db.Run("RANDOMKEY").text);
  EXPECT_GT(seen.size(), 40u);
}

TEST(RandomKey, EndsWhenEveryKeyHasElapsed) {
  Db db;
  Fill(db, 2000, "PX 1");
  db.AdvanceMs(2);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(db.Run("RANDOMKEY").IsNull());
}

}  // namespace
}  // namespace lapse
