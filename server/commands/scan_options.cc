#include "server/commands/scan_options.h"

#include "server/core/arguments.h"
#include "server/core/errors.h"
#include "server/core/glob.h"

namespace lapse {
namespace {

std::optional<uint64_t> ReadCursor(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  uint64_t cursor = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(cursor, uint64_t{10}, &cursor) ||
        __builtin_add_overflow(cursor, static_cast<uint64_t>(c - '0'), &cursor)) {
      return std::nullopt;
    }
  }
  return negative ? -cursor : cursor;
}

}  // namespace

bool ScanOptions::Shows(std::string_view name) const {
  // "*" is asked for first: as a pattern, it would not match the empty name.
  return pattern == "*" || GlobMatch(pattern, name);
}

std::optional<uint64_t> ParseCursor(CommandContext& ctx, std::string_view text) {
  const auto cursor = ReadCursor(text);
  if (!cursor) ctx.reply.Error("ERR invalid cursor");
  return cursor;
}

bool ParseScanOptions(CommandContext& ctx, size_t from, ScanOf what, ScanOptions& options) {
  ArgumentReader in(ctx.args, from);
  while (in.More()) {
    if (in.Match("MATCH")) {
      options.pattern = in.Next();
    } else if (in.Match("COUNT")) {
      options.count = in.Integer();
      if (in.ok() && options.count < 1) in.Fail(errors::kSyntax);
    } else if (what == ScanOf::kKeys && in.Match("TYPE")) {
      options.type = in.Next();
    } else if (what == ScanOf::kFields && in.Match("NOVALUES")) {
      options.no_values = true;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

}  // namespace lapse
