// The commands of replication, answered by a server that is a master without replicas and cannot be
// anything else: what asks about its state is told so, what would change it is refused.

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr std::string_view kNotAvailable =
    "ERR replication is not available: this server is a master without replicas";
constexpr int64_t kMostPort = 65535;

void Role(CommandContext& ctx) {
  constexpr int64_t kOffset = 0;
  ctx.reply.Array(3);
  ctx.reply.Bulk("master");
  ctx.reply.Integer(kOffset);
  ctx.reply.EmptyArray();
}

// Without replicas none has what was written, however long one waits.
void Wait(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  const int64_t wanted = in.Integer();
  const int64_t timeout_ms = in.Integer("ERR timeout is not an integer or out of range");
  if (in.ok() && timeout_ms < 0) in.Fail("ERR timeout is negative");
  if (!in.ok()) return ctx.reply.Error(in.error());
  Blocking::Wait wait;
  wait.timeout_ms = timeout_ms;
  wait.timeout_answer = 0;
  if (wanted > 0 && Services::Of(ctx.instance).blocking().Block(ctx, std::move(wait))) return;
  ctx.reply.Integer(0);
}

void ReplicaOf(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.args[1], "no") && EqualsIgnoreCase(ctx.args[2], "one")) {
    return ctx.reply.Ok();  // as it is
  }
  ArgumentReader in(ctx.args, 2);
  in.IntegerIn(0, kMostPort, "ERR Invalid master port");
  ctx.reply.Error(in.ok() ? kNotAvailable : in.error());
}

// What a replica says of itself is taken and forgotten: it learns from PSYNC that it gets nothing.
void ReplicaConfiguration(CommandContext& ctx) {
  if (ctx.args.size() % 2 == 0) return ctx.reply.Error(errors::kSyntax);
  for (size_t i = 1; i < ctx.args.size(); i += 2) {
    const std::string_view option = ctx.args[i];
    ArgumentReader in(ctx.args, i + 1);
    if (EqualsIgnoreCase(option, "listening-port") || EqualsIgnoreCase(option, "rdb-only")) {
      in.Integer();
      if (!in.ok()) return ctx.reply.Error(in.error());
    } else if (EqualsIgnoreCase(option, "ack") || EqualsIgnoreCase(option, "getack")) {
      return;  // Redis does not answer these, either: they are said between replies
    } else if (!EqualsIgnoreCase(option, "ip-address") && !EqualsIgnoreCase(option, "capa") &&
               !EqualsIgnoreCase(option, "rdb-filter-only")) {
      return ctx.reply.Error(fmt::format("ERR Unrecognized REPLCONF option: {}", option));
    }
  }
  ctx.reply.Ok();
}

void Synchronise(CommandContext& ctx) { ctx.reply.Error(kNotAvailable); }

struct FailoverOptions {
  bool to = false;
  bool force = false;
  bool abort = false;
  bool timeout = false;
};

void Failover(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  FailoverOptions options;
  while (in.More()) {
    if (!options.timeout && in.left() > 1 && in.Match("TIMEOUT")) {
      if (in.Integer() <= 0) in.Fail("ERR FAILOVER timeout must be greater than 0");
      options.timeout = true;
    } else if (!options.to && in.left() > 2 && in.Match("TO")) {
      in.Next();
      in.Integer();
      options.to = true;
    } else if (!options.force && in.Match("FORCE")) {
      options.force = true;
    } else if (!options.abort && ctx.args.size() == 2 && in.Match("ABORT")) {
      options.abort = true;
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (options.abort) in.Fail("ERR No failover in progress.");
  in.Fail("ERR FAILOVER requires connected replicas.");
  ctx.reply.Error(in.error());
}

constexpr uint32_t kChangesRole = kAdmin | kNoScript | kStale | kNoAsyncLoading;
constexpr uint32_t kReplicaSays = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti;
constexpr std::string_view kHostPort = "<host port | NO ONE>";

constexpr CommandRow kRows[] = {
    {.name = "role",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast,
     .categories = "admin dangerous",
     .group = "server",
     .since = "2.8.12",
     .complexity = "O(1)",
     .summary = "What the server is in its replication, and how far",
     .handler = Role},
    {.name = "wait",
     .arity = 3,
     .flags = kNoScript,
     .categories = "connection",
     .group = "generic",
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Wait until replicas have what this client wrote",
     .syntax = "numreplicas timeout",
     .handler = Wait,
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {.name = "replicaof",
     .arity = 3,
     .flags = kChangesRole,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Follow another server, or none any more",
     .syntax = kHostPort,
     .handler = ReplicaOf},
    {.name = "slaveof",
     .arity = 3,
     .flags = kChangesRole,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "The older name of REPLICAOF",
     .syntax = kHostPort,
     .handler = ReplicaOf},
    {.name = "replconf",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy,
     .group = "server",
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "What a replica tells its master of itself",
     .handler = ReplicaConfiguration},
    {.name = "psync",
     .arity = -3,
     .flags = kReplicaSays,
     .group = "server",
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "A replica's request to follow from an offset on",
     .syntax = "replicationid offset",
     .handler = Synchronise},
    {.name = "sync",
     .arity = 1,
     .flags = kReplicaSays,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "A replica's request to follow from the beginning",
     .handler = Synchronise},
    {.name = "failover",
     .arity = -1,
     .flags = kAdmin | kNoScript | kStale,
     .group = "server",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Hand the role of the master over to a replica",
     .syntax = "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]",
     .handler = Failover},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ReplicationCommands() { return kRows; }

}  // namespace lapse
