#include "server/commands/help.h"

#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

std::string Upper(std::string_view text) { return absl::AsciiStrToUpper(std::string(text)); }

}  // namespace

void ReplySubcommandHelp(CommandContext& ctx) {
  const CommandRow& container = *ctx.instance.registry.Find(ctx.args[0]);
  ctx.reply.Array(1 + 2 * container.subcommands.size());
  ctx.reply.Simple(fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                               Upper(container.name)));
  for (const CommandRow& row : container.subcommands) {
    ctx.reply.Simple(
        fmt::format("{}{}{}", Upper(row.name), row.syntax.empty() ? "" : " ", row.syntax));
    ctx.reply.Simple(fmt::format("    {}.", row.summary));
  }
}

}  // namespace lapse
