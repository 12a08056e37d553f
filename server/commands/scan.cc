// Walks over a database: KEYS, SCAN, RANDOMKEY.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/random/random.h"
#include "protocol/buffer.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/glob.h"
#include "storage/scan.h"

namespace lapse {
namespace {

constexpr std::string_view kInvalidCursor = "ERR invalid cursor";
constexpr int64_t kDefaultScanCount = 10;

// Which keys a walk shows.
struct KeyFilter {
  std::string_view pattern = "*";
  std::string_view type = {};  // empty: any

  bool Shows(const Entry& entry) const {
    // "*" is asked for first: as a pattern, it would not match the empty key.
    return (pattern == "*" || GlobMatch(pattern, entry.key())) &&
           (type.empty() || EqualsIgnoreCase(type, TypeName(entry.type())));
  }
};

void Keys(CommandContext& ctx) {
  const KeyFilter filter{.pattern = ctx.args[1]};
  const size_t mark = ctx.reply.BeginArray();
  size_t found = 0;
  VisitKeys(ctx.keyspace(), ctx.view(), [&](const Entry& entry) {
    if (!filter.Shows(entry)) return;
    ctx.reply.Bulk(entry.key());
    ++found;
  });
  ctx.reply.EndArray(mark, found);
}

// As strtoul reads it, which Redis calls: a sign is accepted, a negative number wraps around, and a
// zero byte ends the number.
std::optional<uint64_t> ParseCursor(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  uint64_t cursor = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(cursor, uint64_t{10}, &cursor) ||
        __builtin_add_overflow(cursor, static_cast<uint64_t>(c - '0'), &cursor)) {
      return std::nullopt;
    }
  }
  return negative ? -cursor : cursor;
}

struct ScanOptions {
  KeyFilter filter;
  int64_t count = kDefaultScanCount;
};

// False: an error has been replied.
bool ParseScanOptions(CommandContext& ctx, ScanOptions& options) {
  ArgumentReader in(ctx.args, 2);
  while (in.More()) {
    if (in.Match("MATCH")) {
      options.filter.pattern = in.Next();
    } else if (in.Match("COUNT")) {
      options.count = in.Integer();
      if (in.ok() && options.count < 1) in.Fail(errors::kSyntax);
    } else if (in.Match("TYPE")) {
      options.filter.type = in.Next();
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

void Scan(CommandContext& ctx) {
  const auto cursor = ParseCursor(ctx.args[1]);
  if (!cursor) return ctx.reply.Error(kInvalidCursor);
  ScanOptions options;
  if (!ParseScanOptions(ctx, options)) return;

  // The reply names the next cursor first and the keys after it, but the walk finds them the other
  // way round.
  Buffer found;
  ReplyWriter keys(found);
  size_t count = 0;
  const uint64_t next =
      ScanKeys(ctx.keyspace(), ctx.view(), *cursor, options.count, [&](const Entry& entry) {
        if (!options.filter.Shows(entry)) return;
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
     "generic", "1.0.0", "O(N) with N being the number of keys in the database.",
     "Find all keys matching the given pattern", "pattern", Keys, kNoSubcommands,
     "request_policy:all_shards nondeterministic_output_order"},
    {"scan", -2, kReadOnly | kLocksItself, kNoKeys, KeyAccess::kNone, "keyspace", "generic",
     "2.8.0",
     "O(1) for every call. O(N) for a complete iteration. N is the number of keys in the database.",
     "Incrementally iterate the keys space", "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     Scan, kNoSubcommands, "nondeterministic_output request_policy:special"},
    {"randomkey", 1, kReadOnly | kLocksItself, kNoKeys, KeyAccess::kNone, "keyspace", "generic",
     "1.0.0", "O(1)", "Return a random key from the keyspace", "", RandomKeyCommand, kNoSubcommands,
     "request_policy:all_shards nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ScanCommands() { return kRows; }

}  // namespace lapse
