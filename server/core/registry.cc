#include "server/core/registry.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "absl/base/macros.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

// A name's first 16 bytes as two words. Every command of Redis but a handful is told apart by them.
struct Folded {
  uint64_t low = 0;
  uint64_t high = 0;
};

uint64_t Load64(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

uint64_t Load32(const char* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Turns A..Z into a..z in eight bytes at once and leaves every other byte alone; a plain `| 0x20`
// would take "\r" for "-".
uint64_t LowerCase(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t low_bits = word & (kOnes * 0x7F);
  const uint64_t from_a = low_bits + kOnes * (0x80 - 'A');
  const uint64_t beyond_z = low_bits + kOnes * (0x7F - 'Z');
  const uint64_t upper = ~word & (from_a ^ beyond_z) & (kOnes * 0x80);
  return word | (upper >> 2);
}

// The last bytes are read by loads that overlap the ones before, so that no length needs a loop.
Folded Fold(std::string_view name) {
  const char* const at = name.data();
  const size_t n = name.size();
  Folded folded;
  if (n >= 16) {
    folded = {Load64(at), Load64(at + 8)};
  } else if (n > 8) {
    folded = {Load64(at), Load64(at + n - 8) >> (8 * (16 - n))};
  } else if (n == 8) {
    folded.low = Load64(at);
  } else if (n >= 4) {
    folded.low = Load32(at) | (Load32(at + n - 4) << (8 * (n - 4)));
  } else if (n > 0) {
    const auto byte = [at](size_t i) { return uint64_t{static_cast<uint8_t>(at[i])} << (8 * i); };
    folded.low = byte(0) | byte(n / 2) | byte(n - 1);
  }
  return {LowerCase(folded.low), LowerCase(folded.high)};
}

size_t HashOf(const Folded& folded) {
  constexpr uint64_t kOddMultiplier = 0x9E3779B97F4A7C15;
  return static_cast<size_t>(((folded.low ^ std::rotl(folded.high, 29)) * kOddMultiplier) >> 32);
}

}  // namespace

CommandRegistry::CommandRegistry(std::span<const std::span<const CommandRow>> families) {
  for (const auto family : families) {
    for (const CommandRow& row : family) rows_.push_back(&row);
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const CommandRow* a, const CommandRow* b) { return a->name < b->name; });
  const auto number = [&](const CommandRow* row, const CommandRow* container) {
    constexpr uint32_t kSpecial = kExclusive | kComposite | kBlocking | kLocksItself;
    const bool quick = row->complexity == "O(1)" && (row->flags & kSpecial) == 0;
    const bool one_key = container == nullptr && row->subcommands.empty() &&
                         row->keys.first > 0 && row->keys.first == row->keys.last &&
                         row->find_keys == nullptr && (row->flags & kSpecial) == 0 &&
                         std::abs(row->arity) > row->keys.first;
    numbered_.push_back({row, container, static_cast<uint32_t>(numbered_.size()), quick, one_key});
  };
  for (const CommandRow* row : rows_) {
    number(row, nullptr);
    for (const CommandRow& subcommand : row->subcommands) number(&subcommand, row);
  }
  slots_.resize(std::bit_ceil(std::max<size_t>(rows_.size() * 4, 4)));
  for (const Numbered& command : numbered_) {
    if (command.container != nullptr) continue;
    ABSL_HARDENING_ASSERT(Find(command.row->name) == nullptr && "two command rows of one name");
    const Folded folded = Fold(command.row->name);
    size_t at = HashOf(folded) & (slots_.size() - 1);
    while (slots_[at].command != nullptr) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {folded.low, folded.high, &command};
  }
}

const CommandRegistry::Numbered* CommandRegistry::FindNumbered(std::string_view name) const {
  const Folded folded = Fold(name);
  // Ends at an empty slot, for three quarters are.
  for (size_t at = HashOf(folded) & (slots_.size() - 1); slots_[at].command != nullptr;
       at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.name_low != folded.low || slot.name_high != folded.high) continue;
    const std::string_view found = slot.command->row->name;
    // The length tells "get" from "get\0"; what lies beyond the two words is compared as it is.
    if (found.size() != name.size()) continue;
    if (name.size() > 16 && !EqualsIgnoreCase(found.substr(16), name.substr(16))) continue;
    return slot.command;
  }
  return nullptr;
}

const CommandRegistry::Numbered* CommandRegistry::FindSubcommand(const Numbered& container,
                                                                 std::string_view name) const {
  const size_t first = container.number + 1;
  for (size_t i = first; i < first + container.row->subcommands.size(); ++i) {
    if (EqualsIgnoreCase(numbered_[i].row->name, name)) return &numbered_[i];
  }
  return nullptr;
}

const CommandRow* CommandRegistry::FindSubcommand(const CommandRow& row, std::string_view name) {
  for (const CommandRow& subcommand : row.subcommands) {
    if (EqualsIgnoreCase(subcommand.name, name)) return &subcommand;
  }
  return nullptr;
}

}  // namespace lapse
