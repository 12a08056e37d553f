// Walks over a database: KEYS, SCAN, RANDOMKEY.

#include <cstdint>
#include <string>

#include "absl/random/random.h"
#include "protocol/buffer.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/commands/scan_options.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "storage/scan.h"

namespace lapse {
namespace {

void Keys(CommandContext& ctx) {
  const ScanOptions filter{.pattern = ctx.args[1]};
  const size_t mark = ctx.reply.BeginArray();
  size_t found = 0;
  VisitKeys(ctx.keyspace(), ctx.view(), [&](const Entry& entry) {
    if (!filter.Shows(entry.key())) return;
    ctx.reply.Bulk(entry.key());
    ++found;
  });
  ctx.reply.EndArray(mark, found);
}

void Scan(CommandContext& ctx) {
  const auto cursor = ParseCursor(ctx, ctx.args[1]);
  if (!cursor) return;
  ScanOptions options;
  if (!ParseScanOptions(ctx, 2, ScanOf::kKeys, options)) return;

  // The reply names the next cursor first and the keys after it, but the walk finds them the other
  // way round.
  Buffer found;
  ReplyWriter keys(found);
  size_t count = 0;
  const uint64_t next =
      ScanKeys(ctx.keyspace(), ctx.view(), *cursor, options.count, [&](const Entry& entry) {
        const bool fits =
            options.type.empty() || EqualsIgnoreCase(options.type, TypeName(entry.type()));
        if (!fits || !options.Shows(entry.key())) return;
        keys.Bulk(entry.key());
        ++count;
      });
  ctx.reply.Array(2);
  ctx.reply.BulkInteger(static_cast<int64_t>(next));
  ctx.reply.Array(count);
  ctx.reply.Raw(found.view());
}

void RandomKeyCommand(CommandContext& ctx) {
  absl::BitGen random;
  const auto key = RandomKey(ctx.keyspace(), ctx.view(), absl::Uniform<uint64_t>(random));
  if (!key) return ctx.reply.Null();
  ctx.reply.Bulk(*key);
}

constexpr CommandRow kRows[] = {
    {"keys", 2, kReadOnly | kLocksItself, kNoKeys, KeyAccess::kNone, "keyspace dangerous",
     "generic", "1.0.0", "O(N), N keys in the database", "All keys that match a pattern", "pattern",
     Keys, kNoSubcommands, "request_policy:all_shards nondeterministic_output_order"},
    {"scan", -2, kReadOnly | kLocksItself, kNoKeys, KeyAccess::kNone, "keyspace", "generic",
     "2.8.0", "O(COUNT) per call, O(N) for the whole walk, N keys in the database",
     "Walk over the keys of the database, some at a time",
     "cursor [MATCH pattern] [COUNT count] [TYPE type]", Scan, kNoSubcommands,
     "nondeterministic_output request_policy:special"},
    {"randomkey", 1, kReadOnly | kLocksItself, kNoKeys, KeyAccess::kNone, "keyspace", "generic",
     "1.0.0", "O(1)", "Any one of the keys", "", RandomKeyCommand, kNoSubcommands,
     "request_policy:all_shards nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ScanCommands() { return kRows; }

}  // namespace lapse
