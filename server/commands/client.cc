// CLIENT: who is connected, and how this connection behaves.

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "fmt/format.h"
#include "protocol/number.h"
#include "server/commands/client_name.h"
#include "server/commands/client_tracking.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/services/client_info.h"
#include "server/services/services.h"

namespace lapse {
namespace {

// A client type's number in Redis's order; nullopt for a word that names none.
enum class ClientType : uint8_t { kNormal, kReplica, kPubSub, kMaster };

ClientType TypeOf(const Session& session) {
  return (session.modes & kSubscribed) != 0 ? ClientType::kPubSub : ClientType::kNormal;
}

std::optional<ClientType> ReadType(ArgumentReader& in) {
  const std::string_view word = in.Next();
  if (EqualsIgnoreCase(word, "normal")) return ClientType::kNormal;
  if (EqualsIgnoreCase(word, "replica")) return ClientType::kReplica;
  if (EqualsIgnoreCase(word, "slave")) return ClientType::kReplica;
  if (EqualsIgnoreCase(word, "pubsub")) return ClientType::kPubSub;
  if (EqualsIgnoreCase(word, "master")) return ClientType::kMaster;
  in.Fail(in.ok() ? fmt::format("ERR Unknown client type '{}'", word) : "");
  return std::nullopt;
}

// Reads one of two words, as CLIENT REPLY ON|OFF and its like take them.
bool ReadOnOff(ArgumentReader& in) {
  if (in.Match("ON")) return true;
  if (!in.Match("OFF")) in.Fail(errors::kSyntax);
  return false;
}

void Id(CommandContext& ctx) { ctx.reply.Integer(static_cast<int64_t>(ctx.session.id)); }

void GetName(CommandContext& ctx) {
  if (ctx.session.name.empty()) return ctx.reply.Null();
  ctx.reply.Bulk(ctx.session.name);
}

void SetName(CommandContext& ctx) {
  if (SetClientName(ctx, ctx.args[2])) ctx.reply.Ok();
}

void SetInfo(CommandContext& ctx) {
  Session& session = ctx.session;
  std::string* field = nullptr;
  if (EqualsIgnoreCase(ctx.args[2], "lib-name")) field = &session.lib_name;
  if (EqualsIgnoreCase(ctx.args[2], "lib-ver")) field = &session.lib_version;
  if (field == nullptr) {
    return ctx.reply.Error(fmt::format("ERR Unrecognized option '{}'", ctx.args[2]));
  }
  if (!IsPlainText(ctx.args[3])) {
    return ctx.reply.Error(
        fmt::format("ERR {} cannot contain spaces, newlines or special characters.", ctx.args[2]));
  }
  *field = ctx.args[3];
  ctx.reply.Ok();
}

void Info(CommandContext& ctx) {
  ctx.reply.Verbatim("txt", DescribeClient(ctx.session, ctx.now_ms) + "\n");
}

void List(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  std::optional<ClientType> type;
  std::optional<std::vector<uint64_t>> ids;
  if (in.Match("TYPE")) {
    type = ReadType(in);
    if (in.More()) in.Fail(errors::kSyntax);
  } else if (in.Match("ID")) {
    ids.emplace();
    if (!in.More()) in.Fail(errors::kSyntax);
    while (in.More()) {
      ids->push_back(static_cast<uint64_t>(in.Integer("ERR Invalid client ID")));
    }
  } else if (in.More()) {
    in.Fail(errors::kSyntax);
  }
  if (!in.ok()) return ctx.reply.Error(in.error());

  std::string lines;
  ctx.instance.clients.ForEach([&](Session& session) {
    if (type && *type != TypeOf(session)) return;
    if (ids && std::find(ids->begin(), ids->end(), session.id) == ids->end()) return;
    lines += DescribeClient(session, ctx.now_ms) + "\n";
  });
  ctx.reply.Verbatim("txt", lines);
}

// --- KILL ---

struct KillFilter {
  std::optional<uint64_t> id;
  std::optional<ClientType> type;
  std::optional<std::string_view> address;
  std::optional<std::string_view> local_address;
  std::optional<std::string_view> user;
  bool skip_me = true;

  bool Fits(const Session& session, const Session& me) const {
    // A host program's own session has no connection that could be closed.
    if (session.address.empty()) return false;
    if (id && session.id != *id) return false;
    if (type && *type != TypeOf(session)) return false;
    if (address && session.address != *address) return false;
    if (local_address && session.local_address != *local_address) return false;
    if (user && session.user != *user) return false;
    return !skip_me || &session != &me;
  }
};

// The options come in pairs: a word without its value is a syntax error whatever the word.
KillFilter ReadKillFilter(const CommandContext& ctx, ArgumentReader& in) {
  KillFilter filter;
  while (in.More()) {
    if (in.left() < 2) {
      in.Fail(errors::kSyntax);
    } else if (in.Match("ID")) {
      filter.id = static_cast<uint64_t>(in.IntegerIn(1, std::numeric_limits<int64_t>::max(),
                                                     "ERR client-id should be greater than 0"));
    } else if (in.Match("TYPE")) {
      filter.type = ReadType(in);
    } else if (in.Match("ADDR")) {
      filter.address = in.Next();
    } else if (in.Match("LADDR")) {
      filter.local_address = in.Next();
    } else if (in.Match("USER")) {
      filter.user = in.Next();
      if (Services::Of(ctx.instance).acl().Find(*filter.user) == nullptr) {
        in.Fail(fmt::format("ERR No such user '{}'", *filter.user));
      }
    } else if (in.Match("SKIPME")) {
      filter.skip_me = in.Match("YES");
      if (!filter.skip_me && !in.Match("NO")) in.Fail(errors::kSyntax);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  return filter;
}

int64_t KillAll(CommandContext& ctx, const KillFilter& filter) {
  const bool itself = filter.Fits(ctx.session, ctx.session);
  if (itself) ctx.session.close_after_reply = true;  // it still gets the count
  const int64_t others = Services::Of(ctx.instance).Kill([&](const Session& session) {
    return &session != &ctx.session && filter.Fits(session, ctx.session);
  });
  return others + (itself ? 1 : 0);
}

void Kill(CommandContext& ctx) {
  if (ctx.args.size() == 3) {
    KillFilter filter;
    filter.address = ctx.args[2];
    filter.skip_me = false;
    if (KillAll(ctx, filter) == 0) return ctx.reply.Error("ERR No such client");
    return ctx.reply.Ok();
  }
  ArgumentReader in(ctx.args, 2);
  const KillFilter filter = ReadKillFilter(ctx, in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.reply.Integer(KillAll(ctx, filter));
}

// --- UNBLOCK ---

constexpr size_t kShownArgument = 128;

void Unblock(CommandContext& ctx) {
  bool with_error = false;
  if (ctx.args.size() > 4) {
    return ctx.reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.",
        ctx.args[1].substr(0, kShownArgument)));
  }
  if (ctx.args.size() == 4) {
    with_error = EqualsIgnoreCase(ctx.args[3], "ERROR");
    if (!with_error && !EqualsIgnoreCase(ctx.args[3], "TIMEOUT")) {
      return ctx.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  ArgumentReader in(ctx.args, 2);
  const auto id = static_cast<uint64_t>(in.Integer());
  if (!in.ok()) return ctx.reply.Error(in.error());
  const bool waited = Services::Of(ctx.instance).blocking().Unblock(id, with_error);
  ctx.reply.Integer(waited ? 1 : 0);
}

// --- How the connection behaves ---

void NoEvict(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const bool on = ReadOnOff(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.session.no_evict = on;
  ctx.reply.Ok();
}

void NoTouch(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const bool on = ReadOnOff(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.session.no_touch = on;
  ctx.reply.Ok();
}

// The dispatcher drops what the modes say not to send.
void SetReplyMode(CommandContext& ctx) {
  Session& session = ctx.session;
  ArgumentReader in(ctx.args, 2);
  if (in.Match("SKIP")) {
    if (session.reply_mode != ReplyMode::kOff) session.reply_mode = ReplyMode::kSkipNext;
    return;
  }
  const bool on = ReadOnOff(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  session.reply_mode = on ? ReplyMode::kOn : ReplyMode::kOff;
  if (on) ctx.reply.Ok();
}

// --- Pauses ---

void Pause(CommandContext& ctx) {
  if (ctx.args.size() > 4) {
    return ctx.reply.Error(
        "ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.");
  }
  ArgumentReader in(ctx.args, 2);
  const std::string_view timeout = in.Next();
  bool writes_only = false;
  if (in.More()) {
    writes_only = in.Match("WRITE");
    if (!writes_only && !in.Match("ALL")) in.Fail("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  int64_t ms = 0;
  if (!ParseInt64(timeout, ms) || ms > std::numeric_limits<int64_t>::max() - ctx.now_ms) {
    in.Fail("ERR timeout is not an integer or out of range");
  } else if (ms < 0) {
    in.Fail("ERR timeout is negative");
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  Services::Of(ctx.instance).pause().Begin(ctx.now_ms + ms, writes_only);
  ctx.reply.Ok();
}

void Unpause(CommandContext& ctx) {
  Services::Of(ctx.instance).pause().End();
  ctx.reply.Ok();
}

constexpr uint32_t kPlain = kNoScript | kLoading | kStale;

constexpr CommandRow kSubcommands[] = {
    {.name = "id",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Return the connection's id",
     .handler = Id},
    {.name = "getname",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "The connection's name",
     .handler = GetName},
    {.name = "setname",
     .arity = 3,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Name the connection",
     .syntax = "connection-name",
     .handler = SetName},
    {.name = "setinfo",
     .arity = 4,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Say which library and version the client is",
     .syntax = "<LIB-NAME libname | LIB-VER libver>",
     .handler = SetInfo},
    {.name = "info",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Describe the connection in CLIENT LIST's form",
     .handler = Info,
     .tips = "nondeterministic_output"},
    {.name = "list",
     .arity = -2,
     .flags = kPlain | kAdmin | kExclusive,
     .categories = "connection",
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N), N connections",
     .summary = "List the connections",
     .syntax = "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
     .handler = List,
     .tips = "nondeterministic_output"},
    {.name = "kill",
     .arity = -3,
     .flags = kPlain | kAdmin | kExclusive,
     .categories = "connection",
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N), N connections",
     .summary = "Close connections, by address or by filters",
     .syntax = "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | "
               "[USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no]> ...>",
     .handler = Kill},
    {.name = "unblock",
     .arity = -3,
     .flags = kPlain | kAdmin,
     .categories = "connection",
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(N), N keys that the client waits for",
     .summary = "End another client's wait",
     .syntax = "client-id [TIMEOUT | ERROR]",
     .handler = Unblock},
    {.name = "no-evict",
     .arity = 3,
     .flags = kPlain | kAdmin,
     .categories = "connection",
     .group = "connection",
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Protect the connection from being closed to save memory",
     .syntax = "<ON | OFF>",
     .handler = NoEvict},
    {.name = "no-touch",
     .arity = 3,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Whether the connection's reads leave keys' access times alone",
     .syntax = "<ON | OFF>",
     .handler = NoTouch},
    {.name = "reply",
     .arity = 3,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Whether the connection's commands are answered",
     .syntax = "<ON | OFF | SKIP>",
     .handler = SetReplyMode},
    {.name = "tracking",
     .arity = -3,
     .flags = kPlain | kExclusive,
     .categories = "connection",
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1); with PREFIX O(N * M), N prefixes given, M that the client has",
     .summary = "Whether the client is told when keys that it has read change",
     .syntax =
         "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] "
         "[OPTOUT] [NOLOOP]",
     .handler = ClientTracking},
    {.name = "caching",
     .arity = 3,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Whether the next command's keys are to be tracked",
     .syntax = "<YES | NO>",
     .handler = ClientCaching},
    {.name = "trackinginfo",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Describe how the connection tracks keys",
     .handler = ClientTrackingInfo},
    {.name = "getredir",
     .arity = 2,
     .flags = kPlain,
     .categories = "connection",
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Return the id of the client that is told instead of this one",
     .handler = ClientGetRedir},
    {.name = "pause",
     .arity = -3,
     .flags = kPlain | kAdmin,
     .categories = "connection",
     .group = "connection",
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Have the commands of clients wait for a time",
     .syntax = "timeout [WRITE | ALL]",
     .handler = Pause},
    {.name = "unpause",
     .arity = 2,
     .flags = kPlain | kAdmin,
     .categories = "connection",
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(N), N clients that wait",
     .summary = "Have paused clients go on",
     .handler = Unpause},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .categories = "connection",
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "List the subcommands",
     .handler = ReplySubcommandHelp},
};
static_assert(RowsAreSound(kSubcommands));

constexpr CommandRow kRows[] = {
    {.name = "client",
     .arity = -2,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "That of the subcommand",
     .summary = "What there is to know and to do about connections",
     .subcommands = kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ClientCommands() { return kRows; }

}  // namespace lapse
