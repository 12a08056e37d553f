// What a consumer group has delivered and nobody has acknowledged: XACK, XPENDING, and taking it
// over with XCLAIM and XAUTOCLAIM.

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/option_word.h"
#include "server/commands/rows.h"
#include "server/commands/stream_arguments.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

// The group that the request's first two arguments name, or nullptr with an error replied.
StreamGroup* ExpectGroup(CommandContext& ctx, const Typed<Stream>& stream) {
  if (stream.wrong()) return nullptr;
  StreamGroup* const group = GroupOf(stream, ctx.args[2]);
  if (group == nullptr) ReplyNoKeyOrGroup(ctx);
  return group;
}

void XAck(CommandContext& ctx) {
  const auto found = ReadAs<Stream>(ctx);
  if (found.wrong()) return;
  StreamGroup* const group = GroupOf(found, ctx.args[2]);
  if (group == nullptr) return ctx.reply.Integer(0);
  // All or nothing: a wrong id among them acknowledges none.
  absl::InlinedVector<StreamId, 8> ids(ctx.args.size() - 3);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ReadStreamId(ctx, i + 3, ids[i])) return;
  }
  Edit<Stream> stream(ctx, 0, found);
  int64_t acknowledged = 0;
  for (const StreamId& id : ids) acknowledged += group->Acknowledge(id) ? 1 : 0;
  ctx.reply.Integer(acknowledged);
}

// --- XPENDING ---

struct PendingQuery {
  int64_t min_idle_ms = 0;
  StreamId start;
  StreamId end;
  int64_t count = 0;
  std::optional<std::string_view> consumer;
};

// [IDLE min-idle-time] start end count [consumer]
bool ReadPendingQuery(CommandContext& ctx, PendingQuery& query) {
  size_t at = 3;
  if (EqualsIgnoreCase(ctx.args[at], "IDLE")) {
    if (!ReadInteger(ctx, at + 1, query.min_idle_ms)) return false;
    at += 2;
    if (ctx.args.size() < at + 3) {
      ctx.reply.Error(errors::kSyntax);
      return false;
    }
  }
  if (!ReadInteger(ctx, at + 2, query.count)) return false;
  query.count = std::max<int64_t>(query.count, 0);
  if (!ReadIntervalStart(ctx, at, query.start)) return false;
  if (!ReadIntervalEnd(ctx, at + 1, query.end)) return false;
  if (at + 3 < ctx.args.size()) query.consumer = ctx.args[at + 3];
  return true;
}

void ReplyPendingSummary(ReplyWriter& reply, const StreamGroup& group) {
  const StreamGroup::Pending& pending = group.pending();
  reply.Array(4);
  reply.Integer(static_cast<int64_t>(pending.size()));
  if (pending.empty()) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  ReplyStreamId(reply, pending.begin()->first);
  ReplyStreamId(reply, pending.rbegin()->first);
  const size_t mark = reply.BeginArray();
  size_t consumers = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer->pending().empty()) continue;
    ++consumers;
    reply.Array(2);
    reply.Bulk(name);
    reply.BulkInteger(static_cast<int64_t>(consumer->pending().size()));
  }
  reply.EndArray(mark, consumers);
}

// Whether the query is for this one, which then is replied.
bool ReplyIfIdle(CommandContext& ctx, const PendingQuery& query, const StreamId& id,
                 const StreamDelivery& delivery) {
  const int64_t idle_ms = ctx.now_ms - delivery.time_ms;
  if (query.min_idle_ms != 0 && idle_ms < query.min_idle_ms) return false;
  ctx.reply.Array(4);
  ReplyStreamId(ctx.reply, id);
  ctx.reply.Bulk(delivery.consumer->name());
  ctx.reply.Integer(std::max<int64_t>(idle_ms, 0));
  ctx.reply.Integer(static_cast<int64_t>(delivery.count));
  return true;
}

void ReplyPending(CommandContext& ctx, const StreamGroup& group, const PendingQuery& query) {
  const StreamConsumer* consumer = nullptr;
  if (query.consumer) {
    consumer = group.FindConsumer(*query.consumer);
    if (consumer == nullptr) return ctx.reply.EmptyArray();
  }
  const auto most = static_cast<size_t>(query.count);
  const size_t mark = ctx.reply.BeginArray();
  size_t replied = 0;
  if (consumer != nullptr) {
    const auto& ids = consumer->pending();
    for (auto at = ids.lower_bound(query.start);
         replied < most && at != ids.end() && *at <= query.end; ++at) {
      replied += ReplyIfIdle(ctx, query, *at, *group.FindPending(*at)) ? 1 : 0;
    }
  } else {
    const auto& pending = group.pending();
    for (auto at = pending.lower_bound(query.start);
         replied < most && at != pending.end() && at->first <= query.end; ++at) {
      replied += ReplyIfIdle(ctx, query, at->first, at->second) ? 1 : 0;
    }
  }
  ctx.reply.EndArray(mark, replied);
}

void XPending(CommandContext& ctx) {
  constexpr size_t kSummary = 3;
  const size_t size = ctx.args.size();
  if (size != kSummary && (size < 6 || size > 9)) return ctx.reply.Error(errors::kSyntax);
  PendingQuery query;
  if (size != kSummary && !ReadPendingQuery(ctx, query)) return;
  const auto stream = ReadAs<Stream>(ctx);
  const StreamGroup* const group = ExpectGroup(ctx, stream);
  if (group == nullptr) return;
  if (size == kSummary) return ReplyPendingSummary(ctx.reply, *group);
  ReplyPending(ctx, *group, query);
}

// --- XCLAIM ---

struct ClaimOptions {
  int64_t min_idle_ms = 0;
  std::optional<int64_t> delivered_ms;
  int64_t retry_count = -1;  // -1: not given
  bool force = false;
  bool just_id = false;
  StreamId last_id;
};

// A number that an option is followed by.
bool ReadClaimNumber(CommandContext& ctx, size_t arg, std::string_view option, int64_t& value) {
  return ReadInteger(ctx, arg, value,
                     fmt::format("ERR Invalid {} option argument for XCLAIM", option));
}

// The option at args[at], which is moved to its last word.
bool ReadClaimOption(CommandContext& ctx, size_t& at, ClaimOptions& options) {
  const bool more = at + 1 < ctx.args.size();
  const uint64_t word = OptionWord(ctx.args[at]);
  int64_t number;
  if (word == OptionWord("FORCE")) {
    options.force = true;
  } else if (word == OptionWord("JUSTID")) {
    options.just_id = true;
  } else if (word == OptionWord("IDLE") && more) {
    if (!ReadClaimNumber(ctx, ++at, "IDLE", number)) return false;
    options.delivered_ms =
        static_cast<int64_t>(static_cast<uint64_t>(ctx.now_ms) - static_cast<uint64_t>(number));
  } else if (word == OptionWord("TIME") && more) {
    if (!ReadClaimNumber(ctx, ++at, "TIME", number)) return false;
    options.delivered_ms = number;
  } else if (EqualsIgnoreCase(ctx.args[at], "RETRYCOUNT") && more) {
    if (!ReadClaimNumber(ctx, ++at, "RETRYCOUNT", options.retry_count)) return false;
  } else if (word == OptionWord("LASTID") && more) {
    if (!ReadStreamId(ctx, ++at, options.last_id)) return false;
  } else {
    ctx.reply.Error(fmt::format("ERR Unrecognized XCLAIM option '{}'", ctx.args[at]));
    return false;
  }
  return true;
}

using Ids = absl::InlinedVector<StreamId, 8>;

// Ids, up to the first word that is none, and then options.
bool ReadClaim(CommandContext& ctx, Ids& ids, ClaimOptions& options) {
  if (!ReadInteger(ctx, 4, options.min_idle_ms, "ERR Invalid min-idle-time argument for XCLAIM")) {
    return false;
  }
  options.min_idle_ms = std::max<int64_t>(options.min_idle_ms, 0);
  size_t at = 5;
  for (StreamId id; at < ctx.args.size() && ParseStreamId(ctx.args[at], {}, id); ++at) {
    ids.push_back(id);
  }
  for (; at < ctx.args.size(); ++at) {
    if (!ReadClaimOption(ctx, at, options)) return false;
  }
  // A time that cannot be, from a client whose clock is another, is taken for now.
  const int64_t delivered_ms = options.delivered_ms.value_or(ctx.now_ms);
  const bool sane = delivered_ms >= 0 && delivered_ms <= ctx.now_ms;
  options.delivered_ms = sane ? delivered_ms : ctx.now_ms;
  return true;
}

// One consumer's taking over, by its rules.
class Claim {
 public:
  Claim(CommandContext& ctx, StreamGroup& group, const ClaimOptions& options)
      : ctx_(ctx), group_(group), options_(options) {}

  // Whether the entry is the consumer's now. What is pending but no longer in the stream is not
  // pending any more.
  bool Take(const StreamId& id, bool exists) {
    const StreamDelivery* const before = group_.FindPending(id);
    if (!exists) {
      if (before != nullptr) group_.Acknowledge(id);
      return false;
    }
    if (before == nullptr && !options_.force) return false;
    StreamDelivery delivery = before != nullptr ? *before : StreamDelivery{nullptr, 0, 1};
    const bool too_fresh = options_.min_idle_ms != 0 && before != nullptr &&
                           ctx_.now_ms - delivery.time_ms < options_.min_idle_ms;
    if (too_fresh) return false;
    if (options_.retry_count >= 0) {
      delivery.count = static_cast<uint64_t>(options_.retry_count);
    } else if (!options_.just_id) {
      ++delivery.count;
    }
    delivery.consumer = Consumer();
    delivery.time_ms = *options_.delivered_ms;
    group_.Deliver(id, delivery);
    return true;
  }

  const StreamGroup& group() const { return group_; }
  // That a consumer was made, if one was.
  Event event() const { return event_; }

 private:
  // Made, and noted as seen, when it gets something.
  StreamConsumer* Consumer() {
    if (consumer_ == nullptr) {
      consumer_ = ObtainConsumer(group_, ctx_.args[3], ctx_.now_ms, event_);
      consumer_->set_active_ms(ctx_.now_ms);
    }
    return consumer_;
  }

  CommandContext& ctx_;
  StreamGroup& group_;
  const ClaimOptions& options_;
  StreamConsumer* consumer_ = nullptr;
  Event event_;
};

void XClaim(CommandContext& ctx) {
  const auto found = ReadAs<Stream>(ctx);
  StreamGroup* const group = ExpectGroup(ctx, found);
  if (group == nullptr) return;
  Ids ids;
  ClaimOptions options;
  if (!ReadClaim(ctx, ids, options)) return;

  Edit<Stream> stream(ctx, 0, found);
  if (options.last_id > group->last_id()) group->set_last_id(options.last_id);
  Claim claim(ctx, *group, options);
  const size_t mark = ctx.reply.BeginArray();
  size_t replied = 0;
  for (const StreamId& id : ids) {
    StreamRange range(*stream, id, id);
    StreamEntry entry;
    if (!claim.Take(id, range.Next(entry))) continue;
    options.just_id ? ReplyStreamId(ctx.reply, id) : ReplyEntry(ctx.reply, entry);
    ++replied;
  }
  ctx.reply.EndArray(mark, replied);
  stream.Commit(claim.event());
}

// --- XAUTOCLAIM ---

struct AutoClaim {
  ClaimOptions options;
  StreamId start;
  int64_t count = 100;
};

// For each entry that may be claimed, so many pending ones are looked at.
constexpr int64_t kLooksForOne = 10;

bool ReadAutoClaim(CommandContext& ctx, AutoClaim& claim) {
  constexpr int64_t kMostCount =
      std::numeric_limits<int64_t>::max() / static_cast<int64_t>(sizeof(StreamId));
  if (!ReadInteger(ctx, 4, claim.options.min_idle_ms,
                   "ERR Invalid min-idle-time argument for XAUTOCLAIM")) {
    return false;
  }
  claim.options.min_idle_ms = std::max<int64_t>(claim.options.min_idle_ms, 0);
  claim.options.delivered_ms = ctx.now_ms;
  if (!ReadIntervalStart(ctx, 5, claim.start)) return false;
  for (size_t i = 6; i < ctx.args.size(); ++i) {
    if (EqualsIgnoreCase(ctx.args[i], "COUNT") && i + 1 < ctx.args.size()) {
      constexpr std::string_view kBadCount = "ERR COUNT must be > 0";
      if (!ReadInteger(ctx, ++i, claim.count, kBadCount)) return false;
      if (claim.count < 1 || claim.count > kMostCount) {
        ctx.reply.Error(kBadCount);
        return false;
      }
    } else if (EqualsIgnoreCase(ctx.args[i], "JUSTID")) {
      claim.options.just_id = true;
    } else {
      ctx.reply.Error(errors::kSyntax);
      return false;
    }
  }
  return true;
}

struct AutoClaimed {
  std::vector<StreamId> claimed;
  std::vector<StreamId> deleted;  // were pending, and are in the stream no more
  StreamId next;                  // where to go on; 0-0 at the end
};

AutoClaimed ClaimFrom(const Stream& stream, Claim& claim, const AutoClaim& request) {
  AutoClaimed result;
  const StreamGroup::Pending& pending = claim.group().pending();
  int64_t looks =
      request.count > INT64_MAX / kLooksForOne ? INT64_MAX : request.count * kLooksForOne;
  int64_t left = request.count;
  auto at = pending.lower_bound(request.start);
  for (; looks > 0 && left > 0 && at != pending.end(); --looks) {
    const StreamId id = at->first;
    const bool exists = stream.Contains(id);
    if (claim.Take(id, exists)) {
      result.claimed.push_back(id);
      --left;
      ++at;
    } else if (exists) {
      ++at;
    } else {
      result.deleted.push_back(id);
      --left;
      at = pending.upper_bound(id);
    }
  }
  if (at != pending.end()) result.next = at->first;
  return result;
}

void XAutoClaim(CommandContext& ctx) {
  AutoClaim request;
  if (!ReadAutoClaim(ctx, request)) return;
  const auto found = ReadAs<Stream>(ctx);
  StreamGroup* const group = ExpectGroup(ctx, found);
  if (group == nullptr) return;

  Edit<Stream> stream(ctx, 0, found);
  Claim claim(ctx, *group, request.options);
  const AutoClaimed result = ClaimFrom(*stream, claim, request);
  ctx.reply.Array(3);
  ReplyStreamId(ctx.reply, result.next);
  ctx.reply.Array(result.claimed.size());
  for (const StreamId& id : result.claimed) {
    StreamRange range(*stream, id, id);
    StreamEntry entry;
    if (request.options.just_id) {
      ReplyStreamId(ctx.reply, id);
    } else if (range.Next(entry)) {
      ReplyEntry(ctx.reply, entry);
    }
  }
  ctx.reply.Array(result.deleted.size());
  for (const StreamId& id : result.deleted) ReplyStreamId(ctx.reply, id);
  stream.Commit(claim.event());
}

constexpr CommandRow kRows[] = {
    {"xack", -4, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "stream", "stream", "5.0.0",
     "O(log N) per id, N entries pending in the group", "Count entries as dealt with by a group",
     "key group id [id ...]", XAck},
    {"xautoclaim", -6, kWrite | kFast, kOneKey, KeyAccess::kDelete, "stream", "stream", "6.2.0",
     "O(log N) per entry looked at, 10 * COUNT at most, N pending in the group",
     "Take over entries that others of the group have left undone for long",
     "key group consumer min-idle-time start [COUNT count] [JUSTID]", XAutoClaim, kNoSubcommands,
     "nondeterministic_output"},
    {"xclaim", -6, kWrite | kFast, kOneKey, KeyAccess::kUpdate, "stream", "stream", "5.0.0",
     "O(log N) per id, N entries pending in the group",
     "Take over certain entries from others of the group",
     "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] "
     "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]",
     XClaim, kNoSubcommands, "nondeterministic_output"},
    {"xpending", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "stream", "stream", "5.0.0",
     "O(K) for the summary, K consumers; O(M log N) for a range, M entries looked at, N pending",
     "What was given to a group and not yet dealt with",
     "key group [[IDLE min-idle-time] start end count [consumer]]", XPending, kNoSubcommands,
     "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> StreamPendingCommands() { return kRows; }

}  // namespace lapse
