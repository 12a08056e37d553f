// Runs scripts and functions in a sandbox, with the table `redis` through which they reach the
// server.
//
// Atomicity: the caller's row is kComposite, so one script runs at a time. The shards of its
// declared keys are locked before it starts, those of other keys as commands come to them, and all
// are kept to its end (held_shards.h). A script that uses commands which want the world to hold
// still (FLUSHALL, SWAPDB) runs in the gate's exclusive form instead; one that turns out to want
// that only when it runs is stopped and run again so, unless it has written by then.
//
// Commands within run on a session of the script's own, whose database, protocol and user begin as
// the caller's (the protocol as 2).
//
// A hook counts instructions. Every so many it asks the watch whether to end, and while the script
// is over its time lets the connections of this thread be answered BUSY.
//
// Thread: one at a time, which Instance::composite_mu sees to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/buffer.h"
#include "server/core/context.h"
#include "server/services/lua_sandbox.h"
#include "server/services/script_watch.h"

namespace lapse {

struct FunctionLibrary;

enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptAllowCrossSlot = 1u << 4,
  // A script without a shebang: what it may do is found out as it does it.
  kScriptCompatible = 1u << 5,
};

// The flag of this name, or 0.
uint32_t ScriptFlagNamed(std::string_view name);
// Appends the names of the flags to a reply, as a set of simple strings.
void WriteScriptFlags(uint32_t flags, ReplyWriter& reply);

// What is to be run.
struct ScriptCall {
  std::string_view name;  // a script's digest or a function's name
  int reference = LUA_NOREF;
  uint32_t flags = 0;
  bool read_only_command = false;  // EVAL_RO and its like
  bool exclusive = false;          // its text names a command that wants the gate's exclusive form
  std::span<const std::string_view> keys;
  std::span<const std::string_view> args;
};

// Raises {err = text}. Never returns.
int RaiseScriptError(lua_State* lua, std::string_view text);
// Adds to the table on top of the stack what `redis` has at all times: its constants and log().
void AddScriptConstants(lua_State* lua);

class ScriptRunner {
 public:
  ScriptRunner(Instance& instance, ScriptWatch& watch, ScriptKind kind);

  // Runs the function that the reference of the sandbox's registry means, and replies what it
  // returned.
  void Run(CommandContext& ctx, const ScriptCall& call);

  // Whether the text contains the name of a command that wants the gate's exclusive form.
  bool NamesExclusiveCommand(std::string_view text) const;

  LuaSandbox& sandbox() { return sandbox_; }
  size_t allocated_bytes() const { return sandbox_.allocated_bytes(); }
  void Hook(lua_State* lua);
  // Around the code of a library, which runs outside of Run and ends at the deadline if need be.
  void BeginLoad(FunctionLibrary& library, int64_t deadline_ns) {
    loading_ = &library;
    load_deadline_ns_ = deadline_ns;
  }
  void EndLoad() { loading_ = nullptr; }
  // The library that is being loaded, if any.
  FunctionLibrary* loading() const { return loading_; }

 private:
  friend struct ScriptApi;

  enum class Outcome : uint8_t { kDone, kAgainAlone };

  Outcome RunOnce(CommandContext& ctx, const ScriptCall& call, bool alone);
  int Call(CommandContext& ctx, const ScriptCall& call);
  void ReplyError(CommandContext& ctx, const ScriptCall& call);
  void BeginSession(const Session& caller);
  void AddApi();
  bool RefuseCommand(const CommandRow* row, std::span<const std::string_view> args,
                     std::string_view& why);
  // Whether the user whose script it is may run the command. Requires: a script runs.
  bool MayRun(const CommandRow* row, std::span<const std::string_view> args) const;
  const CommandRow* FindRow(std::span<const std::string_view> args) const;

  Instance& instance_;
  ScriptWatch& watch_;
  const ScriptKind kind_;
  LuaSandbox sandbox_;

  // Of the script that runs.
  CommandContext* ctx_ = nullptr;  // nullptr: none
  HeldShards* held_ = nullptr;
  bool read_only_ = false;
  bool out_of_memory_ = false;  // commands that need more may not be a script's first write
  bool alone_ = false;
  bool wants_alone_ = false;
  FunctionLibrary* loading_ = nullptr;
  int64_t load_deadline_ns_ = 0;
  Session session_;
  Buffer reply_bytes_;
};

}  // namespace lapse
