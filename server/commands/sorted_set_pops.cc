#include "server/commands/sorted_set_pops.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "protocol/number.h"
#include "server/core/arguments.h"
#include "server/core/errors.h"

namespace lapse {
namespace {

constexpr Event kZPopMinEvent{"zpopmin", 'z'};
constexpr Event kZPopMaxEvent{"zpopmax", 'z'};

constexpr std::string_view kNoKeysGiven = "ERR numkeys should be greater than 0";
constexpr std::string_view kNoCount = "ERR count should be greater than 0";
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

}  // namespace

void PopMembers(CommandContext& ctx, size_t i, const Typed<SortedSet>& found, const PopForm& form) {
  const size_t size = found->size();
  const SortedSet::RankRange range = form.highest ? SortedSet::RankRange{size - form.count, size}
                                                  : SortedSet::RankRange{0, form.count};
  found->Walk(range, form.highest, [&](std::string_view member, double score) {
    if (form.in_pairs) ctx.reply.Array(2);
    ctx.reply.Bulk(member);
    ctx.reply.Double(score);
  });
  Edit<SortedSet> edit(ctx, i, found);
  edit->RemoveRange(range);
  edit.Commit(form.highest ? kZPopMaxEvent : kZPopMinEvent);
}

std::optional<bool> PopFirst(CommandContext& ctx, bool highest, uint64_t count, FirstPopForm form) {
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Find(ctx.key(i));
    if (form.skip_others && item && item.entry()->type() != SortedSet::kType) continue;
    const Typed<SortedSet> found(ctx, item);
    if (found.wrong()) return std::nullopt;
    if (!found) continue;
    const size_t popped = std::min(count, uint64_t{found->size()});
    ctx.reply.Array(form.in_pairs ? 2 : 1 + 2 * popped);
    ctx.reply.Bulk(ctx.key(i).name);
    if (form.in_pairs) ctx.reply.Array(popped);
    PopMembers(ctx, i, found, {.highest = highest, .count = popped, .in_pairs = form.in_pairs});
    return true;
  }
  return false;
}

std::optional<MultiPop> ParseMultiPop(CommandContext& ctx, size_t count_at) {
  MultiPop pop;
  ArgumentReader in(ctx.args, count_at);
  const int64_t keys = in.IntegerIn(1, kMost, kNoKeysGiven);
  if (in.ok() && static_cast<uint64_t>(keys) >= in.left()) in.Fail(errors::kSyntax);
  for (int64_t i = 0; in.ok() && i < keys; ++i) in.Next();
  pop.highest = in.Match("MAX");
  if (in.ok() && !pop.highest && !in.Match("MIN")) in.Fail(errors::kSyntax);
  bool counted = false;
  while (in.More()) {
    if (!counted && in.left() > 1 && in.Match("COUNT")) {
      pop.count = static_cast<uint64_t>(in.IntegerIn(1, kMost, kNoCount));
      counted = true;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (in.ok()) return pop;
  ctx.reply.Error(in.error());
  return std::nullopt;
}

}  // namespace lapse
