// XINFO: what a stream, its groups and their consumers are at.

#include <algorithm>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/commands/stream_arguments.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

// Entries, and pending ones of each group and consumer, that FULL shows without a COUNT.
constexpr int64_t kShownByDefault = 10;

// A map's pairs, one after the other.
class InfoWriter {
 public:
  explicit InfoWriter(ReplyWriter& reply) : reply_(reply) {}

  void Number(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Text(std::string_view name, std::string_view value) {
    reply_.Bulk(name);
    reply_.Bulk(value);
  }
  void Id(std::string_view name, const StreamId& id) {
    reply_.Bulk(name);
    ReplyStreamId(reply_, id);
  }
  // How far the group has read, and how far it is behind.
  void Progress(const Stream& stream, const StreamGroup& group) {
    reply_.Bulk("entries-read");
    NumberOrNull(group.entries_read() == StreamGroup::kUnknown
                     ? std::nullopt
                     : std::optional<int64_t>(group.entries_read()));
    reply_.Bulk("lag");
    NumberOrNull(stream.LagOf(group));
  }

 private:
  void NumberOrNull(std::optional<int64_t> value) {
    value ? reply_.Integer(*value) : reply_.Null();
  }

  ReplyWriter& reply_;
};

// The stream that args[2] names, or an empty one with an error replied.
Typed<Stream> ExpectStream(CommandContext& ctx) {
  const auto stream = ReadAs<Stream>(ctx);
  if (!stream && !stream.wrong()) ctx.reply.Error(errors::kNoSuchKey);
  return stream;
}

void ReplyEdge(ReplyWriter& reply, std::string_view name, const Stream& stream,
               StreamRange::Order order) {
  reply.Bulk(name);
  StreamRange range(stream, {}, StreamId::Max(), order);
  StreamEntry entry;
  range.Next(entry) ? ReplyEntry(reply, entry) : reply.Null();
}

void ReplyConsumerInFull(ReplyWriter& reply, const StreamGroup& group,
                         const StreamConsumer& consumer, size_t shown) {
  InfoWriter info(reply);
  reply.Map(4);
  info.Text("name", consumer.name());
  info.Number("seen-time", static_cast<uint64_t>(consumer.seen_ms()));
  info.Number("pel-count", consumer.pending().size());
  reply.Bulk("pending");
  const size_t count = std::min(consumer.pending().size(), shown);
  reply.Array(count);
  auto at = consumer.pending().begin();
  for (size_t i = 0; i < count; ++i, ++at) {
    const StreamDelivery& delivery = *group.FindPending(*at);
    reply.Array(3);
    ReplyStreamId(reply, *at);
    reply.Integer(delivery.time_ms);
    reply.Integer(static_cast<int64_t>(delivery.count));
  }
}

void ReplyGroupInFull(ReplyWriter& reply, const Stream& stream, const StreamGroup& group,
                      size_t shown) {
  InfoWriter info(reply);
  reply.Map(7);
  info.Text("name", group.name());
  info.Id("last-delivered-id", group.last_id());
  info.Progress(stream, group);
  info.Number("pel-count", group.pending().size());
  reply.Bulk("pending");
  const size_t count = std::min(group.pending().size(), shown);
  reply.Array(count);
  auto at = group.pending().begin();
  for (size_t i = 0; i < count; ++i, ++at) {
    const auto& [id, delivery] = *at;
    reply.Array(4);
    ReplyStreamId(reply, id);
    reply.Bulk(delivery.consumer->name());
    reply.Integer(delivery.time_ms);
    reply.Integer(static_cast<int64_t>(delivery.count));
  }
  reply.Bulk("consumers");
  reply.Array(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) {
    ReplyConsumerInFull(reply, group, *consumer, shown);
  }
}

// Reads [FULL [COUNT count]]. False: an error has been replied.
bool ReadFull(CommandContext& ctx, bool& full, size_t& shown) {
  const std::span<const std::string_view> options = ctx.args.subspan(3);
  full = !options.empty();
  if (!full) return true;
  const bool has_count = options.size() == 3;
  const bool fits = (options.size() == 1 || has_count) && EqualsIgnoreCase(options[0], "FULL") &&
                    (!has_count || EqualsIgnoreCase(options[1], "COUNT"));
  if (!fits) {
    ReplySubcommandError(ctx);
    return false;
  }
  int64_t count = kShownByDefault;
  if (has_count && !ReadInteger(ctx, 5, count)) return false;
  if (count < 0) count = kShownByDefault;
  shown = count == 0 ? SIZE_MAX : static_cast<size_t>(count);
  return true;
}

void StreamInfo(CommandContext& ctx) {
  const auto stream = ExpectStream(ctx);
  if (!stream) return;
  bool full;
  size_t shown = 0;
  if (!ReadFull(ctx, full, shown)) return;
  ReplyWriter& reply = ctx.reply;
  InfoWriter info(reply);
  reply.Map(full ? 9 : 10);
  info.Number("length", stream->size());
  info.Number("radix-tree-keys", stream->blocks().size());
  info.Number("radix-tree-nodes", stream->RadixNodes());
  info.Id("last-generated-id", stream->last_id());
  info.Id("max-deleted-entry-id", stream->max_deleted_id());
  info.Number("entries-added", stream->entries_added());
  info.Id("recorded-first-entry-id", stream->first_id());
  if (!full) {
    info.Number("groups", stream->groups().size());
    ReplyEdge(reply, "first-entry", *stream, StreamRange::Order::kForward);
    ReplyEdge(reply, "last-entry", *stream, StreamRange::Order::kBackward);
    return;
  }
  reply.Bulk("entries");
  ReplyEntries(reply, StreamRange(*stream, {}, StreamId::Max()), shown == SIZE_MAX ? 0 : shown);
  reply.Bulk("groups");
  reply.Array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    ReplyGroupInFull(reply, *stream, *group, shown);
  }
}

void GroupsInfo(CommandContext& ctx) {
  const auto stream = ExpectStream(ctx);
  if (!stream) return;
  InfoWriter info(ctx.reply);
  ctx.reply.Array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    ctx.reply.Map(6);
    info.Text("name", name);
    info.Number("consumers", group->consumers().size());
    info.Number("pending", group->pending().size());
    info.Id("last-delivered-id", group->last_id());
    info.Progress(*stream, *group);
  }
}

void ConsumersInfo(CommandContext& ctx) {
  const auto stream = ExpectStream(ctx);
  if (!stream) return;
  const StreamGroup* const group = stream->FindGroup(ctx.args[3]);
  if (group == nullptr) {
    return ctx.reply.Error(fmt::format("NOGROUP No such consumer group '{}' for key name '{}'",
                                       ctx.args[3], ctx.args[2]));
  }
  InfoWriter info(ctx.reply);
  ctx.reply.Array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    const int64_t idle_ms = std::max<int64_t>(ctx.now_ms - consumer->seen_ms(), 0);
    ctx.reply.Map(3);
    info.Text("name", name);
    info.Number("pending", consumer->pending().size());
    info.Number("idle", static_cast<uint64_t>(idle_ms));
  }
}

constexpr CommandRow kSubcommands[] = {
    {"consumers", 4, kReadOnly, kSubcommandKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(N), N consumers of the group", "The consumers of a group", "key group", ConsumersInfo,
     kNoSubcommands, "nondeterministic_output"},
    {"groups", 3, kReadOnly, kSubcommandKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(N), N groups of the stream", "The groups of a stream", "key", GroupsInfo},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "stream", "stream", "5.0.0", "O(1)",
     "List the subcommands", "", ReplySubcommandHelp},
    {"stream", -3, kReadOnly, kSubcommandKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(N), N blocks of the stream; with FULL O(N + M), M entries shown", "What a stream holds",
     "key [FULL [COUNT count]]", StreamInfo},
};

constexpr CommandRow kRows[] = {
    {"xinfo", -2, 0, kNoKeys, KeyAccess::kNone, "", "stream", "5.0.0", "That of the subcommand",
     "What there is to know about a stream", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StreamInfoCommands() { return kRows; }

}  // namespace lapse
