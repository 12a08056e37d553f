// BZPOPMIN, BZPOPMAX, BZMPOP: pops that wait until there is something.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/block_timeout.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/sorted_set_pops.h"
#include "server/core/context.h"
#include "server/services/blocking.h"
#include "server/services/services.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

// Pops, or waits; `retry` is the request that would pop from the key alone.
template <typename Retry>
void PopOrWait(CommandContext& ctx, int64_t timeout_ms, const MultiPop& pop, bool in_pairs,
               Retry retry) {
  const std::optional<bool> popped = PopFirst(
      ctx, pop.highest, pop.count, {.in_pairs = in_pairs, .skip_others = Blocking::IsRetry(ctx)});
  if (popped != false) return;
  Blocking::Wait wait{.type = ValueType::kSortedSet, .timeout_ms = timeout_ms};
  for (const Key& key : ctx.keys) {
    std::string name(key.name);
    wait.keys.push_back({name, retry(name)});
  }
  Blocking& blocking = Services::Of(ctx.instance).blocking();
  if (!blocking.Block(ctx, std::move(wait))) ctx.reply.NullArray();
}

void PopOneOrWait(CommandContext& ctx, bool highest) {
  const auto timeout_ms = ParseTimeoutSeconds(ctx, ctx.args.back());
  if (!timeout_ms) return;
  PopOrWait(ctx, *timeout_ms, {.highest = highest}, false, [&](const std::string& key) {
    return std::vector<std::string>{std::string(ctx.row.name), key, "0"};
  });
}

void BZPopMin(CommandContext& ctx) { PopOneOrWait(ctx, false); }

void BZPopMax(CommandContext& ctx) { PopOneOrWait(ctx, true); }

void BZMPop(CommandContext& ctx) {
  const auto pop = ParseMultiPop(ctx, 2);
  if (!pop) return;
  const auto timeout_ms = ParseTimeoutSeconds(ctx, ctx.args[1]);
  if (!timeout_ms) return;
  PopOrWait(ctx, *timeout_ms, *pop, true, [&](const std::string& key) {
    return std::vector<std::string>{
        std::string(ctx.row.name), "0", "1", key, pop->highest ? "MAX" : "MIN", "COUNT",
        std::to_string(pop->count)};
  });
}

constexpr KeySpec kAllButLast{1, -2, 1};

constexpr CommandRow kRows[] = {
    {"bzpopmin", -3, kWrite | kNoScript | kFast | kBlocking, kAllButLast, KeyAccess::kReadDelete,
     "sortedset", "sorted-set", "5.0.0", "O(K + log N), K keys, N members in the set taken from",
     "Take the member of the lowest score, waiting for one if need be", "key [key ...] timeout",
     BZPopMin},
    {"bzpopmax", -3, kWrite | kNoScript | kFast | kBlocking, kAllButLast, KeyAccess::kReadDelete,
     "sortedset", "sorted-set", "5.0.0", "O(K + log N), K keys, N members in the set taken from",
     "Take the member of the highest score, waiting for one if need be", "key [key ...] timeout",
     BZPopMax},
    WithSpecs(WithKeys({"bzmpop", -5, kWrite | kBlocking, kNoKeys, KeyAccess::kNone, "sortedset",
                        "sorted-set", "7.0.0",
                        "O(K + M log N), K keys, N members in the set taken from, M taken",
                        "Take members from the first sorted set that has some, waiting if need be",
                        "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]", BZMPop},
                       FindCountedKeys<2, KeyAccess::kReadDelete>),
              kCountedPops<2>),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SortedSetBlockingCommands() { return kRows; }

}  // namespace lapse
