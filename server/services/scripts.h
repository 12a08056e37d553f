// EVAL's scripts: the cache of those that were loaded, by digest, and their running.
//
// A script that was seen once stays, compiled, until SCRIPT FLUSH, as in Redis: clients rely on
// EVALSHA after EVAL.
//
// Thread: within a kComposite command, so one at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "server/core/context.h"
#include "server/services/script_runner.h"

namespace lapse {

class Scripts {
 public:
  using Digest = std::array<char, 40>;  // in lower case

  Scripts(Instance& instance, ScriptWatch& watch) : instance_(instance), watch_(watch) {}

  // EVAL, EVALSHA (`by_digest`) and their read-only forms: args are the text or digest, the number
  // of keys, keys and arguments.
  void Run(CommandContext& ctx, bool by_digest, bool read_only);
  // SCRIPT LOAD.
  void Load(CommandContext& ctx, std::string_view text);
  // Letter case aside.
  bool Has(std::string_view digest) const;
  void Flush();

  // As they were when a script was last compiled or all were flushed. Thread: any.
  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  // Of the texts, and of Lua.
  int64_t text_bytes() const { return text_bytes_.load(std::memory_order_relaxed); }
  int64_t lua_bytes() const { return lua_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Script {
    int reference = LUA_NOREF;
    uint32_t flags = 0;
    bool exclusive = false;
  };

  ScriptRunner& runner();
  // The script of this digest, if need be from its text, or nullptr with the error replied.
  const Script* Find(const Digest& digest) const;
  // Brings count() and the like up to date.
  void Publish(int64_t text_bytes);
  const Script* Compile(CommandContext& ctx, const Digest& digest, std::string_view text);

  Instance& instance_;
  ScriptWatch& watch_;
  std::unique_ptr<ScriptRunner> runner_;  // made when first needed
  absl::flat_hash_map<Digest, Script> scripts_;
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> text_bytes_{0};
  std::atomic<int64_t> lua_bytes_{0};
};

// The number of keys, args[2] of EVAL and FCALL, checked against the arguments that follow; -1 when
// an error has been replied. `not_a_number` is the error for a word that is none.
int64_t ReadKeyCount(CommandContext& ctx, std::string_view not_a_number);

}  // namespace lapse
