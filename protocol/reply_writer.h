// Replies to bytes, in either version of the protocol.
//
// A command says what it answers (a map, a double, nothing); the writer knows how that looks to a
// client that speaks RESP2, where a map is a flat array and a double a string, or RESP3. So no
// handler asks for the version. Bytes match Redis 7.0's exactly, including how doubles look.
//
// An array whose length is known only afterwards is opened by BeginArray and closed by EndArray:
// room for a one-digit header is left, and the body moves by the few bytes that a longer one
// needs. That costs a memmove of the body, far less than writing it did; the alternative, a list
// of nodes with one left open for the header as Redis has it, taxes every reply.
//
//     mark                                         mark
//      |????|body...          EndArray(mark, 12):   |*12\r\n|body...
//
// Thread: one writer belongs to one buffer, hence to one thread at a time.
//
// Invariants:
//   1. Nothing is inspected or flushed; what was written so far is always a prefix of the stream,
//      except between Begin and End.
//   2. A line (Simple, Error, BigNumber) never carries CR or LF, whatever text it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/buffer.h"
#include "protocol/number.h"

namespace lapse {

class ReplyWriter {
 public:
  // Appends to `out`, which must outlive the writer. `resp` is 2 or 3.
  explicit ReplyWriter(Buffer& out, int resp = 2) : out_(&out), resp_(resp) {}

  int resp() const { return resp_; }
  void set_resp(int resp) { resp_ = resp; }

  // Lines.
  void Ok() { Fixed("+OK\r\n"); }
  void Simple(std::string_view text);
  // `text` is all between '-' and CRLF: "ERR no such key". Line ends around it are dropped, those
  // within become spaces.
  void Error(std::string_view text);

  // Numbers.
  void Integer(int64_t value);
  void Double(double value);
  // A double as plain decimals, as GEOPOS replies: "13.36138933897018433".
  void HumanDouble(long double value);
  void Boolean(bool value);
  void BigNumber(std::string_view digits);

  // Texts.
  void Bulk(std::string_view text);
  void BulkInteger(int64_t value);
  // `format` has three characters: "txt" or "mkd". RESP2 clients get the text alone.
  void Verbatim(std::string_view format, std::string_view text);

  // Absence.
  void Null() { resp_ == 2 ? Fixed("$-1\r\n") : Fixed("_\r\n"); }
  void NullArray() { resp_ == 2 ? Fixed("*-1\r\n") : Fixed("_\r\n"); }

  // Headers; the elements follow, for Map twice as many as `pairs`.
  void Array(size_t n) { Header('*', n); }
  void EmptyArray() { Fixed("*0\r\n"); }
  void Map(size_t pairs) { resp_ == 2 ? Header('*', pairs * 2) : Header('%', pairs); }
  void Set(size_t n) { Header(resp_ == 2 ? '*' : '~', n); }
  void Push(size_t n) { Header(resp_ == 2 ? '*' : '>', n); }

  // Collections of a length yet unknown. End takes what Begin returned, and must be called for the
  // innermost open one first. Truncate(mark) instead of End drops the collection.
  size_t BeginArray() { return Begin(); }
  size_t BeginMap() { return Begin(); }
  size_t BeginSet() { return Begin(); }
  void EndArray(size_t mark, size_t n) { End(mark, '*', n); }
  void EndMap(size_t mark, size_t pairs) {
    resp_ == 2 ? End(mark, '*', pairs * 2) : End(mark, '%', pairs);
  }
  void EndSet(size_t mark, size_t n) { End(mark, resp_ == 2 ? '*' : '~', n); }

  // Bytes that are a reply, or several, already.
  void Raw(std::string_view bytes) { out_->Append(bytes); }

  // The buffer's size, and its return to an earlier one: what was written since is dropped.
  size_t size() const { return out_->size(); }
  void Truncate(size_t size) { out_->Truncate(size); }
  // Whether what was written since the buffer had this size is an error.
  bool IsError(size_t from) const { return size() > from && out_->data()[from] == '-'; }
  // What was written since the buffer had this size. Invalidates: by the next write.
  std::string_view view(size_t from) const { return out_->view().substr(from); }

 private:
  // The longest header: a type byte, digits, CRLF.
  static constexpr size_t kMaxHeaderBytes = 1 + kMaxInt64Chars + 2;
  // What Begin reserves: the header of a collection of fewer than ten elements.
  static constexpr size_t kReservedHeaderBytes = 4;

  // Writes a header to `out` and returns the byte after it. Requires: kMaxHeaderBytes of room.
  static char* WriteHeader(char* out, char type, size_t n);
  static char* WriteLongHeader(char* out, char type, size_t n);

  template <size_t kSize>
  void Fixed(const char (&literal)[kSize]) {
    std::memcpy(out_->Prepare(kSize - 1), literal, kSize - 1);
    out_->Commit(kSize - 1);
  }
  void Header(char type, size_t n);
  void Line(char type, std::string_view text);
  size_t Begin();
  void End(size_t mark, char type, size_t n);

  Buffer* out_;
  int resp_;
};

inline char* ReplyWriter::WriteHeader(char* out, char type, size_t n) {
  if (n >= 100) return WriteLongHeader(out, type, n);
  *out++ = type;
  if (n >= 10) *out++ = static_cast<char>('0' + n / 10);
  *out++ = static_cast<char>('0' + n % 10);
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

inline void ReplyWriter::Header(char type, size_t n) {
  char* const begin = out_->Prepare(kMaxHeaderBytes);
  out_->Commit(static_cast<size_t>(WriteHeader(begin, type, n) - begin));
}

inline void ReplyWriter::Integer(int64_t value) {
  char* const begin = out_->Prepare(kMaxHeaderBytes);
  char* end;
  if (value >= 0) [[likely]] {
    end = WriteHeader(begin, ':', static_cast<size_t>(value));
  } else {
    *begin = ':';
    end = begin + 1 + FormatInt64(value, begin + 1);
    *end++ = '\r';
    *end++ = '\n';
  }
  out_->Commit(static_cast<size_t>(end - begin));
}

inline void ReplyWriter::Bulk(std::string_view text) {
  char* const begin = out_->Prepare(text.size() + kMaxHeaderBytes + 2);
  char* end = WriteHeader(begin, '$', text.size());
  if (!text.empty()) {
    std::memcpy(end, text.data(), text.size());
    end += text.size();
  }
  *end++ = '\r';
  *end++ = '\n';
  out_->Commit(static_cast<size_t>(end - begin));
}

}  // namespace lapse
