// All commands by name. Built once at start from the families' tables; constant afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/core/command.h"

namespace lapse {

class CommandRegistry {
 public:
  // Requires: the tables outlive the registry; names are unique and in lower case.
  explicit CommandRegistry(std::span<const std::span<const CommandRow>> families);

  // A command or a subcommand with its number: those of a container follow it.
  struct Numbered {
    const CommandRow* row = nullptr;
    const CommandRow* container = nullptr;  // of a subcommand
    uint32_t number = 0;
    bool quick = false;    // of constant cost and nothing special to run: need not be timed alone
    bool one_key = false;  // its one key's shard, locked, is all that it needs
  };

  // Letter case aside; nullptr when there is no such command.
  const CommandRow* Find(std::string_view name) const {
    const Numbered* const found = FindNumbered(name);
    return found == nullptr ? nullptr : found->row;
  }
  const Numbered* FindNumbered(std::string_view name) const;
  // Requires: `container` is one. nullptr when it has no such subcommand.
  const Numbered* FindSubcommand(const Numbered& container, std::string_view name) const;
  // nullptr when the row has no such subcommand.
  static const CommandRow* FindSubcommand(const CommandRow& row, std::string_view name);

  // All top-level rows, sorted by name.
  std::span<const CommandRow* const> rows() const { return rows_; }
  // All commands and subcommands, by number.
  std::span<const Numbered> numbered() const { return numbered_; }

 private:
  struct Slot {
    uint64_t name_low = 0;  // the first 16 bytes of the name, folded to lower case
    uint64_t name_high = 0;
    const Numbered* command = nullptr;
  };

  std::vector<const CommandRow*> rows_;
  std::vector<Numbered> numbered_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most a quarter full
};

}  // namespace lapse
