// Publishing and subscribing: see services/pubsub.h.

#include <optional>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/services/services.h"

namespace lapse {
namespace {

PubSub& ServiceOf(CommandContext& ctx) { return Services::Of(ctx.instance).pubsub(); }

// What was published before is delivered before the reply. Not within a transaction's reply, which
// is an array.
void DeliverWaiting(CommandContext& ctx) {
  ClientState* const state = FindState(ctx.session);
  if (!ctx.nested() && state != nullptr && state->outbox != nullptr) {
    state->outbox->Drain(ctx.reply);
  }
}

size_t CountOf(const Session& session, ChannelKind kind) {
  const ClientState* const state = FindState(session);
  if (state == nullptr || state->subscriptions == nullptr) return 0;
  return state->subscriptions->counted_with(kind);
}

void Confirm(CommandContext& ctx, std::string_view what, ChannelKind kind,
             std::optional<std::string_view> name) {
  ctx.reply.Push(3);
  ctx.reply.Bulk(what);
  name ? ctx.reply.Bulk(*name) : ctx.reply.Null();
  ctx.reply.Integer(static_cast<int64_t>(CountOf(ctx.session, kind)));
}

void SubscribeTo(CommandContext& ctx, ChannelKind kind, std::string_view what) {
  for (const std::string_view name : ctx.args.subspan(1)) {
    ServiceOf(ctx).Subscribe(ctx.session, kind, name);
    Confirm(ctx, what, kind, name);
  }
}

// Without names: from all.
void UnsubscribeFrom(CommandContext& ctx, ChannelKind kind, std::string_view what) {
  DeliverWaiting(ctx);
  for (const std::string_view name : ctx.args.subspan(1)) {
    ServiceOf(ctx).Unsubscribe(ctx.session, kind, name);
    Confirm(ctx, what, kind, name);
  }
  if (ctx.args.size() > 1) return;
  ClientState* const state = FindState(ctx.session);
  if (state == nullptr || state->subscriptions == nullptr ||
      state->subscriptions->count(kind) == 0) {
    return Confirm(ctx, what, kind, std::nullopt);
  }
  const auto names = state->subscriptions->of(kind);  // a copy: it shrinks meanwhile
  for (const std::string& name : names) {
    ServiceOf(ctx).Unsubscribe(ctx.session, kind, name);
    Confirm(ctx, what, kind, name);
  }
}

void Subscribe(CommandContext& ctx) { SubscribeTo(ctx, ChannelKind::kChannel, "subscribe"); }
void PSubscribe(CommandContext& ctx) { SubscribeTo(ctx, ChannelKind::kPattern, "psubscribe"); }
void SSubscribe(CommandContext& ctx) { SubscribeTo(ctx, ChannelKind::kShard, "ssubscribe"); }
void Unsubscribe(CommandContext& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kChannel, "unsubscribe");
}
void PUnsubscribe(CommandContext& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kPattern, "punsubscribe");
}
void SUnsubscribe(CommandContext& ctx) {
  UnsubscribeFrom(ctx, ChannelKind::kShard, "sunsubscribe");
}

// A client that has subscribed to what it publishes gets the message before the reply, as in Redis.
void Publish(CommandContext& ctx) {
  const size_t receivers = ServiceOf(ctx).Publish(ctx.args[1], ctx.args[2]);
  if (receivers > 0) DeliverWaiting(ctx);
  ctx.reply.Integer(static_cast<int64_t>(receivers));
}

void SPublish(CommandContext& ctx) {
  const size_t receivers = ServiceOf(ctx).PublishToShard(ctx.args[1], ctx.args[2]);
  if (receivers > 0) DeliverWaiting(ctx);
  ctx.reply.Integer(static_cast<int64_t>(receivers));
}

// --- PUBSUB ---

void ListNames(CommandContext& ctx, ChannelKind kind) {
  if (ctx.args.size() > 3) {
    return ctx.reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP.",
        ctx.args[1]));
  }
  const size_t mark = ctx.reply.BeginArray();
  size_t found = 0;
  for (const std::string& name : ServiceOf(ctx).Names(kind)) {
    if (ctx.args.size() == 3 && !GlobMatch(ctx.args[2], name)) continue;
    ctx.reply.Bulk(name);
    ++found;
  }
  ctx.reply.EndArray(mark, found);
}

void CountSubscribers(CommandContext& ctx, ChannelKind kind) {
  const auto names = ctx.args.subspan(2);
  ctx.reply.Array(names.size() * 2);
  for (const std::string_view name : names) {
    ctx.reply.Bulk(name);
    ctx.reply.Integer(static_cast<int64_t>(ServiceOf(ctx).SubscribersOf(kind, name)));
  }
}

void Channels(CommandContext& ctx) { ListNames(ctx, ChannelKind::kChannel); }
void ShardChannels(CommandContext& ctx) { ListNames(ctx, ChannelKind::kShard); }
void NumSub(CommandContext& ctx) { CountSubscribers(ctx, ChannelKind::kChannel); }
void ShardNumSub(CommandContext& ctx) { CountSubscribers(ctx, ChannelKind::kShard); }
void NumPat(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ServiceOf(ctx).NameCount(ChannelKind::kPattern)));
}

constexpr uint32_t kListening = kPubSub | kNoScript | kLoading | kStale;
constexpr uint32_t kPublishing = kPubSub | kLoading | kStale | kFast | kMayReplicate;
constexpr uint32_t kLooking = kPubSub | kLoading | kStale;

constexpr CommandRow kSubcommands[] = {
    {.name = "channels",
     .arity = -2,
     .flags = kLooking,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "O(N), N channels that have subscribers",
     .summary = "List the channels that have subscribers",
     .syntax = "[pattern]",
     .handler = Channels},
    {.name = "numpat",
     .arity = 2,
     .flags = kLooking,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Count the patterns that have subscribers",
     .handler = NumPat},
    {.name = "numsub",
     .arity = -2,
     .flags = kLooking,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "O(1) per channel",
     .summary = "How many listen to each channel",
     .syntax = "[channel [channel ...]]",
     .handler = NumSub},
    {.name = "shardchannels",
     .arity = -2,
     .flags = kLooking,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N), N shard channels that have subscribers",
     .summary = "List the shard channels that have subscribers",
     .syntax = "[pattern]",
     .handler = ShardChannels},
    {.name = "shardnumsub",
     .arity = -2,
     .flags = kLooking,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(1) per channel",
     .summary = "How many listen to each shard channel",
     .syntax = "[shardchannel [shardchannel ...]]",
     .handler = ShardNumSub},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .group = "pubsub",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "subscribe",
     .arity = -2,
     .flags = kListening,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(1) per channel",
     .summary = "Listen to channels",
     .syntax = "channel [channel ...]",
     .handler = Subscribe},
    {.name = "unsubscribe",
     .arity = -1,
     .flags = kListening,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) per channel, N subscribers of it",
     .summary = "Listen to the channels, or to all, no more",
     .syntax = "[channel [channel ...]]",
     .handler = Unsubscribe},
    {.name = "psubscribe",
     .arity = -2,
     .flags = kListening,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(1) per pattern",
     .summary = "Listen to all channels whose names match",
     .syntax = "pattern [pattern ...]",
     .handler = PSubscribe},
    {.name = "punsubscribe",
     .arity = -1,
     .flags = kListening,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) per pattern, N subscribers of it",
     .summary = "Listen to channels that match the patterns, or any, no more",
     .syntax = "[pattern [pattern ...]]",
     .handler = PUnsubscribe},
    {.name = "ssubscribe",
     .arity = -2,
     .flags = kListening | kLocksItself,
     .keys = kAllKeys,
     .access = KeyAccess::kNotKey,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(1) per channel",
     .summary = "Listen to shard channels",
     .syntax = "shardchannel [shardchannel ...]",
     .handler = SSubscribe},
    {.name = "sunsubscribe",
     .arity = -1,
     .flags = kListening | kLocksItself,
     .keys = kAllKeys,
     .access = KeyAccess::kNotKey,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) per channel, N subscribers of it",
     .summary = "Listen to the shard channels, or to all, no more",
     .syntax = "[shardchannel [shardchannel ...]]",
     .handler = SUnsubscribe},
    {.name = "publish",
     .arity = 3,
     .flags = kPublishing,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N + M), N receivers, M patterns that have subscribers",
     .summary = "Send a message to all who listen to the channel",
     .syntax = "channel message",
     .handler = Publish},
    {.name = "spublish",
     .arity = 3,
     .flags = kPublishing | kLocksItself,
     .keys = kOneKey,
     .access = KeyAccess::kNotKey,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N), N subscribers of the channel",
     .summary = "Send a message to all who listen to the shard channel",
     .syntax = "shardchannel message",
     .handler = SPublish},
    {.name = "pubsub",
     .arity = -2,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "That of the subcommand",
     .summary = "A container for commands about channels and their subscribers",
     .subcommands = kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> PubSubCommands() { return kRows; }

}  // namespace lapse
