// XGROUP: making and removing a stream's consumer groups and their consumers.

#include <string>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/commands/stream_arguments.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr Event kCreateEvent{"xgroup-create", kStreamClass};
constexpr Event kSetIdEvent{"xgroup-setid", kStreamClass};
constexpr Event kDestroyEvent{"xgroup-destroy", kStreamClass};
constexpr Event kConsumerRemovedEvent{"xgroup-delconsumer", kStreamClass};

constexpr std::string_view kNoKey =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";

struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kUnknown;
};

// What follows the id. False: an error has been replied.
bool ReadGroupOptions(CommandContext& ctx, bool may_make_stream, GroupOptions& options) {
  for (size_t i = 5; i < ctx.args.size(); ++i) {
    if (may_make_stream && EqualsIgnoreCase(ctx.args[i], "MKSTREAM")) {
      options.make_stream = true;
    } else if (EqualsIgnoreCase(ctx.args[i], "ENTRIESREAD") && i + 1 < ctx.args.size()) {
      if (!ReadInteger(ctx, ++i, options.entries_read)) return false;
      if (options.entries_read < StreamGroup::kUnknown) {
        ctx.reply.Error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
    } else {
      ReplySubcommandError(ctx);
      return false;
    }
  }
  return true;
}

// The group that the subcommand is about, or nullptr with an error replied.
StreamGroup* ExpectGroup(CommandContext& ctx, const Typed<Stream>& stream) {
  if (stream.wrong()) return nullptr;
  StreamGroup* const group = GroupOf(stream, ctx.args[3]);
  if (!stream) {
    ctx.reply.Error(kNoKey);
  } else if (group == nullptr) {
    ctx.reply.Error(fmt::format("NOGROUP No such consumer group '{}' for key name '{}'",
                                ctx.args[3], ctx.args[2]));
  }
  return group;
}

void Create(CommandContext& ctx) {
  constexpr size_t kMostArguments = 8;
  GroupOptions options;
  if (!ReadGroupOptions(ctx, true, options)) return;
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found && !options.make_stream) return ctx.reply.Error(kNoKey);
  if (ctx.args.size() > kMostArguments) return ReplySubcommandError(ctx);
  StreamId id = found ? found->last_id() : StreamId{};
  if (ctx.args[4] != "$" && !ReadStreamId(ctx, 4, id)) return;
  Edit<Stream> stream(ctx, 0, found);
  const bool added = stream->AddGroup(ctx.args[3], id, options.entries_read) != nullptr;
  stream.Commit(added ? kCreateEvent : Event{});
  if (!added) return ctx.reply.Error("BUSYGROUP Consumer Group name already exists");
  ctx.reply.Ok();
}

void SetId(CommandContext& ctx) {
  constexpr size_t kMostArguments = 7;
  GroupOptions options;
  if (!ReadGroupOptions(ctx, false, options)) return;
  const auto found = FindAs<Stream>(ctx);
  StreamGroup* const group = ExpectGroup(ctx, found);
  if (group == nullptr) return;
  if (ctx.args.size() > kMostArguments) return ReplySubcommandError(ctx);
  StreamId id = found->last_id();
  if (ctx.args[4] != "$" && !ParseStreamId(ctx.args[4], {.ends = true}, id)) {
    return ctx.reply.Error(kInvalidStreamId);
  }
  Edit<Stream> stream(ctx, 0, found);
  group->set_last_id(id);
  group->set_entries_read(options.entries_read);
  stream.Commit(kSetIdEvent);
  ctx.reply.Ok();
}

void Destroy(CommandContext& ctx) {
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Error(kNoKey);
  Edit<Stream> stream(ctx, 0, found);
  const bool removed = stream->RemoveGroup(ctx.args[3]);
  stream.Commit(removed ? kDestroyEvent : Event{});
  ctx.reply.Integer(removed ? 1 : 0);
}

void CreateConsumer(CommandContext& ctx) {
  const auto found = FindAs<Stream>(ctx);
  StreamGroup* const group = ExpectGroup(ctx, found);
  if (group == nullptr) return;
  const bool missing = group->FindConsumer(ctx.args[4]) == nullptr;
  if (missing) {
    Edit<Stream> stream(ctx, 0, found);
    group->AddConsumer(ctx.args[4], ctx.now_ms);
    stream.Commit(kConsumerCreatedEvent);
  }
  ctx.reply.Integer(missing ? 1 : 0);
}

void DelConsumer(CommandContext& ctx) {
  const auto found = FindAs<Stream>(ctx);
  StreamGroup* const group = ExpectGroup(ctx, found);
  if (group == nullptr) return;
  StreamConsumer* const consumer = group->FindConsumer(ctx.args[4]);
  if (consumer == nullptr) return ctx.reply.Integer(0);
  const size_t pending = consumer->pending().size();
  Edit<Stream> stream(ctx, 0, found);
  group->RemoveConsumer(consumer);
  stream.Commit(kConsumerRemovedEvent);
  ctx.reply.Integer(static_cast<int64_t>(pending));
}

constexpr CommandRow kSubcommands[] = {
    {"create", -5, kWrite | kDenyOom, kSubcommandKey, KeyAccess::kInsert, "stream", "stream",
     "5.0.0", "O(1)", "Make a group", "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
     Create},
    {"createconsumer", 5, kWrite | kDenyOom, kSubcommandKey, KeyAccess::kInsert, "stream", "stream",
     "6.2.0", "O(1)", "Make a consumer of a group", "key group consumer", CreateConsumer},
    {"delconsumer", 5, kWrite, kSubcommandKey, KeyAccess::kDelete, "stream", "stream", "5.0.0",
     "O(N log M), N entries pending for the consumer, M in the group",
     "Remove a consumer of a group", "key group consumer", DelConsumer},
    {"destroy", 4, kWrite, kSubcommandKey, KeyAccess::kDelete, "stream", "stream", "5.0.0",
     "O(N), N entries pending in the group", "Remove a group", "key group", Destroy},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "stream", "stream", "5.0.0", "O(1)",
     "List the subcommands", "", ReplySubcommandHelp},
    {"setid", -5, kWrite, kSubcommandKey, KeyAccess::kUpdate, "stream", "stream", "5.0.0", "O(1)",
     "Set what a group was given last", "key group <id | $> [ENTRIESREAD entries-read]", SetId},
};

constexpr CommandRow kRows[] = {
    {"xgroup", -2, 0, kNoKeys, KeyAccess::kNone, "", "stream", "5.0.0", "That of the subcommand",
     "What there is to do about groups of consumers", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StreamGroupCommands() { return kRows; }

}  // namespace lapse
