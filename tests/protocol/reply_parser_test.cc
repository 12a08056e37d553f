#include "protocol/reply_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/protocol/reply_encoding.h"

namespace lapse {
namespace {

using Result = ReplyParser::Result;

// Replies and the error of a stream that arrives `piece` bytes at a time.
struct ParsedReplies {
  std::vector<Reply> replies;
  std::string error;
  size_t consumed = 0;

  friend bool operator==(const ParsedReplies&, const ParsedReplies&) = default;
};

ParsedReplies ParseAll(const std::string& stream, size_t piece = 0) {
  if (piece == 0) piece = std::max<size_t>(stream.size(), 1);
  ReplyParser parser;
  ParsedReplies parsed;
  for (size_t fed = 0; fed < stream.size();) {
    fed = std::min(fed + piece, stream.size());
    for (Result result = Result::kReply; result == Result::kReply;) {
      // Exactly the bytes at hand, so that a sanitizer sees a read beyond them.
      const std::vector<char> held(stream.begin() + static_cast<ptrdiff_t>(parsed.consumed),
                                   stream.begin() + static_cast<ptrdiff_t>(fed));
      Reply reply;
      size_t consumed = 0;
      result = parser.Parse({held.data(), held.size()}, consumed, reply);
      parsed.consumed += consumed;
      if (result == Result::kReply) parsed.replies.push_back(std::move(reply));
      if (result == Result::kError) {
        parsed.error = parser.error();
        return parsed;
      }
    }
  }
  return parsed;
}

Reply ParseOne(const std::string& bytes) {
  const ParsedReplies parsed = ParseAll(bytes);
  EXPECT_EQ(parsed.error, "") << bytes;
  EXPECT_EQ(parsed.consumed, bytes.size()) << bytes;
  EXPECT_EQ(parsed.replies.size(), 1u) << bytes;
  return parsed.replies.empty() ? Reply() : parsed.replies[0];
}

TEST(ReplyParser, ParsesScalars) {
  EXPECT_EQ(ParseOne("+OK\r\n").type, ReplyType::kSimple);
  EXPECT_EQ(ParseOne("+OK\r\n"), "OK");
  EXPECT_EQ(ParseOne("+\r\n"), "");
  EXPECT_TRUE(ParseOne("-ERR no\r\n").IsError());
  EXPECT_EQ(ParseOne("-ERR no\r\n").text, "ERR no");
  EXPECT_EQ(ParseOne(":-12\r\n"), -12);
  EXPECT_EQ(ParseOne("$5\r\na\r\nbc\r\n"), "a\r\nbc");
  EXPECT_EQ(ParseOne("$0\r\n\r\n"), "");
  EXPECT_EQ(ParseOne("$-1\r\n").type, ReplyType::kNull);
  EXPECT_EQ(ParseOne("*-1\r\n").type, ReplyType::kNullArray);
  EXPECT_EQ(ParseOne("_\r\n").type, ReplyType::kNull);
  EXPECT_EQ(ParseOne("#t\r\n").integer, 1);
  EXPECT_EQ(ParseOne("#f\r\n").type, ReplyType::kBoolean);
  EXPECT_EQ(ParseOne(",3.5\r\n").number, 3.5);
  EXPECT_EQ(ParseOne(",-inf\r\n").number, -INFINITY);
  EXPECT_TRUE(std::isnan(ParseOne(",nan\r\n").number));
  EXPECT_EQ(ParseOne("(123456789012345678901\r\n").text, "123456789012345678901");
  EXPECT_EQ(ParseOne("=6\r\ntxt:hi\r\n").type, ReplyType::kVerbatim);
  EXPECT_EQ(ParseOne("=6\r\ntxt:hi\r\n"), "hi");
  EXPECT_TRUE(ParseOne("!6\r\nERR no\r\n").IsError());
}

TEST(ReplyParser, ParsesCollections) {
  EXPECT_EQ(ParseOne("*2\r\n:1\r\n*2\r\n+a\r\n$-1\r\n").ToString(),
            "1) (integer) 1\n2) 1) a\n   2) (nil)");
  EXPECT_EQ(ParseOne("*0\r\n").ToString(), "(empty array)");
  EXPECT_EQ(ParseOne("*2\r\n*0\r\n*0\r\n").size(), 2u);
  EXPECT_EQ(ParseOne("%1\r\n+k\r\n~1\r\n:1\r\n").ToString(), "1# k => 1~ (integer) 1");
  EXPECT_EQ(ParseOne(">2\r\n+message\r\n+x\r\n").type, ReplyType::kPush);
}

TEST(ReplyParser, SkipsAttributes) {
  EXPECT_EQ(ParseOne("|1\r\n+ttl\r\n:3600\r\n:7\r\n"), 7);
  EXPECT_EQ(ParseOne("|0\r\n:7\r\n"), 7);
  EXPECT_EQ(ParseOne("*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:7\r\n|1\r\n+a\r\n:1\r\n:8\r\n").ToString(),
            "1) (integer) 7\n2) (integer) 8");
}

TEST(ReplyParser, RejectsWhatIsNoReply) {
  for (const char* bytes : {"\r\n",    "x\r\n",   "OK\r\n",          "+a\rb\r\n",
                            ":\r\n",   ":+1\r\n", ":1a\r\n",         "$\r\n",
                            "$-2\r\n", "$?\r\n",  "$4294967297\r\n", "$1\r\nabc\r\n",
                            "*-2\r\n", "*?\r\n",  "*4294967297\r\n", "%-1\r\n",
                            "~-1\r\n", "=-1\r\n", "=3\r\ntxt\r\n",   "=4\r\ntxtx\r\n",
                            "!-1\r\n", "_x\r\n",  "#x\r\n",          "#\r\n",
                            ",\r\n",   ",x\r\n",  "(\r\n",           "*1\r\n*1\r\n?\r\n",
                            ":1\rx"}) {
    EXPECT_NE(ParseAll(bytes).error, "") << bytes;
    EXPECT_EQ(ParseAll(bytes).replies.size(), 0u) << bytes;
    EXPECT_EQ(ParseAll(bytes, 1), ParseAll(bytes)) << bytes;
  }
}

TEST(ReplyParser, StaysFailed) {
  ReplyParser parser;
  Reply reply;
  size_t consumed;
  EXPECT_EQ(parser.Parse("x\r\n", consumed, reply), Result::kError);
  EXPECT_EQ(parser.Parse("+OK\r\n", consumed, reply), Result::kError);
  EXPECT_EQ(parser.error(), "invalid reply: unknown type");
}

TEST(ReplyParser, BoundsDepthAndLines) {
  std::string nested;
  for (size_t i = 0; i < kMaxReplyDepth; ++i) nested += "*1\r\n";
  EXPECT_EQ(ParseAll(nested + ":1\r\n").replies.size(), 1u);
  EXPECT_NE(ParseAll("*1\r\n" + nested + ":1\r\n").error, "");

  const std::string line = "+" + std::string(kMaxReplyLineBytes - 1, 'x');
  EXPECT_EQ(ParseAll(line + "\r\n").replies.size(), 1u);
  EXPECT_NE(ParseAll(line + "x\r\n").error, "");
  EXPECT_NE(ParseAll(line + "x").error, "");
  EXPECT_EQ(ParseAll(line, 4096).error, "");
}

TEST(ReplyParser, DoesNotReserveWhatIsAnnounced) {
  EXPECT_EQ(ParseAll("*4294967296\r\n*4294967296\r\n%2147483648\r\n:1\r\n").error, "");
}

TEST(ReplyParser, ConsumesPartsOfAnUnfinishedReply) {
  ReplyParser parser;
  Reply reply;
  size_t consumed;
  EXPECT_EQ(parser.Parse("*2\r\n:1\r\n:2", consumed, reply), Result::kNeedMore);
  EXPECT_EQ(consumed, 8u);
  EXPECT_EQ(parser.Parse(":2\r\n+next\r\n", consumed, reply), Result::kReply);
  EXPECT_EQ(consumed, 4u);
  EXPECT_EQ(reply.ToString(), "1) (integer) 1\n2) (integer) 2");
}

TEST(ReplyParser, AnyCutGivesTheSame) {
  const std::string stream =
      "+OK\r\n$-1\r\n*3\r\n$12\r\nhello\r\nworld\r\n:-5\r\n*-1\r\n%1\r\n+k\r\n,1.5\r\n"
      "|1\r\n+a\r\n:1\r\n~2\r\n#t\r\n(12\r\n=6\r\ntxt:hi\r\n!3\r\nERR\r\n-ERR\r\n";
  const ParsedReplies expected = ParseAll(stream);
  EXPECT_EQ(expected.error, "");
  EXPECT_EQ(expected.replies.size(), 8u);
  for (size_t piece = 1; piece < stream.size(); ++piece) {
    ASSERT_EQ(ParseAll(stream, piece), expected) << piece;
  }
}

TEST(ReplyParser, ReadsBackWhatTheWriterWrote) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 3000; ++round) {
    const Reply reply = RandomReply(random);
    Buffer buffer;
    ReplyWriter writer(buffer, 3);
    WriteReply(reply, writer);
    const std::string bytes(buffer.view());
    ASSERT_EQ(ParseOne(bytes), AsReadBack(reply));
    ASSERT_EQ(ParseAll(bytes, 1 + random() % 5), ParseAll(bytes));
    // Whatever it was, RESP2 must carry it as something that parses.
    Buffer old_buffer;
    ReplyWriter old_writer(old_buffer, 2);
    WriteReply(reply, old_writer);
    ASSERT_EQ(ParseAll(std::string(old_buffer.view())).replies.size(), 1u);
  }
}

TEST(ReplyParser, TakesAHugeArrayInPieces) {
  std::string stream = "*200000\r\n";
  for (int i = 0; i < 200000; ++i) stream += "$5\r\nhello\r\n";
  ReplyParser parser;
  Reply reply;
  Result result = Result::kNeedMore;
  size_t fed = 0;
  size_t taken = 0;
  size_t longest_rest = 0;
  while (result == Result::kNeedMore) {
    fed = std::min(fed + 1000, stream.size());
    size_t consumed = 0;
    result = parser.Parse({stream.data() + taken, fed - taken}, consumed, reply);
    taken += consumed;
    longest_rest = std::max(longest_rest, fed - taken);
  }
  EXPECT_EQ(result, Result::kReply);
  EXPECT_EQ(reply.size(), 200000u);
  EXPECT_LT(longest_rest, 11u) << "what is understood must not be looked at again";
}

}  // namespace
}  // namespace lapse
