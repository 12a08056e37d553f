// The table `redis`, as scripts see it.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "absl/container/inlined_vector.h"
#include "server/core/dispatcher.h"
#include "server/core/errors.h"
#include "server/core/version.h"
#include "server/services/script_reply.h"
#include "server/services/script_runner.h"
#include "server/services/services.h"
#include "server/services/sha1.h"
#include "spdlog/spdlog.h"

namespace lapse {
namespace {

constexpr int kReplicateAll = 3;
constexpr const char* kNotInScript = "can only be called inside a script invocation";

// Pushes {err = text}.
void PushError(lua_State* lua, std::string_view text) {
  lua_createtable(lua, 0, 1);
  lua_pushliteral(lua, "err");
  lua_pushlstring(lua, text.data(), text.size());
  lua_rawset(lua, -3);
}

std::string_view TextAt(lua_State* lua, int index) {
  size_t size;
  const char* text = lua_tolstring(lua, index, &size);
  return {text, size};
}

// The arguments of redis.call: strings as Lua has them, numbers as texts that keep their value.
class Arguments {
 public:
  // False when one is neither.
  bool Read(lua_State* lua) {
    const int count = lua_gettop(lua);
    numbers_.reserve(static_cast<size_t>(count));  // texts stay where they are
    for (int i = 1; i <= count; ++i) {
      switch (lua_type(lua, i)) {
        case LUA_TSTRING:
          words_.push_back(TextAt(lua, i));
          break;
        case LUA_TNUMBER:
          numbers_.push_back(NumberText(lua_tonumber(lua, i)));
          words_.push_back(numbers_.back());
          break;
        default:
          return false;
      }
    }
    return true;
  }

  std::span<const std::string_view> words() const { return words_; }

 private:
  static std::string NumberText(double number) {
    char digits[40];
    const int size = std::snprintf(digits, sizeof(digits), "%.17g", number);
    return std::string(digits, static_cast<size_t>(size));
  }

  absl::InlinedVector<std::string_view, 16> words_;
  absl::InlinedVector<std::string, 4> numbers_;
};

constexpr const char* kNeedArgument =
    "ERR Please specify at least one argument for this redis lib call";
constexpr const char* kBadArguments =
    "ERR Lua redis lib command arguments must be strings or integers";

// 7.2.0 as 0x00070200.
constexpr int VersionNumber(std::string_view version) {
  int number = 0;
  int part = 0;
  for (const char c : version) {
    if (c == '.') {
      number = (number | part) << 8;
      part = 0;
    } else {
      part = part * 10 + (c - '0');
    }
  }
  return number | part;
}
static_assert(VersionNumber("7.2.10") == 0x07020A);

}  // namespace

int RaiseScriptError(lua_State* lua, std::string_view text) {
  PushError(lua, text);
  return lua_error(lua);
}

// The functions; a struct, so that they may look into the runner.
struct ScriptApi {
  static ScriptRunner& RunnerOf(lua_State* lua) {
    return *static_cast<ScriptRunner*>(LuaSandbox::OwnerOf(lua));
  }

  static int Call(lua_State* lua) { return RunCommand(lua, true); }
  static int PCall(lua_State* lua) { return RunCommand(lua, false); }

  // Runs a command and returns its reply; an error is raised, or returned as a table.
  static int RunCommand(lua_State* lua, bool raise) {
    if (!PushResult(lua) && raise) return lua_error(lua);
    return 1;
  }

  // Pushes the command's reply or an error; returns false for an error.
  static bool PushResult(lua_State* lua) {
    ScriptRunner& runner = RunnerOf(lua);
    const auto fail = [lua](std::string_view text) {
      PushError(lua, text);
      return false;
    };
    if (runner.ctx_ == nullptr) return fail(fmt::format("ERR redis.call/pcall {}", kNotInScript));
    if (lua_gettop(lua) == 0) return fail(kNeedArgument);
    Arguments arguments;
    if (!arguments.Read(lua)) return fail(kBadArguments);
    const CommandRow* const row = runner.FindRow(arguments.words());
    std::string_view why;
    if (runner.RefuseCommand(row, arguments.words(), why)) return fail(why);

    runner.reply_bytes_.Clear();
    ReplyWriter reply(runner.reply_bytes_, runner.session_.resp);
    CommandContext& ctx = *runner.ctx_;
    ctx.dispatcher.RunNested(runner.session_, arguments.words(), ctx.now_ms, runner.held_, reply);
    // The client whose script it is caches what the script has read; the shard is still held.
    if ((ctx.session.modes & kTracking) != 0) {
      ctx.instance.hooks->OnKeysLocked(ctx.session, {arguments.words(), nullptr, row, ctx.now_ms});
    }
    const std::string_view bytes = runner.reply_bytes_.view();
    const bool failed = bytes.front() == '-';
    PushReply(lua, bytes);
    return !failed;
  }

  static int Log(lua_State* lua) {
    const int count = lua_gettop(lua);
    if (count < 2) return RaiseScriptError(lua, "ERR redis.log() requires two arguments or more.");
    if (lua_isnumber(lua, 1) == 0) {
      return RaiseScriptError(lua, "ERR First argument must be a number (log level).");
    }
    const double level = lua_tonumber(lua, 1);
    if (!(level >= 0 && level < 4)) return RaiseScriptError(lua, "ERR Invalid debug level.");
    constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::trace, spdlog::level::debug,
                                                     spdlog::level::info, spdlog::level::warn};
    std::string text;
    for (int i = 2; i <= count; ++i) {
      if (lua_isstring(lua, i) == 0) continue;
      if (!text.empty()) text += ' ';
      text += TextAt(lua, i);
    }
    spdlog::log(kLevels[static_cast<int>(level)], "{}", text);
    return 0;
  }

  static int Sha1Hex(lua_State* lua) {
    if (lua_gettop(lua) != 1) return RaiseScriptError(lua, "ERR wrong number of arguments");
    const bool is_text = lua_isstring(lua, 1) != 0;
    const auto digest = Sha1(is_text ? TextAt(lua, 1) : std::string_view());
    lua_pushlstring(lua, digest.view().data(), digest.view().size());
    return 1;
  }

  static int ErrorReply(lua_State* lua) {
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) return BadReplyArguments(lua);
    std::string_view text = TextAt(lua, 1);
    if (!text.empty() && text.front() == '-') text.remove_prefix(1);
    const bool has_code = text.find(' ') != text.npos;
    PushError(lua, has_code ? std::string(text) : fmt::format("ERR {}", text));
    return 1;
  }

  static int StatusReply(lua_State* lua) {
    if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) return BadReplyArguments(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "ok");
    lua_pushvalue(lua, 1);
    lua_rawset(lua, -3);
    return 1;
  }

  static int BadReplyArguments(lua_State* lua) {
    PushError(lua, "ERR wrong number or type of arguments");
    return 1;
  }

  static int SetResp(lua_State* lua) {
    ScriptRunner& runner = RunnerOf(lua);
    if (lua_gettop(lua) != 1)
      return RaiseScriptError(lua, "ERR redis.setresp() requires one argument.");
    const double resp = lua_tonumber(lua, 1);
    if (resp != 2 && resp != 3) return RaiseScriptError(lua, "ERR RESP version must be 2 or 3.");
    runner.session_.resp = static_cast<int>(resp);
    return 0;
  }

  // Taken and checked; what a script does is passed on as its effects, all of them.
  static int SetRepl(lua_State* lua) {
    if (lua_gettop(lua) != 1) {
      return RaiseScriptError(lua, "ERR redis.set_repl() requires two arguments.");
    }
    const int flags = static_cast<int>(lua_tonumber(lua, 1));
    if ((flags & ~kReplicateAll) != 0) {
      return RaiseScriptError(
          lua,
          "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or "
          "REPL_NONE.");
    }
    return 0;
  }

  static int True(lua_State* lua) {
    lua_pushboolean(lua, 1);
    return 1;
  }
  static int False(lua_State* lua) {
    lua_pushboolean(lua, 0);
    return 1;
  }
  static int Nothing(lua_State* lua) {
    (void)lua;
    return 0;
  }

  static int AclCheckCommand(lua_State* lua) {
    ScriptRunner& runner = RunnerOf(lua);
    if (lua_gettop(lua) == 0) return RaiseScriptError(lua, kNeedArgument);
    Arguments arguments;
    if (!arguments.Read(lua)) return RaiseScriptError(lua, kBadArguments);
    const CommandRow* const row = runner.FindRow(arguments.words());
    if (row == nullptr) {
      return RaiseScriptError(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
    }
    lua_pushboolean(lua, runner.MayRun(row, arguments.words()) ? 1 : 0);
    return 1;
  }
};

namespace {

struct Constant {
  const char* name;
  int value;
};

constexpr Constant kConstants[] = {
    {"LOG_DEBUG", 0},
    {"LOG_VERBOSE", 1},
    {"LOG_NOTICE", 2},
    {"LOG_WARNING", 3},
    {"REPL_NONE", 0},
    {"REPL_AOF", 1},
    {"REPL_SLAVE", 2},
    {"REPL_REPLICA", 2},
    {"REPL_ALL", kReplicateAll},
    {"REDIS_VERSION_NUM", VersionNumber(kRedisVersion)},
};

constexpr luaL_Reg kFunctions[] = {
    {"call", ScriptApi::Call},
    {"pcall", ScriptApi::PCall},
    {"log", ScriptApi::Log},
    {"sha1hex", ScriptApi::Sha1Hex},
    {"error_reply", ScriptApi::ErrorReply},
    {"status_reply", ScriptApi::StatusReply},
    {"setresp", ScriptApi::SetResp},
    {"set_repl", ScriptApi::SetRepl},
    {"acl_check_cmd", ScriptApi::AclCheckCommand},
    {nullptr, nullptr},
};

constexpr luaL_Reg kScriptFunctions[] = {
    {"replicate_commands", ScriptApi::True},
    {"breakpoint", ScriptApi::False},
    {"debug", ScriptApi::Nothing},
    {nullptr, nullptr},
};

}  // namespace

void AddScriptConstants(lua_State* lua) {
  for (const Constant& constant : kConstants) {
    lua_pushinteger(lua, constant.value);
    lua_setfield(lua, -2, constant.name);
  }
  lua_pushlstring(lua, kRedisVersion.data(), kRedisVersion.size());
  lua_setfield(lua, -2, "REDIS_VERSION");
  lua_pushcfunction(lua, ScriptApi::Log);
  lua_setfield(lua, -2, "log");
}

void ScriptRunner::AddApi() {
  lua_State* const lua = sandbox_.lua();
  lua_newtable(lua);
  AddScriptConstants(lua);
  luaL_register(lua, nullptr, kFunctions);
  if (kind_ == ScriptKind::kScript) luaL_register(lua, nullptr, kScriptFunctions);
  sandbox_.AddLibrary("redis");
}

const CommandRow* ScriptRunner::FindRow(std::span<const std::string_view> args) const {
  const CommandRow* const row = instance_.registry.Find(args[0]);
  if (row == nullptr || row->subcommands.empty() || args.size() == 1) return row;
  return CommandRegistry::FindSubcommand(*row, args[1]);
}

// What forbids the command, if anything does.
bool ScriptRunner::RefuseCommand(const CommandRow* row, std::span<const std::string_view> args,
                                 std::string_view& why) {
  if (row == nullptr) {
    why = "ERR Unknown Redis command called from script";
    return true;
  }
  const auto words = static_cast<int64_t>(args.size());
  if (row->arity >= 0 ? words != row->arity : words < -row->arity) {
    why = "ERR Wrong number of args calling Redis command from script";
    return true;
  }
  if ((row->flags & kNoScript) != 0) {
    why = "ERR This Redis command is not allowed from script";
    return true;
  }
  if ((row->flags & kExclusive) != 0 && !alone_) wants_alone_ = true;
  if (wants_alone_) {
    why = "ERR the script is run again for a command that needs the server for itself";
    return true;
  }
  if ((row->flags & kWrite) == 0) return false;
  if (read_only_) {
    why = "ERR Write commands are not allowed from read-only scripts.";
    return true;
  }
  // In the middle of a script it is too late to refuse.
  if (out_of_memory_ && (row->flags & kDenyOom) != 0 && !watch_.wrote()) {
    why = errors::kOutOfMemory;
    return true;
  }
  watch_.NoteWrite();
  return false;
}

bool ScriptRunner::MayRun(const CommandRow* row, std::span<const std::string_view> args) const {
  if ((session_.modes & kRestricted) == 0) return true;
  const Acl& acl = Services::Of(instance_).acl();
  const AclUser* const user = acl.Find(session_.user);
  const CommandRow* const named = instance_.registry.Find(args[0]);
  const Request request{args, named == row ? nullptr : named, row, ctx_->now_ms};
  return user != nullptr && user->Check(acl.commands(), request).denial == AclDenial::kNone;
}

}  // namespace lapse
