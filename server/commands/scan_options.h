// What SCAN and its relatives for collections (HSCAN, SSCAN, ZSCAN) have in common: the cursor and
// the options behind it.
//
// Thread: pure functions, but for the replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/core/context.h"

namespace lapse {

// What is walked over; each has options of its own.
enum class ScanOf : uint8_t { kKeys, kFields, kMembers };

struct ScanOptions {
  std::string_view pattern = "*";
  int64_t count = 10;
  std::string_view type = {};  // SCAN's; empty: any
  bool no_values = false;      // HSCAN's

  // Whether the pattern lets this key, field or member through.
  bool Shows(std::string_view name) const;
};

// As strtoul reads it, which Redis calls: a sign is accepted, a negative number wraps around, and a
// zero byte ends the number. Replies with an error and returns nullopt where it is none.
std::optional<uint64_t> ParseCursor(CommandContext& ctx, std::string_view text);

// Reads the options from args[from] on. False: an error has been replied.
bool ParseScanOptions(CommandContext& ctx, size_t from, ScanOf what, ScanOptions& options);

}  // namespace lapse
