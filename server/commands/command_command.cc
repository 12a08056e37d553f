// COMMAND: what commands there are, all of it derived from their rows.

#include <algorithm>
#include <string>

#include "server/commands/command_docs.h"
#include "server/commands/command_info.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/categories.h"
#include "server/core/command_name.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

void Count(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.instance.registry.rows().size()));
}

enum class Filter : uint8_t { kNone, kModule, kCategory, kPattern };

bool Passes(const CommandRow& row, std::string_view name, Filter filter, std::string_view by) {
  switch (filter) {
    case Filter::kNone:
      return true;
    case Filter::kModule:
      return false;  // there are no modules
    case Filter::kCategory:
      return std::any_of(CommandCategories().begin(), CommandCategories().end(),
                         [&](const CommandCategory& c) {
                           return EqualsIgnoreCase(c.name, by) && InCategory(row, c);
                         });
    case Filter::kPattern:
      return GlobMatchIgnoreCase(by, name);
  }
  return false;
}

void List(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  Filter filter = Filter::kNone;
  std::string_view by;
  if (in.More()) {
    if (!in.Match("FILTERBY")) in.Fail(errors::kSyntax);
    if (in.Match("MODULE")) {
      filter = Filter::kModule;
    } else if (in.Match("ACLCAT")) {
      filter = Filter::kCategory;
    } else if (in.Match("PATTERN")) {
      filter = Filter::kPattern;
    } else {
      in.Fail(errors::kSyntax);
    }
    by = in.Next();
    if (in.More()) in.Fail(errors::kSyntax);
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  const size_t mark = ctx.reply.BeginArray();
  size_t found = 0;
  for (const CommandRegistry::Numbered& command : ctx.instance.registry.numbered()) {
    const std::string name = FullName(command.container, *command.row);
    if (!Passes(*command.row, name, filter, by)) continue;
    ctx.reply.Bulk(name);
    ++found;
  }
  ctx.reply.EndArray(mark, found);
}

// The keys of the request that follows the subcommand's name; without any it has replied an error.
KeyRefs FindRequestKeys(CommandContext& ctx) {
  const auto words = ctx.args.subspan(2);
  KeyRefs keys;
  const CommandRow* row = ctx.instance.registry.Find(words[0]);
  if (row != nullptr && !row->subcommands.empty() && words.size() > 1) {
    row = CommandRegistry::FindSubcommand(*row, words[1]);
  }
  const auto fail = [&](std::string_view error) {
    ctx.reply.Error(error);
    return keys;
  };
  if (row == nullptr) return fail("ERR Invalid command specified");
  if (!row->has_keys() || row->access == KeyAccess::kNotKey) {
    return fail("ERR The command has no key arguments");
  }
  if (!ArityFits(*row, words.size())) {
    return fail("ERR Invalid number of arguments specified for command");
  }
  FindKeys(*row, words, keys);
  const bool may_have_none =
      (row->flags & kNoMandatoryKeys) != 0 && words.size() > 2 && words[2] == "0";
  if (keys.empty() && may_have_none) ctx.reply.EmptyArray();
  if (keys.empty() && !may_have_none) {
    ctx.reply.Error("ERR Invalid arguments specified for command");
  }
  return keys;
}

void GetKeys(CommandContext& ctx) {
  const KeyRefs keys = FindRequestKeys(ctx);
  if (keys.empty()) return;
  ctx.reply.Array(keys.size());
  for (const KeyRef& key : keys) ctx.reply.Bulk(ctx.args[2 + key.index]);
}

void GetKeysAndFlags(CommandContext& ctx) {
  const KeyRefs keys = FindRequestKeys(ctx);
  if (keys.empty()) return;
  ctx.reply.Array(keys.size());
  for (const KeyRef& key : keys) {
    ctx.reply.Array(2);
    ctx.reply.Bulk(ctx.args[2 + key.index]);
    ReplyKeyAccess(ctx.reply, {.access = key.access});
  }
}

constexpr uint32_t kPlain = kLoading | kStale;
constexpr std::string_view kAnyOrder = "nondeterministic_output_order";

constexpr CommandRow kSubcommands[] = {
    {.name = "count",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "How many commands there are",
     .handler = Count},
    {.name = "docs",
     .arity = -2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N), N commands shown",
     .summary = "What commands do and how they are written",
     .syntax = "[command-name [command-name ...]]",
     .handler = CommandDocs,
     .tips = kAnyOrder},
    {.name = "getkeys",
     .arity = -4,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N), N arguments of the command",
     .summary = "The keys of a full command",
     .syntax = "command [arg [arg ...]]",
     .handler = GetKeys},
    {.name = "getkeysandflags",
     .arity = -4,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N), N arguments of the command",
     .summary = "The keys of a full command and what it does to each",
     .syntax = "command [arg [arg ...]]",
     .handler = GetKeysAndFlags},
    {.name = "info",
     .arity = -2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N), N commands shown",
     .summary = "The arity, flags, keys and categories of commands",
     .syntax = "[command-name [command-name ...]]",
     .handler = CommandInfo,
     .tips = kAnyOrder},
    {.name = "list",
     .arity = -2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N), N commands",
     .summary = "The names of all commands, or of those that pass a filter",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .handler = List,
     .tips = kAnyOrder},
    {.name = "help",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "command",
     .arity = -1,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N), N commands",
     .summary = "What commands there are",
     .handler = CommandInfo,
     .subcommands = kSubcommands,
     .tips = kAnyOrder},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> IntrospectionCommands() { return kRows; }

}  // namespace lapse
