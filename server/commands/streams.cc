// Streams as a sequence of entries: XADD, XRANGE, XDEL and their relatives.

#include "absl/container/inlined_vector.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/commands/stream_arguments.h"
#include "server/commands/stream_trim.h"
#include "server/core/arguments.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

constexpr Event kXAddEvent{"xadd", kStreamClass};
constexpr Event kXTrimEvent{"xtrim", kStreamClass};
constexpr Event kXDelEvent{"xdel", kStreamClass};
constexpr Event kXSetIdEvent{"xsetid", kStreamClass};

constexpr std::string_view kLeastId = "ERR The ID specified in XADD must be greater than 0-0";
constexpr std::string_view kExhausted =
    "ERR The stream has exhausted the last possible ID, unable to add more items";
constexpr std::string_view kIdTooSmall =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";
constexpr std::string_view kTooLarge = "ERR Elements are too large to be stored";

Stream::Limits LimitsOf(const CommandContext& ctx) {
  const Config& config = ctx.instance.config;
  return {static_cast<size_t>(config.stream_node_max_bytes),
          static_cast<size_t>(config.stream_node_max_entries)};
}

// --- XADD ---

// The id that the options ask for in a stream that ends with `last`. False: there is no greater
// one of this kind.
bool ChooseId(const StreamTrimOptions& options, const StreamId& last, int64_t now_ms,
              StreamId& id) {
  id = options.has_id ? options.id : StreamId{static_cast<uint64_t>(now_ms), 0};
  if (!options.has_id || options.auto_seq) {
    const bool next_of_last = options.has_id ? id.ms == last.ms : id.ms <= last.ms;
    if (next_of_last) {
      id = last;
      if (options.auto_seq && id.seq == UINT64_MAX) return false;
      id.Increment();
    }
  }
  return id > last;
}

bool FitsABlock(StreamPairs pairs) {
  size_t bytes = 0;
  for (const std::string_view text : pairs) bytes += text.size();
  return bytes <= Stream::kMaxEntryBytes;
}

// Reports a second event about a key that an edit has reported about already.
void ReportToo(CommandContext& ctx, Event event) {
  if (!ctx.keyspace().effects().listening()) return;
  const Item item = ctx.shard().Find(ctx.key());
  if (item) ctx.shard().ReportWritten(item, event);
}

void XAdd(CommandContext& ctx) {
  StreamTrimOptions options;
  if (!ReadTrimOptions(ctx, true, options)) return;
  const size_t first = options.id_arg + 1;
  if (ctx.args.size() < first + 2 || (ctx.args.size() - first) % 2 == 1) {
    return ctx.reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
  }
  if (options.has_id && !options.auto_seq && options.id.IsZero()) {
    return ctx.reply.Error(kLeastId);
  }
  const StreamPairs pairs = ctx.args.subspan(first);
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found && options.no_mkstream) return ctx.reply.Null();
  const StreamId last = found ? found->last_id() : StreamId{};
  if (last == StreamId::Max()) return ctx.reply.Error(kExhausted);
  StreamId id;
  if (!ChooseId(options, last, ctx.now_ms, id)) return ctx.reply.Error(kIdTooSmall);
  if (!FitsABlock(pairs)) return ctx.reply.Error(kTooLarge);

  Edit<Stream> stream(ctx, 0, found);
  stream->Append(id, pairs, LimitsOf(ctx));
  const size_t trimmed = stream->Trim(options.rule);
  stream.Commit(kXAddEvent);
  if (trimmed > 0) ReportToo(ctx, kXTrimEvent);
  ReplyStreamId(ctx.reply, id);
}

// --- Reading ---

void XLen(CommandContext& ctx) {
  const auto stream = ReadAs<Stream>(ctx);
  if (stream.wrong()) return;
  ctx.reply.Integer(stream ? static_cast<int64_t>(stream->size()) : 0);
}

// COUNT, the one option there is; -1 when it is not given.
bool ReadCount(CommandContext& ctx, size_t from, int64_t& count) {
  for (size_t i = from; i < ctx.args.size(); i += 2) {
    if (!EqualsIgnoreCase(ctx.args[i], "COUNT") || i + 1 == ctx.args.size()) {
      ctx.reply.Error(errors::kSyntax);
      return false;
    }
    if (!ReadInteger(ctx, i + 1, count)) return false;
    count = std::max<int64_t>(count, 0);
  }
  return true;
}

void Range(CommandContext& ctx, StreamRange::Order order) {
  const bool backwards = order == StreamRange::Order::kBackward;
  StreamId start, end;
  int64_t count = -1;
  if (!ReadIntervalStart(ctx, backwards ? 3 : 2, start)) return;
  if (!ReadIntervalEnd(ctx, backwards ? 2 : 3, end)) return;
  if (!ReadCount(ctx, 4, count)) return;
  const auto stream = ReadAs<Stream>(ctx);
  if (stream.wrong()) return;
  if (!stream) return ctx.reply.EmptyArray();
  if (count == 0) return ctx.reply.NullArray();
  ReplyEntries(ctx.reply, StreamRange(*stream, start, end, order),
               count < 0 ? 0 : static_cast<size_t>(count));
}

void XRange(CommandContext& ctx) { Range(ctx, StreamRange::Order::kForward); }

void XRevRange(CommandContext& ctx) { Range(ctx, StreamRange::Order::kBackward); }

// --- Removing ---

void XDel(CommandContext& ctx) {
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Integer(0);
  absl::InlinedVector<StreamId, 8> ids(ctx.args.size() - 2);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ReadStreamId(ctx, i + 2, ids[i])) return;
  }
  Edit<Stream> stream(ctx, 0, found);
  const size_t deleted = stream->Delete(ids);
  stream.Commit(deleted > 0 ? kXDelEvent : Event{});
  ctx.reply.Integer(static_cast<int64_t>(deleted));
}

void XTrim(CommandContext& ctx) {
  StreamTrimOptions options;
  if (!ReadTrimOptions(ctx, false, options)) return;
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Integer(0);
  Edit<Stream> stream(ctx, 0, found);
  const size_t deleted = stream->Trim(options.rule);
  stream.Commit(deleted > 0 ? kXTrimEvent : Event{});
  ctx.reply.Integer(static_cast<int64_t>(deleted));
}

// --- XSETID ---

struct SetIdOptions {
  StreamId id;
  int64_t entries_added = -1;
  StreamId max_deleted_id;
};

bool ReadSetIdOptions(CommandContext& ctx, SetIdOptions& options) {
  const auto fail = [&ctx](std::string_view error) {
    ctx.reply.Error(error);
    return false;
  };
  if (!ReadStreamId(ctx, 2, options.id)) return false;
  for (size_t i = 3; i < ctx.args.size(); i += 2) {
    const bool more = i + 1 < ctx.args.size();
    if (more && EqualsIgnoreCase(ctx.args[i], "ENTRIESADDED")) {
      if (!ReadInteger(ctx, i + 1, options.entries_added)) return false;
      if (options.entries_added < 0) return fail("ERR entries_added must be positive");
    } else if (more && EqualsIgnoreCase(ctx.args[i], "MAXDELETEDID")) {
      if (!ReadStreamId(ctx, i + 1, options.max_deleted_id)) return false;
      if (options.id < options.max_deleted_id) {
        return fail(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return fail(errors::kSyntax);
    }
  }
  return true;
}

// What the stream's state forbids; empty for nothing.
std::string_view RefuseSetId(const Stream& stream, const SetIdOptions& options) {
  if (stream.size() == 0) return {};
  if (options.id < stream.LastEntryId()) {
    return "ERR The ID specified in XSETID is smaller than the target stream top item";
  }
  if (options.entries_added != -1 && stream.size() > static_cast<uint64_t>(options.entries_added)) {
    return "ERR The entries_added specified in XSETID is smaller than the target stream length";
  }
  return {};
}

void XSetId(CommandContext& ctx) {
  SetIdOptions options;
  if (!ReadSetIdOptions(ctx, options)) return;
  const auto found = FindAs<Stream>(ctx);
  if (found.wrong()) return;
  if (!found) return ctx.reply.Error(errors::kNoSuchKey);
  const std::string_view error = RefuseSetId(*found, options);
  if (!error.empty()) return ctx.reply.Error(error);
  Edit<Stream> stream(ctx, 0, found);
  stream->set_last_id(options.id);
  if (options.entries_added != -1) {
    stream->set_entries_added(static_cast<uint64_t>(options.entries_added));
  }
  if (!options.max_deleted_id.IsZero()) stream->set_max_deleted_id(options.max_deleted_id);
  stream.Commit(kXSetIdEvent);
  ctx.reply.Ok();
}

constexpr CommandRow kRows[] = {
    {"xadd", -5, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kUpdate, "stream", "stream",
     "5.0.0", "O(1); with trimming O(N), N entries dropped", "Add an entry to a stream",
     "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value "
     "[field value ...]",
     XAdd, kNoSubcommands, "nondeterministic_output"},
    {"xdel", -3, kWrite | kFast, kOneKey, KeyAccess::kDelete, "stream", "stream", "5.0.0",
     "O(log N) per id, N blocks in the stream", "Delete entries of a stream", "key id [id ...]",
     XDel},
    {"xlen", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "stream", "stream", "5.0.0",
     "O(1)", "How many entries a stream has", "key", XLen},
    {"xrange", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(log N + M), N blocks in the stream, M entries returned", "The entries between two ids",
     "key start end [COUNT count]", XRange},
    {"xrevrange", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(log N + M), N blocks in the stream, M entries returned",
     "The entries between two ids, the last one first", "key end start [COUNT count]", XRevRange},
    {"xsetid", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kUpdate, "stream", "stream",
     "5.0.0", "O(1)", "Set the last id of a stream",
     "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", XSetId},
    {"xtrim", -4, kWrite, kOneKey, KeyAccess::kDelete, "stream", "stream", "5.0.0",
     "O(N), N entries dropped, whole blocks at once", "Drop the oldest entries of a stream",
     "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]", XTrim, kNoSubcommands,
     "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StreamCommands() { return kRows; }

}  // namespace lapse
