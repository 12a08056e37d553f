// Any stream of bytes, cut anywhere: the reply parser must give the same replies and the same error
// whatever the pieces, and a reply written out again must parse to itself.
//
// Input: 8 bytes that seed the cuts, then the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/reply_parser.h"
#include "tests/protocol/reply_encoding.h"

namespace {

constexpr size_t kSeedBytes = 8;

struct ParsedReplies {
  std::vector<lapse::Reply> replies;
  std::string error;
  size_t consumed = 0;

  friend bool operator==(const ParsedReplies&, const ParsedReplies&) = default;
};

void Require(bool holds) {
  if (!holds) std::abort();
}

ParsedReplies ParsePieces(std::string_view stream, const std::function<size_t()>& next_piece) {
  lapse::ReplyParser parser;
  ParsedReplies parsed;
  for (size_t fed = 0; fed < stream.size();) {
    fed += std::min(next_piece(), stream.size() - fed);
    lapse::ReplyParser::Result result;
    do {
      // Exactly the bytes at hand, so that a read beyond them is noticed.
      const std::vector<char> held(stream.begin() + parsed.consumed, stream.begin() + fed);
      lapse::Reply reply;
      size_t consumed = 0;
      result = parser.Parse({held.data(), held.size()}, consumed, reply);
      parsed.consumed += consumed;
      if (result == lapse::ReplyParser::Result::kReply) parsed.replies.push_back(std::move(reply));
    } while (result == lapse::ReplyParser::Result::kReply);
    if (result == lapse::ReplyParser::Result::kError) {
      parsed.error = parser.error();
      break;
    }
  }
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kSeedBytes) return 0;
  uint64_t seed;
  std::memcpy(&seed, data, sizeof(seed));
  const std::string_view stream(reinterpret_cast<const char*>(data) + kSeedBytes,
                                size - kSeedBytes);

  const ParsedReplies whole = ParsePieces(stream, [&] { return stream.size(); });
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  const size_t largest = 1 + seed % 32;
  Require(ParsePieces(stream, [&] { return 1 + random() % largest; }) == whole);

  for (const lapse::Reply& reply : whole.replies) {
    lapse::Buffer buffer;
    lapse::ReplyWriter writer(buffer, 3);
    lapse::WriteReply(reply, writer);
    const ParsedReplies again = ParsePieces(buffer.view(), [&] { return buffer.size(); });
    Require(again.error.empty() && again.consumed == buffer.size());
    Require(again.replies == std::vector<lapse::Reply>{lapse::AsReadBack(reply)});
    reply.ToString();
  }
  return 0;
}
