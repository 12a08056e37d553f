// A reply's elements as plain texts, for matchers of lists: numbers in decimal, nothing as "(nil)".
//
// Thread: pure functions.
#pragma once

#include <string>
#include <vector>

#include "protocol/reply.h"

namespace lapse {

inline std::vector<std::string> Texts(const Reply& reply) {
  std::vector<std::string> texts;
  for (const Reply& element : reply.elements) {
    if (element.IsNull()) {
      texts.emplace_back("(nil)");
    } else if (element.type == ReplyType::kInteger) {
      texts.push_back(std::to_string(element.integer));
    } else {
      texts.push_back(element.IsText() ? element.text : element.ToString());
    }
  }
  return texts;
}

}  // namespace lapse
