#include "server/commands/client_name.h"

#include <algorithm>

namespace lapse {

bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

bool SetClientName(CommandContext& ctx, std::string_view name) {
  if (!IsPlainText(name)) {
    ctx.reply.Error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  ctx.session.name = name;
  return true;
}

}  // namespace lapse
