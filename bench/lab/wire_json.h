// Reports as JSON and back, so that a part of a run can be repeated and the pages rendered again.
//
//     {"facts": {name: text, ..},
//      "tables": [{"title": .., "explanation": .., "rows": [{column: word | figure | [..]}, ..]},
//      ..]}
//
// A figure that is lacking is null. The order of columns is the order of an object's members.
//
// Thread: plain functions.
#pragma once

#include <string>
#include <string_view>

#include "bench/lab/wire_report.h"

namespace lapse::wire {

// A row a line, so that a difference between two files can be read.
std::string ToJson(const Report& report);

// Throws, as the JSON library does, on what ToJson has not written.
Report ReportFromJson(std::string_view run, std::string_view text);

}  // namespace lapse::wire
