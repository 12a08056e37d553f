// COMMAND INFO, in the form in which Redis has it.

#include "server/commands/command_info.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/core/categories.h"
#include "server/core/command_name.h"
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

}  // namespace

void ReplyKeyAccess(ReplyWriter& reply, const KeySpecification& spec) {
  const size_t mark = reply.BeginSet();
  size_t found = 0;
  const auto add = [&](bool is, std::string_view name) {
    if (!is) return;
    reply.Simple(name);
    ++found;
  };
  for (const AccessName& part : kAccessNames) {
    add(HasBits(spec.access, static_cast<uint16_t>(part.bits)), part.name);
  }
  add(spec.incomplete, "incomplete");
  add(spec.varies, "variable_flags");
  reply.EndSet(mark, found);
}

namespace {

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
  ReplyKeyAccess(reply, spec);
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

void ReplyInfo(ReplyWriter& reply, const CommandRow* container, const CommandRow& row) {
  reply.Array(10);
  reply.Bulk(FullName(container, row));
  reply.Integer(row.arity);
  ReplyFlags(reply, row);
  reply.Integer(row.keys.first);
  reply.Integer(row.keys.last);
  reply.Integer(row.keys.first == 0 ? 0 : row.keys.step);
  ReplyCategories(reply, row);
  ReplyTips(reply, row);
  ReplyKeySpecs(reply, row);
  reply.Set(row.subcommands.size());
  for (const CommandRow& subcommand : row.subcommands) ReplyInfo(reply, &row, subcommand);
}

void ReplyAllInfo(CommandContext& ctx) {
  const auto rows = ctx.instance.registry.rows();
  ctx.reply.Array(rows.size());
  for (const CommandRow* row : rows) ReplyInfo(ctx.reply, nullptr, *row);
}

}  // namespace

const CommandRegistry::Numbered* FindByFullName(const CommandRegistry& registry,
                                                std::string_view name) {
  const size_t bar = name.find('|');
  const CommandRegistry::Numbered* const found = registry.FindNumbered(name.substr(0, bar));
  if (found == nullptr || bar == name.npos) return found;
  return registry.FindSubcommand(*found, name.substr(bar + 1));
}

void CommandInfo(CommandContext& ctx) {
  constexpr size_t kNames = 2;
  if (ctx.args.size() <= kNames) return ReplyAllInfo(ctx);
  const auto names = ctx.args.subspan(kNames);
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) {
    const auto* const command = FindByFullName(ctx.instance.registry, name);
    if (command == nullptr) {
      ctx.reply.Null();
    } else {
      ReplyInfo(ctx.reply, command->container, *command->row);
    }
  }
}

}  // namespace lapse
