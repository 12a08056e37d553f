// DEBUG: what tests of the server use, refused to everybody unless enable-debug-command allows it.
//
// The command runs alone, without keys of its own, so that what looks at one locks its shard here.

#include <charconv>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/lookups.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/glob.h"
#include "server/core/instance.h"
#include "server/services/sha1.h"
#include "storage/scan.h"
#include "storage/values/hash.h"
#include "storage/values/list.h"
#include "storage/values/set.h"
#include "storage/values/sorted_set.h"
#include "storage/values/stream.h"

namespace lapse {
namespace {

constexpr std::string_view kDebugRefused =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can "
    "run it from a local connection, otherwise you need to set this option in the configuration "
    "file, and then restart the server.";
constexpr double kMaxSleepSeconds = 3600;

bool IsLocal(const Session& session) {
  return session.in_process || session.unix_socket || session.address.starts_with("127.") ||
         session.address.starts_with("[::1]:") || session.address.starts_with("::1:");
}

bool DebugAllowed(const CommandContext& ctx) {
  const std::string& allowed = ctx.instance.config.enable_debug_command;
  return allowed == "yes" || (allowed == "local" && IsLocal(ctx.session));
}

// The whole server stands still meanwhile, as it does in Redis: that is what the command is for.
void DebugSleep(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const double seconds = in.Float();
  if (in.ok() && (seconds < 0 || seconds > kMaxSleepSeconds)) in.Fail(errors::kOutOfRange);
  if (!in.ok()) return ctx.reply.Error(in.error());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ctx.reply.Ok();
}

void DebugSetActiveExpire(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t active = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  ctx.instance.config.expiry.active = active != 0;
  ctx.instance.expiry.Configure(ctx.instance.config.expiry);
  ctx.reply.Ok();
}

void DebugOk(CommandContext& ctx) { ctx.reply.Ok(); }

// --- One key ---

// Calls look(entry) for the key, or replies that it is not there.
template <typename Look>
void WithEntry(CommandContext& ctx, std::string_view name, Look look) {
  const Key key = ctx.keyspace().Hashed(name);
  LockedShard shard(ctx.keyspace(), ctx.view(), key.place);
  const Item item = LookQuietly(shard, key);
  if (!item) return ctx.reply.Error(errors::kNoSuchKey);
  look(*item.entry());
}

size_t PlainBytes(const Entry& entry) {
  return entry.is_string() ? entry.value().size() : entry.collection()->allocated_bytes();
}

void DebugObject(CommandContext& ctx) {
  WithEntry(ctx, ctx.args[2], [&](const Entry& entry) {
    const AccessClock& access = ctx.keyspace().access();
    const int64_t idle = access.lfu() ? 0 : access.IdleSeconds(entry.access_clock(), ctx.now_ms);
    std::string text = fmt::format(
        "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        static_cast<const void*>(&entry), EncodingName(entry.encoding()), PlainBytes(entry),
        entry.access_clock(), idle);
    ctx.reply.Simple(text);
  });
}

void DebugListpack(CommandContext& ctx) {
  WithEntry(ctx, ctx.args[2], [&](const Entry& entry) {
    if (entry.encoding() != Encoding::kListpack) {
      return ctx.reply.Error("ERR Not a listpack encoded object.");
    }
    ctx.reply.Simple(fmt::format("Listpack of {} elements in {} bytes", entry.collection()->size(),
                                 PlainBytes(entry)));
  });
}

void DebugTableOfKey(CommandContext& ctx) {
  WithEntry(ctx, ctx.args[2], [&](const Entry& entry) {
    const Encoding encoding = entry.encoding();
    if (encoding != Encoding::kHashtable && encoding != Encoding::kSkiplist) {
      return ctx.reply.Error(
          "ERR The value stored at the specified key is not represented using an hash table");
    }
    ctx.reply.Verbatim("txt", fmt::format("[Table of a key]\n number of elements: {}\n bytes: {}\n",
                                          entry.collection()->size(), PlainBytes(entry)));
  });
}

// --- Digests ---

// The sum of digests is the same in whatever order they come: for what has no order of its own.
class Digest {
 public:
  // Something with a place in a sequence.
  void Mix(std::string_view text) {
    const Sha1Hex sum = Sha1(std::string(view()) + std::string(text));
    digits_.assign(sum.view());
  }
  // Something without.
  void Combine(std::string_view digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (size_t i = 0; i < digits_.size(); ++i) {
      const size_t both = kDigits.find(digits_[i]) ^ kDigits.find(digits[i]);
      digits_[i] = kDigits[both];
    }
  }
  std::string_view view() const { return digits_; }

 private:
  std::string digits_ = std::string(Sha1Hex{}.digits.size(), '0');
};

void DigestList(const List& list, Digest& digest) {
  list.ForEach(0, list.size(), [&](const PackedElement& element) {
    char digits[24];
    digest.Mix(element.Text(digits));
  });
}

void DigestStream(const Stream& stream, Digest& digest) {
  StreamRange range(stream, StreamId{}, StreamId::Max());
  StreamEntry entry;
  while (range.Next(entry)) {
    digest.Mix(entry.id.ToString());
    entry.ForEachPair([&](std::string_view field, std::string_view value) {
      digest.Mix(field);
      digest.Mix(value);
    });
  }
}

// Of the value alone: its elements, and whether it has a deadline, but not which.
Digest DigestOf(const Entry& entry) {
  Digest digest;
  const auto combine = [&digest](std::string_view member, std::string_view with) {
    Digest pair;
    pair.Mix(member);
    pair.Mix(with);
    digest.Combine(pair.view());
  };
  const Value* const value = entry.is_string() ? nullptr : entry.collection();
  switch (entry.type()) {
    case ValueType::kString:
      digest.Mix(entry.value());
      break;
    case ValueType::kList:
      DigestList(*static_cast<const List*>(value), digest);
      break;
    case ValueType::kSet:
      static_cast<const Set*>(value)->ForEach(
          [&](std::string_view member) { combine(member, ""); });
      break;
    case ValueType::kSortedSet:
      static_cast<const SortedSet*>(value)->Walk([&](std::string_view member, double score) {
        combine(member, fmt::format("{}", score));
      });
      break;
    case ValueType::kHash:
      static_cast<const Hash*>(value)->Visit(
          [&](const Hash::Text& name, const Hash::Text& text, int64_t) {
            char name_digits[24];
            char digits[24];
            combine(name.Text(name_digits), text.Text(digits));
          });
      break;
    case ValueType::kStream:
      DigestStream(*static_cast<const Stream*>(value), digest);
      break;
  }
  if (entry.deadline() != kNoDeadline) digest.Mix("!!expire!!");
  return digest;
}

void DebugDigest(CommandContext& ctx) {
  Digest all;
  for (size_t db = 0; db < ctx.keyspace().database_count(); ++db) {
    VisitKeys(ctx.keyspace(), ctx.ViewOf(static_cast<uint16_t>(db)), [&](const Entry& entry) {
      Digest one;
      one.Mix(fmt::format("{} {} ", db, TypeName(entry.type())));
      one.Mix(entry.key());
      one.Mix(DigestOf(entry).view());
      all.Combine(one.view());
    });
  }
  ctx.reply.Simple(all.view());
}

void DebugDigestValue(CommandContext& ctx) {
  const auto names = ctx.args.subspan(2);
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) {
    const Key key = ctx.keyspace().Hashed(name);
    LockedShard shard(ctx.keyspace(), ctx.view(), key.place);
    const Item item = shard.Peek(key);
    ctx.reply.Simple(item ? DigestOf(*item.entry()).view() : Digest().view());
  }
}

// --- The database ---

// The most bytes of a value that POPULATE makes.
constexpr int64_t kMostPopulatedBytes = int64_t{512} << 20;

// Keys that are there already stay as they are.
void DebugPopulate(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t count = in.IntegerIn(0, INT64_MAX, errors::kNotPositive);
  const std::string prefix(in.More() ? in.Next() : "key");
  const bool sized = in.More();
  const int64_t size = sized ? in.IntegerIn(0, kMostPopulatedBytes, errors::kNotPositive) : 0;
  if (!in.ok()) return ctx.reply.Error(in.error());
  for (int64_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}:{}", prefix, i);
    std::string value = fmt::format("value:{}", i);
    if (sized) value.resize(static_cast<size_t>(size), '\0');
    const Key key = ctx.keyspace().Hashed(name);
    LockedShard shard(ctx.keyspace(), ctx.view(), key.place);
    if (shard.Find(key)) continue;
    shard.Store(key, {}, {.value = value, .encoding = EncodingOfString(value)});
  }
  ctx.reply.Ok();
}

void DebugTable(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t db = in.Integer("ERR Out of range database");
  const auto count = static_cast<int64_t>(ctx.keyspace().database_count());
  if (in.ok() && (db < 0 || db >= count)) in.Fail("ERR Out of range database");
  if (!in.ok()) return ctx.reply.Error(in.error());
  const KeyspaceTotals totals = ctx.keyspace().Totals(static_cast<size_t>(db));
  ctx.reply.Verbatim(
      "txt", fmt::format("[Table of database {}]\n number of elements: {}\n with a deadline: {}\n"
                         " bytes of all databases' tables: {}\n",
                         db, totals.keys, totals.volatile_keys, ctx.keyspace().table_bytes()));
}

// --- The rest ---

void DebugStringMatch(CommandContext& ctx) {
  ctx.reply.Integer(GlobMatch(ctx.args[2], ctx.args[3]) ? 1 : 0);
}

void DebugError(CommandContext& ctx) {
  std::string text(ctx.args[2]);
  for (char& c : text) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  ctx.reply.Error(text);
}

// What the packed nodes of lists may hold is fixed here; a size that Redis takes is taken, too.
void DebugPackedThreshold(CommandContext& ctx) {
  std::string_view text = ctx.args[2];
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  constexpr std::string_view kUnits[] = {"", "b", "k", "kb", "m", "mb", "g", "gb"};
  bool known = false;
  for (const std::string_view one : kUnits) known |= EqualsIgnoreCase(unit, one);
  if (error != std::errc() || !known) {
    return ctx.reply.Error(
        "ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  ctx.reply.Ok();
}

// A reply of each type, for the tests of clients.
void DebugProtocol(CommandContext& ctx) {
  constexpr size_t kElements = 3;
  ReplyWriter& reply = ctx.reply;
  const std::string_view type = ctx.args[2];
  const auto is = [type](std::string_view name) { return EqualsIgnoreCase(type, name); };
  if (is("string")) return reply.Bulk("Hello World");
  if (is("integer")) return reply.Integer(12345);
  if (is("double")) return reply.Double(3.141);
  if (is("null")) return reply.Null();
  if (is("true")) return reply.Boolean(true);
  if (is("false")) return reply.Boolean(false);
  if (is("bignum")) return reply.BigNumber("1234567999999999999999999999999999999");
  if (is("verbatim")) return reply.Verbatim("txt", "This is a verbatim\nstring");
  if (is("array") || is("set")) {
    is("array") ? reply.Array(kElements) : reply.Set(kElements);
    for (size_t i = 0; i < kElements; ++i) reply.Integer(static_cast<int64_t>(i));
  } else if (is("map")) {
    reply.Map(kElements);
    for (size_t i = 0; i < kElements; ++i) {
      reply.Integer(static_cast<int64_t>(i));
      reply.Boolean(i == 1);
    }
  } else if (is("attrib")) {
    if (ctx.session.resp > 2) {
      reply.Raw("|1\r\n");
      reply.Bulk("key-popularity");
      reply.Array(2);
      reply.Bulk("key:123");
      reply.Integer(90);
    }
    reply.Bulk("Some real reply following the attribute");
  } else if (is("push")) {
    if (ctx.session.resp < 3) return reply.Error("ERR RESP2 is not supported by this command");
    reply.Push(2);
    reply.Bulk("server-cpu-usage");
    reply.Integer(42);
  } else {
    reply.Error(
        "ERR Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
  }
}

// --- The subcommands ---

void DebugHelp(CommandContext& ctx);

struct Subcommand {
  std::string_view name;
  size_t least;  // words, with DEBUG and the name
  size_t most;
  void (*handler)(CommandContext&);
  std::string_view syntax;
  std::string_view summary;
};

constexpr size_t kAnyNumber = SIZE_MAX;

constexpr Subcommand kSubcommands[] = {
    {"change-repl-id", 2, 2, DebugOk, "", "Nothing: there is no replication whose name changes"},
    {"dict-resizing", 3, 3, DebugOk, "<0|1>", "Nothing: tables here grow a page at a time"},
    {"digest", 2, 2, DebugDigest, "", "A digest of all keys and their values"},
    {"digest-value", 2, kAnyNumber, DebugDigestValue, "<key> [<key> ...]",
     "A digest of each key's value"},
    {"error", 3, 3, DebugError, "<text>", "Answer with this error"},
    {"help", 2, 2, DebugHelp, "", "List the subcommands"},
    {"htstats", 3, 4, DebugTable, "<db> [full]", "What there is to say of a database's table"},
    {"htstats-key", 3, 4, DebugTableOfKey, "<key> [full]", "And of a key's"},
    {"listpack", 3, 3, DebugListpack, "<key>", "The size of a packed value"},
    {"log", 3, 3, DebugOk, "<text>", "Nothing: commands do not write to the log"},
    {"object", 3, 4, DebugObject, "<key> [fast]", "How a key's value is represented"},
    {"pause-cron", 3, 3, DebugOk, "<0|1>", "Nothing: there is no single cron to pause"},
    {"populate", 3, 5, DebugPopulate, "<count> [<prefix>] [<size>]", "Make so many strings"},
    {"protocol", 3, 3, DebugProtocol, "<type>", "Answer with a reply of this type"},
    {"quicklist-packed-threshold", 3, 3, DebugPackedThreshold, "<size>",
     "Nothing: which elements of a list lie packed is fixed"},
    {"set-active-expire", 3, 3, DebugSetActiveExpire, "<0|1>",
     "Turn the active removal of expired keys off or on"},
    {"sleep", 3, 3, DebugSleep, "<seconds>", "Stop the server for so long. Decimals are allowed"},
    {"stringmatch-len", 4, 4, DebugStringMatch, "<pattern> <text>",
     "Whether the text matches the pattern"},
};

void DebugHelp(CommandContext& ctx) {
  ctx.reply.Array(1 + 2 * std::size(kSubcommands));
  ctx.reply.Simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Subcommand& subcommand : kSubcommands) {
    std::string name(subcommand.name);
    for (char& c : name) c = absl::ascii_toupper(static_cast<unsigned char>(c));
    ctx.reply.Simple(
        fmt::format("{}{}{}", name, subcommand.syntax.empty() ? "" : " ", subcommand.syntax));
    ctx.reply.Simple(fmt::format("    {}.", subcommand.summary));
  }
}

// Not a container of subcommands, because it is none in Redis: one row, one refusal.
void Debug(CommandContext& ctx) {
  if (!DebugAllowed(ctx)) return ctx.reply.Error(kDebugRefused);
  const std::string_view what = ctx.args[1];
  const size_t words = ctx.args.size();
  for (const Subcommand& subcommand : kSubcommands) {
    if (words < subcommand.least || words > subcommand.most) continue;
    if (EqualsIgnoreCase(what, subcommand.name)) return subcommand.handler(ctx);
  }
  ctx.reply.Error(fmt::format(
      "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.", what));
}

constexpr CommandRow kRows[] = {
    {.name = "debug",
     .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kExclusive,
     .group = "server",
     .since = "1.0.0",
     .complexity = "That of the subcommand",
     .summary = "Commands for tests of the server; see enable-debug-command",
     .syntax = "subcommand [argument ...]",
     .handler = Debug},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> DebugCommands() { return kRows; }

}  // namespace lapse
