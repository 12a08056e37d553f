// Bytes from a client to requests: the RESP "multibulk" form that libraries send, and the inline
// form that people type.
//
//     *2\r\n$3\r\nGET\r\n$1\r\nk\r\n        GET k\r\n        set k "it\x41"\r\n
//
// Why a batch: clients pipeline, and everything after the parser (looking commands up, hashing
// keys, prefetching) gains from seeing the whole pipeline at once. The batch is two flat vectors
// that keep their memory, so a request costs no allocation, and arguments are views into the
// caller's buffer, so it costs no copy. Only an inline argument with quotes is copied, for its
// bytes differ from those that were sent.
//
// Why incremental: a request of a million arguments arrives in thousands of reads. What has been
// understood of it is kept, as offsets from the first byte that is not consumed, and the next call
// goes on from there: O(bytes) whatever the pieces, and the caller may move its buffer.
//
//        input:  | complete | complete | *1000000\r\n $3\r\nabc\r\n ... $5\r\nde
//                 <--- consumed ------> ^ offset 0 of what is remembered     ^ next call resumes
//
// Two paths: one straight loop for requests that lie in the buffer as a whole, and one for all the
// rest (pieces, inline, errors). They agree byte for byte; a fuzz target compares them. Like Redis,
// and unlike the specification, neither looks at the byte after a header's CR, nor at the two
// after an argument.
//
// Thread: one parser belongs to one connection, hence to one thread at a time.
//
// Invariants:
//   1. How the bytes were cut into pieces never changes the requests or the error.
//   2. Memory follows what has arrived, not what was announced: at most 16 bytes an argument.
//   3. After an error nothing more is parsed until Reset(), for the stream has lost its frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/limits.h"

namespace lapse {

// Requests in the order of arrival: request i is args[ends[i-1]..ends[i]).
struct RequestBatch {
  std::vector<std::string_view> args;
  std::vector<uint32_t> ends;

  // Forgets the requests; keeps the memory unless an unusually large batch claimed it.
  void Clear();
  size_t size() const { return ends.size(); }
  bool empty() const { return ends.empty(); }
  std::span<const std::string_view> operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    return {args.data() + begin, ends[i] - begin};
  }
};

class RequestParser {
 public:
  enum class Result : uint8_t {
    kNeedMore,   // every complete request was taken; what remains is part of one, or nothing
    kBatchFull,  // max_requests were taken and bytes remain: run them, then call again
    kError,      // the batch holds what came before the error; run it, send error(), hang up
  };

  // Copies the limits.
  explicit RequestParser(const ProtocolLimits& limits);

  // Clears `out`, then parses up to `max_requests` complete requests into it, and says in
  // `consumed` how many bytes they took. The caller drops these before the next call, so that
  // `input` then begins with the first of the others; it may move them. Every request has at least
  // one argument: empty lines, "*0" and "*-1" are consumed silently. The views stay good until the
  // input moves or the next call. Requires: max_requests > 0.
  Result Parse(std::string_view input, size_t max_requests, RequestBatch& out, size_t& consumed);

  // The reply's text between '-' and CRLF: "ERR Protocol error: ...". Empty before an error.
  std::string_view error() const { return error_; }

  // While false the tighter limits hold. Takes effect with the next header that is parsed.
  void set_authenticated(bool authenticated);
  void set_limits(const ProtocolLimits& limits);

  // After kNeedMore: a lower bound of the bytes that must still arrive, at least 1. It is more
  // than 1 only inside an argument, so that the caller can size its buffer for a large one; as
  // the client announced it, grow by steps rather than believe it.
  size_t missing_bytes() const { return missing_bytes_; }

  // True while the input ends inside a request, i.e. the client owes the rest of it.
  bool in_request() const { return scanned_ > 0; }

  // Forgets a partly parsed request and any error, for a connection that starts anew.
  void Reset();

 private:
  enum class Step : uint8_t { kRequest, kNothing, kIncomplete, kFailed };

  struct Range {
    size_t offset;
    size_t length;
  };

  // Parses the request at `input` if it is a complete, ordinary multibulk one; returns its length,
  // or 0 (and leaves `out` as it was) for anything else.
  size_t ParseWhole(std::string_view input, RequestBatch& out) const;

  // One request or part of one, with `input` beginning at its first byte. `length` is set for
  // kRequest and kNothing.
  Step ParseStep(std::string_view input, RequestBatch& out, size_t& length);
  Step ParseInline(std::string_view input, RequestBatch& out, size_t& length);
  Step ParseMultibulk(std::string_view input, RequestBatch& out, size_t& length);
  Step ParseArgs(std::string_view input);
  bool SplitInline(std::string_view line, RequestBatch& out);

  // Finds the terminator of the line that begins at cursor_. Returns kRequest, which here stands
  // for found, or kIncomplete, or kFailed with `too_long` when the line exceeds its bound.
  Step FindLineEnd(std::string_view input, char terminator, std::string_view too_long, size_t& end);
  // The same for a header line: its CR, with the byte after that present too.
  Step FindHeaderEnd(std::string_view input, std::string_view too_long, size_t& end);

  Step Fail(std::string_view reason);
  void ForgetRequest();

  // Constant between calls of the setters.
  ProtocolLimits limits_;
  bool authenticated_ = true;
  size_t max_args_;        // whichever of the two bounds applies now
  size_t max_bulk_bytes_;  // likewise

  // The request that input begins with, as far as it is understood. Nothing between requests.
  std::vector<Range> pending_;   // its complete arguments
  size_t args_left_ = 0;         // arguments announced and not complete; 0: no header seen yet
  size_t cursor_ = 0;            // where parsing resumes
  size_t scanned_ = 0;           // how far the line at cursor_ was searched for its end
  size_t bulk_bytes_ = kNoBulk;  // length of the argument at cursor_, once its header was read

  size_t missing_bytes_ = 1;
  std::string error_;
  std::forward_list<std::string> decoded_;  // quoted inline arguments of the current batch

  static constexpr size_t kNoBulk = ~size_t{0};
};

}  // namespace lapse
