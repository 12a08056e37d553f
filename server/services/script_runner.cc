#include "server/services/script_runner.h"

#include <fmt/format.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "server/core/errors.h"
#include "server/services/script_reply.h"
#include "server/services/services.h"
#include "storage/held_shards.h"
#include "storage/long_wait.h"

namespace lapse {
namespace {

constexpr int kHookInstructions = 100'000;

struct NamedFlag {
  std::string_view name;
  uint32_t flag;
};

constexpr NamedFlag kFlags[] = {
    {"no-writes", kScriptNoWrites},
    {"allow-oom", kScriptAllowOom},
    {"allow-stale", kScriptAllowStale},
    {"no-cluster", kScriptNoCluster},
    {"allow-cross-slot-keys", kScriptAllowCrossSlot},
};

void HookOf(lua_State* lua, lua_Debug* place) {
  (void)place;
  static_cast<ScriptRunner*>(LuaSandbox::OwnerOf(lua))->Hook(lua);
}

void PushTexts(lua_State* lua, std::span<const std::string_view> texts) {
  lua_createtable(lua, static_cast<int>(texts.size()), 0);
  for (size_t i = 0; i < texts.size(); ++i) {
    lua_pushlstring(lua, texts[i].data(), texts[i].size());
    lua_rawseti(lua, -2, static_cast<int>(i) + 1);
  }
}

// The gate's other form, for a scope.
class AloneInGate {
 public:
  explicit AloneInGate(Gate& gate) : gate_(gate) {
    gate_.Leave();
    gate_.EnterExclusive();
  }
  ~AloneInGate() {
    gate_.LeaveExclusive();
    gate_.Enter();
  }
  AloneInGate(const AloneInGate&) = delete;
  AloneInGate& operator=(const AloneInGate&) = delete;

 private:
  Gate& gate_;
};

}  // namespace

uint32_t ScriptFlagNamed(std::string_view name) {
  for (const NamedFlag& entry : kFlags) {
    if (entry.name == name) return entry.flag;
  }
  return 0;
}

void WriteScriptFlags(uint32_t flags, ReplyWriter& reply) {
  const size_t mark = reply.BeginSet();
  size_t count = 0;
  for (const NamedFlag& entry : kFlags) {
    if ((flags & entry.flag) == 0) continue;
    reply.Simple(entry.name);
    ++count;
  }
  reply.EndSet(mark, count);
}

ScriptRunner::ScriptRunner(Instance& instance, ScriptWatch& watch, ScriptKind kind)
    : instance_(instance), watch_(watch), kind_(kind), sandbox_(this) {
  session_.in_process = true;
  AddApi();
  lua_sethook(sandbox_.lua(), HookOf, LUA_MASKCOUNT, kHookInstructions);
}

bool ScriptRunner::NamesExclusiveCommand(std::string_view text) const {
  const std::string folded = absl::AsciiStrToLower(std::string(text));
  for (const CommandRow* row : instance_.registry.rows()) {
    if ((row->flags & kNoScript) != 0) continue;
    bool exclusive = (row->flags & kExclusive) != 0;
    for (const CommandRow& subcommand : row->subcommands) {
      exclusive |= (subcommand.flags & kExclusive) != 0 && (subcommand.flags & kNoScript) == 0;
    }
    if (exclusive && folded.find(row->name) != std::string::npos) return true;
  }
  return false;
}

void ScriptRunner::Hook(lua_State* lua) {
  if (ctx_ == nullptr) {
    if (instance_.clock.MonotonicNs() > load_deadline_ns_) {
      RaiseScriptError(lua, "ERR FUNCTION LOAD timeout");
    }
    return;
  }
  if (watch_.busy()) LongWait::Work();
  if (!watch_.MustEnd()) return;
  // From here on every instruction asks, so that a script cannot catch the error and go on.
  lua_sethook(lua, HookOf, LUA_MASKCOUNT, 1);
  if (lua != sandbox_.lua()) lua_sethook(sandbox_.lua(), HookOf, LUA_MASKCOUNT, 1);
  RaiseScriptError(lua, "ERR Script killed by user with SCRIPT KILL...");
}

void ScriptRunner::BeginSession(const Session& caller) {
  session_.id = caller.id;
  session_.db = caller.db;
  session_.resp = 2;
  session_.modes = caller.modes & kRestricted;
  session_.user = caller.user;
  session_.no_touch = caller.no_touch;
}

void ScriptRunner::Run(CommandContext& ctx, const ScriptCall& call) {
  const bool has_flags = (call.flags & kScriptCompatible) == 0;
  out_of_memory_ =
      (call.flags & kScriptAllowOom) == 0 && Services::Of(instance_).memory_limit().exceeded();
  if (out_of_memory_ && has_flags && (call.flags & kScriptNoWrites) == 0) {
    return ctx.reply.Error(errors::kOutOfMemory);
  }
  if (call.read_only_command && has_flags && (call.flags & kScriptNoWrites) == 0) {
    return ctx.reply.Error("ERR Can not execute a script with write flag using *_ro command.");
  }
  watch_.Begin(kind_, call.name, ctx.args);
  const size_t mark = ctx.reply.size();
  const auto run_alone = [&] {
    const AloneInGate alone(ctx.keyspace().gate());
    RunOnce(ctx, call, true);
  };
  if (call.exclusive && !ctx.nested()) {
    run_alone();
  } else if (RunOnce(ctx, call, false) == Outcome::kAgainAlone) {
    ctx.reply.Truncate(mark);
    if (ctx.nested() || watch_.wrote()) {
      ctx.reply.Error("ERR a command that needs the server for itself was called too late");
    } else {
      run_alone();
    }
  }
  watch_.End();
}

ScriptRunner::Outcome ScriptRunner::RunOnce(CommandContext& ctx, const ScriptCall& call,
                                            bool alone) {
  std::optional<HeldShards> held;
  held_ = ctx.held;
  if (held_ == nullptr) {
    absl::InlinedVector<KeyLocks::Want, 8> wanted;
    for (const Key& key : ctx.keys) {
      wanted.push_back({static_cast<uint16_t>(ctx.session.db), key.place});
    }
    held.emplace(ctx.keyspace(), alone ? HeldShards::Kind::kAlone : HeldShards::Kind::kGrowing,
                 wanted);
    held_ = &*held;
  }
  BeginSession(ctx.session);
  ctx_ = &ctx;
  read_only_ = call.read_only_command || (call.flags & kScriptNoWrites) != 0;
  alone_ = held_->alone();
  wants_alone_ = false;
  lua_State* const lua = sandbox_.lua();
  const int failed = Call(ctx, call);
  ctx_ = nullptr;
  if (failed != 0) {
    ReplyError(ctx, call);
    // A kill has left the hook at every instruction.
    lua_sethook(lua, HookOf, LUA_MASKCOUNT, kHookInstructions);
  } else {
    WriteValue(lua, ctx.reply, session_.resp);
  }
  lua_settop(lua, 0);
  return wants_alone_ ? Outcome::kAgainAlone : Outcome::kDone;
}

// Leaves the result or the error on the stack.
int ScriptRunner::Call(CommandContext& ctx, const ScriptCall& call) {
  (void)ctx;
  lua_State* const lua = sandbox_.lua();
  lua_pushcfunction(lua, DescribeError);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, call.reference);
  PushTexts(lua, call.keys);
  if (kind_ == ScriptKind::kScript) sandbox_.SetGlobal("KEYS");
  PushTexts(lua, call.args);
  if (kind_ == ScriptKind::kScript) sandbox_.SetGlobal("ARGV");
  return lua_pcall(lua, kind_ == ScriptKind::kScript ? 0 : 2, 1, 1);
}

// The error on top of the stack is what DescribeError made, or a plain text.
void ScriptRunner::ReplyError(CommandContext& ctx, const ScriptCall& call) {
  lua_State* const lua = sandbox_.lua();
  if (!lua_istable(lua, -1)) {
    const char* text = lua_tostring(lua, -1);
    ctx.reply.Error(fmt::format("ERR {}", text != nullptr ? text : "unknown error"));
    return;
  }
  const int table = lua_gettop(lua);
  const auto field = [&](const char* name) -> std::string_view {
    lua_pushstring(lua, name);
    lua_rawget(lua, table);
    size_t size = 0;
    const char* text = lua_tolstring(lua, -1, &size);
    return text != nullptr ? std::string_view(text, size) : std::string_view();
  };
  const std::string_view source = field("source");
  const std::string_view line = field("line");
  std::string_view text = field("err");
  if (text.empty()) text = "ERR unknown error";
  if (source.empty() || line.empty()) return ctx.reply.Error(text);
  ctx.reply.Error(fmt::format("{} script: {}, on {}:{}.", text, call.name, source, line));
}

}  // namespace lapse
