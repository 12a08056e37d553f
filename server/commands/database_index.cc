#include "server/commands/database_index.h"

#include <limits>

#include "protocol/number.h"
#include "server/core/errors.h"

namespace lapse {
namespace {

constexpr std::string_view kNotInt =
    "ERR value is out of range, value must between -2147483648 and 2147483647";

}  // namespace

std::optional<uint16_t> ParseDatabaseIndex(CommandContext& ctx, std::string_view text) {
  int64_t number = 0;
  if (!ParseInt64(text, number)) {
    ctx.reply.Error(errors::kNotInteger);
  } else if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    ctx.reply.Error(kNotInt);
  } else if (number < 0 || number >= static_cast<int64_t>(ctx.keyspace().database_count())) {
    ctx.reply.Error(errors::kDbIndex);
  } else {
    return static_cast<uint16_t>(number);
  }
  return std::nullopt;
}

}  // namespace lapse
