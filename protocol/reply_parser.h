// Bytes from a server to replies, RESP2 and RESP3: for the public API's typed answers, for
// replication's link to its master, and for the tests and benches that act as clients.
//
// An aggregate is taken apart as it arrives: elements that are complete move into an explicit stack
// of open collections, and their bytes are consumed at once. So an array of a million elements in
// a thousand reads is O(bytes), and hostile nesting meets a bound instead of the C++ stack.
//
//     *2\r\n :1\r\n *2\r\n +a\r\n ...        stack:  [ array, 1 left: {1} ]
//                                                    [ array, 1 left: {"a"} ]  <- next value
//
// Attributes ("|1\r\n+ttl\r\n:3600\r\n" before a value) are parsed and dropped. The streamed types
// ("$?", "*?") are refused: Redis has never sent them.
//
// Thread: one parser belongs to one connection, hence to one thread at a time.
//
// Invariants:
//   1. How the bytes were cut into pieces never changes the reply or the error.
//   2. Memory follows what has arrived, not what was announced.
//   3. After an error nothing more is parsed, for the stream has lost its frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply.h"

namespace lapse {

// Bounds on what a peer may send. Redis's own replies nest less than ten deep, scripts aside.
inline constexpr size_t kMaxReplyDepth = 128;
inline constexpr size_t kMaxReplyLineBytes = size_t{1} << 20;
inline constexpr int64_t kMaxReplyBulkBytes = int64_t{4} << 30;
inline constexpr int64_t kMaxReplyElements = int64_t{1} << 32;

class ReplyParser {
 public:
  enum class Result : uint8_t { kReply, kNeedMore, kError };

  // Parses the next reply into `out`, which is touched for kReply only. `consumed` says how many
  // bytes the caller must drop before the next call, after kNeedMore too: then they were the part
  // of the reply that is already understood.
  Result Parse(std::string_view input, size_t& consumed, Reply& out);

  // What was wrong, after kError.
  std::string_view error() const { return error_; }

 private:
  enum class Step : uint8_t { kValue, kOpened, kIncomplete, kFailed };

  struct OpenCollection {
    Reply reply;
    size_t left;
    bool is_attribute;
  };

  // Parses one scalar or one collection's header at `input`.
  Step ParseValue(std::string_view input, size_t& length, Reply& value);
  Step ParseScalar(char type, std::string_view line, Reply& value);
  Step ParseBulk(std::string_view input, std::string_view line, size_t& length, Reply& value);
  Step OpenAggregate(char type, std::string_view line, Reply& value);

  // Hands a complete value to the collection it belongs to, closing those that it completes.
  // Returns true when `value` is then a whole reply.
  bool Deliver(Reply& value);

  Step Fail(std::string_view reason);

  std::vector<OpenCollection> open_;
  size_t scanned_ = 0;  // how far the line at the start of the input was searched for its end
  std::string error_;
};

}  // namespace lapse
