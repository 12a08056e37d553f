// The lab's report: results.md and the plots, from results alone.
//
// Thread: plain functions.
#pragma once

#include <string>
#include <string_view>

#include "bench/lab/results.h"

namespace lapse {

// Writes results.md and the SVG files into the folder.
void WriteReport(const Results& results, const std::string& folder);

// Puts the report's tables between the lines kSectionBegin and kSectionEnd of another page, with
// the plots linked where `folder` has them.
inline constexpr char kSectionBegin[] = "<!-- lapse-lab: begin -->";
inline constexpr char kSectionEnd[] = "<!-- lapse-lab: end -->";
void InsertReport(const Results& results, const std::string& folder, const std::string& page);

// Puts the text between two lines of a page, in the place of what is there. Throws when the page
// lacks them.
void ReplaceSection(const std::string& page, std::string_view begin, std::string_view end,
                    std::string_view section);

}  // namespace lapse
