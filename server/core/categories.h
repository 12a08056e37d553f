// The categories of commands that ACL rules speak of ("+@read"), in Redis's order, and which rows
// belong to them. Most follow from a row's flags; the others stand in the row.
//
// Thread: constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/core/command.h"

namespace lapse {

struct CommandCategory {
  std::string_view name;
  uint32_t flag = 0;  // of the rows that are in it without saying so
};

std::span<const CommandCategory> CommandCategories();
// nullptr when there is none of this name, letter case aside.
const CommandCategory* FindCategory(std::string_view name);
bool InCategory(const CommandRow& row, const CommandCategory& category);

}  // namespace lapse
