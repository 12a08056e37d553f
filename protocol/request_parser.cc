#include "protocol/request_parser.h"

#include <algorithm>
#include <cstring>

#include "protocol/number.h"

namespace lapse {
namespace {

// What a batch or a parser keeps allocated between requests, in arguments: ample for any pipeline,
// and not the 16 MB that a single request of a million arguments takes.
constexpr size_t kKeptArgs = 16384;

// The shortest header line: its type, one digit, CR, LF.
constexpr ptrdiff_t kShortHeaderBytes = 4;

// Lengths of more digits are left to the general path.
constexpr ptrdiff_t kMaxFastDigits = 9;

// The C library's isspace in the C locale.
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// What ends an unquoted inline argument: fewer characters than separate arguments, as in Redis.
bool EndsArgument(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Decodes the quoted rest of an argument, whose opening quote is at line[i], onto `text`, and
// moves i behind the closing quote. Returns false if that is missing, or not followed by space.
bool DecodeQuoted(std::string_view line, size_t& i, std::string& text) {
  const char quote = line[i++];
  while (i < line.size()) {
    const char c = line[i];
    const size_t left = line.size() - i;
    if (c == quote) {
      ++i;
      return i == line.size() || IsSpace(line[i]);
    }
    if (quote == '"' && c == '\\' && left >= 4 && line[i + 1] == 'x' &&
        HexValue(line[i + 2]) >= 0 && HexValue(line[i + 3]) >= 0) {
      text += static_cast<char>(HexValue(line[i + 2]) * 16 + HexValue(line[i + 3]));
      i += 4;
    } else if (quote == '"' && c == '\\' && left >= 2) {
      text += Unescape(line[i + 1]);
      i += 2;
    } else if (quote == '\'' && c == '\\' && left >= 2 && line[i + 1] == '\'') {
      text += '\'';
      i += 2;
    } else {
      text += c;
      ++i;
    }
  }
  return false;
}

// Reads a header line of `type` and a plain number at p. Returns the byte after the line, or null
// if it is not all there or is anything out of the ordinary.
inline const char* ReadHeader(const char* p, const char* end, char type, size_t& number) {
  if (end - p < kShortHeaderBytes || p[0] != type) return nullptr;
  size_t value = static_cast<unsigned char>(p[1]) - size_t{'0'};
  if (value > 9) return nullptr;
  if (p[2] != '\r') [[unlikely]] {
    if (value == 0) return nullptr;
    // Leave room for the CR and the byte after it.
    const char* const last = std::min(end - 2, p + 1 + kMaxFastDigits);
    for (p += 2;; ++p) {
      if (p > last) return nullptr;
      const size_t digit = static_cast<unsigned char>(*p) - size_t{'0'};
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    if (*p != '\r') return nullptr;
    number = value;
    return p + 2;
  }
  number = value;
  return p + kShortHeaderBytes;
}

}  // namespace

void RequestBatch::Clear() {
  args.clear();
  ends.clear();
  if (args.capacity() > kKeptArgs) [[unlikely]] {
    args.shrink_to_fit();
  }
}

RequestParser::RequestParser(const ProtocolLimits& limits) { set_limits(limits); }

void RequestParser::set_limits(const ProtocolLimits& limits) {
  limits_ = limits;
  set_authenticated(authenticated_);
}

void RequestParser::set_authenticated(bool authenticated) {
  authenticated_ = authenticated;
  max_args_ = limits_.max_args;
  max_bulk_bytes_ = limits_.max_bulk_bytes;
  if (!authenticated) {
    max_args_ = std::min(max_args_, limits_.unauthenticated_max_args);
    max_bulk_bytes_ = std::min(max_bulk_bytes_, limits_.unauthenticated_max_bulk_bytes);
  }
}

void RequestParser::Reset() {
  ForgetRequest();
  decoded_.clear();
  error_.clear();
  missing_bytes_ = 1;
}

RequestParser::Result RequestParser::Parse(std::string_view input, size_t max_requests,
                                           RequestBatch& out, size_t& consumed) {
  out.Clear();
  decoded_.clear();
  consumed = 0;
  missing_bytes_ = 1;
  if (!error_.empty()) return Result::kError;
  while (consumed < input.size()) {
    if (out.size() == max_requests) return Result::kBatchFull;
    const std::string_view rest = input.substr(consumed);
    // Once part of a request was looked at, only the general path knows how to go on.
    size_t length = scanned_ == 0 ? ParseWhole(rest, out) : 0;
    if (length == 0) {
      const Step step = ParseStep(rest, out, length);
      if (step == Step::kIncomplete) return Result::kNeedMore;
      if (step == Step::kFailed) return Result::kError;
    }
    consumed += length;
  }
  return Result::kNeedMore;
}

size_t RequestParser::ParseWhole(std::string_view input, RequestBatch& out) const {
  const char* p = input.data();
  const char* const end = p + input.size();
  size_t count;
  p = ReadHeader(p, end, '*', count);
  if (p == nullptr || count == 0 || count > max_args_) return 0;
  const size_t first = out.args.size();
  for (size_t i = 0; i < count; ++i) {
    size_t bytes;
    p = ReadHeader(p, end, '$', bytes);
    if (p == nullptr || bytes > max_bulk_bytes_ || static_cast<size_t>(end - p) < bytes + 2) {
      out.args.resize(first);
      return 0;
    }
    out.args.emplace_back(p, bytes);
    p += bytes + 2;
  }
  out.ends.push_back(static_cast<uint32_t>(out.args.size()));
  return static_cast<size_t>(p - input.data());
}

RequestParser::Step RequestParser::ParseStep(std::string_view input, RequestBatch& out,
                                             size_t& length) {
  const Step step =
      input[0] == '*' ? ParseMultibulk(input, out, length) : ParseInline(input, out, length);
  if (step == Step::kRequest) out.ends.push_back(static_cast<uint32_t>(out.args.size()));
  if (step == Step::kRequest || step == Step::kNothing) ForgetRequest();
  return step;
}

RequestParser::Step RequestParser::ParseMultibulk(std::string_view input, RequestBatch& out,
                                                  size_t& length) {
  if (args_left_ == 0) {
    size_t end;
    const Step found = FindHeaderEnd(input, "too big mbulk count string", end);
    if (found != Step::kRequest) return found;
    int64_t count;
    if (!ParseInt64(input.substr(1, end - 1), count) ||
        count > static_cast<int64_t>(limits_.max_args)) {
      return Fail("invalid multibulk length");
    }
    length = end + 2;
    if (count <= 0) return Step::kNothing;
    if (static_cast<size_t>(count) > max_args_) return Fail("unauthenticated multibulk length");
    args_left_ = static_cast<size_t>(count);
    cursor_ = scanned_ = length;
  }
  const Step step = ParseArgs(input);
  if (step != Step::kRequest) return step;
  for (const Range& arg : pending_) out.args.push_back(input.substr(arg.offset, arg.length));
  length = cursor_;
  return Step::kRequest;
}

RequestParser::Step RequestParser::ParseArgs(std::string_view input) {
  while (args_left_ > 0) {
    if (bulk_bytes_ == kNoBulk) {
      size_t end;
      const Step found = FindHeaderEnd(input, "too big bulk count string", end);
      if (found != Step::kRequest) return found;
      const char type = input[cursor_];
      if (type != '$') {
        // The error must stay one line.
        const char shown = type == '\r' || type == '\n' ? ' ' : type;
        return Fail(std::string("expected '$', got '") + shown + "'");
      }
      int64_t bytes;
      if (!ParseInt64(input.substr(cursor_ + 1, end - cursor_ - 1), bytes) || bytes < 0 ||
          static_cast<size_t>(bytes) > limits_.max_bulk_bytes) {
        return Fail("invalid bulk length");
      }
      if (static_cast<size_t>(bytes) > max_bulk_bytes_) return Fail("unauthenticated bulk length");
      bulk_bytes_ = static_cast<size_t>(bytes);
      cursor_ = scanned_ = end + 2;
    }
    const size_t arrived = input.size() - cursor_;
    if (arrived < bulk_bytes_ + 2) {
      missing_bytes_ = bulk_bytes_ + 2 - arrived;
      return Step::kIncomplete;
    }
    pending_.push_back({cursor_, bulk_bytes_});
    cursor_ += bulk_bytes_ + 2;
    scanned_ = cursor_;
    bulk_bytes_ = kNoBulk;
    --args_left_;
  }
  return Step::kRequest;
}

RequestParser::Step RequestParser::ParseInline(std::string_view input, RequestBatch& out,
                                               size_t& length) {
  size_t end;
  const Step found = FindLineEnd(input, '\n', "too big inline request", end);
  if (found != Step::kRequest) return found;
  length = end + 1;
  std::string_view line = input.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t first = out.args.size();
  if (!SplitInline(line, out)) {
    out.args.resize(first);
    return Fail("unbalanced quotes in request");
  }
  return out.args.size() == first ? Step::kNothing : Step::kRequest;
}

bool RequestParser::SplitInline(std::string_view line, RequestBatch& out) {
  size_t i = 0;
  for (;;) {
    while (i < line.size() && IsSpace(line[i])) ++i;
    if (i == line.size()) return true;
    const size_t begin = i;
    while (i < line.size() && !EndsArgument(line[i]) && line[i] != '"' && line[i] != '\'') ++i;
    const std::string_view plain = line.substr(begin, i - begin);
    if (i == line.size() || EndsArgument(line[i])) {
      out.args.push_back(plain);
      continue;
    }
    // A list, since its strings never move while others are added.
    std::string& text = decoded_.emplace_front(plain);
    if (!DecodeQuoted(line, i, text)) return false;
    out.args.push_back(text);
  }
}

RequestParser::Step RequestParser::FindLineEnd(std::string_view input, char terminator,
                                               std::string_view too_long, size_t& end) {
  // Redis searches with strchr, so a zero byte hides the rest of the line: it is never complete,
  // and sooner or later too long. Whoever sends one speaks another protocol.
  const size_t bound = std::min(input.size(), cursor_ + limits_.max_inline_bytes + 1);
  if (scanned_ < bound && input[scanned_] != '\0') {
    std::string_view searched = input.substr(scanned_, bound - scanned_);
    const size_t found = searched.find(terminator);
    searched = searched.substr(0, found);
    const size_t zero = searched.find('\0');
    if (zero == std::string_view::npos && found != std::string_view::npos) {
      end = scanned_ + found;
      return Step::kRequest;
    }
    scanned_ += std::min(zero, searched.size());
  }
  if (input.size() - cursor_ > limits_.max_inline_bytes) return Fail(too_long);
  return Step::kIncomplete;
}

RequestParser::Step RequestParser::FindHeaderEnd(std::string_view input, std::string_view too_long,
                                                 size_t& end) {
  const Step found = FindLineEnd(input, '\r', too_long, end);
  if (found != Step::kRequest) return found;
  scanned_ = end;
  return end + 1 < input.size() ? Step::kRequest : Step::kIncomplete;
}

RequestParser::Step RequestParser::Fail(std::string_view reason) {
  error_ = "ERR Protocol error: ";
  error_ += reason;
  return Step::kFailed;
}

void RequestParser::ForgetRequest() {
  pending_.clear();
  if (pending_.capacity() > kKeptArgs) pending_.shrink_to_fit();
  args_left_ = 0;
  cursor_ = 0;
  scanned_ = 0;
  bulk_bytes_ = kNoBulk;
}

}  // namespace lapse
