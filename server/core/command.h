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

// The last key as Redis's key specifications have it: as seen from the first.
constexpr int8_t RelativeLast(const KeySpec& keys) {
  return keys.last < 0 ? keys.last : static_cast<int8_t>(keys.last - keys.first);
}

// What a command does to a key: how it treats the key as a whole, which is one of RO, RW, OW and RM
// in Redis's key specifications, and what it does with the data in it.
enum AccessBit : uint16_t {
  kAccessRo = 1u << 0,
  kAccessRw = 1u << 1,
  kAccessOw = 1u << 2,  // whatever was there is overwritten
  kAccessRm = 1u << 3,
  kDataRead = 1u << 4,  // returned, copied, or what is done depends on it
  kDataUpdated = 1u << 5,
  kDataInserted = 1u << 6,
  kDataDeleted = 1u << 7,
};

enum class KeyAccess : uint16_t {
  kNone = 0,
  kInspect = kAccessRo,  // what there is to know but the data: is it there, how long is it
  kReadOnly = kAccessRo | kDataRead,
  kReadWrite = kAccessRw | kDataRead | kDataUpdated,
  kReadInsert = kAccessRw | kDataRead | kDataInserted,
  kReadDelete = kAccessRw | kDataRead | kDataDeleted,
  kReadCached = kAccessRw | kDataRead,  // writes what nobody notices
  kUpdate = kAccessRw | kDataUpdated,
  kInsert = kAccessRw | kDataInserted,
  kDelete = kAccessRw | kDataDeleted,
  kOverwrite = kAccessOw | kDataUpdated,
  kCreate = kAccessOw | kDataInserted,
  kRemove = kAccessRm | kDataDeleted,
  // It looks like a key, and clients of a cluster treat it as one (a shard channel).
  kNotKey = 1u << 8,
};

constexpr bool HasBits(KeyAccess access, uint16_t bits) {
  return (static_cast<uint16_t>(access) & bits) != 0;
}
constexpr bool ReadsData(KeyAccess access) { return HasBits(access, kDataRead); }
constexpr bool WritesData(KeyAccess access) {
  return HasBits(access, kDataUpdated | kDataInserted | kDataDeleted);
}

// One of a command's key specifications, where one row of KeySpec does not say it all.
enum class KeyForm : uint8_t {
  kRange,    // up to `last`, by steps
  kCounted,  // the number of keys, then they
  kUnknown,  // not to be told from the request
};
struct KeySpecification {
  KeyAccess access = KeyAccess::kNone;
  int8_t at = 0;                  // the argument where the search for the keys begins
  std::string_view keyword = {};  // if not empty, they follow this word, looked for from `at` on
  KeyForm form = KeyForm::kRange;
  int8_t last = 0;  // as seen from the first; negative: counted from the end
  int8_t step = 1;
  int8_t limit = 0;         // only this part of what remains are keys: 2 is a half
  bool incomplete = false;  // there may be others
  bool varies = false;      // the access depends on the arguments
};

// One key of a request: the number of the argument, and what is done to it.
struct KeyRef {
  uint32_t index = 0;
  KeyAccess access = KeyAccess::kReadOnly;
};
using KeyRefs = absl::InlinedVector<KeyRef, 8>;

// Says what a request does to its keys where that depends on its arguments.
using AccessOfRequest = KeyAccess (*)(std::span<const std::string_view> args);

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
  // Where `keys` and `access` do not say it all; see WithSpecs. `access` is then the first's.
  std::span<const KeySpecification> key_specs = {};
  AccessOfRequest access_of_request = nullptr;

  bool has_keys() const { return keys.first > 0 || find_keys != nullptr; }
};

// The row with a finder of its keys.
constexpr CommandRow WithKeys(CommandRow row, KeyFinder find_keys) {
  row.find_keys = find_keys;
  row.flags |= kMovableKeys;
  return row;
}

// The row with what COMMAND INFO says of its keys, and, where no finder does, with each key's
// access.
constexpr CommandRow WithSpecs(CommandRow row, std::span<const KeySpecification> specs,
                               AccessOfRequest access_of_request = nullptr) {
  row.key_specs = specs;
  row.access_of_request = access_of_request;
  return row;
}

// Whether a request may have so many words, the name included.
bool ArityFits(const CommandRow& row, size_t words);

// The keys of a request for this row, in the order of its arguments (or the finder's).
void FindKeys(const CommandRow& row, std::span<const std::string_view> args, KeyRefs& keys);

}  // namespace lapse
