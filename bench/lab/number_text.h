// Numbers as people read them: three digits that count, thousands apart.
//
// Thread: plain functions.
#pragma once

#include <string>

namespace lapse {

// 0.0123, 4.56, 78.9, 1,234,567.
std::string NumberText(double value);
// For axes: 1 k, 20 M, 0.5.
std::string TickText(double value);

}  // namespace lapse
