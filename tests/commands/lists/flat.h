// A reply as one line, for assertions: "[key [a b]]", "5", "nil".
//
// Thread: pure functions.
#pragma once

#include <string>

#include "protocol/reply.h"

namespace lapse {

inline std::string Flat(const Reply& reply) {
  if (reply.IsNull()) return "nil";
  if (reply.type == ReplyType::kInteger) return std::to_string(reply.integer);
  if (!reply.IsCollection()) return reply.text;
  std::string line = "[";
  for (const Reply& element : reply.elements) {
    if (line.size() > 1) line += ' ';
    line += Flat(element);
  }
  return line + "]";
}

}  // namespace lapse
