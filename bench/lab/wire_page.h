// What a documentation page shows of `lapse-lab wire`: a table that sets Lapse beside redis and the
// wire's limits, the expiry tables, and charts. wire.md has every figure of every server.
//
// Thread: plain functions.
#pragma once

#include <string>

namespace lapse::wire {

// Renders wire-*.md and the charts from the wire-*.json in the folder; returns false when there are
// none. With a page, puts the tables between the lines kWireSectionBegin and kWireSectionEnd of it.
bool RenderWire(const std::string& folder, const std::string& page);

inline constexpr char kWireSectionBegin[] = "<!-- lapse-lab wire: begin -->";
inline constexpr char kWireSectionEnd[] = "<!-- lapse-lab wire: end -->";

}  // namespace lapse::wire
