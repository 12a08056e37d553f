#include "server/http/reply_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "protocol/number.h"

namespace lapse {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The bytes of the code point that the text begins with; 0 when it is none. Overlong forms,
// surrogates and what lies beyond U+10FFFF are none.
size_t CodePointBytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second >= 0xA0) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second >= 0x90) return 0;
  return bytes;
}

boost::json::value NumberToJson(double number) {
  if (std::isfinite(number)) return number;
  if (std::isnan(number)) return "nan";
  return number > 0 ? "inf" : "-inf";
}

boost::json::value TextOrNumber(std::string_view text) {
  int64_t integer = 0;
  if (ParseInt64(text, integer)) return integer;
  const bool like_a_number = !text.empty() && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-';
  });
  double number = 0;
  if (like_a_number && ParseDouble(text, number) && std::isfinite(number)) return number;
  return boost::json::value(ValidUtf8(text));
}

boost::json::object MapToJson(const Reply& reply) {
  boost::json::object object;
  for (size_t i = 0; i + 1 < reply.size(); i += 2) {
    const Reply& name = reply[i];
    const std::string text = name.IsText() ? ValidUtf8(name.text) : name.ToString();
    object[JsonName(text)] = ReplyToJson(reply[i + 1]);
  }
  return object;
}

}  // namespace

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = CodePointBytes(text);
    valid += bytes == 0 ? kReplacement : text.substr(0, bytes);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return valid;
}

std::string JsonName(std::string_view name) {
  std::string changed(name);
  std::ranges::replace(changed, '-', '_');
  return changed;
}

std::string WordOfJsonName(std::string_view name) {
  std::string changed(name);
  std::ranges::replace(changed, '_', '-');
  return changed;
}

// As deep as the reply, which the commands that the API runs keep to a few levels.
boost::json::value ReplyToJson(const Reply& reply) {
  switch (reply.type) {
    case ReplyType::kNull:
    case ReplyType::kNullArray:
      return nullptr;
    case ReplyType::kInteger:
      return reply.integer;
    case ReplyType::kBoolean:
      return reply.integer != 0;
    case ReplyType::kDouble:
      return NumberToJson(reply.number);
    case ReplyType::kMap:
      return MapToJson(reply);
    case ReplyType::kArray:
    case ReplyType::kSet:
    case ReplyType::kPush: {
      boost::json::array array;
      array.reserve(reply.size());
      for (const Reply& element : reply.elements) array.push_back(ReplyToJson(element));
      return array;
    }
    case ReplyType::kSimple:
    case ReplyType::kError:
    case ReplyType::kBulk:
    case ReplyType::kVerbatim:
    case ReplyType::kBigNumber:
      break;
  }
  return boost::json::value(ValidUtf8(reply.text));
}

boost::json::object InfoToJson(std::string_view info) {
  boost::json::object sections;
  boost::json::object* section = nullptr;
  while (!info.empty()) {
    const size_t end = std::min(info.find('\n'), info.size());
    std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("# ")) {
      const std::string name =
          absl::AsciiStrToLower(absl::string_view(line.data() + 2, line.size() - 2));
      section = &sections[ValidUtf8(name)].emplace_object();
      continue;
    }
    const size_t colon = line.find(':');
    if (section == nullptr || colon == line.npos) continue;
    (*section)[JsonName(ValidUtf8(line.substr(0, colon)))] = TextOrNumber(line.substr(colon + 1));
  }
  return sections;
}

}  // namespace lapse
