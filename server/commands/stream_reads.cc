// XREAD and XREADGROUP: entries that are new to the reader, from several streams, waiting for some
// where there are none.

#include <optional>

#include "absl/container/inlined_vector.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/stream_arguments.h"
#include "server/core/arguments.h"
#include "server/services/services.h"

namespace lapse {
namespace {

// What a client gets at most that waited, and did not say how much it wants: there may be more than
// anybody should wait for by then.
constexpr int64_t kWaitedCount = 1000;

// In place of an id: what no consumer of the group has been given yet.
constexpr StreamId kNewEntries = StreamId::Max();

struct ReadOptions {
  bool grouped = false;  // XREADGROUP
  std::optional<int64_t> block_ms;
  int64_t count = 0;
  bool no_ack = false;
  size_t group_arg = 0;    // followed by the consumer's name; 0: not given
  size_t streams_arg = 0;  // the first key; 0: not given
};

// Finds the keys, which come before as many ids; of an odd number, as Redis does, before one more.
size_t FirstStream(std::span<const std::string_view> args) {
  for (size_t i = 1; i + 1 < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "STREAMS")) return i + 1;
    if (EqualsIgnoreCase(args[i], "GROUP")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "BLOCK") || EqualsIgnoreCase(args[i], "COUNT")) {
      ++i;
    }
  }
  return 0;
}

void FindStreams(std::span<const std::string_view> args, KeyRefs& keys) {
  const size_t first = FirstStream(args);
  if (first == 0) return;
  const size_t count = (args.size() - first) / 2;
  for (size_t i = 0; i < count; ++i) {
    keys.push_back({static_cast<uint32_t>(first + i), KeyAccess::kReadOnly});
  }
}

// --- Options ---

class ReadOptionsReader {
 public:
  ReadOptionsReader(CommandContext& ctx, ReadOptions& options) : ctx_(ctx), options_(options) {}

  bool Read() {
    for (at_ = 1; at_ < ctx_.args.size() && options_.streams_arg == 0; ++at_) {
      if (!ReadOne()) return false;
    }
    if (options_.streams_arg == 0) return Fail(errors::kSyntax);
    if (options_.grouped && options_.group_arg == 0) {
      return Fail("ERR Missing GROUP option for XREADGROUP");
    }
    return true;
  }

 private:
  bool Fail(std::string_view error) {
    ctx_.reply.Error(error);
    return false;
  }
  bool Is(std::string_view word, size_t more) const {
    return at_ + more < ctx_.args.size() && EqualsIgnoreCase(ctx_.args[at_], word);
  }

  bool ReadOne() {
    if (Is("BLOCK", 1)) return ReadBlock();
    if (Is("COUNT", 1)) {
      if (!ReadInteger(ctx_, ++at_, options_.count)) return false;
      options_.count = std::max<int64_t>(options_.count, 0);
      return true;
    }
    if (Is("STREAMS", 1)) return ReadStreams();
    if (Is("GROUP", 2)) {
      if (!options_.grouped) {
        return Fail(
            "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
      }
      options_.group_arg = at_ + 1;
      at_ += 2;
      return true;
    }
    if (Is("NOACK", 0)) {
      options_.no_ack = true;
      return options_.grouped ||
             Fail(
                 "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
    }
    return Fail(errors::kSyntax);
  }

  bool ReadBlock() {
    int64_t ms;
    if (!ReadInteger(ctx_, ++at_, ms, "ERR timeout is not an integer or out of range")) {
      return false;
    }
    if (ms < 0) return Fail("ERR timeout is negative");
    options_.block_ms = ms;
    return true;
  }

  bool ReadStreams() {
    options_.streams_arg = at_ + 1;
    if ((ctx_.args.size() - options_.streams_arg) % 2 == 0) return true;
    // Redis 7.0 says so of XREADGROUP, too.
    return Fail(
        "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
        "specified.");
  }

  CommandContext& ctx_;
  ReadOptions& options_;
  size_t at_ = 1;
};

// --- Reading ---

// One run of the command, over all its streams.
class Reading {
 public:
  Reading(CommandContext& ctx, const ReadOptions& options)
      : ctx_(ctx),
        options_(options),
        streams_(ctx.key_count()),
        ids_(streams_),
        is_retry_(Blocking::IsRetry(ctx)) {}

  void Run() {
    // A retry meets what has happened since the client was told to wait.
    if (is_retry_ && RefusedByRetry()) return;
    for (size_t i = 0; i < streams_; ++i) {
      if (!ReadId(i)) return;
    }
    const size_t mark = ctx_.reply.BeginArray();
    size_t served = 0;
    for (size_t i = 0; i < streams_; ++i) served += Serve(i) ? 1 : 0;
    if (served > 0) {
      // A map of keys and entries, or in RESP2 an array of pairs.
      ctx_.reply.resp() == 2 ? ctx_.reply.EndArray(mark, served) : ctx_.reply.EndMap(mark, served);
      return;
    }
    ctx_.reply.Truncate(mark);
    if (!options_.block_ms || !Wait()) ctx_.reply.NullArray();
  }

 private:
  std::string_view key_name(size_t i) const { return ctx_.args[options_.streams_arg + i]; }
  std::string_view id_text(size_t i) const { return key_name(streams_ + i); }
  std::string_view group_name() const { return ctx_.args[options_.group_arg]; }
  std::string_view consumer_name() const { return ctx_.args[options_.group_arg + 1]; }

  bool Fail(std::string_view error) {
    ctx_.reply.Error(error);
    return false;
  }

  // Another type where a stream was is as if that were gone: XREAD goes on waiting for one, a
  // group's consumer is told.
  bool RefusedByRetry() {
    const Item item = ctx_.shard().Peek(ctx_.key());
    const bool is_stream = item && item.entry()->type() == Stream::kType;
    if (!options_.grouped) return !is_stream && Wait();
    if (!is_stream) return !Fail("UNBLOCKED the stream key no longer exists");
    const auto* stream = static_cast<const Stream*>(item.entry()->collection());
    if (stream->FindGroup(group_name()) != nullptr) return false;
    return !Fail("NOGROUP the consumer group this client was blocked on no longer exists");
  }

  // Reads the i-th id, after which the entries are new; checks the key's type and group on the way.
  bool ReadId(size_t i) {
    const auto stream = ReadAs<Stream>(ctx_, i);
    if (stream.wrong()) return false;
    const std::string_view text = id_text(i);
    if (options_.grouped) {
      if (GroupOf(stream, group_name()) == nullptr) {
        return Fail(
            fmt::format("NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP "
                        "option",
                        key_name(i), group_name()));
      }
      return ReadGroupId(text, ids_[i]);
    }
    if (text == "$") {
      ids_[i] = stream ? stream->last_id() : StreamId{};
    } else if (text == "+") {
      // The last entry, so all after the id before it.
      ids_[i] = stream ? stream->LastEntryId() : StreamId{};
      if (!ids_[i].IsZero()) ids_[i].Decrement();
    } else if (text == ">") {
      return Fail(
          "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
          "<consumer> option.");
    } else {
      return ParseStreamId(text, {}, ids_[i]) || Fail(kInvalidStreamId);
    }
    return true;
  }

  bool ReadGroupId(std::string_view text, StreamId& id) {
    if (text == "$") {
      return Fail(
          "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
          "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
          "ID would just return an empty result set.");
    }
    if (text == ">") {
      id = kNewEntries;
      return true;
    }
    return ParseStreamId(text, {}, id) || Fail(kInvalidStreamId);
  }

  bool Serve(size_t i) { return options_.grouped ? ServeGroup(i) : ServeAny(i); }

  bool ServeAny(size_t i) {
    const auto stream = ReadAs<Stream>(ctx_, i);
    if (!stream || stream->size() == 0 || ids_[i] >= stream->last_id()) return false;
    if (ids_[i] >= stream->LastEntryId()) return false;
    BeginStream(i);
    StreamId start = ids_[i];
    start.Increment();
    ReplyEntries(ctx_.reply, StreamRange(*stream, start, StreamId::Max()), count());
    return true;
  }

  bool ServeGroup(size_t i) {
    const auto found = ReadAs<Stream>(ctx_, i);
    StreamGroup* const group = GroupOf(found, group_name());
    if (group == nullptr) return false;  // the key stands twice among them, and is gone
    const bool history = ids_[i] != kNewEntries;
    if (!history && (found->size() == 0 || found->LastEntryId() <= group->last_id())) return false;
    BeginStream(i);
    Edit<Stream> stream(ctx_, i, found);
    Event event;
    StreamConsumer& consumer = *ObtainConsumer(*group, consumer_name(), ctx_.now_ms, event);
    if (history) {
      ReplyHistory(*stream, *group, consumer, ids_[i]);
    } else {
      ReplyNew(*stream, *group, consumer);
    }
    stream.Commit(event);
    return true;
  }

  void BeginStream(size_t i) {
    if (ctx_.reply.resp() == 2) ctx_.reply.Array(2);
    ctx_.reply.Bulk(key_name(i));
  }

  // What was delivered to this consumer before, without what it has acknowledged.
  void ReplyHistory(const Stream& stream, StreamGroup& group, const StreamConsumer& consumer,
                    StreamId after) {
    const size_t mark = ctx_.reply.BeginArray();
    size_t replied = 0;
    const bool any_after = after.Increment();
    auto at = any_after ? consumer.pending().lower_bound(after) : consumer.pending().end();
    for (; at != consumer.pending().end() && (count() == 0 || replied < count()); ++at) {
      StreamRange range(stream, *at, *at);
      StreamEntry entry;
      if (range.Next(entry)) {
        ReplyEntry(ctx_.reply, entry);
        StreamDelivery delivery = *group.FindPending(*at);
        delivery.time_ms = ctx_.now_ms;
        ++delivery.count;
        group.Deliver(*at, delivery);
      } else {
        // Deleted from the stream since.
        ctx_.reply.Array(2);
        ReplyStreamId(ctx_.reply, *at);
        ctx_.reply.NullArray();
      }
      ++replied;
    }
    ctx_.reply.EndArray(mark, replied);
  }

  void ReplyNew(const Stream& stream, StreamGroup& group, StreamConsumer& consumer) {
    const size_t mark = ctx_.reply.BeginArray();
    size_t replied = 0;
    StreamId start = group.last_id();
    start.Increment();
    StreamRange range(stream, start, StreamId::Max());
    StreamEntry entry;
    while ((count() == 0 || replied < count()) && range.Next(entry)) {
      stream.NoteRead(group, entry.id);
      ReplyEntry(ctx_.reply, entry);
      if (!options_.no_ack) group.Deliver(entry.id, {&consumer, ctx_.now_ms, 1});
      ++replied;
    }
    if (replied > 0) consumer.set_active_ms(ctx_.now_ms);
    ctx_.reply.EndArray(mark, replied);
  }

  size_t count() const { return static_cast<size_t>(options_.count); }

  // Returns whether the client waits now.
  bool Wait() {
    Blocking::Wait wait{.type = Stream::kType,
                        .timeout_ms = options_.block_ms.value_or(0),
                        .heeds_removal = options_.grouped};
    // A retry goes on waiting with what it was made with.
    for (size_t i = 0; i < streams_ && !is_retry_; ++i) {
      wait.keys.push_back({std::string(key_name(i)), Retry(i)});
    }
    return Services::Of(ctx_.instance).blocking().Block(ctx_, std::move(wait));
  }

  // The request that reads of this stream alone, and from where the client wants to.
  std::vector<std::string> Retry(size_t i) const {
    std::vector<std::string> words = {std::string(ctx_.row.name)};
    const auto add = [&words](std::string_view word) { words.emplace_back(word); };
    if (options_.grouped) {
      add("GROUP");
      add(group_name());
      add(consumer_name());
      if (options_.no_ack) add("NOACK");
    }
    add("COUNT");
    add(std::to_string(options_.count == 0 ? kWaitedCount : options_.count));
    add("BLOCK");
    add("0");
    add("STREAMS");
    add(key_name(i));
    add(options_.grouped ? ">" : ids_[i].ToString());
    return words;
  }

  CommandContext& ctx_;
  const ReadOptions& options_;
  const size_t streams_;
  absl::InlinedVector<StreamId, 8> ids_;
  const bool is_retry_;
};

void Read(CommandContext& ctx, bool grouped) {
  ReadOptions options{.grouped = grouped};
  if (ReadOptionsReader(ctx, options).Read()) Reading(ctx, options).Run();
}

void XRead(CommandContext& ctx) { Read(ctx, false); }

void XReadGroup(CommandContext& ctx) { Read(ctx, true); }

constexpr CommandRow kRows[] = {
    WithSpecs(
        WithKeys({"xread", -4, kReadOnly | kBlocking, kNoKeys, KeyAccess::kNone, "stream", "stream",
                  "5.0.0", "O(log N + M) per stream, N blocks in it, M entries returned",
                  "Entries after given ids of several streams, waiting if need be",
                  "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", XRead},
                 FindStreams),
        kStreamSpecs<1>),
    WithSpecs(
        WithKeys({"xreadgroup", -7, kWrite | kBlocking, kNoKeys, KeyAccess::kNone, "stream",
                  "stream", "5.0.0",
                  "O(log N + M log P) per stream, N blocks in it, M entries returned, P pending",
                  "Entries for one consumer of a group, waiting if need be",
                  "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key "
                  "[key ...] id [id ...]",
                  XReadGroup},
                 FindStreams),
        kStreamSpecs<4>),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StreamReadCommands() { return kRows; }

}  // namespace lapse
