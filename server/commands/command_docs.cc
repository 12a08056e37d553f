// COMMAND DOCS: the rows' texts, and their syntax taken apart.

#include "server/commands/command_docs.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "server/commands/command_info.h"
#include "server/commands/command_syntax.h"
#include "server/core/command_name.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

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
void ReplyDocs(ReplyWriter& reply, const CommandRow* container, const CommandRow& row) {
  const auto field = [&](std::string_view name, std::string_view text) {
    reply.Bulk(name);
    reply.Bulk(text);
  };
  reply.Bulk(FullName(container, row));
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
  for (const CommandRow& subcommand : row.subcommands) ReplyDocs(reply, &row, subcommand);
}

}  // namespace

void CommandDocs(CommandContext& ctx) {
  const CommandRegistry& registry = ctx.instance.registry;
  const auto names = ctx.args.subspan(2);
  if (names.empty()) {
    ctx.reply.Map(registry.rows().size());
    for (const CommandRow* row : registry.rows()) ReplyDocs(ctx.reply, nullptr, *row);
    return;
  }
  const size_t mark = ctx.reply.BeginMap();
  size_t found = 0;
  for (const std::string_view name : names) {
    const auto* const command = FindByFullName(registry, name);
    if (command == nullptr) continue;
    ReplyDocs(ctx.reply, command->container, *command->row);
    ++found;
  }
  ctx.reply.EndMap(mark, found);
}

}  // namespace lapse
