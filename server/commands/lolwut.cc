// LOLWUT: every Redis draws something and says which version it is. What expires here is time.

#include <algorithm>
#include <string>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/version.h"

namespace lapse {
namespace {

constexpr int64_t kUsualHeight = 7;
constexpr int64_t kLeastHeight = 3;
constexpr int64_t kMostHeight = 40;
constexpr int64_t kMinuteMs = 60'000;

std::string Repeat(int64_t times, char c) { return std::string(static_cast<size_t>(times), c); }

// An hourglass of two times `height` rows that runs out once a minute:
//
//     #########
//      \     /
//       \:::/
//        \:/
//        /.\          .
//       / . \         .
//      /:::::\        .
//     #########
std::string DrawHourglass(int64_t height, int64_t now_ms) {
  const int64_t fallen = (now_ms % kMinuteMs) * (height + 1) / kMinuteMs;  // rows
  const std::string lid = Repeat(2 * height + 3, '#') + "\n";
  std::string drawing = lid;
  for (int64_t row = 0; row < height; ++row) {
    const char sand = row >= fallen ? ':' : ' ';
    drawing += fmt::format("{}\\{}/\n", Repeat(row + 1, ' '), Repeat(2 * (height - row) - 1, sand));
  }
  for (int64_t row = 0; row < height; ++row) {
    const bool filled = row >= height - fallen;
    const std::string side = Repeat(row, filled ? ':' : ' ');
    const char middle = filled ? ':' : fallen < height ? '.' : ' ';
    drawing += fmt::format("{}/{}{}{}\\\n", Repeat(height - row, ' '), side, middle, side);
  }
  return drawing + lid;
}

void Lolwut(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  // Versions differ in what they draw; this one draws the same for all.
  if (in.left() >= 2 && in.Match("VERSION")) in.Integer();
  int64_t height = kUsualHeight;
  if (in.More()) height = std::clamp(in.Integer(), kLeastHeight, kMostHeight);
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.reply.Verbatim("txt",
                     fmt::format("{}\nEverything ends. Lapse ver. {} (Redis ver. {})\n",
                                 DrawHourglass(height, ctx.now_ms), kVersion, kRedisVersion));
}

constexpr CommandRow kRows[] = {
    {.name = "lolwut",
     .arity = -1,
     .flags = kReadOnly | kFast,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Draw something, and say the version",
     .syntax = "[VERSION version] [height]",
     .handler = Lolwut},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> LolwutCommands() { return kRows; }

}  // namespace lapse
