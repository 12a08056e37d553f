// MIGRATE. Sending keys to another server is not available; what Redis says before it connects to
// anything (its errors, and NOKEY when there is nothing to send) is said here, too.

#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"

namespace lapse {
namespace {

constexpr size_t kKey = 3;
constexpr size_t kOptions = 6;

// Where KEYS stands, or 0: with it the keys follow to the end, and the key's own place is empty.
size_t FindKeysOption(std::span<const std::string_view> args) {
  for (size_t i = kOptions; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "keys")) return args[kKey].empty() ? i : 0;
    if (EqualsIgnoreCase(args[i], "auth")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "auth2")) {
      i += 2;
    }
  }
  return 0;
}

void FindMigrated(std::span<const std::string_view> args, KeyRefs& keys) {
  if (args.size() <= kKey) return;
  const size_t option = FindKeysOption(args);
  if (option == 0) return keys.push_back({kKey, KeyAccess::kReadDelete});
  for (size_t i = option + 1; i < args.size(); ++i) {
    keys.push_back({static_cast<uint32_t>(i), KeyAccess::kReadDelete});
  }
}

void ReadOptions(CommandContext& ctx, ArgumentReader& in) {
  while (in.More()) {
    if (in.Match("COPY") || in.Match("REPLACE")) continue;
    if (in.left() > 1 && in.Match("AUTH")) {
      in.Next();
    } else if (in.left() > 2 && in.Match("AUTH2")) {
      in.Next();
      in.Next();
    } else if (in.Match("KEYS")) {
      if (!ctx.args[kKey].empty()) {
        in.Fail(
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
      }
      return;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
}

void Migrate(CommandContext& ctx) {
  ArgumentReader in(ctx.args, kOptions);
  ReadOptions(ctx, in);
  ArgumentReader numbers(ctx.args, kKey + 1);
  numbers.Integer();  // the database there
  numbers.Integer();  // the timeout
  if (!numbers.ok()) in.Fail(numbers.error());
  if (!in.ok()) return ctx.reply.Error(in.error());
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    if (ctx.shard(i).Peek(ctx.key(i))) {
      return ctx.reply.Error("ERR MIGRATE is not available: use DUMP here and RESTORE there");
    }
  }
  ctx.reply.Simple("NOKEY");
}

constexpr CommandRow kRows[] = {
    WithSpecs(
        WithKeys({.name = "migrate",
                  .arity = -6,
                  .flags = kWrite,
                  .keys = {3, 3, 1},
                  .access = KeyAccess::kReadDelete,
                  .categories = "keyspace dangerous",
                  .group = "generic",
                  .since = "2.6.0",
                  .complexity = "O(1) per key",
                  .summary = "Move keys to another server",
                  .syntax = "host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH "
                            "password | AUTH2 username password] [KEYS key [key ...]]",
                  .handler = Migrate,
                  .tips = "nondeterministic_output"},
                 FindMigrated),
        kMigrateSpecs),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> MigrateCommands() { return kRows; }

}  // namespace lapse
