// Commands about the connection itself: who is there, which protocol, which database.

#include <optional>

#include "fmt/format.h"
#include "server/commands/client_name.h"
#include "server/commands/database_index.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/core/version.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";
constexpr std::string_view kHelloNeedsAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
    "<proto> "
    "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";

bool Authenticate(CommandContext& ctx, std::string_view user, std::string_view password) {
  if (Services::Of(ctx.instance).acl().Authenticate(ctx.session, user, password, ctx.now_ms)) {
    return true;
  }
  ctx.reply.Error(kWrongPassword);
  return false;
}

void Ping(CommandContext& ctx) {
  if (ctx.args.size() > 2) {
    return ctx.reply.Error("ERR wrong number of arguments for 'ping' command");
  }
  if ((ctx.session.modes & kSubscribed) != 0 && ctx.session.resp == 2) {
    ctx.reply.Array(2);  // in the form of what a subscriber gets beside
    ctx.reply.Bulk("pong");
    return ctx.reply.Bulk(ctx.args.size() == 2 ? ctx.args[1] : "");
  }
  if (ctx.args.size() == 2) return ctx.reply.Bulk(ctx.args[1]);
  ctx.reply.Simple("PONG");
}

void Echo(CommandContext& ctx) { ctx.reply.Bulk(ctx.args[1]); }

void Auth(CommandContext& ctx) {
  if (ctx.args.size() > 3) return ctx.reply.Error(errors::kSyntax);
  const AclUser* everyone = Services::Of(ctx.instance).acl().Find(Acl::kDefaultUser);
  if (ctx.args.size() == 2 && everyone->no_password()) {
    return ctx.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  const std::string_view user = ctx.args.size() == 3 ? ctx.args[1] : "default";
  if (Authenticate(ctx, user, ctx.args.back())) ctx.reply.Ok();
}

void ReplyGreeting(CommandContext& ctx) {
  ReplyWriter& reply = ctx.reply;
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");  // clients compare it
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(ctx.session.resp);
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(ctx.session.id));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.EmptyArray();
}

struct HelloOptions {
  int64_t version = 0;
  bool has_auth = false;
  std::string_view user;
  std::string_view password;
  bool has_name = false;
  std::string_view name;
};

HelloOptions ReadHello(ArgumentReader& in, int64_t version_now) {
  HelloOptions options;
  options.version = version_now;
  if (!in.More()) return options;
  options.version = in.Integer("ERR Protocol version is not an integer or out of range");
  if (in.ok() && options.version != 2 && options.version != 3) {
    in.Fail("NOPROTO unsupported protocol version");
  }
  while (in.More()) {
    if (in.left() >= 3 && in.Match("AUTH")) {
      options.has_auth = true;
      options.user = in.Next();
      options.password = in.Next();
    } else if (in.left() >= 2 && in.Match("SETNAME")) {
      options.has_name = true;
      options.name = in.Next();
    } else {
      in.Fail(fmt::format("ERR Syntax error in HELLO option '{}'", in.Next()));
    }
  }
  return options;
}

void Hello(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  const HelloOptions options = ReadHello(in, ctx.session.resp);
  if (!in.ok()) return ctx.reply.Error(in.error());
  if (options.has_auth && !Authenticate(ctx, options.user, options.password)) return;
  if (!ctx.session.authenticated) return ctx.reply.Error(kHelloNeedsAuth);
  if (options.has_name && !SetClientName(ctx, options.name)) return;
  ctx.session.resp = static_cast<int>(options.version);
  ctx.reply.set_resp(ctx.session.resp);
  ReplyGreeting(ctx);
}

void Quit(CommandContext& ctx) {
  ctx.session.close_after_reply = true;
  ctx.reply.Ok();
}

void Reset(CommandContext& ctx) {
  Session& session = ctx.session;
  session.db = 0;
  session.resp = 2;
  Services::Of(ctx.instance).acl().BeginSession(session);
  session.name.clear();
  session.no_evict = false;
  session.no_touch = false;
  session.reply_mode = ReplyMode::kOn;
  Services::Of(ctx.instance).Forget(session);
  ctx.reply.set_resp(2);
  ctx.reply.Simple("RESET");
}

void Select(CommandContext& ctx) {
  const std::optional<uint16_t> db = ParseDatabaseIndex(ctx, ctx.args[1]);
  if (!db) return;
  ctx.session.db = *db;
  ctx.reply.Ok();
}

constexpr uint32_t kBefore = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr CommandRow kRows[] = {
    {.name = "ping",
     .arity = -1,
     .flags = kFast,
     .categories = "connection",
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answer PONG, or with the message",
     .syntax = "[message]",
     .handler = Ping,
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .categories = "connection",
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answer with the message",
     .syntax = "message",
     .handler = Echo},
    {.name = "hello",
     .arity = -1,
     .flags = kBefore,
     .categories = "connection",
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Choose the protocol's version, authenticate, and learn about the server",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
     .handler = Hello},
    {.name = "auth",
     .arity = -2,
     .flags = kBefore,
     .categories = "connection",
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(N), N passwords of the user",
     .summary = "Authenticate the connection",
     .syntax = "[username] password",
     .handler = Auth},
    {.name = "quit",
     .arity = -1,
     .flags = kBefore | kRunsInMulti,
     .categories = "connection",
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Close the connection",
     .handler = Quit},
    {.name = "reset",
     .arity = 1,
     .flags = kBefore | kRunsInMulti,
     .categories = "connection",
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Bring the connection back to how it was when it was new",
     .handler = Reset},
    {.name = "select",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .categories = "connection",
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Choose the database that the connection's commands work on",
     .syntax = "index",
     .handler = Select},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ConnectionCommands() { return kRows; }

}  // namespace lapse
