// MULTI, EXEC, DISCARD, WATCH, UNWATCH: see services/transactions.h.

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/context.h"
#include "server/services/services.h"

namespace lapse {
namespace {

Transactions& ServiceOf(CommandContext& ctx) { return Services::Of(ctx.instance).transactions(); }

void Multi(CommandContext& ctx) { ServiceOf(ctx).Multi(ctx); }
void Exec(CommandContext& ctx) { ServiceOf(ctx).Exec(ctx); }
void Discard(CommandContext& ctx) { ServiceOf(ctx).Discard(ctx); }
void Watch(CommandContext& ctx) { ServiceOf(ctx).Watch(ctx); }
void Unwatch(CommandContext& ctx) { ServiceOf(ctx).Unwatch(ctx); }

constexpr uint32_t kAround = kNoScript | kLoading | kStale | kFast | kAllowBusy;

constexpr CommandRow kRows[] = {
    {.name = "multi",
     .arity = 1,
     .flags = kAround | kRunsInMulti,
     .categories = "transaction",
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Begin a transaction: the commands that follow wait for EXEC",
     .handler = Multi},
    {.name = "exec",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kComposite | kRunsInMulti,
     .categories = "transaction",
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "That of the queued commands",
     .summary = "Run the queued commands as one",
     .handler = Exec},
    {.name = "discard",
     .arity = 1,
     .flags = kAround | kRunsInMulti,
     .categories = "transaction",
     .group = "transactions",
     .since = "2.0.0",
     .complexity = "O(N), N keys watched",
     .summary = "Leave the transaction and forget its commands",
     .handler = Discard},
    {.name = "watch",
     .arity = -2,
     .flags = kAround | kRunsInMulti | kLocksItself,
     .keys = kAllKeys,
     .access = KeyAccess::kInspect,
     .categories = "transaction",
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(N) per key, N keys watched already",
     .summary = "Have the next EXEC run nothing if one of the keys has changed by then",
     .syntax = "key [key ...]",
     .handler = Watch},
    {.name = "unwatch",
     .arity = 1,
     .flags = kAround,
     .categories = "transaction",
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(N), N keys watched",
     .summary = "Watch no key any more",
     .handler = Unwatch},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> TransactionCommands() { return kRows; }

}  // namespace lapse
