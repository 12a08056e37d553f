// One row of a command family's table, and what a row says.
//
// A command is added in one place: its handler and its row, in its family's file under
// server/commands/. Everything else about it derives from the row: lookup, arity check, which keys
// (and so which shards) it needs, COMMAND INFO and DOCS, ACL categories, documentation and the
// generated conformance tests.
//
// Thread: rows are constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace lapse {

class CommandContext;
using Handler = void (*)(CommandContext&);

// Flags as COMMAND INFO names them (Redis 7), and, from kExclusive on, how the dispatcher runs it.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,
  kStale = 1u << 8,
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kFast = 1u << 11,
  kNoAuth = 1u << 12,
  kAllowBusy = 1u << 13,
  kNoMulti = 1u << 14,
  kMovableKeys = 1u << 15,
  kNoAsyncLoading = 1u << 16,
  kMayReplicate = 1u << 17,
  kNoMandatoryKeys = 1u << 18,
  // Runs in the gate's exclusive form: nothing else touches the keyspace, the configuration or any
  // session meanwhile. For rare commands that need the world to hold still.
  kExclusive = 1u << 24,
  // The dispatcher locks nothing; the handler locks what it needs (walks over all shards, keys of
  // another database).
  kLocksItself = 1u << 25,
  // Runs other commands (EXEC, EVAL, FCALL): keeps its own HeldShards and may grow them, so it runs
  // while no other such command does. Implies kLocksItself.
  kComposite = 1u << 26,
  // Runs at once where other commands are queued, between MULTI and EXEC.
  kRunsInMulti = 1u << 27,
};

// Where the keys are among the arguments, as Redis's first/last/step: {1, -1, 2} is MSET.
struct KeySpec {
  int8_t first = 0;  // 0: no keys
  int8_t last = 0;   // negative: counted from the end
  int8_t step = 1;
};

// What the command does to its keys, in the words of Redis's key specifications.
// kNotKey: it looks like a key, and clients of a cluster treat it as one (a shard channel).
enum class KeyAccess : uint8_t { kNone, kReadOnly, kReadWrite, kOverwrite, kRemove, kNotKey };

// One key of a request: the number of the argument, and what is done to it.
struct KeyRef {
  uint32_t index = 0;
  KeyAccess access = KeyAccess::kReadOnly;
};
using KeyRefs = absl::InlinedVector<KeyRef, 8>;

// Finds the keys of a command for which first, last and step do not say it ("numkeys key ..."). A
// request that is malformed has no keys: the handler says what is wrong with it.
using KeyFinder = void (*)(std::span<const std::string_view> args, KeyRefs& keys);

struct CommandRow {
  std::string_view name;  // lower case
  int arity = 0;          // with the name; negative: at least that many
  uint32_t flags = 0;
  KeySpec keys = {};
  KeyAccess access = KeyAccess::kNone;
  std::string_view categories =
      {};  // ACL categories beyond those the flags imply: "string" or "keyspace dangerous"
  std::string_view group;  // COMMAND DOCS's group: "string", "generic", "connection", "server"
  std::string_view since;
  std::string_view complexity = {};
  std::string_view summary;
  // The arguments as redis.io prints them, without the name: "key value [NX | XX] [GET] [EX seconds
  // | PX milliseconds]". COMMAND DOCS's argument maps are derived from it.
  std::string_view syntax = {};
  Handler handler = nullptr;                     // nullptr for a container of subcommands
  std::span<const CommandRow> subcommands = {};  // their names alone ("get"), args[1] in a request
  // COMMAND INFO's tips for clients, separated by blanks: "nondeterministic_output".
  std::string_view tips = {};
  // Used instead of `keys` where set; see WithKeys. `keys` then says what COMMAND INFO shows.
  KeyFinder find_keys = nullptr;

  bool has_keys() const { return keys.first > 0 || find_keys != nullptr; }
};

// The row with a finder of its keys.
constexpr CommandRow WithKeys(CommandRow row, KeyFinder find_keys) {
  row.find_keys = find_keys;
  row.flags |= kMovableKeys;
  return row;
}

// The keys of a request for this row, in the order of its arguments (or the finder's).
void FindKeys(const CommandRow& row, std::span<const std::string_view> args, KeyRefs& keys);

}  // namespace lapse
