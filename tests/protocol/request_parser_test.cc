#include "protocol/request_parser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/protocol/request_model.h"

namespace lapse {
namespace {

using std::string_literals::operator""s;
using Result = RequestParser::Result;

constexpr size_t kAll = 1 << 20;

ParsedRequests ParseWhole(std::string_view bytes, const ProtocolLimits& limits = {},
                          bool authenticated = true) {
  RequestParser parser(limits);
  parser.set_authenticated(authenticated);
  return Feed(parser, bytes, kAll, [&] { return bytes.size(); });
}

std::string ErrorOf(std::string_view bytes, bool authenticated = true) {
  return ParseWhole(bytes, {}, authenticated).error;
}

// The arguments of the one request that `line` makes.
Request Inline(const std::string& line) {
  const ParsedRequests parsed = ParseWhole(line + "\r\n");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.consumed, line.size() + 2);
  return parsed.requests.size() == 1 ? parsed.requests[0] : Request{};
}

TEST(RequestBatch, IsFlat) {
  RequestBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.args = {"GET", "a", "PING"};
  batch.ends = {2, 3};
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].size(), 2u);
  EXPECT_EQ(batch[0][1], "a");
  EXPECT_EQ(batch[1].size(), 1u);
  EXPECT_EQ(batch[1][0], "PING");
  batch.Clear();
  EXPECT_EQ(batch.size(), 0u);
}

TEST(RequestParser, ParsesAPipeline) {
  const ParsedRequests parsed =
      ParseWhole("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\nset  k v\r\n*1\r\n$0\r\n\r\n");
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.requests,
            (std::vector<Request>{{"GET", "k"}, {"PING"}, {"set", "k", "v"}, {""}}));
}

TEST(RequestParser, ViewsPointIntoTheInput) {
  const std::string input = EncodeRequest({"SET", "key", std::string(5000, 'v')});
  RequestParser parser(ProtocolLimits{});
  RequestBatch batch;
  size_t consumed;
  EXPECT_EQ(parser.Parse(input, 16, batch, consumed), Result::kNeedMore);
  EXPECT_EQ(consumed, input.size());
  ASSERT_EQ(batch.size(), 1u);
  for (const std::string_view arg : batch[0]) {
    EXPECT_GE(arg.data(), input.data());
    EXPECT_LE(arg.data() + arg.size(), input.data() + input.size());
  }
}

TEST(RequestParser, StopsAtTheBatchBound) {
  std::string input;
  for (int i = 0; i < 5; ++i) input += EncodeRequest({"PING"});
  RequestParser parser(ProtocolLimits{});
  RequestBatch batch;
  size_t consumed;
  std::string_view rest = input;
  EXPECT_EQ(parser.Parse(rest, 2, batch, consumed), Result::kBatchFull);
  EXPECT_EQ(batch.size(), 2u);
  rest.remove_prefix(consumed);
  EXPECT_EQ(parser.Parse(rest, 2, batch, consumed), Result::kBatchFull);
  rest.remove_prefix(consumed);
  EXPECT_EQ(parser.Parse(rest, 1, batch, consumed), Result::kNeedMore) << "no bytes remain";
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_EQ(consumed, rest.size());
}

TEST(RequestParser, SkipsWhatIsNoRequest) {
  const std::string input = "\r\n\n  \t\r\n*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n\r\n";
  const ParsedRequests parsed = ParseWhole(input);
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.requests, (std::vector<Request>{{"PING"}}));
  EXPECT_EQ(parsed.consumed, input.size());
}

TEST(RequestParser, IgnoresTheBytesThatRedisIgnores) {
  EXPECT_EQ(ParseWhole("*1\rX$4\rYPINGab").requests, (std::vector<Request>{{"PING"}}));
  // The same through the general path.
  EXPECT_EQ(ParseWhole("*-1\rX*1\rX$4\rYPINGab").requests, (std::vector<Request>{{"PING"}}));
}

TEST(RequestParser, RejectsMultibulkLengths) {
  const std::string expected = "ERR Protocol error: invalid multibulk length";
  for (const char* header : {"*abc", "*", "*01", "*+1", "* 1", "*1 ", "*-0", "*1048577", "*-",
                             "*9223372036854775808", "*-9223372036854775809", "*1\n"}) {
    EXPECT_EQ(ErrorOf(std::string(header) + "\r\n"), expected) << header;
  }
  EXPECT_EQ(ErrorOf("*1048576\r\n"), "");
}

TEST(RequestParser, RejectsBulkLengths) {
  const std::string expected = "ERR Protocol error: invalid bulk length";
  for (const char* header :
       {"$abc", "$", "$04", "$+4", "$ 4", "$-0", "$-1", "$536870913", "$99999999999999999999"}) {
    EXPECT_EQ(ErrorOf("*1\r\n" + std::string(header) + "\r\nPING\r\n"), expected) << header;
  }
  EXPECT_EQ(ErrorOf("*1\r\n$536870912\r\n"), "");
}

TEST(RequestParser, RejectsOtherTypesThanBulk) {
  const auto got = [](const std::string& c) {
    return "ERR Protocol error: expected '$', got '" + c + "'";
  };
  EXPECT_EQ(ErrorOf("*1\r\n+PING\r\n"), got("+"));
  EXPECT_EQ(ErrorOf("*2\r\n$3\r\nGET\r\n:1\r\n"), got(":"));
  EXPECT_EQ(ErrorOf("*1\r\n\xffPING\r\n"), got("\xff"));
  EXPECT_EQ(ErrorOf("*1\r\n\rPING\r\n"), got(" "));
  EXPECT_EQ(ErrorOf("*1\r\n\nPING\r\n"), got(" "));
  EXPECT_EQ(ErrorOf("*1\r\n+PING"), "") << "only a whole line is judged";
}

TEST(RequestParser, RejectsLinesThatNeverEnd) {
  const std::string long_line(65536, '1');
  EXPECT_EQ(ErrorOf(long_line), "");
  EXPECT_EQ(ErrorOf(long_line + "1"), "ERR Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf("*" + long_line.substr(1)), "");
  EXPECT_EQ(ErrorOf("*" + long_line), "ERR Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$" + long_line.substr(1)), "");
  EXPECT_EQ(ErrorOf("*1\r\n$" + long_line), "ERR Protocol error: too big bulk count string");
}

TEST(RequestParser, JudgesALongLineTheSameWhetherItsEndArrived) {
  EXPECT_EQ(ErrorOf(std::string(65536, 'x') + "\n"), "");
  EXPECT_EQ(ErrorOf(std::string(65537, 'x') + "\n"), "ERR Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf("*" + std::string(65536, '1') + "\r\n"),
            "ERR Protocol error: too big mbulk count string");
}

TEST(RequestParser, ZeroByteHidesTheRestOfALine) {
  for (const std::string& start : {"PI\0NG\r\n"s, "*1\0\r\n$4\r\n"s, "*1\r\n$4\0\r\n"s, "\0"s}) {
    EXPECT_EQ(ParseWhole(start).requests.size(), 0u);
    EXPECT_EQ(ParseWhole(start).error, "");
    EXPECT_NE(ErrorOf(start + std::string(70000, '\n')).find("too big"), std::string::npos);
  }
  EXPECT_EQ(ParseWhole("*1\r\n$2\r\n\0\0\r\n"s).requests, (std::vector<Request>{{"\0\0"s}}));
}

TEST(RequestParser, BoundsClientsThatAreNotAuthenticated) {
  EXPECT_EQ(ErrorOf("*11\r\n", false), "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(ErrorOf("*10\r\n", false), "");
  EXPECT_EQ(ErrorOf("*1\r\n$16385\r\n", false), "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$16384\r\n", false), "");
  EXPECT_EQ(ErrorOf("*1048577\r\n", false), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$999999999\r\n", false), "ERR Protocol error: invalid bulk length");

  RequestParser parser(ProtocolLimits{});
  parser.set_authenticated(false);
  parser.set_authenticated(true);
  const std::string request = EncodeRequest(Request(11, std::string(17000, 'x')));
  EXPECT_EQ(Feed(parser, request, kAll, [] { return 100000; }).requests.size(), 1u);
}

TEST(RequestParser, HoldsToItsLimits) {
  ProtocolLimits limits;
  limits.max_args = 3;
  limits.max_bulk_bytes = 5;
  limits.max_inline_bytes = 40;
  EXPECT_EQ(ParseWhole(EncodeRequest({"a", "b", "c"}), limits).error, "");
  EXPECT_NE(ParseWhole(EncodeRequest({"a", "b", "c", "d"}), limits).error, "");
  EXPECT_EQ(ParseWhole(EncodeRequest({"12345"}), limits).error, "");
  EXPECT_NE(ParseWhole(EncodeRequest({"123456"}), limits).error, "");
  EXPECT_EQ(ParseWhole(std::string(40, 'a') + "\n", limits).error, "");
  EXPECT_NE(ParseWhole(std::string(41, 'a') + "\n", limits).error, "");

  RequestParser parser(limits);
  limits.max_args = 4;
  parser.set_limits(limits);
  EXPECT_EQ(Feed(parser, EncodeRequest({"a", "b", "c", "d"}), kAll, [] { return 99; }).error, "");
}

TEST(RequestParser, GivesTheRequestsBeforeAnError) {
  const ParsedRequests parsed = ParseWhole("PING\r\n*1\r\n$4\r\nQUIT\r\n*x\r\nPING\r\n");
  EXPECT_EQ(parsed.requests, (std::vector<Request>{{"PING"}, {"QUIT"}}));
  EXPECT_EQ(parsed.error, "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(parsed.consumed, 20u);
}

TEST(RequestParser, StaysFailedUntilReset) {
  RequestParser parser(ProtocolLimits{});
  RequestBatch batch;
  size_t consumed;
  EXPECT_EQ(parser.Parse("*2\r\n$1\r\na\r\n*", 16, batch, consumed), Result::kNeedMore);
  EXPECT_TRUE(parser.in_request());
  EXPECT_EQ(parser.Parse("*2\r\n$1\r\na\r\n*\r\n", 16, batch, consumed), Result::kError);
  EXPECT_EQ(parser.Parse("PING\r\n", 16, batch, consumed), Result::kError);
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_EQ(consumed, 0u);
  parser.Reset();
  EXPECT_EQ(parser.error(), "");
  EXPECT_FALSE(parser.in_request());
  EXPECT_EQ(parser.Parse("PING\r\n", 16, batch, consumed), Result::kNeedMore);
  EXPECT_EQ(batch.size(), 1u);
}

TEST(RequestParser, SplitsInlineRequests) {
  EXPECT_EQ(Inline("SET k v"), (Request{"SET", "k", "v"}));
  EXPECT_EQ(Inline(" \tSET \v\f k\tv  "), (Request{"SET", "k", "v"}));
  EXPECT_EQ(Inline("ECHO \"\""), (Request{"ECHO", ""}));
  EXPECT_EQ(Inline("ECHO ''"), (Request{"ECHO", ""}));
  EXPECT_EQ(Inline("ECHO \"a b\" 'c d'"), (Request{"ECHO", "a b", "c d"}));
  EXPECT_EQ(Inline("ECHO a\"b c\""), (Request{"ECHO", "ab c"}));
  EXPECT_EQ(Inline("ECHO a\vb"), (Request{"ECHO", "a\vb"}));
  EXPECT_EQ(Inline("ECHO a\rb"), (Request{"ECHO", "a", "b"}));
  EXPECT_EQ(Inline("ECHO \"a\"\v"), (Request{"ECHO", "a"}));
  EXPECT_EQ(Inline("ECHO a\r"), (Request{"ECHO", "a"}));
  EXPECT_EQ(Inline("ECHO \\n"), (Request{"ECHO", "\\n"})) << "no escapes outside quotes";
  EXPECT_EQ(ParseWhole("PING\n").requests, (std::vector<Request>{{"PING"}}));
}

TEST(RequestParser, DecodesInlineEscapes) {
  EXPECT_EQ(Inline(R"(ECHO "\x41\xfF\x00")"), (Request{"ECHO", "A\xff\0"s}));
  EXPECT_EQ(Inline(R"(ECHO "\n\r\t\b\a\\\"\q")"), (Request{"ECHO", "\n\r\t\b\a\\\"q"}));
  EXPECT_EQ(Inline(R"(ECHO "\x4" "\xg1" "\x")"), (Request{"ECHO", "x4", "xg1", "x"}));
  EXPECT_EQ(Inline(R"(ECHO 'it\'s \n \x41 "q"')"), (Request{"ECHO", R"(it's \n \x41 "q")"}));
}

TEST(RequestParser, RejectsUnbalancedQuotes) {
  for (const char* line : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\\"", "'a\\'", "\"a\\", "a\"b\"c"}) {
    EXPECT_EQ(ErrorOf("ECHO " + std::string(line) + "\r\n"),
              "ERR Protocol error: unbalanced quotes in request")
        << line;
  }
}

TEST(RequestParser, KeepsDecodedArgumentsOfAWholeBatch) {
  std::string input;
  std::vector<Request> expected;
  for (int i = 0; i < 200; ++i) {
    const std::string value(static_cast<size_t>(i), 'v');
    input += "SET k\"" + std::to_string(i) + "\" \"\\x41" + value + "\"\r\n";
    expected.push_back({"SET", "k" + std::to_string(i), "A" + value});
  }
  EXPECT_EQ(ParseWhole(input).requests, expected);
}

TEST(RequestParser, TellsWhatAnArgumentLacks) {
  RequestParser parser(ProtocolLimits{});
  RequestBatch batch;
  size_t consumed;
  const auto missing_after = [&](std::string_view input) {
    EXPECT_EQ(parser.Parse(input, 16, batch, consumed), Result::kNeedMore);
    EXPECT_EQ(consumed, 0u);
    return parser.missing_bytes();
  };
  EXPECT_EQ(missing_after(""), 1u);
  EXPECT_FALSE(parser.in_request());
  EXPECT_EQ(missing_after("*2\r\n$3"), 1u);
  EXPECT_TRUE(parser.in_request());
  EXPECT_EQ(missing_after("*2\r\n$3\r\nSET\r\n$100000\r\n"), 100002u);
  EXPECT_EQ(missing_after("*2\r\n$3\r\nSET\r\n$100000\r\nabc"), 99999u);
  EXPECT_EQ(parser.Parse("*2\r\n$3\r\nSET\r\n$100000\r\n" + std::string(100002, 'x'), 16, batch,
                         consumed),
            Result::kNeedMore);
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_EQ(parser.missing_bytes(), 1u);
  EXPECT_FALSE(parser.in_request());
}

TEST(RequestParser, AnyCutGivesTheSame) {
  const std::vector<std::string> streams = {
      "*2\r\n$3\r\nGET\r\n$11\r\nhello\r\nworl\r\n*1\r\n$4\r\nPING\r\n",
      "PING\r\n*0\r\n\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\nget \"\\x6b\"\n*-1\r\nPING\n",
      EncodeRequest(Request(12, "arg")) + "ECHO 'a b'\r\n",
      "*1\r\n$4\r\nPING\r\n*2\r\n$1\r\na\r\n+b\r\n",
      "*1\r\n$4\r\nPING\r\n*1x\r\n",
      "ECHO \"a\r\nPING\r\n",
      EncodeRequest({"SET", "k", std::string(150, 'v')}) + "*1\r\n$-5\r\n",
  };
  for (const std::string& stream : streams) {
    const ParsedRequests expected = RequestModel(stream, {}, true).Run();
    RequestParser bytewise(ProtocolLimits{});
    EXPECT_EQ(Feed(bytewise, stream, kAll, [] { return 1; }), expected) << stream;
    for (size_t first = 0; first <= stream.size(); ++first) {
      for (size_t second = 1; second <= stream.size() - first; second += 3) {
        std::vector<size_t> pieces = {stream.size(), second, first};
        RequestParser parser(ProtocolLimits{});
        const ParsedRequests parsed = Feed(parser, stream, kAll, [&] {
          const size_t piece = pieces.back();
          pieces.pop_back();
          return piece;
        });
        ASSERT_EQ(parsed, expected) << first << " " << second << "\n" << stream;
      }
    }
  }
}

// Streams that are mostly right, with a byte changed here and there.
std::string RandomStream(std::mt19937_64& random) {
  static const char* const kTokens[] = {"GET", "\"a b\"", "'x\\'y'", "\"\\x41\\n\"",
                                        "k",   "",        "\"",      "a\"b\""};
  std::string stream;
  const size_t requests = random() % 6;
  for (size_t i = 0; i < requests; ++i) {
    if (random() % 3 == 0) {
      for (size_t j = random() % 5; j > 0; --j) {
        stream += std::string(random() % 2, ' ') + kTokens[random() % std::size(kTokens)] + " ";
      }
      stream += random() % 2 == 0 ? "\r\n" : "\n";
    } else {
      Request request(random() % 14);
      for (std::string& arg : request) {
        arg.resize(random() % 8 == 0 ? random() % 300 : random() % 12);
        for (char& c : arg) c = static_cast<char>(random());
      }
      stream += EncodeRequest(request);
    }
  }
  for (size_t i = random() % 3; i > 0 && !stream.empty(); --i) {
    if (random() % 2 == 0) stream[random() % stream.size()] = "*$\r\n0159-\"' \0a"[random() % 15];
    if (random() % 8 == 0) stream.resize(random() % stream.size());
  }
  return stream;
}

TEST(RequestParser, AgreesWithTheModelOnRandomStreams) {
  std::mt19937_64 random(20240611);
  for (int round = 0; round < 20000; ++round) {
    const std::string stream = RandomStream(random);
    ProtocolLimits limits;
    if (random() % 2 == 0) limits = {.max_bulk_bytes = 200, .max_args = 12, .max_inline_bytes = 32};
    const bool authenticated = random() % 4 != 0;
    const ParsedRequests expected = RequestModel(stream, limits, authenticated).Run();
    const size_t largest = random() % 2 == 0 ? stream.size() + 1 : 1 + random() % 20;
    RequestParser parser(limits);
    parser.set_authenticated(authenticated);
    const size_t max_requests = 1 + random() % 4;
    ASSERT_EQ(Feed(parser, stream, max_requests, [&] { return 1 + random() % largest; }), expected)
        << stream;
  }
}

TEST(RequestParser, TakesAHugeRequestInPiecesInLinearTime) {
  // A parser that starts over on each piece would look at 2 * 10^10 bytes here.
  const std::string stream = EncodeRequest(Request(1000000, "ab"));
  RequestParser parser(ProtocolLimits{});
  RequestBatch batch;
  size_t consumed = 0;
  for (size_t fed = 0; fed < stream.size();) {
    fed = std::min(fed + 2048, stream.size());
    const Result result = parser.Parse({stream.data(), fed}, 1, batch, consumed);
    ASSERT_EQ(result, Result::kNeedMore);
    ASSERT_EQ(batch.size(), fed == stream.size() ? 1u : 0u);
  }
  EXPECT_EQ(consumed, stream.size());
  EXPECT_EQ(batch[0].size(), 1000000u);
  batch.Clear();
  EXPECT_LT(batch.args.capacity(), 1000000u) << "an unusual batch must not keep its memory";
}

}  // namespace
}  // namespace lapse
