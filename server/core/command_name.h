// What a command is called in errors, statistics and the ACL: "get", or "config|get" for a
// subcommand, whose row has its own name alone.
//
// Thread: pure.
#pragma once

#include <string>

#include "fmt/format.h"
#include "server/core/command.h"

namespace lapse {

// `container` is nullptr for a command that is no subcommand.
inline std::string FullName(const CommandRow* container, const CommandRow& row) {
  if (container == nullptr) return std::string(row.name);
  return fmt::format("{}|{}", container->name, row.name);
}

}  // namespace lapse
