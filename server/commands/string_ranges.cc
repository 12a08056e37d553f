// Parts of strings: APPEND, SETRANGE, GETRANGE.

#include <algorithm>
#include <cstring>
#include <string>

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr Event kAppendEvent{"append", '$'};
constexpr Event kSetRangeEvent{"setrange", '$'};
constexpr std::string_view kOffsetOutOfRange = "ERR offset is out of range";

// Whether a string of `offset` bytes and `size` more is one that a client may store.
bool FitsLimit(const CommandContext& ctx, uint64_t offset, size_t size) {
  const auto limit = static_cast<uint64_t>(ctx.instance.config.proto_max_bulk_len);
  return offset <= limit && size <= limit - offset;
}

// Writes `bytes` at `offset` into the item's string, which grows as needed.
// Returns the string's size.
size_t WriteAt(CommandContext& ctx, Item& item, size_t offset, std::string_view bytes,
               Event event) {
  const size_t size = std::max(item.value().size(), offset + bytes.size());
  char* const at = ctx.shard().ResizeString(ctx.key(), item, size);
  if (!bytes.empty()) std::memcpy(at + offset, bytes.data(), bytes.size());
  ctx.shard().ReportWritten(item, event);
  return size;
}

void Append(CommandContext& ctx) {
  const std::string_view tail = ctx.args[2];
  Item item = ctx.shard().Find(ctx.key());
  if (!ExpectString(ctx, item)) return;
  if (!item) {
    ctx.shard().Store(ctx.key(), {},
                      {.value = tail, .encoding = EncodingOfString(tail), .event = kAppendEvent});
    return ctx.reply.Integer(static_cast<int64_t>(tail.size()));
  }
  const size_t offset = item.value().size();
  if (!FitsLimit(ctx, offset, tail.size())) return ctx.reply.Error(errors::kStringTooLong);
  const size_t size = WriteAt(ctx, item, offset, tail, kAppendEvent);
  ctx.reply.Integer(static_cast<int64_t>(size));
}

void SetRange(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t offset = in.Integer();
  if (offset < 0) in.Fail(kOffsetOutOfRange);
  if (!in.ok()) return ctx.reply.Error(in.error());

  const std::string_view bytes = ctx.args[3];
  Item item = ctx.shard().Find(ctx.key());
  if (!ExpectString(ctx, item)) return;
  if (bytes.empty()) {
    return ctx.reply.Integer(item ? static_cast<int64_t>(item.value().size()) : 0);
  }
  const auto at = static_cast<size_t>(offset);
  if (!FitsLimit(ctx, at, bytes.size())) return ctx.reply.Error(errors::kStringTooLong);
  if (item) {
    const size_t size = WriteAt(ctx, item, at, bytes, kSetRangeEvent);
    return ctx.reply.Integer(static_cast<int64_t>(size));
  }
  std::string padded(at, '\0');
  padded.append(bytes);
  ctx.shard().Store(ctx.key(), {}, {.value = padded, .event = kSetRangeEvent});
  ctx.reply.Integer(static_cast<int64_t>(padded.size()));
}

// The part of the text from byte `first` to byte `last`, both included; negative ones count from
// the end, and what lies outside is cut off.
std::string_view Slice(std::string_view text, int64_t first, int64_t last) {
  const auto size = static_cast<int64_t>(text.size());
  // Cutting to 0 would turn the empty range [-1, -100] into the first byte. [0, -100] does give the
  // first byte, in Redis as here.
  if (first < 0 && last < 0 && first > last) return {};
  if (first < 0) first = std::max<int64_t>(first + size, 0);
  if (last < 0) last = std::max<int64_t>(last + size, 0);
  last = std::min(last, size - 1);
  if (first > last) return {};
  return text.substr(static_cast<size_t>(first), static_cast<size_t>(last - first + 1));
}

void GetRange(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t first = in.Integer();
  const int64_t last = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const Item item = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, item)) return;
  ctx.reply.Bulk(item ? Slice(item.value(), first, last) : std::string_view());
}

constexpr CommandRow kRows[] = {
    {"append", 3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "string", "string",
     "2.0.0", "O(N) on average, N bytes appended", "Add text to the end of a string", "key value",
     Append},
    {"setrange", 4, kWrite | kDenyOom, kOneKey, KeyAccess::kUpdate, "string", "string", "2.2.0",
     "O(N) on average, N bytes written, with the zeroes before them", "Write over part of a string",
     "key offset value", SetRange},
    {"getrange", 4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "string", "string", "2.4.0",
     "O(N), N bytes returned", "Part of a string", "key start end", GetRange},
    {"substr", 4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "string", "string", "1.0.0",
     "O(N), N bytes returned", "Part of a string; the older name of GETRANGE", "key start end",
     GetRange},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StringRangeCommands() { return kRows; }

}  // namespace lapse
