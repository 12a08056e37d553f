// What a family's table is written with: names for the usual key specs, and the check that rejects
// rows which contradict themselves, at compile time:
//
//   constexpr CommandRow kRows[] = {...};
//   static_assert(RowsAreSound(kRows));
//
// What the dispatcher, COMMAND and the ACL derive from a row is only as good as the row, and a
// mistake there (a write without its flag, a key that is never locked) shows up far from it.
//
// Thread: constants, and functions for the compiler alone.
#pragma once

#include <span>
#include <string_view>

#include "server/core/command.h"

namespace lapse {

inline constexpr KeySpec kNoKeys{0, 0, 1};
inline constexpr KeySpec kOneKey{1, 1, 1};
inline constexpr KeySpec kTwoKeys{1, 2, 1};
inline constexpr KeySpec kAllKeys{1, -1, 1};
inline constexpr KeySpec kAlternateKeys{1, -1, 2};  // "key value [key value ...]"
inline constexpr KeySpec kSubcommandKey{2, 2, 1};

inline constexpr std::span<const CommandRow> kNoSubcommands;

// Lower case, no blank: names are compared folded.
constexpr bool NameIsSound(std::string_view name) {
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_') return false;
  }
  return !name.empty();
}

// Keys lie among the arguments that the arity promises, and a command with keys says what it does
// to them: writes or reads, never both. A command without keys may be either or neither; so may one
// that only names keys (WATCH).
constexpr bool KeysAreSound(const CommandRow& row) {
  const bool writes = (row.flags & kWrite) != 0;
  const bool reads = (row.flags & kReadOnly) != 0;
  if (writes && reads) return false;
  if (row.keys.first == 0) return row.keys.last == 0 && row.access == KeyAccess::kNone;
  // What only names keys, or what looks like them, locks them as it needs, if at all.
  if (!writes && !reads) return row.keys.first > 0 && (row.flags & kLocksItself) != 0;
  const int promised = row.arity < 0 ? -row.arity : row.arity;
  const bool within =
      row.keys.first > 0 && row.keys.first < promised && row.keys.step > 0 &&
      (row.keys.last < 0 || (row.keys.last >= row.keys.first && row.keys.last < promised));
  // A command that writes may only read its first key, where it has another kind of key.
  const bool access_fits =
      writes ? WritesData(row.access) || row.access == KeyAccess::kReadCached ||
                   (row.access == KeyAccess::kReadOnly && row.key_specs.size() > 1)
             : row.access != KeyAccess::kNone && !WritesData(row.access);
  return within && access_fits;
}

constexpr bool RowIsSound(const CommandRow& row) {
  const bool documented = !row.group.empty() && !row.since.empty() && !row.summary.empty();
  // Either it runs, or it contains what runs; COMMAND alone does both, for it means something by
  // itself.
  const bool has_handler = row.handler != nullptr;
  const bool both = has_handler && row.arity == -1;
  return NameIsSound(row.name) && row.arity != 0 && documented && KeysAreSound(row) &&
         (both || has_handler == row.subcommands.empty());
}

constexpr bool RowsAreSound(std::span<const CommandRow> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!RowIsSound(rows[i])) return false;
    if (!rows[i].subcommands.empty() && !RowsAreSound(rows[i].subcommands)) return false;
    for (size_t j = 0; j < i; ++j) {
      if (rows[i].name == rows[j].name) return false;
    }
  }
  return true;
}

}  // namespace lapse
