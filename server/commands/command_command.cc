// COMMAND: what commands there are, all of it derived from their rows.

#include <algorithm>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "server/commands/command_syntax.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/categories.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

struct FlagName {
  uint32_t flag;
  std::string_view name;
};

// In the order in which Redis lists them. kMayReplicate is not listed, as there.
constexpr FlagName kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
};

std::vector<std::string_view> SplitBlanks(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// A row with what it is called: a subcommand's own name alone does not tell.
struct Named {
  const CommandRow* row;
  std::string name;  // "config|get"
};

// "get" or "config|get"; row is nullptr when there is no such command.
Named FindNamed(const CommandRegistry& registry, std::string_view name) {
  const size_t bar = name.find('|');
  const CommandRow* row = registry.Find(name.substr(0, bar));
  if (row == nullptr || bar == name.npos)
    return {row, row == nullptr ? "" : std::string(row->name)};
  const CommandRow* const subcommand = CommandRegistry::FindSubcommand(*row, name.substr(bar + 1));
  if (subcommand == nullptr) return {nullptr, ""};
  return {subcommand, fmt::format("{}|{}", row->name, subcommand->name)};
}

// Visits all commands; with their subcommands, each after its container.
template <typename Visit>
void ForEachCommand(const CommandRegistry& registry, bool with_subcommands, Visit visit) {
  for (const CommandRow* row : registry.rows()) {
    visit(Named{row, std::string(row->name)});
    if (!with_subcommands) continue;
    for (const CommandRow& subcommand : row->subcommands) {
      visit(Named{&subcommand, fmt::format("{}|{}", row->name, subcommand.name)});
    }
  }
}

// --- COMMAND INFO ---

void ReplyFlags(ReplyWriter& reply, const CommandRow& row) {
  const auto size = std::count_if(std::begin(kFlagNames), std::end(kFlagNames),
                                  [&](const FlagName& f) { return (row.flags & f.flag) != 0; });
  reply.Set(static_cast<size_t>(size));
  for (const FlagName& flag : kFlagNames) {
    if ((row.flags & flag.flag) != 0) reply.Simple(flag.name);
  }
}

void ReplyCategories(ReplyWriter& reply, const CommandRow& row) {
  const size_t mark = reply.BeginSet();
  size_t found = 0;
  for (const CommandCategory& category : CommandCategories()) {
    if (!InCategory(row, category)) continue;
    reply.Simple(fmt::format("@{}", category.name));
    ++found;
  }
  reply.EndSet(mark, found);
}

void ReplyTips(ReplyWriter& reply, const CommandRow& row) {
  const auto tips = SplitBlanks(row.tips);
  reply.Set(tips.size());
  for (const std::string_view tip : tips) reply.Bulk(tip);
}

struct AccessName {
  KeyAccess bits;
  std::string_view name;
};
constexpr AccessName kAccessNames[] = {
    {KeyAccess{kAccessRo}, "RO"},         {KeyAccess{kAccessRw}, "RW"},
    {KeyAccess{kAccessOw}, "OW"},         {KeyAccess{kAccessRm}, "RM"},
    {KeyAccess{kDataRead}, "access"},     {KeyAccess{kDataUpdated}, "update"},
    {KeyAccess{kDataInserted}, "insert"}, {KeyAccess{kDataDeleted}, "delete"},
    {KeyAccess::kNotKey, "not_key"},
};

void ReplyAccess(ReplyWriter& reply, KeyAccess access, bool incomplete = false,
                 bool varies = false) {
  const size_t mark = reply.BeginSet();
  size_t found = 0;
  const auto add = [&](bool is, std::string_view name) {
    if (!is) return;
    reply.Simple(name);
    ++found;
  };
  for (const AccessName& part : kAccessNames) {
    add(HasBits(access, static_cast<uint16_t>(part.bits)), part.name);
  }
  add(incomplete, "incomplete");
  add(varies, "variable_flags");
  reply.EndSet(mark, found);
}

// "type" and "spec", as both halves of a key specification have them.
void ReplyPart(ReplyWriter& reply, std::string_view part, std::string_view type, size_t fields) {
  reply.Bulk(part);
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk(type);
  reply.Bulk("spec");
  reply.Map(fields);
}

void ReplyNumber(ReplyWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

void ReplyKeySpec(ReplyWriter& reply, const KeySpecification& spec) {
  reply.Map(3);
  reply.Bulk("flags");
  ReplyAccess(reply, spec.access, spec.incomplete, spec.varies);
  if (spec.form == KeyForm::kUnknown) {
    ReplyPart(reply, "begin_search", "unknown", 0);
    return ReplyPart(reply, "find_keys", "unknown", 0);
  }
  if (spec.keyword.empty()) {
    ReplyPart(reply, "begin_search", "index", 1);
    ReplyNumber(reply, "index", spec.at);
  } else {
    ReplyPart(reply, "begin_search", "keyword", 2);
    reply.Bulk("keyword");
    reply.Bulk(spec.keyword);
    ReplyNumber(reply, "startfrom", spec.at);
  }
  if (spec.form == KeyForm::kCounted) {
    ReplyPart(reply, "find_keys", "keynum", 3);
    ReplyNumber(reply, "keynumidx", 0);
    ReplyNumber(reply, "firstkey", 1);
    return ReplyNumber(reply, "keystep", 1);
  }
  ReplyPart(reply, "find_keys", "range", 3);
  ReplyNumber(reply, "lastkey", spec.last);
  ReplyNumber(reply, "keystep", spec.step);
  ReplyNumber(reply, "limit", spec.limit);
}

void ReplyKeySpecs(ReplyWriter& reply, const CommandRow& row) {
  if (!row.key_specs.empty()) {
    reply.Set(row.key_specs.size());
    for (const KeySpecification& spec : row.key_specs) ReplyKeySpec(reply, spec);
    return;
  }
  if (row.keys.first == 0) return reply.Set(0);
  reply.Set(1);
  ReplyKeySpec(reply, {.access = row.access,
                       .at = row.keys.first,
                       .last = RelativeLast(row.keys),
                       .step = row.keys.step});
}

void ReplyInfo(ReplyWriter& reply, const Named& command) {
  const CommandRow& row = *command.row;
  reply.Array(10);
  reply.Bulk(command.name);
  reply.Integer(row.arity);
  ReplyFlags(reply, row);
  reply.Integer(row.keys.first);
  reply.Integer(row.keys.last);
  reply.Integer(row.keys.first == 0 ? 0 : row.keys.step);
  ReplyCategories(reply, row);
  ReplyTips(reply, row);
  ReplyKeySpecs(reply, row);
  reply.Set(row.subcommands.size());
  for (const CommandRow& subcommand : row.subcommands) {
    ReplyInfo(reply, {&subcommand, fmt::format("{}|{}", row.name, subcommand.name)});
  }
}

void ReplyAllInfo(CommandContext& ctx) {
  const CommandRegistry& registry = ctx.instance.registry;
  ctx.reply.Array(registry.rows().size());
  ForEachCommand(registry, false, [&](const Named& command) { ReplyInfo(ctx.reply, command); });
}

void Command(CommandContext& ctx) { ReplyAllInfo(ctx); }

void Info(CommandContext& ctx) {
  const auto names = ctx.args.subspan(2);
  if (names.empty()) return ReplyAllInfo(ctx);
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) {
    const Named command = FindNamed(ctx.instance.registry, name);
    command.row == nullptr ? ctx.reply.Null() : ReplyInfo(ctx.reply, command);
  }
}

// --- COMMAND DOCS ---

// Says of each argument that is a key which of the command's key specifications finds it: they are
// in the order of the arguments, and the last is for all that are left.
class SpecCounter {
 public:
  explicit SpecCounter(const CommandRow& row)
      : count_(!row.key_specs.empty() ? row.key_specs.size()
               : row.has_keys()       ? 1
                                      : 0) {}

  // nullopt for what no specification is for.
  std::optional<size_t> Next(SyntaxType type) {
    // SORT's patterns, however many, make keys by its second one.
    constexpr size_t kOfPatterns = 1;
    if (type == SyntaxType::kPattern && count_ > kOfPatterns) {
      next_ = kOfPatterns + 1;
      return kOfPatterns;
    }
    if (type != SyntaxType::kKey || count_ == 0) return std::nullopt;
    return std::min(next_++, count_ - 1);
  }

 private:
  const size_t count_;
  size_t next_ = 0;
};

void ReplyArguments(ReplyWriter& reply, const std::vector<SyntaxArgument>& arguments,
                    SpecCounter& specs) {
  reply.Array(arguments.size());
  for (const SyntaxArgument& argument : arguments) {
    const size_t mark = reply.BeginMap();
    size_t fields = 0;
    const auto field = [&](std::string_view name) {
      reply.Bulk(name);
      ++fields;
    };
    field("name");
    reply.Bulk(argument.name);
    field("type");
    reply.Bulk(SyntaxTypeName(argument.type));
    if (const std::optional<size_t> spec = specs.Next(argument.type)) {
      field("key_spec_index");
      reply.Integer(static_cast<int64_t>(*spec));
    }
    if (!argument.token.empty()) {
      field("token");
      reply.Bulk(argument.token);
    }
    if (argument.optional || argument.multiple) {
      field("flags");
      reply.Set(size_t{argument.optional} + size_t{argument.multiple});
      if (argument.optional) reply.Simple("optional");
      if (argument.multiple) reply.Simple("multiple");
    }
    if (!argument.arguments.empty()) {
      field("arguments");
      ReplyArguments(reply, argument.arguments, specs);
    }
    reply.EndMap(mark, fields);
  }
}

// A pair of a map: the name and what there is to know.
void ReplyDocs(ReplyWriter& reply, const Named& command) {
  const CommandRow& row = *command.row;
  const auto field = [&](std::string_view name, std::string_view text) {
    reply.Bulk(name);
    reply.Bulk(text);
  };
  reply.Bulk(command.name);
  reply.Map(3 + size_t{!row.complexity.empty()} + size_t{!row.syntax.empty()} +
            size_t{!row.subcommands.empty()});
  field("summary", row.summary);
  field("since", row.since);
  field("group", row.group);
  if (!row.complexity.empty()) field("complexity", row.complexity);
  if (!row.syntax.empty()) {
    reply.Bulk("arguments");
    SpecCounter specs(row);
    ReplyArguments(reply, ParseSyntax(row.syntax), specs);
  }
  if (row.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.Map(row.subcommands.size());
  for (const CommandRow& subcommand : row.subcommands) {
    ReplyDocs(reply, {&subcommand, fmt::format("{}|{}", row.name, subcommand.name)});
  }
}

void Docs(CommandContext& ctx) {
  const CommandRegistry& registry = ctx.instance.registry;
  const auto names = ctx.args.subspan(2);
  if (names.empty()) {
    ctx.reply.Map(registry.rows().size());
    ForEachCommand(registry, false, [&](const Named& command) { ReplyDocs(ctx.reply, command); });
    return;
  }
  const size_t mark = ctx.reply.BeginMap();
  size_t found = 0;
  for (const std::string_view name : names) {
    const Named command = FindNamed(registry, name);
    if (command.row == nullptr) continue;
    ReplyDocs(ctx.reply, command);
    ++found;
  }
  ctx.reply.EndMap(mark, found);
}

// --- The rest ---

void Count(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.instance.registry.rows().size()));
}

enum class Filter : uint8_t { kNone, kModule, kCategory, kPattern };

bool Passes(const Named& command, Filter filter, std::string_view by) {
  switch (filter) {
    case Filter::kNone:
      return true;
    case Filter::kModule:
      return false;  // there are no modules
    case Filter::kCategory:
      return std::any_of(CommandCategories().begin(), CommandCategories().end(),
                         [&](const CommandCategory& c) {
                           return EqualsIgnoreCase(c.name, by) && InCategory(*command.row, c);
                         });
    case Filter::kPattern:
      return GlobMatchIgnoreCase(by, command.name);
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
  ForEachCommand(ctx.instance.registry, true, [&](const Named& command) {
    if (!Passes(command, filter, by)) return;
    ctx.reply.Bulk(command.name);
    ++found;
  });
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
    ReplyAccess(ctx.reply, key.access);
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
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "What commands do and how they are written",
     .syntax = "[command-name [command-name ...]]",
     .handler = Docs,
     .tips = kAnyOrder},
    {.name = "getkeys",
     .arity = -4,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "The keys of a full command",
     .syntax = "command [arg [arg ...]]",
     .handler = GetKeys},
    {.name = "getkeysandflags",
     .arity = -4,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "The keys of a full command and what it does to each",
     .syntax = "command [arg [arg ...]]",
     .handler = GetKeysAndFlags},
    {.name = "info",
     .arity = -2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "The arity, flags, keys and categories of commands",
     .syntax = "[command-name [command-name ...]]",
     .handler = Info,
     .tips = kAnyOrder},
    {.name = "list",
     .arity = -2,
     .flags = kPlain,
     .categories = "connection",
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) where N is the total number of commands",
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
     .complexity = "O(N) where N is the total number of commands",
     .summary = "What commands there are",
     .handler = Command,
     .subcommands = kSubcommands,
     .tips = kAnyOrder},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> IntrospectionCommands() { return kRows; }

}  // namespace lapse
