// What ZPOPMIN, ZMPOP and their blocking forms have in common.
//
// Thread: the session's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/commands/typed.h"
#include "server/core/context.h"
#include "storage/values/sorted_set.h"

namespace lapse {

struct PopForm {
  bool highest = false;  // or the lowest
  size_t count = 1;
  bool in_pairs = false;  // each member and its score as an array of two
};

// Removes that many members, which the set has, and replies with them; the array is open already.
void PopMembers(CommandContext& ctx, size_t i, const Typed<SortedSet>& found, const PopForm& form);

// Pops up to `count` members from the first of the keys that is there, and replies with its name
// and them. Returns whether it did, and nullopt when an error was replied.
struct FirstPopForm {
  bool in_pairs = false;     // as ZMPOP replies; else flat, as BZPOPMIN
  bool skip_others = false;  // keys of another type; else they are an error
};
std::optional<bool> PopFirst(CommandContext& ctx, bool highest, uint64_t count, FirstPopForm form);

// "numkeys key [key ...] <MIN | MAX> [COUNT count]" from args[count_at] on.
struct MultiPop {
  bool highest = false;
  uint64_t count = 1;
};
std::optional<MultiPop> ParseMultiPop(CommandContext& ctx, size_t count_at);

}  // namespace lapse
