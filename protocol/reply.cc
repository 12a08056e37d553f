#include "protocol/reply.h"

#include <fmt/format.h>

#include <iterator>
#include <ostream>

#include "protocol/number.h"

namespace lapse {
namespace {

// A text between double quotes, with the escapes that an inline request understands.
void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          out += c;
        } else {
          fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  out += '"';
}

// Recursion is bounded by the depth of the reply, which ReplyParser bounds.
void AppendReply(const Reply& reply, std::string_view indent, std::string& out);

// Numbered lines; after the first, each begins with the indent of its collection. Numbers are
// right-aligned, so that the elements of one collection line up. `=>` joins a key and its value.
void AppendElements(const Reply& reply, std::string_view indent, std::string& out) {
  const bool is_map = reply.type == ReplyType::kMap;
  const size_t step = is_map ? 2 : 1;
  const size_t count = reply.elements.size() / step;
  const size_t width = fmt::formatted_size("{}", count);
  const char mark = is_map ? '#' : reply.type == ReplyType::kSet ? '~' : ')';
  const std::string deeper = std::string(indent) + std::string(width + 2, ' ');
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) {
      out += '\n';
      out += indent;
    }
    fmt::format_to(std::back_inserter(out), "{:>{}}{} ", i + 1, width, mark);
    AppendReply(reply.elements[i * step], deeper, out);
    if (is_map) {
      out += " => ";
      AppendReply(reply.elements[i * step + 1], deeper, out);
    }
  }
}

std::string_view EmptyName(ReplyType type) {
  switch (type) {
    case ReplyType::kMap:
      return "(empty hash)";
    case ReplyType::kSet:
      return "(empty set)";
    case ReplyType::kPush:
      return "(empty push)";
    default:
      return "(empty array)";
  }
}

void AppendReply(const Reply& reply, std::string_view indent, std::string& out) {
  switch (reply.type) {
    case ReplyType::kNull:
    case ReplyType::kNullArray:
      out += "(nil)";
      break;
    case ReplyType::kSimple:
    case ReplyType::kVerbatim:
      out += reply.text;
      break;
    case ReplyType::kError:
      out += "(error) ";
      out += reply.text;
      break;
    case ReplyType::kInteger:
      fmt::format_to(std::back_inserter(out), "(integer) {}", reply.integer);
      break;
    case ReplyType::kBulk:
      AppendQuoted(reply.text, out);
      break;
    case ReplyType::kDouble:
      out += "(double) ";
      out += reply.text.empty() ? FormatDouble(reply.number) : reply.text;
      break;
    case ReplyType::kBoolean:
      out += reply.integer != 0 ? "(true)" : "(false)";
      break;
    case ReplyType::kBigNumber:
      out += "(big number) ";
      out += reply.text;
      break;
    case ReplyType::kArray:
    case ReplyType::kMap:
    case ReplyType::kSet:
    case ReplyType::kPush:
      if (reply.elements.empty()) {
        out += EmptyName(reply.type);
      } else {
        AppendElements(reply, indent, out);
      }
      break;
  }
}

}  // namespace

int64_t Reply::AsInteger(int64_t otherwise) const {
  if (type == ReplyType::kInteger || type == ReplyType::kBoolean) return integer;
  int64_t value;
  return IsText() && ParseInt64(text, value) ? value : otherwise;
}

std::string Reply::ToString() const {
  std::string out;
  AppendReply(*this, "", out);
  return out;
}

bool operator==(const Reply& a, const Reply& b) {
  // A double is compared by its spelling where it has one, so that nan equals itself.
  return a.type == b.type && a.text == b.text && a.integer == b.integer &&
         (a.number == b.number || (a.number != a.number && b.number != b.number)) &&
         a.elements == b.elements;
}

void PrintTo(const Reply& reply, std::ostream* out) { *out << reply.ToString(); }

}  // namespace lapse
