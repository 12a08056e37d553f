#include "server/http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lapse {
namespace {

using testing::ElementsAre;

TEST(TargetTest, TakesPathAndQueryApart) {
  const auto target = ParseTarget("/api/v1/tasks/a%3Ab?page=2&name=two+words&empty=&flag&x=%2B");
  ASSERT_TRUE(target.has_value());
  EXPECT_THAT(target->segments, ElementsAre("api", "v1", "tasks", "a:b"));
  EXPECT_EQ(target->path(), "/api/v1/tasks/a:b");
  ASSERT_EQ(target->query.size(), 5u);
  EXPECT_EQ(target->query[0].name, "page");
  EXPECT_EQ(target->query[1].value, "two words");
  EXPECT_EQ(target->query[2].value, "");
  EXPECT_EQ(target->query[3].name, "flag");
  EXPECT_EQ(target->query[4].value, "+");
}

TEST(TargetTest, TheRootHasNoSegments) {
  const auto target = ParseTarget("/");
  ASSERT_TRUE(target.has_value());
  EXPECT_TRUE(target->segments.empty());
  EXPECT_EQ(target->path(), "/");
}

TEST(TargetTest, RefusesWhatHasTwoReadings) {
  for (const char* const bad :
       {"",         "api",       "http://host/api", "//api",    "/api//v1", "/api/",  "/./api",
        "/api/..",  "/..",       "/%2e%2e/api",     "/api/%2E", "/a%2Fb",   "/a%5cb", "/a\\b",
        "/a%00b",   "/a%0d%0ab", "/a%7f",           "/a%",      "/a%4",     "/a%zz",  "/a?b=%",
        "/a?b=%g1", "/a?b#c"}) {
    EXPECT_FALSE(ParseTarget(bad).has_value()) << bad;
  }
}

TEST(TargetTest, EverythingIsBounded) {
  EXPECT_FALSE(ParseTarget("/" + std::string(HttpTarget::kMaxBytes, 'a')).has_value());
  std::string deep;
  for (size_t i = 0; i <= HttpTarget::kMaxSegments; ++i) deep += "/a";
  EXPECT_FALSE(ParseTarget(deep).has_value());
  std::string many = "/?";
  for (size_t i = 0; i <= HttpTarget::kMaxParameters; ++i) many += "a=1&";
  EXPECT_FALSE(ParseTarget(many).has_value());
}

TEST(TargetTest, EncodingComesBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string encoded = PercentEncode(all);
  EXPECT_EQ(PercentDecode(encoded), all);
  EXPECT_EQ(PercentEncode("aZ09-_.~ +*/"), "aZ09-_.~%20%2B%2A%2F");
}

}  // namespace
}  // namespace lapse
