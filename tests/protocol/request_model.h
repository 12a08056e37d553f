// A second reading of the request protocol, as plain as can be, to hold RequestParser against: one
// byte at a time, all of the input at hand, every argument copied. Also the feeder that both the
// unit tests and the fuzz target drive the parser with.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/limits.h"
#include "protocol/request_parser.h"

namespace lapse {

using Request = std::vector<std::string>;

struct ParsedRequests {
  std::vector<Request> requests;
  std::string error;
  size_t consumed = 0;  // bytes of complete requests

  friend bool operator==(const ParsedRequests&, const ParsedRequests&) = default;
};

class RequestModel {
 public:
  RequestModel(std::string_view input, const ProtocolLimits& limits, bool authenticated)
      : input_(input), limits_(limits), authenticated_(authenticated) {}

  ParsedRequests Run() {
    while (at_ < input_.size()) {
      Request request;
      const bool is_complete = input_[at_] == '*' ? Multibulk(request) : Inline(request);
      if (!is_complete) break;
      if (!request.empty()) outcome_.requests.push_back(request);
      outcome_.consumed = at_;
    }
    return outcome_;
  }

 private:
  bool Fail(const std::string& reason) {
    outcome_.error = "ERR Protocol error: " + reason;
    return false;
  }

  // The text up to `terminator`, with at_ moved behind `skip` bytes from there.
  std::optional<std::string> Line(char terminator, size_t skip, const char* too_long) {
    std::string line;
    for (size_t i = at_; i < input_.size() && input_[i] != '\0'; ++i) {
      if (i - at_ > limits_.max_inline_bytes) break;
      if (input_[i] == terminator) {
        if (i + skip > input_.size()) return std::nullopt;
        at_ = i + skip;
        return line;
      }
      line += input_[i];
    }
    if (input_.size() - at_ > limits_.max_inline_bytes) Fail(too_long);
    return std::nullopt;
  }

  static std::optional<long long> Number(const std::string& digits) {
    try {
      const long long value = std::stoll(digits);
      if (std::to_string(value) == digits) return value;
    } catch (const std::exception&) {
    }
    return std::nullopt;
  }

  bool Multibulk(Request& request) {
    const std::optional<std::string> header = Line('\r', 2, "too big mbulk count string");
    if (!header) return false;
    const std::optional<long long> count = Number(header->substr(1));
    if (!count || *count > static_cast<long long>(limits_.max_args)) {
      return Fail("invalid multibulk length");
    }
    if (!authenticated_ && *count > static_cast<long long>(limits_.unauthenticated_max_args)) {
      return Fail("unauthenticated multibulk length");
    }
    for (long long i = 0; i < *count; ++i) {
      if (!Bulk(request)) return false;
    }
    return true;
  }

  bool Bulk(Request& request) {
    const size_t begin = at_;
    const std::optional<std::string> header = Line('\r', 2, "too big bulk count string");
    if (!header) return false;
    const char type = input_[begin];
    if (type != '$') {
      return Fail(std::string("expected '$', got '") + (type == '\r' || type == '\n' ? ' ' : type) +
                  "'");
    }
    const std::optional<long long> bytes = Number(header->substr(1));
    if (!bytes || *bytes < 0 || *bytes > static_cast<long long>(limits_.max_bulk_bytes)) {
      return Fail("invalid bulk length");
    }
    const size_t length = static_cast<size_t>(*bytes);
    if (!authenticated_ && length > limits_.unauthenticated_max_bulk_bytes) {
      return Fail("unauthenticated bulk length");
    }
    if (input_.size() - at_ < length + 2) return false;
    request.emplace_back(input_.substr(at_, length));
    at_ += length + 2;
    return true;
  }

  bool Inline(Request& request) {
    std::optional<std::string> line = Line('\n', 1, "too big inline request");
    if (!line) return false;
    if (!line->empty() && line->back() == '\r') line->pop_back();
    return Split(*line, request) || Fail("unbalanced quotes in request");
  }

  // State machine over the line; a zero byte stands behind its end.
  static bool Split(const std::string& line, Request& request) {
    enum { kBetween, kPlain, kDouble, kSingle } state = kBetween;
    const char* p = line.c_str();
    while (true) {
      const char c = *p++;
      switch (state) {
        case kBetween:
          if (c == '\0') return true;
          if (std::isspace(static_cast<unsigned char>(c)) != 0) break;
          request.emplace_back();
          state = kPlain;
          [[fallthrough]];
        case kPlain:
          if (c == '\0') return true;
          if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            state = kBetween;
          } else if (c == '"' || c == '\'') {
            state = c == '"' ? kDouble : kSingle;
          } else {
            request.back() += c;
          }
          break;
        case kDouble:
        case kSingle:
          if (c == '\0') return false;
          if (c == (state == kDouble ? '"' : '\'')) {
            if (*p != '\0' && std::isspace(static_cast<unsigned char>(*p)) == 0) return false;
            state = kBetween;
          } else if (c == '\\' && *p != '\0' && (state == kDouble || *p == '\'')) {
            p += Escape(p, request.back());
          } else {
            request.back() += c;
          }
          break;
      }
    }
  }

  // Decodes what follows a backslash; returns how many characters that took.
  static size_t Escape(const char* p, std::string& out) {
    static const std::string kLetters = "nrtba";
    static const std::string kMeanings = "\n\r\t\b\a";
    if (*p == 'x' && std::isxdigit(static_cast<unsigned char>(p[1])) != 0 &&
        std::isxdigit(static_cast<unsigned char>(p[2])) != 0) {
      out += static_cast<char>(std::stoi(std::string(p + 1, 2), nullptr, 16));
      return 3;
    }
    const size_t letter = kLetters.find(*p);
    out += letter == std::string::npos ? *p : kMeanings[letter];
    return 1;
  }

  std::string_view input_;
  ProtocolLimits limits_;
  bool authenticated_;
  size_t at_ = 0;
  ParsedRequests outcome_;
};

// Gives `bytes` to the parser in pieces of the sizes that `next_piece` returns. Each call sees a
// fresh allocation of exactly the bytes it may read, so that a sanitizer notices one byte more,
// and any view that outlived its buffer.
inline ParsedRequests Feed(RequestParser& parser, std::string_view bytes, size_t max_requests,
                           const std::function<size_t()>& next_piece) {
  ParsedRequests outcome;
  RequestBatch batch;
  for (size_t fed = 0; fed < bytes.size();) {
    fed += std::min(std::max<size_t>(next_piece(), 1), bytes.size() - fed);
    for (RequestParser::Result result = RequestParser::Result::kBatchFull;
         result == RequestParser::Result::kBatchFull;) {
      const size_t held = fed - outcome.consumed;
      const std::unique_ptr<char[]> copy(new char[held]);
      std::memcpy(copy.get(), bytes.data() + outcome.consumed, held);
      size_t consumed = 0;
      result = parser.Parse({copy.get(), held}, max_requests, batch, consumed);
      outcome.consumed += consumed;
      for (size_t i = 0; i < batch.size(); ++i) {
        outcome.requests.emplace_back(batch[i].begin(), batch[i].end());
      }
      if (result == RequestParser::Result::kError) {
        outcome.error = parser.error();
        return outcome;
      }
    }
  }
  return outcome;
}

inline std::string EncodeRequest(const Request& request) {
  std::string out = "*" + std::to_string(request.size()) + "\r\n";
  for (const std::string& arg : request) {
    out += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return out;
}

}  // namespace lapse
