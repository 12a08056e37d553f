#include "protocol/reply.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>

namespace lapse {
namespace {

Reply Text(ReplyType type, const std::string& text) {
  Reply reply;
  reply.type = type;
  reply.text = text;
  return reply;
}

Reply Number(int64_t value) {
  Reply reply;
  reply.type = ReplyType::kInteger;
  reply.integer = value;
  return reply;
}

Reply Collection(ReplyType type, std::vector<Reply> elements) {
  Reply reply;
  reply.type = type;
  reply.elements = std::move(elements);
  return reply;
}

TEST(Reply, ComparesWithTextAndNumbers) {
  EXPECT_EQ(Text(ReplyType::kSimple, "OK"), "OK");
  EXPECT_EQ(Text(ReplyType::kBulk, "v"), std::string("v"));
  EXPECT_EQ("v", Text(ReplyType::kBulk, "v"));
  EXPECT_EQ(Text(ReplyType::kError, "ERR x"), "ERR x");
  EXPECT_NE(Text(ReplyType::kBulk, "v"), "w");
  EXPECT_EQ(Number(5), 5);
  EXPECT_EQ(Number(0), 0);
  EXPECT_EQ(Number(5), size_t{5});
  EXPECT_NE(Number(5), 6);
  EXPECT_NE(Number(5), "5");
  EXPECT_NE(Text(ReplyType::kBulk, "5"), 5);
  EXPECT_NE(Reply(), "");
  EXPECT_NE(Reply(), 0);
  EXPECT_EQ(Reply(), Reply());
  EXPECT_NE(Text(ReplyType::kBulk, "v"), Text(ReplyType::kSimple, "v"));
  EXPECT_EQ(Collection(ReplyType::kArray, {Number(1)}), Collection(ReplyType::kArray, {Number(1)}));
  EXPECT_NE(Collection(ReplyType::kArray, {Number(1)}), Collection(ReplyType::kArray, {Number(2)}));
  Reply nan;
  nan.type = ReplyType::kDouble;
  nan.number = NAN;
  EXPECT_EQ(nan, nan);
}

TEST(Reply, TellsItsKind) {
  EXPECT_TRUE(Reply().IsNull());
  EXPECT_TRUE(Text(ReplyType::kNullArray, "").IsNull());
  EXPECT_FALSE(Number(0).IsNull());
  EXPECT_TRUE(Text(ReplyType::kError, "ERR").IsError());
  EXPECT_FALSE(Text(ReplyType::kBulk, "ERR").IsError());
  EXPECT_TRUE(Collection(ReplyType::kPush, {}).IsCollection());
}

TEST(Reply, ReadsIntegers) {
  EXPECT_EQ(Number(-3).AsInteger(), -3);
  EXPECT_EQ(Text(ReplyType::kBulk, "12").AsInteger(), 12);
  EXPECT_EQ(Text(ReplyType::kBulk, "x").AsInteger(), 0);
  EXPECT_EQ(Text(ReplyType::kBulk, "x").AsInteger(-1), -1);
  EXPECT_EQ(Reply().AsInteger(-1), -1);
}

TEST(Reply, RendersLikeTheCommandLine) {
  EXPECT_EQ(Reply().ToString(), "(nil)");
  EXPECT_EQ(Text(ReplyType::kSimple, "OK").ToString(), "OK");
  EXPECT_EQ(Text(ReplyType::kError, "ERR x").ToString(), "(error) ERR x");
  EXPECT_EQ(Number(5).ToString(), "(integer) 5");
  EXPECT_EQ(Text(ReplyType::kBulk, "a\"\\\n\r\t\a\b\x01\xff").ToString(),
            R"("a\"\\\n\r\t\a\b\x01\xff")");
  EXPECT_EQ(Text(ReplyType::kDouble, "3.1").ToString(), "(double) 3.1");
  EXPECT_EQ(Text(ReplyType::kBoolean, "").ToString(), "(false)");
  EXPECT_EQ(Text(ReplyType::kBigNumber, "12").ToString(), "(big number) 12");
  EXPECT_EQ(Text(ReplyType::kVerbatim, "two\nlines").ToString(), "two\nlines");
  EXPECT_EQ(Collection(ReplyType::kArray, {}).ToString(), "(empty array)");
  EXPECT_EQ(Collection(ReplyType::kMap, {}).ToString(), "(empty hash)");
  EXPECT_EQ(Collection(ReplyType::kSet, {}).ToString(), "(empty set)");
  EXPECT_EQ(Collection(ReplyType::kPush, {}).ToString(), "(empty push)");
}

TEST(Reply, RendersNestedLists) {
  const Reply inner =
      Collection(ReplyType::kArray, {Text(ReplyType::kBulk, "a"), Text(ReplyType::kBulk, "b")});
  EXPECT_EQ(Collection(ReplyType::kArray, {inner, Number(3)}).ToString(),
            "1) 1) \"a\"\n   2) \"b\"\n2) (integer) 3");
  EXPECT_EQ(Collection(ReplyType::kMap, {Text(ReplyType::kBulk, "k"), inner}).ToString(),
            "1# \"k\" => 1) \"a\"\n   2) \"b\"");
  EXPECT_EQ(Collection(ReplyType::kSet, {Number(1)}).ToString(), "1~ (integer) 1");
  const Reply ten = Collection(ReplyType::kArray, std::vector<Reply>(10, Number(7)));
  EXPECT_EQ(ten.ToString().substr(0, 18), " 1) (integer) 7\n 2");
  EXPECT_EQ(ten.ToString().substr(144), "10) (integer) 7");
}

TEST(Reply, PrintsInAssertions) {
  std::ostringstream out;
  PrintTo(Number(5), &out);
  EXPECT_EQ(out.str(), "(integer) 5");
}

}  // namespace
}  // namespace lapse
