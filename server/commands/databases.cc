// Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB.

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/services/services.h"
#include "storage/keyspace.h"

namespace lapse {
namespace {

constexpr std::string_view kInvalidFirstDb = "ERR invalid first DB index";
constexpr std::string_view kInvalidSecondDb = "ERR invalid second DB index";

// Counts expired keys that are still held.
void DbSize(CommandContext& ctx) { ctx.reply.Integer(ctx.keyspace().Totals(ctx.view().db).keys); }

// SYNC and ASYNC are told apart by nobody who looks: databases are empty when the reply is written,
// and their memory is freed in the background, for the command runs while nothing else does.
bool ParseFlushMode(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  if (in.More() && !in.Match("SYNC") && !in.Match("ASYNC")) in.Fail(errors::kSyntax);
  if (in.More()) in.Fail(errors::kSyntax);
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

void FlushDb(CommandContext& ctx) {
  if (!ParseFlushMode(ctx)) return;
  Services::Of(ctx.instance).BeforeFlush(ctx.view().db, ctx.now_ms);
  std::vector<std::unique_ptr<Database>> detached;
  detached.push_back(ctx.keyspace().Detach(ctx.view().db));
  Services::Of(ctx.instance).blocking().NoteDatabase(ctx.view().db);
  ctx.instance.Dispose(std::move(detached), /*sync=*/false);
  ctx.reply.Ok();
}

void FlushAll(CommandContext& ctx) {
  if (!ParseFlushMode(ctx)) return;
  Services::Of(ctx.instance).BeforeFlush(std::nullopt, ctx.now_ms);
  std::vector<std::unique_ptr<Database>> detached;
  for (size_t db = 0; db < ctx.keyspace().database_count(); ++db) {
    detached.push_back(ctx.keyspace().Detach(db));
    Services::Of(ctx.instance).blocking().NoteDatabase(db);
  }
  ctx.instance.Dispose(std::move(detached), /*sync=*/false);
  ctx.reply.Ok();
}

void SwapDb(CommandContext& ctx) {
  constexpr int64_t kLeast = std::numeric_limits<int>::min();
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  ArgumentReader in(ctx.args, 1);
  const int64_t a = in.IntegerIn(kLeast, kMost, kInvalidFirstDb);
  const int64_t b = in.IntegerIn(kLeast, kMost, kInvalidSecondDb);
  const auto count = static_cast<int64_t>(ctx.keyspace().database_count());
  if (a < 0 || a >= count || b < 0 || b >= count) in.Fail(errors::kDbIndex);
  if (!in.ok()) return ctx.reply.Error(in.error());
  if (a != b) {
    Services::Of(ctx.instance)
        .BeforeSwap(static_cast<size_t>(a), static_cast<size_t>(b), ctx.now_ms);
    ctx.keyspace().Swap(static_cast<size_t>(a), static_cast<size_t>(b));
    Services::Of(ctx.instance).blocking().NoteDatabase(static_cast<size_t>(a));
    Services::Of(ctx.instance).blocking().NoteDatabase(static_cast<size_t>(b));
  }
  ctx.reply.Ok();
}

constexpr CommandRow kRows[] = {
    {"dbsize", 1, kReadOnly | kFast, kNoKeys, KeyAccess::kNone, "keyspace", "server", "1.0.0",
     "O(1)", "How many keys the database holds", "", DbSize, kNoSubcommands,
     "request_policy:all_shards response_policy:agg_sum"},
    {"flushdb", -1, kWrite | kExclusive, kNoKeys, KeyAccess::kNone, "keyspace dangerous", "server",
     "1.0.0", "O(1), then O(N) in the background, N keys in the database",
     "Delete the keys of the database", "[ASYNC | SYNC]", FlushDb, kNoSubcommands,
     "request_policy:all_shards response_policy:all_succeeded"},
    {"flushall", -1, kWrite | kExclusive, kNoKeys, KeyAccess::kNone, "keyspace dangerous", "server",
     "1.0.0", "O(1), then O(N) in the background, N keys in all databases",
     "Delete the keys of all databases", "[ASYNC | SYNC]", FlushAll, kNoSubcommands,
     "request_policy:all_shards response_policy:all_succeeded"},
    {"swapdb", 3, kWrite | kFast | kExclusive, kNoKeys, KeyAccess::kNone, "keyspace dangerous",
     "server", "4.0.0", "O(1)", "Let two databases change places", "index1 index2", SwapDb},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> DatabaseCommands() { return kRows; }

}  // namespace lapse
