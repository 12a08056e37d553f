// A command's reply as JSON.
//
// A map is an object whose names have '_' for '-' (JavaScript's and Prometheus's habit), an array
// or a set is an array, texts are strings, nothing is null. What JSON has no word for becomes text:
// a number that is not finite, and bytes that are no UTF-8, in which each stray byte is replaced.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "boost/json/value.hpp"
#include "protocol/reply.h"

namespace lapse {

boost::json::value ReplyToJson(const Reply& reply);

// INFO's text as {"memory": {"used_memory": 123, ...}, ...}: section names in lower case, numbers
// as numbers.
boost::json::object InfoToJson(std::string_view info);

// "memory-before" as "memory_before", and back.
std::string JsonName(std::string_view name);
std::string WordOfJsonName(std::string_view name);

// The text with U+FFFD in the place of each byte that is not part of valid UTF-8.
std::string ValidUtf8(std::string_view text);

}  // namespace lapse
