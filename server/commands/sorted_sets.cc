// Sorted sets, member by member: ZADD, ZSCORE, ZRANK, ZPOPMIN and their relatives.

#include <limits>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/random/random.h"
#include "fmt/format.h"
#include "protocol/buffer.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/option_word.h"
#include "server/commands/rows.h"
#include "server/commands/scan_options.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/sorted_set_pops.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

using RankRange = SortedSet::RankRange;

constexpr Event kZRemEvent{"zrem", 'z'};

constexpr std::string_view kXxAndNx = "ERR XX and NX options at the same time are not compatible";
constexpr std::string_view kGtLtAndNx =
    "ERR GT, LT, and/or NX options at the same time are not compatible";
constexpr std::string_view kOneIncrement =
    "ERR INCR option supports a single increment-element pair";

// Takes the options from args[at] on, and returns where the first score is.
size_t ParseAddOptions(CommandContext& ctx, AddOptions& options) {
  for (size_t at = 2; at < ctx.args.size(); ++at) {
    switch (OptionWord(ctx.args[at])) {
      case OptionWord("NX"):
        options.nx = true;
        break;
      case OptionWord("XX"):
        options.xx = true;
        break;
      case OptionWord("GT"):
        options.gt = true;
        break;
      case OptionWord("LT"):
        options.lt = true;
        break;
      case OptionWord("CH"):
        options.ch = true;
        break;
      case OptionWord("INCR"):
        options.incr = true;
        break;
      default:
        return at;
    }
  }
  return ctx.args.size();
}

void AddWith(CommandContext& ctx, AddOptions options) {
  const size_t first = ParseAddOptions(ctx, options);
  const size_t words = ctx.args.size() - first;
  if (words == 0 || words % 2 != 0) return ctx.reply.Error(errors::kSyntax);
  if (options.nx && options.xx) return ctx.reply.Error(kXxAndNx);
  if ((options.gt && options.nx) || (options.lt && options.nx) || (options.gt && options.lt)) {
    return ctx.reply.Error(kGtLtAndNx);
  }
  if (options.incr && words > 2) return ctx.reply.Error(kOneIncrement);
  absl::InlinedVector<ScoredMember, 4> members(words / 2);
  for (size_t i = 0; i < members.size(); ++i) {
    if (!ParseDouble(ctx.args[first + 2 * i], members[i].score)) {
      return ctx.reply.Error(errors::kNotFloat);
    }
    members[i].member = ctx.args[first + 2 * i + 1];
  }
  AddMembers(ctx, options, members);
}

void ZAdd(CommandContext& ctx) { AddWith(ctx, {}); }

void ZIncrBy(CommandContext& ctx) { AddWith(ctx, {.incr = true}); }

void ZRem(CommandContext& ctx) {
  const auto found = FindAs<SortedSet>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Integer(0);
  Edit<SortedSet> edit(ctx, 0, found);
  int64_t removed = 0;
  for (const std::string_view member : ctx.args.subspan(2)) {
    removed += edit->Remove(member) ? 1 : 0;
  }
  edit.Commit(removed > 0 ? kZRemEvent : Event{});
  ctx.reply.Integer(removed);
}

void ZScore(CommandContext& ctx) {
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  const auto score = set ? set->Score(ctx.args[2]) : std::nullopt;
  score ? ctx.reply.Double(*score) : ctx.reply.Null();
}

void ZMScore(CommandContext& ctx) {
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view member : ctx.args.subspan(2)) {
    const auto score = set ? set->Score(member) : std::nullopt;
    score ? ctx.reply.Double(*score) : ctx.reply.Null();
  }
}

void ZCard(CommandContext& ctx) {
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  ctx.reply.Integer(set ? static_cast<int64_t>(set->size()) : 0);
}

void ReplyRank(CommandContext& ctx, bool backward) {
  if (ctx.args.size() > 4) {
    return ctx.reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
  }
  const bool with_score = ctx.args.size() == 4;
  if (with_score && !EqualsIgnoreCase(ctx.args[3], "WITHSCORE")) {
    return ctx.reply.Error(errors::kSyntax);
  }
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  const auto rank = set ? set->Rank(ctx.args[2]) : std::nullopt;
  if (!rank) return with_score ? ctx.reply.NullArray() : ctx.reply.Null();
  if (with_score) ctx.reply.Array(2);
  ctx.reply.Integer(static_cast<int64_t>(backward ? set->size() - 1 - *rank : *rank));
  if (with_score) ctx.reply.Double(*set->Score(ctx.args[2]));
}

void ZRank(CommandContext& ctx) { ReplyRank(ctx, false); }

void ZRevRank(CommandContext& ctx) { ReplyRank(ctx, true); }

// --- ZPOPMIN, ZPOPMAX, ZMPOP ---

void Pop(CommandContext& ctx, bool highest) {
  if (ctx.args.size() > 3) return ctx.reply.Error(errors::kSyntax);
  int64_t count = 1;
  const bool counted = ctx.args.size() == 3;
  if (counted && (!ParseInt64(ctx.args[2], count) || count < 0)) {
    return ctx.reply.Error(errors::kNotPositive);
  }
  const auto found = FindAs<SortedSet>(ctx);
  if (found.wrong()) return;
  if (!found || count == 0) return ctx.reply.EmptyArray();
  const bool in_pairs = counted && ctx.reply.resp() > 2;
  const size_t popped = std::min(static_cast<uint64_t>(count), uint64_t{found->size()});
  ctx.reply.Array(in_pairs ? popped : 2 * popped);
  PopMembers(ctx, 0, found, {.highest = highest, .count = popped, .in_pairs = in_pairs});
}

void ZPopMin(CommandContext& ctx) { Pop(ctx, false); }

void ZPopMax(CommandContext& ctx) { Pop(ctx, true); }

void ZMPop(CommandContext& ctx) {
  const auto request = ParseMultiPop(ctx, 1);
  if (!request) return;
  const std::optional<bool> popped =
      PopFirst(ctx, request->highest, request->count, {.in_pairs = true});
  if (popped == false) ctx.reply.NullArray();
}

// --- ZRANDMEMBER ---

class MemberSampler {
 public:
  MemberSampler(CommandContext& ctx, const SortedSet& set, bool with_scores)
      : reply_(ctx.reply), set_(set), with_scores_(with_scores) {}

  void ReplyOne() {
    const size_t rank = Below(set_.size());
    set_.Walk({rank, rank + 1}, false,
              [&](std::string_view member, double score) { Show(member, score); });
  }
  void ReplyWithRepetitions(size_t count) {
    Begin(count);
    for (size_t i = 0; i < count; ++i) ReplyOne();
  }
  void ReplyDistinct(size_t count) {
    count = std::min(count, set_.size());
    Begin(count);
    // Draws by lot are cheap while few are wanted of many; else one walk that lets each pass with
    // the probability that is due.
    if (set_.packed() == nullptr && count < set_.size() / kWalkShare) return ReplyDrawn(count);
    // Backwards, as Redis does when all are wanted.
    size_t left = set_.size();
    set_.Walk({0, left}, true, [&](std::string_view member, double score) {
      if (Below(left--) >= count) return true;
      Show(member, score);
      return --count > 0;
    });
  }

 private:
  static constexpr size_t kWalkShare = 8;

  size_t Below(size_t bound) { return absl::Uniform<size_t>(random_, 0, bound); }
  bool in_pairs() const { return with_scores_ && reply_.resp() > 2; }
  void Begin(size_t count) { reply_.Array(with_scores_ && !in_pairs() ? 2 * count : count); }
  void Show(std::string_view member, double score) {
    if (in_pairs()) reply_.Array(2);
    reply_.Bulk(member);
    if (with_scores_) reply_.Double(score);
  }
  void ReplyDrawn(size_t count) {
    absl::flat_hash_set<size_t> drawn;
    while (drawn.size() < count) {
      const size_t rank = Below(set_.size());
      if (!drawn.insert(rank).second) continue;
      set_.Walk({rank, rank + 1}, false,
                [&](std::string_view member, double score) { Show(member, score); });
    }
  }

  ReplyWriter& reply_;
  const SortedSet& set_;
  const bool with_scores_;
  absl::InsecureBitGen random_;
};

void ZRandMember(CommandContext& ctx) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const bool counted = ctx.args.size() > 2;
  int64_t count = 1;
  if (counted && !ParseInt64(ctx.args[2], count)) return ctx.reply.Error(errors::kNotInteger);
  if (count < -kMost) {
    return ctx.reply.Error(
        fmt::format("ERR value is out of range, value must between {} and {}", -kMost, kMost));
  }
  const bool with_scores = ctx.args.size() == 4 && EqualsIgnoreCase(ctx.args[3], "WITHSCORES");
  if (ctx.args.size() > 3 && !with_scores) return ctx.reply.Error(errors::kSyntax);
  if (with_scores && (count < -kMost / 2 || count > kMost / 2)) {
    return ctx.reply.Error(errors::kOutOfRange);
  }
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  if (!set) return counted ? ctx.reply.EmptyArray() : ctx.reply.Null();
  MemberSampler sampler(ctx, *set, with_scores);
  if (!counted) return sampler.ReplyOne();
  if (count == 0) return ctx.reply.EmptyArray();
  count > 0 ? sampler.ReplyDistinct(static_cast<size_t>(count))
            : sampler.ReplyWithRepetitions(static_cast<size_t>(-count));
}

void ZScan(CommandContext& ctx) {
  const auto cursor = ParseCursor(ctx, ctx.args[2]);
  if (!cursor) return;
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  ScanOptions options;
  if (set && !ParseScanOptions(ctx, 3, ScanOf::kMembers, options)) return;
  // The reply names the next cursor first, but the walk finds it last.
  Buffer found;
  ReplyWriter members(found);
  size_t count = 0;
  uint64_t next = 0;
  if (set) {
    const auto show = [&](std::string_view member, double score) {
      if (!options.Shows(member)) return;
      char digits[kMaxDoubleChars];
      members.Bulk(member);
      members.Bulk({digits, FormatDouble(score, digits)});
      ++count;
    };
    next = set->Scan(*cursor, static_cast<size_t>(options.count), show);
  }
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(next));
  ctx.reply.Array(2 * count);
  ctx.reply.Raw(found.view());
}

constexpr CommandRow kRows[] = {
    {"zadd", -4, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kUpdate, "sortedset", "sorted-set",
     "1.2.0", "O(log N) per member, N members in the set",
     "Add members to a sorted set, or change their scores",
     "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]", ZAdd},
    {"zincrby", 4, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kReadWrite, "sortedset",
     "sorted-set", "1.2.0", "O(log N), N members in the set", "Add to the score of a member",
     "key increment member", ZIncrBy},
    {"zrem", -3, kWrite | kFast, kOneKey, KeyAccess::kDelete, "sortedset", "sorted-set", "1.2.0",
     "O(log N) per member, N members in the set", "Remove members of a sorted set",
     "key member [member ...]", ZRem},
    {"zscore", 3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "1.2.0", "O(1)", "The score of a member", "key member", ZScore},
    {"zmscore", -3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "6.2.0", "O(1) per member", "The scores of several members", "key member [member ...]",
     ZMScore},
    {"zcard", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "sortedset", "sorted-set",
     "1.2.0", "O(1)", "How many members a sorted set has", "key", ZCard},
    {"zrank", -3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.0.0", "O(log N), N members in the set", "How many members come before one",
     "key member [WITHSCORE]", ZRank},
    {"zrevrank", -3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "2.0.0", "O(log N), N members in the set", "How many members come after one",
     "key member [WITHSCORE]", ZRevRank},
    {"zpopmin", -2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "sortedset", "sorted-set",
     "5.0.0", "O(M log N), N members in the set, M taken", "Take the members of the lowest scores",
     "key [count]", ZPopMin},
    {"zpopmax", -2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "sortedset", "sorted-set",
     "5.0.0", "O(M log N), N members in the set, M taken", "Take the members of the highest scores",
     "key [count]", ZPopMax},
    WithSpecs(WithKeys({"zmpop", -4, kWrite, kNoKeys, KeyAccess::kNone, "sortedset", "sorted-set",
                        "7.0.0", "O(K + M log N), K keys, N members in the set taken from, M taken",
                        "Take members from the first sorted set that has some",
                        "numkeys key [key ...] <MIN | MAX> [COUNT count]", ZMPop},
                       FindCountedKeys<1, KeyAccess::kReadDelete>),
              kCountedPops<1>),
    {"zrandmember", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set",
     "6.2.0", "O(M log N), N members in the set, M returned", "Members of a sorted set at random",
     "key [count [WITHSCORES]]", ZRandMember, kNoSubcommands, "nondeterministic_output"},
    {"zscan", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "sortedset", "sorted-set", "2.8.0",
     "O(COUNT) per call, O(N) for the whole walk, N members in the set",
     "Walk over the members of a sorted set, some at a time",
     "key cursor [MATCH pattern] [COUNT count]", ZScan, kNoSubcommands, "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SortedSetCommands() { return kRows; }

}  // namespace lapse
