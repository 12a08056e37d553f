// CONFIG: the directives of server/core/config_table.cc, at run time.

#include <algorithm>
#include <vector>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/config.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/core/instance.h"
#include "server/services/services.h"
#include "server/services/tasks.h"

namespace lapse {
namespace {

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// Several patterns give the union, each directive once. One that is asked for by its name is called
// as the client spelt it.
void Get(CommandContext& ctx) {
  const auto patterns = ctx.args.subspan(2);
  const size_t mark = ctx.reply.BeginMap();
  size_t found = 0;
  for (const ConfigRow& row : ConfigTable()) {
    const auto asked = std::find_if(
        patterns.begin(), patterns.end(),
        [&](std::string_view pattern) { return GlobMatchIgnoreCase(pattern, row.name); });
    if (asked == patterns.end()) continue;
    ctx.reply.Bulk(EqualsIgnoreCase(*asked, row.name) ? *asked : row.name);
    ctx.reply.Bulk(row.get(ctx.instance.config));
    ++found;
  }
  ctx.reply.EndMap(mark, found);
}

struct Setting {
  const ConfigRow* row;
  std::string_view name;  // as the client spelt it
  std::string_view value;
};

std::string Refusal(std::string_view name, std::string_view reason) {
  return fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name,
                     reason);
}

// Looks the pairs' directives up. Returns the error, or "".
std::string ReadSettings(std::span<const std::string_view> args, std::vector<Setting>& settings) {
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    const ConfigRow* const row = FindConfig(args[i]);
    if (row == nullptr) {
      return fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'",
                         args[i]);
    }
    if (!row->at_run_time) return Refusal(args[i], "can't set immutable config");
    const bool again = std::any_of(settings.begin(), settings.end(),
                                   [row](const Setting& other) { return other.row == row; });
    if (again) return Refusal(args[i], "duplicate parameter");
    settings.push_back({row, args[i], args[i + 1]});
  }
  return {};
}

// All or nothing: the values go into a copy, which replaces the configuration when all were good.
void Set(CommandContext& ctx) {
  const auto args = ctx.args.subspan(2);
  if (args.size() % 2 != 0) return ctx.reply.Error(errors::kSyntax);
  std::vector<Setting> settings;
  const std::string error = ReadSettings(args, settings);
  if (!error.empty()) return ctx.reply.Error(error);
  Config changed = ctx.instance.config;
  for (const Setting& setting : settings) {
    const absl::Status status = setting.row->set(changed, ConfigWords(*setting.row, setting.value));
    if (!status.ok()) return ctx.reply.Error(Refusal(setting.name, MessageOf(status)));
  }
  ctx.instance.config = std::move(changed);
  ctx.instance.expiry.Configure(ctx.instance.config.expiry);
  if (ctx.instance.hooks != nullptr) ctx.instance.hooks->OnConfigChanged();
  ctx.reply.Ok();
}

void ResetStat(CommandContext& ctx) {
  ctx.instance.ResetStats();
  Services::Of(ctx.instance).errors().Clear();
  ctx.reply.Ok();
}

void Rewrite(CommandContext& ctx) {
  if (ctx.instance.config.file.empty()) {
    return ctx.reply.Error("ERR The server is running without a config file");
  }
  Config written = ctx.instance.config;
  written.users = Services::Of(ctx.instance).acl().ConfigLines();
  written.flush_tasks = Services::Of(ctx.instance).tasks().ConfigLines();
  const absl::Status status = RewriteConfigFile(written);
  if (!status.ok()) {
    return ctx.reply.Error(fmt::format("ERR Rewriting config file: {}", MessageOf(status)));
  }
  ctx.reply.Ok();
}

constexpr uint32_t kPlain = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandRow kSubcommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = kPlain,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N * M), N patterns, M parameters that there are",
     .summary = "The values of the directives that match",
     .syntax = "parameter [parameter ...]",
     .handler = Get},
    {.name = "set",
     .arity = -4,
     .flags = kPlain | kExclusive,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N + M^2), N parameters that there are, M of them set",
     .summary = "Change directives, all or none of them",
     .syntax = "parameter value [parameter value ...]",
     .handler = Set,
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "resetstat",
     .arity = 2,
     .flags = kPlain | kExclusive,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N), N shards in use",
     .summary = "Set the counters that INFO shows to zero",
     .handler = ResetStat},
    {.name = "rewrite",
     .arity = 2,
     .flags = kPlain,
     .group = "server",
     .since = "2.8.0",
     .complexity = "O(N), N lines of the file",
     .summary = "Bring the configuration file up to date",
     .handler = Rewrite},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "config",
     .arity = -2,
     .group = "server",
     .since = "2.0.0",
     .complexity = "That of the subcommand",
     .summary = "Read and change the configuration",
     .subcommands = kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ConfigCommands() { return kRows; }

}  // namespace lapse
