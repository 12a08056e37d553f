// EVAL and its like, and SCRIPT.

#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/script_keys.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

Scripts& ScriptsOf(CommandContext& ctx) { return Services::Of(ctx.instance).scripts(); }

void Eval(CommandContext& ctx) { ScriptsOf(ctx).Run(ctx, false, false); }
void EvalSha(CommandContext& ctx) { ScriptsOf(ctx).Run(ctx, true, false); }
void EvalRo(CommandContext& ctx) { ScriptsOf(ctx).Run(ctx, false, true); }
void EvalShaRo(CommandContext& ctx) { ScriptsOf(ctx).Run(ctx, true, true); }

void ScriptLoad(CommandContext& ctx) { ScriptsOf(ctx).Load(ctx, ctx.args[2]); }

void ScriptExists(CommandContext& ctx) {
  const auto digests = ctx.args.subspan(2);
  ctx.reply.Array(digests.size());
  for (const std::string_view digest : digests) ctx.reply.Integer(ScriptsOf(ctx).Has(digest));
}

// Both modes are done at once: there is little to free.
void ScriptFlush(CommandContext& ctx) {
  const bool known =
      ctx.args.size() == 2 || (ctx.args.size() == 3 && (EqualsIgnoreCase(ctx.args[2], "SYNC") ||
                                                        EqualsIgnoreCase(ctx.args[2], "ASYNC")));
  if (!known) return ctx.reply.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  ScriptsOf(ctx).Flush();
  ctx.reply.Ok();
}

void ScriptKill(CommandContext& ctx) {
  Services::Of(ctx.instance).script_watch().Kill(ScriptKind::kScript, ctx.reply);
}

// There is no debugger: turning it off is all that can be done.
void ScriptDebug(CommandContext& ctx) {
  if (EqualsIgnoreCase(ctx.args[2], "NO")) return ctx.reply.Ok();
  const bool known = EqualsIgnoreCase(ctx.args[2], "YES") || EqualsIgnoreCase(ctx.args[2], "SYNC");
  ctx.reply.Error(known ? "ERR the script debugger is not available"
                        : "ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

constexpr uint32_t kEvalFlags = kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kComposite;
constexpr std::string_view kDepends = "That of the script";

constexpr CommandRow kScriptRows[] = {
    {"load", 3, kNoScript | kStale | kComposite, kNoKeys, KeyAccess::kNone, "scripting",
     "scripting", "2.6.0", "O(N), N bytes of script", "Take a script for later calls by its digest",
     "script", ScriptLoad, kNoSubcommands,
     "request_policy:all_nodes response_policy:all_succeeded"},
    {"exists", -3, kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "2.6.0", "O(1) per digest", "Which scripts are loaded, by their digests", "sha1 [sha1 ...]",
     ScriptExists, kNoSubcommands, "request_policy:all_shards response_policy:agg_logical_and"},
    {"flush", -2, kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "2.6.0", "O(N), N scripts loaded", "Forget all scripts", "[ASYNC | SYNC]", ScriptFlush,
     kNoSubcommands, "request_policy:all_nodes response_policy:all_succeeded"},
    {"kill", 2, kNoScript | kAllowBusy, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "2.6.0", "O(1)", "End the script that is running", "", ScriptKill, kNoSubcommands,
     "request_policy:all_shards response_policy:one_succeeded"},
    {"debug", 3, kNoScript, kNoKeys, KeyAccess::kNone, "scripting", "scripting", "3.2.0", "O(1)",
     "Whether scripts are run in the debugger", "YES | SYNC | NO", ScriptDebug},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "scripting", "scripting", "5.0.0",
     "O(1)", "List the subcommands", "", ReplySubcommandHelp},
};
static_assert(RowsAreSound(kScriptRows));

constexpr CommandRow kRows[] = {
    WithSpecs(WithKeys({"eval", -3, kEvalFlags, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
                        "2.6.0", kDepends, "Run a script",
                        "script numkeys [key [key ...]] [arg [arg ...]]", Eval},
                       FindWrittenScriptKeys),
              kScriptSpecs),
    WithSpecs(
        WithKeys({"evalsha", -3, kEvalFlags, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
                  "2.6.0", kDepends, "Run a script that was loaded, named by its digest",
                  "sha1 numkeys [key [key ...]] [arg [arg ...]]", EvalSha},
                 FindWrittenScriptKeys),
        kScriptSpecs),
    WithSpecs(
        WithKeys({"eval_ro", -3, kEvalFlags | kReadOnly, kNoKeys, KeyAccess::kNone, "scripting",
                  "scripting", "7.0.0", kDepends, "Run a script that may not write",
                  "script numkeys [key [key ...]] [arg [arg ...]]", EvalRo},
                 FindReadScriptKeys),
        kReadScriptSpecs),
    WithSpecs(
        WithKeys({"evalsha_ro", -3, kEvalFlags | kReadOnly, kNoKeys, KeyAccess::kNone, "scripting",
                  "scripting", "7.0.0", kDepends, "Run a script that was loaded and may not write",
                  "sha1 numkeys [key [key ...]] [arg [arg ...]]", EvalShaRo},
                 FindReadScriptKeys),
        kReadScriptSpecs),
    {"script", -2, 0, kNoKeys, KeyAccess::kNone, "", "scripting", "2.6.0", "That of the subcommand",
     "What there is to know and to do about scripts", "", nullptr, kScriptRows},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ScriptingCommands() { return kRows; }

}  // namespace lapse
