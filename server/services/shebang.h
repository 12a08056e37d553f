// The first line of a script or a library: "#!lua name=mylib flags=no-writes,allow-oom".
//
// It is taken apart alike for both; which options there may be, and what is said about others, is
// each caller's affair.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lapse {

struct Shebang {
  bool present = false;            // the text begins with "#!"
  bool complete = false;           // and the line has an end
  std::vector<std::string> words;  // "#!lua" and the options; none when quotes are unbalanced
  std::string_view body;  // the rest, from the line's end on, so that lines keep their numbers
};

Shebang ParseShebang(std::string_view text);

}  // namespace lapse
