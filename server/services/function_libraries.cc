#include "server/services/function_libraries.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "server/core/arguments.h"
#include "server/services/function_dump.h"
#include "server/services/scripts.h"
#include "server/services/shebang.h"

namespace lapse {
namespace {

constexpr int64_t kLoadLimitNs = 500'000'000;
constexpr std::string_view kBadName =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long";

bool NameIsGood(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
}

struct Metadata {
  std::string name;
  std::string_view body;
  std::string error;
};

Metadata ReadMetadata(std::string_view code) {
  constexpr std::string_view kName = "name=";
  constexpr std::string_view kLua = "lua";
  const auto fail = [](std::string error) { return Metadata{{}, {}, std::move(error)}; };
  const Shebang shebang = ParseShebang(code);
  if (!shebang.present) return fail("ERR Missing library metadata");
  if (!shebang.complete || shebang.words.empty()) return fail("ERR Invalid library metadata");
  std::optional<std::string> name;
  for (size_t i = 1; i < shebang.words.size(); ++i) {
    const std::string_view word = shebang.words[i];
    if (!word.starts_with(kName)) {
      return fail(fmt::format("ERR Invalid metadata value given: {}", word));
    }
    if (name) {
      return fail("ERR Invalid metadata value, name argument was given multiple times");
    }
    name = word.substr(kName.size());
  }
  if (!name) return fail("ERR Library name was not given");
  if (!NameIsGood(*name)) return fail(std::string(kBadName));
  const std::string_view engine = std::string_view(shebang.words[0]).substr(2);
  if (!EqualsIgnoreCase(engine, kLua))
    return fail(fmt::format("ERR Engine '{}' not found", engine));
  return {std::move(*name), shebang.body, {}};
}

std::string TextAt(lua_State* lua, int index) {
  size_t size;
  const char* text = lua_tolstring(lua, index, &size);
  return std::string(text, size);
}

void ReadFlagNames(lua_State* lua, ScriptFunction& function) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    if (lua_isnil(lua, -1)) break;
    const uint32_t flag = lua_isstring(lua, -1) != 0 ? ScriptFlagNamed(TextAt(lua, -1)) : 0;
    if (flag == 0) RaiseScriptError(lua, "ERR unknown flag given");
    function.flags |= flag;
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
}

// Takes the function on top of the stack.
void TakeCallback(lua_State* lua, ScriptFunction& function) {
  luaL_unref(lua, LUA_REGISTRYINDEX, function.reference);
  function.reference = luaL_ref(lua, LUA_REGISTRYINDEX);
}

}  // namespace

ScriptRunner& FunctionLibraries::runner() {
  if (runner_ == nullptr) {
    runner_ = std::make_unique<ScriptRunner>(instance_, watch_, ScriptKind::kFunction);
  }
  return *runner_;
}

void FunctionLibraries::Call(CommandContext& ctx, bool read_only) {
  constexpr size_t kFirstKey = 3;
  const auto found = functions_.find(absl::AsciiStrToLower(std::string(ctx.args[1])));
  if (found == functions_.end()) return ctx.reply.Error("ERR Function not found");
  const int64_t key_count = ReadKeyCount(ctx, "ERR Bad number of keys provided");
  if (key_count < 0) return;
  const ScriptFunction& function = *found->second;
  const auto split = kFirstKey + static_cast<size_t>(key_count);
  ScriptCall call;
  call.name = function.name;
  call.reference = function.reference;
  call.flags = function.flags;
  call.exclusive = function.exclusive;
  call.read_only_command = read_only;
  call.keys = ctx.args.subspan(kFirstKey, split - kFirstKey);
  call.args = ctx.args.subspan(split);
  runner().Run(ctx, call);
}

// --- Loading. ---

// register_function{function_name = ..., callback = ..., flags = ..., description = ...}
void FunctionLibraries::ReadNamedArguments(lua_State* lua, ScriptFunction& function) {
  bool named = false;
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    if (lua_isstring(lua, -2) == 0) {
      RaiseScriptError(lua,
                       "ERR named argument key given to redis.register_function is not a string");
    }
    lua_pushvalue(lua, -2);
    const std::string key = TextAt(lua, -1);
    lua_pop(lua, 1);
    const auto require = [&](bool fits, std::string_view error) {
      if (!fits) RaiseScriptError(lua, error);
    };
    if (EqualsIgnoreCase(key, "function_name")) {
      require(lua_isstring(lua, -1) != 0,
              "ERR function_name argument given to redis.register_function must be a string");
      function.name = TextAt(lua, -1);
      named = true;
    } else if (EqualsIgnoreCase(key, "description")) {
      require(lua_isstring(lua, -1) != 0,
              "ERR description argument given to redis.register_function must be a string");
      function.description = TextAt(lua, -1);
    } else if (EqualsIgnoreCase(key, "callback")) {
      require(lua_isfunction(lua, -1),
              "ERR callback argument given to redis.register_function must be a function");
      TakeCallback(lua, function);
      continue;  // the value has been popped
    } else if (EqualsIgnoreCase(key, "flags")) {
      require(lua_istable(lua, -1),
              "ERR flags argument to redis.register_function must be a table representing function "
              "flags");
      ReadFlagNames(lua, function);
    } else {
      require(false, "ERR unknown argument given to redis.register_function");
    }
    lua_pop(lua, 1);
  }
  if (!named) {
    RaiseScriptError(lua, "ERR redis.register_function must get a function name argument");
  }
  if (function.reference == LUA_NOREF) {
    RaiseScriptError(lua, "ERR redis.register_function must get a callback argument");
  }
}

// register_function(name, callback)
void FunctionLibraries::ReadArguments(lua_State* lua, ScriptFunction& function) {
  if (lua_isstring(lua, 1) == 0) {
    RaiseScriptError(lua, "ERR first argument to redis.register_function must be a string");
  }
  if (!lua_isfunction(lua, 2)) {
    RaiseScriptError(lua, "ERR second argument to redis.register_function must be a function");
  }
  function.name = TextAt(lua, 1);
  TakeCallback(lua, function);
}

int FunctionLibraries::RegisterFunction(lua_State* lua) {
  FunctionLibrary* const library = static_cast<ScriptRunner*>(LuaSandbox::OwnerOf(lua))->loading();
  if (library == nullptr) {
    return RaiseScriptError(
        lua, "ERR redis.register_function can only be called on FUNCTION LOAD command");
  }
  const int count = lua_gettop(lua);
  if (count < 1 || count > 2) {
    return RaiseScriptError(lua, "ERR wrong number of arguments to redis.register_function");
  }
  if (count == 1 && !lua_istable(lua, 1)) {
    return RaiseScriptError(
        lua,
        "ERR calling redis.register_function with a single argument is only applicable to Lua "
        "table (representing named arguments).");
  }
  ScriptFunction function;
  count == 1 ? ReadNamedArguments(lua, function) : ReadArguments(lua, function);
  if (!NameIsGood(function.name)) return RaiseScriptError(lua, kBadName);
  auto& functions = library->functions;
  if (functions.contains(function.name)) {
    return RaiseScriptError(lua, "ERR Function already exists in the library");
  }
  std::string name = function.name;
  functions.emplace(std::move(name), std::move(function));
  return 0;
}

// Runs the library's code, which registers functions. Returns an error's text or "".
std::string FunctionLibraries::RunCode(std::string_view body, FunctionLibrary& library) {
  LuaSandbox& sandbox = runner().sandbox();
  lua_State* const lua = sandbox.lua();
  if (!LoadText(lua, body, "@user_function")) {
    std::string error = fmt::format("ERR Error compiling function: {}", lua_tostring(lua, -1));
    lua_settop(lua, 0);
    return error;
  }
  lua_newtable(lua);  // what the code sees
  lua_newtable(lua);
  AddScriptConstants(lua);
  lua_pushcfunction(lua, RegisterFunction);
  lua_setfield(lua, -2, "register_function");
  LuaSandbox::RefuseUnknownNames(lua);
  LuaSandbox::PushStandIn(lua);
  lua_setfield(lua, -2, "redis");
  sandbox.BeginRestricted();
  lua_pushcfunction(lua, DescribeError);
  lua_insert(lua, 1);
  runner_->BeginLoad(library, instance_.clock.MonotonicNs() + kLoadLimitNs);
  const bool failed = lua_pcall(lua, 0, 0, 1) != 0;
  runner_->EndLoad();
  sandbox.EndRestricted();
  std::string error;
  if (failed) {
    if (lua_istable(lua, -1)) lua_getfield(lua, -1, "err");
    error = fmt::format("ERR Error registering functions: {}",
                        lua_isstring(lua, -1) != 0 ? TextAt(lua, -1) : "ERR unknown error");
  }
  lua_settop(lua, 0);
  return error;
}

// Which of the library's functions another library has, as an error's text, or "".
std::string FunctionLibraries::Collision(const FunctionLibrary& library,
                                         const FunctionLibrary* replaced) const {
  for (const auto& [name, function] : library.functions) {
    const auto found = functions_.find(absl::AsciiStrToLower(name));
    if (found == functions_.end()) continue;
    if (replaced != nullptr && replaced->functions.contains(found->second->name)) continue;
    return fmt::format("ERR Function {} already exists", name);
  }
  return {};
}

FunctionLibraries::Loaded FunctionLibraries::Load(std::string_view code, bool replace) {
  const Metadata metadata = ReadMetadata(code);
  if (!metadata.error.empty()) return {{}, metadata.error};
  const auto existing = libraries_.find(metadata.name);
  const bool exists = existing != libraries_.end();
  if (exists && !replace) {
    return {{}, fmt::format("ERR Library '{}' already exists", metadata.name)};
  }
  FunctionLibrary library;
  library.name = metadata.name;
  library.code = code;
  std::string error = RunCode(metadata.body, library);
  if (error.empty() && library.functions.empty()) error = "ERR No functions registered";
  if (error.empty()) error = Collision(library, exists ? &existing->second : nullptr);
  if (!error.empty()) {
    Forget(library);
    return {{}, error};
  }
  if (exists) Drop(existing->second);
  Add(std::move(library));
  Count();
  return {metadata.name, {}};
}

// Lets go of the functions' values.
void FunctionLibraries::Forget(FunctionLibrary& library) {
  for (auto& [name, function] : library.functions) {
    luaL_unref(runner().sandbox().lua(), LUA_REGISTRYINDEX, function.reference);
  }
  library.functions.clear();
}

void FunctionLibraries::Drop(FunctionLibrary& library) {
  for (const auto& [name, function] : library.functions) {
    functions_.erase(absl::AsciiStrToLower(name));
  }
  Forget(library);
  libraries_.erase(libraries_.find(std::string(library.name)));
}

void FunctionLibraries::Add(FunctionLibrary library) {
  const bool exclusive = runner().NamesExclusiveCommand(library.code);
  std::string name = library.name;
  FunctionLibrary& kept = libraries_.emplace(std::move(name), std::move(library)).first->second;
  for (auto& [function_name, function] : kept.functions) {
    function.exclusive = exclusive;
    functions_[absl::AsciiStrToLower(function_name)] = &function;
  }
}

bool FunctionLibraries::Remove(std::string_view name) {
  const auto found = libraries_.find(name);
  if (found == libraries_.end()) return false;
  Drop(found->second);
  Count();
  return true;
}

void FunctionLibraries::Flush() {
  functions_.clear();
  libraries_.clear();
  runner_.reset();
  Count();
}

void FunctionLibraries::Count() {
  library_count_.store(static_cast<int64_t>(libraries_.size()), std::memory_order_relaxed);
  function_count_.store(static_cast<int64_t>(functions_.size()), std::memory_order_relaxed);
}

// --- Dumps. ---

std::string FunctionLibraries::Dump() const {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : libraries_) codes.push_back(library.code);
  return DumpFunctions(codes);
}

// What is there is kept until all of the payload has been loaded beside it.
std::string FunctionLibraries::Restore(std::string_view bytes, Policy policy) {
  std::vector<std::string> codes;
  switch (ReadFunctionDump(bytes, codes)) {
    case DumpFault::kFooter:
      return "ERR DUMP payload version or checksum are wrong";
    case DumpFault::kPayload:
      return "ERR failed loading the given functions payload";
    case DumpFault::kNone:
      break;
  }
  FunctionLibraries fresh(instance_, watch_);
  for (const std::string& code : codes) {
    const Loaded loaded = fresh.Load(code, false);
    if (!loaded.error.empty()) return loaded.error;
  }
  if (policy != Policy::kFlush) {
    // Loaded again into one sandbox with what stays.
    for (const auto& [name, library] : libraries_) {
      if (fresh.libraries_.contains(name)) {
        if (policy == Policy::kReplace) continue;
        return fmt::format("ERR Library {} already exists", name);
      }
      const Loaded loaded = fresh.Load(library.code, false);
      if (!loaded.error.empty()) return loaded.error;
    }
  }
  libraries_.swap(fresh.libraries_);
  functions_.swap(fresh.functions_);
  runner_.swap(fresh.runner_);
  Count();
  return {};
}

}  // namespace lapse
