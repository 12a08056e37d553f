// The libraries of functions: what FUNCTION manages and FCALL calls.
//
// All libraries share one sandbox, apart from EVAL's. While a library's code is loaded it sees
// nothing but `redis` with register_function, and what it registers becomes callable only when all
// of it went well.
//
// Thread: within a kComposite command, so one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/core/context.h"
#include "server/services/script_runner.h"

namespace lapse {

struct ScriptFunction {
  std::string name;
  std::optional<std::string> description;
  uint32_t flags = 0;
  int reference = LUA_NOREF;
  bool exclusive = false;  // its library's code names a command that wants the gate for itself
};

struct FunctionLibrary {
  std::string name;
  std::string code;
  std::map<std::string, ScriptFunction> functions;
};

class FunctionLibraries {
 public:
  enum class Policy : uint8_t { kFlush, kAppend, kReplace };

  FunctionLibraries(Instance& instance, ScriptWatch& watch) : instance_(instance), watch_(watch) {}

  // FCALL and FCALL_RO: args are the name, the number of keys, keys and arguments.
  void Call(CommandContext& ctx, bool read_only);

  // Loads a library; returns its name, or an error's text.
  struct Loaded {
    std::string name;
    std::string error;
  };
  Loaded Load(std::string_view code, bool replace);
  bool Remove(std::string_view name);
  void Flush();

  // FUNCTION DUMP's bytes, and back: an error's text, or "" when all went well. All or none.
  std::string Dump() const;
  std::string Restore(std::string_view bytes, Policy policy);

  // By name.
  const std::map<std::string, FunctionLibrary, std::less<>>& libraries() const {
    return libraries_;
  }
  // Thread: any.
  int64_t library_count() const { return library_count_.load(std::memory_order_relaxed); }
  int64_t function_count() const { return function_count_.load(std::memory_order_relaxed); }
  size_t lua_bytes() const { return runner_ != nullptr ? runner_->allocated_bytes() : 0; }

 private:
  using Libraries = std::map<std::string, FunctionLibrary, std::less<>>;

  static int RegisterFunction(lua_State* lua);
  static void ReadNamedArguments(lua_State* lua, ScriptFunction& function);
  static void ReadArguments(lua_State* lua, ScriptFunction& function);

  ScriptRunner& runner();
  std::string RunCode(std::string_view body, FunctionLibrary& library);
  std::string Collision(const FunctionLibrary& library, const FunctionLibrary* replaced) const;
  void Add(FunctionLibrary library);
  void Drop(FunctionLibrary& library);
  void Forget(FunctionLibrary& library);
  void Count();

  Instance& instance_;
  ScriptWatch& watch_;
  std::unique_ptr<ScriptRunner> runner_;  // made when first needed
  Libraries libraries_;
  // By name in lower case: FCALL goes by letters alone.
  absl::flat_hash_map<std::string, const ScriptFunction*> functions_;
  std::atomic<int64_t> library_count_{0};
  std::atomic<int64_t> function_count_{0};
};

}  // namespace lapse
