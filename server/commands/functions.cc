// FCALL and FUNCTION.

#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/script_keys.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

FunctionLibraries& FunctionsOf(CommandContext& ctx) {
  return Services::Of(ctx.instance).functions();
}

void FCall(CommandContext& ctx) { FunctionsOf(ctx).Call(ctx, false); }
void FCallRo(CommandContext& ctx) { FunctionsOf(ctx).Call(ctx, true); }

void Load(CommandContext& ctx) {
  bool replace = false;
  for (size_t i = 2; i + 1 < ctx.args.size(); ++i) {
    if (!EqualsIgnoreCase(ctx.args[i], "REPLACE")) {
      return ctx.reply.Error(fmt::format("ERR Unknown option given: {}", ctx.args[i]));
    }
    replace = true;
  }
  const FunctionLibraries::Loaded loaded = FunctionsOf(ctx).Load(ctx.args.back(), replace);
  if (!loaded.error.empty()) return ctx.reply.Error(loaded.error);
  ctx.reply.Bulk(loaded.name);
}

void Delete(CommandContext& ctx) {
  if (!FunctionsOf(ctx).Remove(ctx.args[2])) return ctx.reply.Error("ERR Library not found");
  ctx.reply.Ok();
}

void ReplyWrongSubcommand(CommandContext& ctx) {
  ctx.reply.Error(fmt::format(
      "ERR unknown subcommand or wrong number of arguments for '{}'. Try FUNCTION HELP.",
      ctx.args[1]));
}

// Both modes are done at once: there is little to free.
void Flush(CommandContext& ctx) {
  if (ctx.args.size() > 3) return ReplyWrongSubcommand(ctx);
  const bool known = ctx.args.size() == 2 || EqualsIgnoreCase(ctx.args[2], "SYNC") ||
                     EqualsIgnoreCase(ctx.args[2], "ASYNC");
  if (!known) return ctx.reply.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  FunctionsOf(ctx).Flush();
  ctx.reply.Ok();
}

void WriteLibrary(ReplyWriter& reply, const FunctionLibrary& library, bool with_code) {
  reply.Map(with_code ? 4 : 3);
  reply.Bulk("library_name");
  reply.Bulk(library.name);
  reply.Bulk("engine");
  reply.Bulk("LUA");
  reply.Bulk("functions");
  reply.Array(library.functions.size());
  for (const auto& [name, function] : library.functions) {
    reply.Map(3);
    reply.Bulk("name");
    reply.Bulk(name);
    reply.Bulk("description");
    function.description ? reply.Bulk(*function.description) : reply.Null();
    reply.Bulk("flags");
    WriteScriptFlags(function.flags, reply);
  }
  if (!with_code) return;
  reply.Bulk("library_code");
  reply.Bulk(library.code);
}

void List(CommandContext& ctx) {
  bool with_code = false;
  bool with_pattern = false;
  std::string_view pattern;
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    if (!with_code && EqualsIgnoreCase(ctx.args[i], "WITHCODE")) {
      with_code = true;
    } else if (!with_pattern && EqualsIgnoreCase(ctx.args[i], "LIBRARYNAME")) {
      if (i + 1 == ctx.args.size()) {
        return ctx.reply.Error("ERR library name argument was not given");
      }
      with_pattern = true;
      pattern = ctx.args[++i];
    } else {
      return ctx.reply.Error(fmt::format("ERR Unknown argument {}", ctx.args[i]));
    }
  }
  const size_t mark = ctx.reply.BeginArray();
  size_t count = 0;
  for (const auto& [name, library] : FunctionsOf(ctx).libraries()) {
    if (with_pattern && !GlobMatchIgnoreCase(pattern, name)) continue;
    WriteLibrary(ctx.reply, library, with_code);
    ++count;
  }
  ctx.reply.EndArray(mark, count);
}

void Stats(CommandContext& ctx) {
  const FunctionLibraries& functions = FunctionsOf(ctx);
  ctx.reply.Map(2);
  ctx.reply.Bulk("running_script");
  Services::Of(ctx.instance).script_watch().Describe(ctx.reply);
  ctx.reply.Bulk("engines");
  ctx.reply.Map(1);
  ctx.reply.Bulk("LUA");
  ctx.reply.Map(2);
  ctx.reply.Bulk("libraries_count");
  ctx.reply.Integer(functions.library_count());
  ctx.reply.Bulk("functions_count");
  ctx.reply.Integer(functions.function_count());
}

void Kill(CommandContext& ctx) {
  Services::Of(ctx.instance).script_watch().Kill(ScriptKind::kFunction, ctx.reply);
}

void Dump(CommandContext& ctx) { ctx.reply.Bulk(FunctionsOf(ctx).Dump()); }

void Restore(CommandContext& ctx) {
  using Policy = FunctionLibraries::Policy;
  if (ctx.args.size() > 4) return ReplyWrongSubcommand(ctx);
  Policy policy = Policy::kAppend;
  if (ctx.args.size() == 4) {
    const std::string_view word = ctx.args[3];
    if (EqualsIgnoreCase(word, "FLUSH")) {
      policy = Policy::kFlush;
    } else if (EqualsIgnoreCase(word, "REPLACE")) {
      policy = Policy::kReplace;
    } else if (!EqualsIgnoreCase(word, "APPEND")) {
      return ctx.reply.Error(
          "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    }
  }
  const std::string error = FunctionsOf(ctx).Restore(ctx.args[2], policy);
  if (!error.empty()) return ctx.reply.Error(error);
  ctx.reply.Ok();
}

constexpr uint32_t kCallFlags = kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kComposite;
constexpr std::string_view kDepends = "That of the function";
constexpr std::string_view kEverywhere = "request_policy:all_shards response_policy:all_succeeded";

constexpr CommandRow kFunctionRows[] = {
    {"load", -3, kWrite | kDenyOom | kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting",
     "scripting", "7.0.0", "O(N), N bytes of code", "Load a library of functions",
     "[REPLACE] function-code", Load, kNoSubcommands, kEverywhere},
    {"delete", 3, kWrite | kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting",
     "scripting", "7.0.0", "O(1)", "Delete a library and its functions", "library-name", Delete,
     kNoSubcommands, kEverywhere},
    {"flush", -2, kWrite | kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting",
     "scripting", "7.0.0", "O(N), N functions", "Delete all libraries", "[ASYNC | SYNC]", Flush,
     kNoSubcommands, kEverywhere},
    {"list", -2, kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "7.0.0", "O(N), N functions", "The libraries and their functions",
     "[LIBRARYNAME library-name-pattern] [WITHCODE]", List, kNoSubcommands,
     "nondeterministic_output_order"},
    {"stats", 2, kNoScript | kAllowBusy, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "7.0.0", "O(1)", "What function is running, and how many there are", "", Stats, kNoSubcommands,
     "nondeterministic_output request_policy:all_shards response_policy:special"},
    {"kill", 2, kNoScript | kAllowBusy, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "7.0.0", "O(1)", "End the function that is running", "", Kill, kNoSubcommands,
     "request_policy:all_shards response_policy:one_succeeded"},
    {"dump", 2, kNoScript | kComposite, kNoKeys, KeyAccess::kNone, "scripting", "scripting",
     "7.0.0", "O(N), N bytes of code", "All libraries as bytes that RESTORE takes", "", Dump},
    {"restore", -3, kWrite | kDenyOom | kNoScript | kComposite, kNoKeys, KeyAccess::kNone,
     "scripting", "scripting", "7.0.0", "O(N), N bytes given", "Load the libraries that DUMP gave",
     "serialized-value [FLUSH | APPEND | REPLACE]", Restore, kNoSubcommands, kEverywhere},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "scripting", "scripting", "7.0.0",
     "O(1)", "List the subcommands", "", ReplySubcommandHelp},
};
static_assert(RowsAreSound(kFunctionRows));

constexpr CommandRow kRows[] = {
    WithSpecs(WithKeys({"fcall", -3, kCallFlags, kNoKeys, KeyAccess::kNone, "scripting",
                        "scripting", "7.0.0", kDepends, "Call a function",
                        "function numkeys [key [key ...]] [arg [arg ...]]", FCall},
                       FindWrittenScriptKeys),
              kScriptSpecs),
    WithSpecs(
        WithKeys({"fcall_ro", -3, kCallFlags | kReadOnly, kNoKeys, KeyAccess::kNone, "scripting",
                  "scripting", "7.0.0", kDepends, "Call a function that does not write",
                  "function numkeys [key [key ...]] [arg [arg ...]]", FCallRo},
                 FindReadScriptKeys),
        kReadScriptSpecs),
    {"function", -2, 0, kNoKeys, KeyAccess::kNone, "", "scripting", "7.0.0",
     "That of the subcommand", "What there is to know and to do about functions", "", nullptr,
     kFunctionRows},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> FunctionCommands() { return kRows; }

}  // namespace lapse
