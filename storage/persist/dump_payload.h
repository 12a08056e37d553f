// The frame around what DUMP and FUNCTION DUMP give: a body, and a footer that says which version
// of the format wrote it and that nothing was changed on the way.
//
//   | body | version, 2 B | CRC-64 of all before, 8 B |      both numbers little endian
//
// The checksum keeps off accidents, not malice: a body is to be read as if it held anything.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lapse {

// Appends the footer to a body.
void SealDump(std::string& body, uint16_t version);

// The body of a payload whose footer holds, of a version that is not newer than we are.
std::optional<std::string_view> OpenDump(std::string_view payload);

}  // namespace lapse
