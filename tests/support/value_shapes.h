// One key for each way in which a value can be held: what to send so that "k" is that.
//
// For tests that move values about: out to bytes and back, from one server to the other.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <vector>

namespace lapse {

struct ValueShape {
  std::string name;
  std::vector<std::vector<std::string>> requests;
  bool redis70 = true;  // whether Redis 7.0 knows the commands
};

std::vector<ValueShape> ValueShapes();

}  // namespace lapse
