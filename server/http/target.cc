#include "server/http/target.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace lapse {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnambiguous(std::string_view segment) {
  if (segment.empty() || segment == "." || segment == "..") return false;
  return std::ranges::none_of(segment, [](char c) {
    return c == '/' || c == '\\' || absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

bool ParsePath(std::string_view path, std::vector<std::string>& segments) {
  if (path.empty() || path[0] != '/') return false;
  path.remove_prefix(1);
  if (path.empty()) return true;
  for (;;) {
    const size_t end = std::min(path.find('/'), path.size());
    std::optional<std::string> segment = PercentDecode(path.substr(0, end));
    if (!segment || !IsUnambiguous(*segment)) return false;
    if (segments.size() == HttpTarget::kMaxSegments) return false;
    segments.push_back(*std::move(segment));
    if (end == path.size()) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

std::string HttpTarget::path() const {
  if (segments.empty()) return "/";
  std::string text;
  for (const std::string& segment : segments) text.append("/").append(segment);
  return text;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

bool ParseParameters(std::string_view text, std::vector<QueryParameter>& parameters) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    std::string pair(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    std::ranges::replace(pair, '+', ' ');
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view view = pair;
    std::optional<std::string> name = PercentDecode(view.substr(0, equals));
    std::optional<std::string> value =
        PercentDecode(view.substr(std::min(equals + 1, view.size())));
    if (!name || !value || parameters.size() == HttpTarget::kMaxParameters) return false;
    parameters.push_back({*std::move(name), *std::move(value)});
  }
  return true;
}

std::optional<HttpTarget> ParseTarget(std::string_view target) {
  if (target.size() > HttpTarget::kMaxBytes) return std::nullopt;
  HttpTarget parsed;
  const size_t question = std::min(target.find('?'), target.size());
  if (!ParsePath(target.substr(0, question), parsed.segments)) return std::nullopt;
  const std::string_view query = target.substr(std::min(question + 1, target.size()));
  if (query.find('#') != query.npos || !ParseParameters(query, parsed.query)) return std::nullopt;
  return parsed;
}

}  // namespace lapse
