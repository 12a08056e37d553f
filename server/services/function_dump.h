// FUNCTION DUMP's bytes, as Redis writes and reads them, so that libraries move between the two.
//
//   | 0xF5 | length | code | 0xF5 | length | code | ... | footer (storage/persist/dump_payload.h) |
//
// Codes are written plain; read, they may be compressed, as Redis writes longer ones.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

std::string DumpFunctions(std::span<const std::string_view> codes);

enum class DumpFault : uint8_t { kNone, kFooter, kPayload };

// Appends the codes that the bytes hold.
DumpFault ReadFunctionDump(std::string_view bytes, std::vector<std::string>& codes);

}  // namespace lapse
