#include "protocol/reply_writer.h"

#include <cmath>

namespace lapse {

char* ReplyWriter::WriteLongHeader(char* out, char type, size_t n) {
  *out++ = type;
  out += FormatInt64(static_cast<int64_t>(n), out);
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

void ReplyWriter::Line(char type, std::string_view text) {
  char* const begin = out_->Prepare(text.size() + 3);
  char* end = begin;
  *end++ = type;
  for (const char c : text) *end++ = (c == '\r' || c == '\n') ? ' ' : c;
  *end++ = '\r';
  *end++ = '\n';
  out_->Commit(static_cast<size_t>(end - begin));
}

void ReplyWriter::Simple(std::string_view text) { Line('+', text); }

void ReplyWriter::Error(std::string_view text) {
  while (!text.empty() && (text.front() == '\r' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  Line('-', text);
}

void ReplyWriter::Double(double value) {
  char digits[kMaxDoubleChars];
  const std::string_view text(digits, FormatDouble(value, digits));
  resp_ == 2 ? Bulk(text) : Line(',', text);
}

void ReplyWriter::HumanDouble(long double value) {
  const std::string text = FormatLongDoubleHuman(value);
  resp_ == 2 ? Bulk(text) : Line(',', text);
}

void ReplyWriter::Boolean(bool value) {
  if (resp_ == 2) {
    value ? Fixed(":1\r\n") : Fixed(":0\r\n");
  } else {
    value ? Fixed("#t\r\n") : Fixed("#f\r\n");
  }
}

void ReplyWriter::BigNumber(std::string_view digits) {
  resp_ == 2 ? Bulk(digits) : Line('(', digits);
}

void ReplyWriter::BulkInteger(int64_t value) {
  char digits[kMaxInt64Chars];
  Bulk({digits, FormatInt64(value, digits)});
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  if (resp_ == 2) {
    Bulk(text);
    return;
  }
  Header('=', format.size() + 1 + text.size());
  out_->Append(format);
  out_->Append(":");
  out_->Append(text);
  Fixed("\r\n");
}

size_t ReplyWriter::Begin() {
  const size_t mark = out_->size();
  out_->Prepare(kReservedHeaderBytes);
  out_->Commit(kReservedHeaderBytes);
  return mark;
}

void ReplyWriter::End(size_t mark, char type, size_t n) {
  char header[kMaxHeaderBytes];
  const size_t header_bytes = static_cast<size_t>(WriteHeader(header, type, n) - header);
  const size_t growth = header_bytes - kReservedHeaderBytes;  // a header has at least four bytes
  if (growth > 0) {
    out_->Prepare(growth);
    char* const body = out_->data() + mark + kReservedHeaderBytes;
    std::memmove(body + growth, body, out_->size() - mark - kReservedHeaderBytes);
    out_->Commit(growth);
  }
  std::memcpy(out_->data() + mark, header, header_bytes);
}

}  // namespace lapse
