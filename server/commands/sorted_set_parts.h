// What the commands of sorted sets, and the geographic ones on top of them, have in common: bounds
// as clients write them, replies, additions, and where keys behind a count are.
//
// Thread: the session's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/number.h"
#include "server/core/command.h"
#include "server/core/context.h"
#include "storage/values/sorted_set.h"

namespace lapse {

// Up to where a set stays packed, as configured.
SortedSet::Limits SortedSetLimits(const CommandContext& ctx);

// "(1.5", "-inf": nullopt where one is no number.
std::optional<SortedSet::ScoreRange> ParseScoreRange(std::string_view min, std::string_view max);
// "[a", "(b", "-", "+": nullopt where one is none of these. The texts are the arguments' bytes.
std::optional<SortedSet::LexRange> ParseLexRange(std::string_view min, std::string_view max);

inline constexpr std::string_view kNotScoreRange = "ERR min or max is not a float";
inline constexpr std::string_view kNotLexRange = "ERR min or max not valid string range item";

// Replies with an array of the range's members, from the end with `backward`: alone or with their
// scores, which RESP2 has beside them and RESP3 in pairs.
struct MemberReply {
  bool backward = false;
  bool with_scores = false;
};
void ReplyMembers(CommandContext& ctx, const SortedSet& set, SortedSet::RankRange range,
                  MemberReply form);

// What ZADD and GEOADD do.
struct AddOptions {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;
  bool ch = false;    // count what has changed, too
  bool incr = false;  // one pair: the score is added, and the sum replied
};
struct ScoredMember {
  double score = 0;
  std::string_view member;
};
void AddMembers(CommandContext& ctx, const AddOptions& options,
                std::span<const ScoredMember> members);

// Finds the keys of "... numkeys key [key ...] ..." where args[kCountAt] is numkeys.
template <size_t kCountAt, KeyAccess kAccess>
void FindCountedKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  int64_t count = 0;
  if (args.size() <= kCountAt + 1 || !ParseInt64(args[kCountAt], count)) return;
  if (count < 1 || static_cast<uint64_t>(count) > args.size() - kCountAt - 1) return;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    keys.push_back({static_cast<uint32_t>(kCountAt + 1 + i), kAccess});
  }
}

// The same with a destination before the count, which comes first.
inline void FindStoreKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  keys.push_back({1, KeyAccess::kOverwrite});
  FindCountedKeys<2, KeyAccess::kReadOnly>(args, keys);
  if (keys.size() == 1) keys.clear();
}

}  // namespace lapse
