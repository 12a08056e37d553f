// Ranges of sorted sets, by rank, score or bytes: replied, counted, stored, removed.

#include <algorithm>
#include <memory>
#include <string_view>

#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

using RankRange = SortedSet::RankRange;

constexpr Event kZRangeStoreEvent{"zrangestore", 'z'};
constexpr Event kRemovedByRankEvent{"zremrangebyrank", 'z'};
constexpr Event kRemovedByScoreEvent{"zremrangebyscore", 'z'};
constexpr Event kRemovedByLexEvent{"zremrangebylex", 'z'};

constexpr std::string_view kLimitByRank =
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
constexpr std::string_view kScoresByLex =
    "ERR syntax error, WITHSCORES not supported in combination with BYLEX";

enum class By : uint8_t { kRank, kScore, kLex };

// What a command asks for.
struct Selection {
  By by = By::kRank;
  bool backward = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: none
  // By rank; negative ones count from the end.
  int64_t start = 0;
  int64_t stop = 0;
  SortedSet::ScoreRange scores;
  SortedSet::LexRange lex;
};

// Which options a command takes beside those of all.
struct Grammar {
  bool any_kind = false;  // ZRANGE and ZRANGESTORE: BYSCORE, BYLEX and REV
  bool stores = false;
};

// False: an error has been replied.
bool ParseBounds(CommandContext& ctx, size_t first, Selection& selection) {
  std::string_view min = ctx.args[first];
  std::string_view max = ctx.args[first + 1];
  if (selection.by == By::kRank) {
    if (ParseInt64(min, selection.start) && ParseInt64(max, selection.stop)) return true;
    ctx.reply.Error(errors::kNotInteger);
    return false;
  }
  if (selection.backward) std::swap(min, max);
  if (selection.by == By::kScore) {
    const auto scores = ParseScoreRange(min, max);
    if (scores) selection.scores = *scores;
    if (!scores) ctx.reply.Error(kNotScoreRange);
    return scores.has_value();
  }
  const auto lex = ParseLexRange(min, max);
  if (lex) selection.lex = *lex;
  if (!lex) ctx.reply.Error(kNotLexRange);
  return lex.has_value();
}

// The options behind the bounds, then the bounds, which are at args[first]. False: an error has
// been replied.
bool ParseSelection(CommandContext& ctx, size_t first, Grammar grammar, Selection& selection) {
  ArgumentReader in(ctx.args, first + 2);
  bool auto_kind = grammar.any_kind;
  bool auto_direction = grammar.any_kind;
  while (in.More()) {
    if (!grammar.stores && in.Match("WITHSCORES")) {
      selection.with_scores = true;
    } else if (in.left() > 2 && in.Match("LIMIT")) {
      selection.offset = in.Integer();
      selection.limit = in.Integer();
    } else if (auto_direction && in.Match("REV")) {
      selection.backward = true;
      auto_direction = false;
    } else if (auto_kind && in.Match("BYLEX")) {
      selection.by = By::kLex;
      auto_kind = false;
    } else if (auto_kind && in.Match("BYSCORE")) {
      selection.by = By::kScore;
      auto_kind = false;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (selection.limit != -1 && selection.by == By::kRank) in.Fail(kLimitByRank);
  if (selection.with_scores && selection.by == By::kLex) in.Fail(kScoresByLex);
  if (in.ok()) return ParseBounds(ctx, first, selection);
  ctx.reply.Error(in.error());
  return false;
}

RankRange ByRank(size_t size, int64_t start, int64_t stop) {
  const auto count = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + count, 0);
  if (stop < 0) stop += count;
  stop = std::min(stop, count - 1);
  if (start > stop) return {};
  return {static_cast<size_t>(start), static_cast<size_t>(stop) + 1};
}

RankRange Limited(RankRange range, const Selection& selection) {
  if (selection.offset < 0) return {};
  const size_t offset = std::min(static_cast<size_t>(selection.offset), range.size());
  size_t left = range.size() - offset;
  if (selection.limit >= 0) left = std::min(left, static_cast<size_t>(selection.limit));
  const size_t from = selection.backward ? range.to - offset - left : range.from + offset;
  return left == 0 ? RankRange{} : RankRange{from, from + left};
}

RankRange Select(const SortedSet& set, const Selection& selection) {
  switch (selection.by) {
    case By::kScore:
      return Limited(set.ByScore(selection.scores), selection);
    case By::kLex:
      return Limited(set.ByLex(selection.lex, selection.backward), selection);
    case By::kRank:
      break;
  }
  const RankRange range = ByRank(set.size(), selection.start, selection.stop);
  if (!selection.backward || range.size() == 0) return range;
  return {set.size() - range.to, set.size() - range.from};
}

// --- Replied. ---

void ReplySelection(CommandContext& ctx, Selection selection, Grammar grammar = {}) {
  if (!ParseSelection(ctx, 2, grammar, selection)) return;
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  if (!set) return ctx.reply.EmptyArray();
  ReplyMembers(ctx, *set, Select(*set, selection),
               {.backward = selection.backward, .with_scores = selection.with_scores});
}

void ZRange(CommandContext& ctx) { ReplySelection(ctx, {}, {.any_kind = true}); }

void ZRevRange(CommandContext& ctx) { ReplySelection(ctx, {.backward = true}); }

void ZRangeByScore(CommandContext& ctx) { ReplySelection(ctx, {.by = By::kScore}); }

void ZRevRangeByScore(CommandContext& ctx) {
  ReplySelection(ctx, {.by = By::kScore, .backward = true});
}

void ZRangeByLex(CommandContext& ctx) { ReplySelection(ctx, {.by = By::kLex}); }

void ZRevRangeByLex(CommandContext& ctx) {
  ReplySelection(ctx, {.by = By::kLex, .backward = true});
}

// --- Counted, stored, removed. ---

void Count(CommandContext& ctx, Selection selection) {
  if (!ParseBounds(ctx, 2, selection)) return;
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  ctx.reply.Integer(set ? static_cast<int64_t>(Select(*set, selection).size()) : 0);
}

void ZCount(CommandContext& ctx) { Count(ctx, {.by = By::kScore}); }

void ZLexCount(CommandContext& ctx) { Count(ctx, {.by = By::kLex}); }

void ZRangeStore(CommandContext& ctx) {
  Selection selection;
  if (!ParseSelection(ctx, 3, {.any_kind = true, .stores = true}, selection)) return;
  const auto source = ReadAs<SortedSet>(ctx, 1);
  if (source.wrong()) return;
  auto result = std::make_unique<SortedSet>();
  if (source) {
    const SortedSet::Limits limits = SortedSetLimits(ctx);
    const RankRange range = Select(*source, selection);
    source->Walk(range, false, [&](std::string_view member, double score) {
      result->Set(member, score, limits);
    });
  }
  const size_t size = result->size();
  StoreResult(ctx, 0, std::move(result), kZRangeStoreEvent);
  ctx.reply.Integer(static_cast<int64_t>(size));
}

void RemoveSelection(CommandContext& ctx, Selection selection, Event event) {
  if (!ParseBounds(ctx, 2, selection)) return;
  const auto found = FindAs<SortedSet>(ctx);
  if (found.wrong()) return;
  const RankRange range = found ? Select(*found, selection) : RankRange{};
  if (range.size() > 0) {
    Edit<SortedSet> edit(ctx, 0, found);
    edit->RemoveRange(range);
    edit.Commit(event);
  }
  ctx.reply.Integer(static_cast<int64_t>(range.size()));
}

void ZRemRangeByRank(CommandContext& ctx) {
  RemoveSelection(ctx, {.by = By::kRank}, kRemovedByRankEvent);
}

void ZRemRangeByScore(CommandContext& ctx) {
  RemoveSelection(ctx, {.by = By::kScore}, kRemovedByScoreEvent);
}

void ZRemRangeByLex(CommandContext& ctx) {
  RemoveSelection(ctx, {.by = By::kLex}, kRemovedByLexEvent);
}

constexpr std::string_view kOfReturned = "O(log N + M), N members in the set, M returned";
constexpr std::string_view kOfRemoved = "O(M log N), N members in the set, M removed";
constexpr std::string_view kOfCounted = "O(log N), N members in the set";

constexpr CommandRow kRows[] = {
    {"zrange", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set", "1.2.0",
     kOfReturned, "The members between two ranks, scores or names",
     "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", ZRange},
    {"zrevrange", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set", "1.2.0",
     kOfReturned, "The members between two ranks, the highest score first",
     "key start stop [WITHSCORES]", ZRevRange},
    {"zrangebyscore", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "1.0.5", kOfReturned, "The members whose scores are between two",
     "key min max [WITHSCORES] [LIMIT offset count]", ZRangeByScore},
    {"zrevrangebyscore", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.2.0", kOfReturned, "The members whose scores are between two, the highest first",
     "key max min [WITHSCORES] [LIMIT offset count]", ZRevRangeByScore},
    {"zrangebylex", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.8.9", kOfReturned, "The members between two in the order of bytes",
     "key min max [LIMIT offset count]", ZRangeByLex},
    {"zrevrangebylex", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.8.9", kOfReturned, "The members between two in the order of bytes, the last one first",
     "key max min [LIMIT offset count]", ZRevRangeByLex},
    {"zcount", 4, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.0.0", kOfCounted, "How many members have scores between two", "key min max", ZCount},
    {"zlexcount", 4, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.8.9", kOfCounted, "How many members are between two in the order of bytes", "key min max",
     ZLexCount},
    WithSpecs({"zrangestore", -5, kWrite | kDenyOom, kTwoKeys, KeyAccess::kOverwrite, "sortedset",
               "sorted-set", "6.2.0", "O(log N + M log M), N members in the set, M stored",
               "Store the members between two ranks, scores or names",
               "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]", ZRangeStore},
              kTargetThenSource),
    {"zremrangebyrank", 4, kWrite, kOneKey, KeyAccess::kDelete, "sortedset", "sorted-set", "2.0.0",
     kOfRemoved, "Remove the members between two ranks", "key start stop", ZRemRangeByRank},
    {"zremrangebyscore", 4, kWrite, kOneKey, KeyAccess::kDelete, "sortedset", "sorted-set", "1.2.0",
     kOfRemoved, "Remove the members whose scores are between two", "key min max",
     ZRemRangeByScore},
    {"zremrangebylex", 4, kWrite, kOneKey, KeyAccess::kDelete, "sortedset", "sorted-set", "2.8.9",
     kOfRemoved, "Remove the members between two in the order of bytes", "key min max",
     ZRemRangeByLex},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SortedSetRangeCommands() { return kRows; }

}  // namespace lapse
