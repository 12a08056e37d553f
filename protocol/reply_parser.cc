#include "protocol/reply_parser.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "protocol/number.h"

namespace lapse {
namespace {

bool IsBulk(char type) { return type == '$' || type == '=' || type == '!'; }

bool IsAggregate(char type) {
  return type == '*' || type == '%' || type == '~' || type == '>' || type == '|';
}

ReplyType AggregateType(char type) {
  switch (type) {
    case '%':
    case '|':
      return ReplyType::kMap;
    case '~':
      return ReplyType::kSet;
    case '>':
      return ReplyType::kPush;
    default:
      return ReplyType::kArray;
  }
}

bool ParseNumber(std::string_view text, double& number) {
  if (text == "nan" || text == "-nan") {
    number = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  return ParseDouble(text, number);
}

}  // namespace

ReplyParser::Result ReplyParser::Parse(std::string_view input, size_t& consumed, Reply& out) {
  consumed = 0;
  if (!error_.empty()) return Result::kError;
  for (;;) {
    Reply value;
    size_t length = 0;
    switch (ParseValue(input.substr(consumed), length, value)) {
      case Step::kIncomplete:
        return Result::kNeedMore;
      case Step::kFailed:
        return Result::kError;
      case Step::kOpened:
        consumed += length;
        break;
      case Step::kValue:
        consumed += length;
        if (Deliver(value)) {
          out = std::move(value);
          return Result::kReply;
        }
        break;
    }
  }
}

ReplyParser::Step ReplyParser::ParseValue(std::string_view input, size_t& length, Reply& value) {
  // Up to and including the CR of the longest line allowed.
  const size_t searched = std::min(input.size(), kMaxReplyLineBytes + 1);
  const void* const found = scanned_ < searched
                                ? std::memchr(input.data() + scanned_, '\r', searched - scanned_)
                                : nullptr;
  if (found == nullptr) {
    if (input.size() > kMaxReplyLineBytes) return Fail("a line is too long");
    scanned_ = searched;
    return Step::kIncomplete;
  }
  const size_t end = static_cast<size_t>(static_cast<const char*>(found) - input.data());
  scanned_ = end;
  if (end + 1 == input.size()) return Step::kIncomplete;
  if (end == 0) return Fail("a line is empty");
  if (input[end + 1] != '\n') return Fail("CR without LF");

  const char type = input[0];
  const std::string_view line = input.substr(1, end - 1);
  length = end + 2;
  Step step;
  if (IsBulk(type)) {
    step = ParseBulk(input, line, length, value);
  } else if (IsAggregate(type)) {
    step = OpenAggregate(type, line, value);
  } else {
    step = ParseScalar(type, line, value);
  }
  if (step == Step::kValue || step == Step::kOpened) scanned_ = 0;
  return step;
}

ReplyParser::Step ReplyParser::ParseScalar(char type, std::string_view line, Reply& value) {
  switch (type) {
    case '+':
      value.type = ReplyType::kSimple;
      value.text = line;
      return Step::kValue;
    case '-':
      value.type = ReplyType::kError;
      value.text = line;
      return Step::kValue;
    case ':':
      value.type = ReplyType::kInteger;
      return ParseInt64(line, value.integer) ? Step::kValue : Fail("invalid integer");
    case '_':
      value.type = ReplyType::kNull;
      return line.empty() ? Step::kValue : Fail("invalid null");
    case '#':
      value.type = ReplyType::kBoolean;
      value.integer = line == "t";
      return line == "t" || line == "f" ? Step::kValue : Fail("invalid boolean");
    case ',':
      value.type = ReplyType::kDouble;
      value.text = line;
      return ParseNumber(line, value.number) ? Step::kValue : Fail("invalid double");
    case '(':
      value.type = ReplyType::kBigNumber;
      value.text = line;
      return line.empty() ? Fail("invalid big number") : Step::kValue;
    default:
      return Fail("unknown type");
  }
}

ReplyParser::Step ReplyParser::ParseBulk(std::string_view input, std::string_view line,
                                         size_t& length, Reply& value) {
  constexpr size_t kFormatBytes = 4;  // "txt:"
  const char type = input[0];
  int64_t announced;
  if (!ParseInt64(line, announced) || announced > kMaxReplyBulkBytes) {
    return Fail("invalid bulk length");
  }
  if (announced < 0) {
    // RESP2's null.
    if (announced != -1 || type != '$') return Fail("invalid bulk length");
    value.type = ReplyType::kNull;
    return Step::kValue;
  }
  const size_t bytes = static_cast<size_t>(announced);
  if (input.size() - length < bytes + 2) return Step::kIncomplete;
  std::string_view text = input.substr(length, bytes);
  if (input.substr(length + bytes, 2) != "\r\n") return Fail("a bulk is longer than announced");
  length += bytes + 2;
  if (type == '=') {
    if (bytes < kFormatBytes || text[kFormatBytes - 1] != ':') return Fail("invalid verbatim");
    text.remove_prefix(kFormatBytes);
  }
  value.type = type == '$'   ? ReplyType::kBulk
               : type == '=' ? ReplyType::kVerbatim
                             : ReplyType::kError;
  value.text = text;
  return Step::kValue;
}

ReplyParser::Step ReplyParser::OpenAggregate(char type, std::string_view line, Reply& value) {
  int64_t count;
  if (!ParseInt64(line, count) || count > kMaxReplyElements) {
    return Fail("invalid collection length");
  }
  if (count < 0) {
    if (count != -1 || type != '*') return Fail("invalid collection length");
    value.type = ReplyType::kNullArray;
    return Step::kValue;
  }
  value.type = AggregateType(type);
  const bool is_attribute = type == '|';
  if (count == 0) return is_attribute ? Step::kOpened : Step::kValue;
  if (open_.size() == kMaxReplyDepth) return Fail("collections are nested too deep");
  const size_t per_entry = value.type == ReplyType::kMap ? 2 : 1;
  open_.push_back({std::move(value), static_cast<size_t>(count) * per_entry, is_attribute});
  return Step::kOpened;
}

bool ReplyParser::Deliver(Reply& value) {
  while (!open_.empty()) {
    OpenCollection& top = open_.back();
    // An attribute's content is dropped at once, so that it takes no memory.
    if (!top.is_attribute) top.reply.elements.push_back(std::move(value));
    if (--top.left > 0) return false;
    const bool is_attribute = top.is_attribute;
    value = std::move(top.reply);
    open_.pop_back();
    if (is_attribute) return false;  // the value that it describes follows
  }
  return true;
}

ReplyParser::Step ReplyParser::Fail(std::string_view reason) {
  error_ = "invalid reply: ";
  error_ += reason;
  open_.clear();
  return Step::kFailed;
}

}  // namespace lapse
