// A request's target taken apart: the path's segments and the query's parameters, decoded once and
// for all.
//
// A path that could mean different things to different readers is refused rather than repaired:
// "." and "..", empty segments, encoded slashes and backslashes, control characters, escapes that
// are none. So whatever a route sees has one reading.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

struct QueryParameter {
  std::string name;
  std::string value;
};

struct HttpTarget {
  static constexpr size_t kMaxBytes = 8192;
  static constexpr size_t kMaxSegments = 16;
  static constexpr size_t kMaxParameters = 128;

  std::vector<std::string> segments;  // none for "/"
  std::vector<QueryParameter> query;

  // "/api/v1/tasks".
  std::string path() const;
};

// nullopt when it is malformed.
std::optional<HttpTarget> ParseTarget(std::string_view target);

// Parameters as a query or a form has them, "a=1&b=two+words"; false when malformed or too many.
bool ParseParameters(std::string_view text, std::vector<QueryParameter>& parameters);

// Bytes for %XX; nullopt when an escape is cut short or is none.
std::optional<std::string> PercentDecode(std::string_view text);
// %XX for all but letters, digits and "-_.~" (RFC 3986's unreserved characters).
std::string PercentEncode(std::string_view text);

}  // namespace lapse
