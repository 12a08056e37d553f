#include "server/http/reply_json.h"

#include <gtest/gtest.h>

#include <limits>

#include "boost/json/serialize.hpp"
#include "tests/support/db.h"

namespace lapse {
namespace {

std::string JsonText(const Reply& reply) { return boost::json::serialize(ReplyToJson(reply)); }

TEST(ReplyJsonTest, ScalarsAndCollections) {
  Db db;
  db.Resp(3);
  EXPECT_EQ(JsonText(db.Run("SET k v")), R"("OK")");
  EXPECT_EQ(JsonText(db.Run("GET none")), "null");
  EXPECT_EQ(JsonText(db.Run("DBSIZE")), "1");
  db.Run("RPUSH l a 2");
  EXPECT_EQ(JsonText(db.Run("LRANGE l 0 -1")), R"(["a","2"])");
  db.Run("ZADD z 1.5 m");
  EXPECT_EQ(JsonText(db.Run("ZSCORE z m")), "1.5E0");
}

TEST(ReplyJsonTest, NamesOfMapsHaveUnderscores) {
  Db db;
  db.Resp(3);
  EXPECT_EQ(JsonText(db.Run("CONFIG GET active-expire-effort")), R"({"active_expire_effort":"1"})");
}

TEST(ReplyJsonTest, NumbersThatJsonLacksAreTexts) {
  Reply reply;
  reply.type = ReplyType::kDouble;
  reply.number = std::numeric_limits<double>::infinity();
  EXPECT_EQ(JsonText(reply), R"("inf")");
  reply.number = -reply.number;
  EXPECT_EQ(JsonText(reply), R"("-inf")");
  reply.number = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(JsonText(reply), R"("nan")");
}

TEST(ReplyJsonTest, StrayBytesAreReplaced) {
  EXPECT_EQ(ValidUtf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(ValidUtf8("\xF0\x9F\x99\x82"), "\xF0\x9F\x99\x82");
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(ValidUtf8("a\xFF"), "a" + mark);
  EXPECT_EQ(ValidUtf8("\xC3"), mark);
  EXPECT_EQ(ValidUtf8("\xC0\x80"), mark + mark);             // overlong
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), mark + mark + mark);  // a surrogate
  EXPECT_EQ(ValidUtf8("\xF4\x90\x80\x80"), mark + mark + mark + mark);
  EXPECT_EQ(ValidUtf8("\xE2\x82x"), mark + mark + "x");
}

TEST(ReplyJsonTest, InfoBecomesSections) {
  const boost::json::object info = InfoToJson(
      "# Memory\r\nused_memory:123\r\nratio:1.25\r\nhuman:1.5M\r\n\r\n# Keyspace\r\n"
      "db0:keys=1,expires=0\r\n");
  EXPECT_EQ(boost::json::serialize(info),
            R"({"memory":{"used_memory":123,"ratio":1.25E0,"human":"1.5M"},)"
            R"("keyspace":{"db0":"keys=1,expires=0"}})");
}

}  // namespace
}  // namespace lapse
