#include "server/commands/stream_arguments.h"

#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "protocol/number.h"

namespace lapse {
namespace {

// Longer texts are no ids, whatever they say.
constexpr size_t kMaxIdText = 127;
constexpr std::string_view kBadStart = "ERR invalid start ID for the interval";
constexpr std::string_view kBadEnd = "ERR invalid end ID for the interval";

// As C's strtoull, which Redis leaves to it what is not the one spelling of a number: space before
// it, a sign (a negative number wraps around) and leading zeroes are accepted.
bool ParseLoosely(std::string_view text, uint64_t& value) {
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  uint64_t sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    if (__builtin_mul_overflow(sum, uint64_t{10}, &sum) ||
        __builtin_add_overflow(sum, static_cast<uint64_t>(c - '0'), &sum)) {
      return false;
    }
  }
  value = negative ? 0 - sum : sum;
  return true;
}

bool ParseHalf(std::string_view text, uint64_t& value) {
  int64_t number;
  if (!ParseInt64(text, number)) return ParseLoosely(text, value);
  value = static_cast<uint64_t>(number);
  return number >= 0;
}

// A text without the parenthesis that excludes it, if there is one.
struct IntervalEnd {
  explicit IntervalEnd(std::string_view word)
      : text(word), excluded(word.size() > 1 && word[0] == '(') {
    if (excluded) text.remove_prefix(1);
  }
  std::string_view text;
  bool excluded;
};

}  // namespace

bool ParseStreamId(std::string_view text, const StreamIdForm& form, StreamId& id) {
  if (form.auto_seq != nullptr) *form.auto_seq = false;
  if (text.size() > kMaxIdText) return false;
  text = text.substr(0, text.find('\0'));
  if (text == "-" || text == "+") {
    id = text == "-" ? StreamId{} : StreamId::Max();
    return form.ends;
  }
  const size_t dash = text.find('-');
  StreamId parsed{0, form.missing_seq};
  if (!ParseHalf(text.substr(0, dash), parsed.ms)) return false;
  if (dash != text.npos) {
    const std::string_view seq = text.substr(dash + 1);
    if (form.auto_seq != nullptr && seq == "*") {
      parsed.seq = 0;
      *form.auto_seq = true;
    } else if (!ParseHalf(seq, parsed.seq)) {
      return false;
    }
  }
  id = parsed;
  return true;
}

bool ReadStreamId(CommandContext& ctx, size_t arg, StreamId& id) {
  if (ParseStreamId(ctx.args[arg], {}, id)) return true;
  ctx.reply.Error(kInvalidStreamId);
  return false;
}

bool ReadInteger(CommandContext& ctx, size_t arg, int64_t& value, std::string_view error) {
  if (ParseInt64(ctx.args[arg], value)) return true;
  ctx.reply.Error(error);
  return false;
}

bool ReadIntervalStart(CommandContext& ctx, size_t arg, StreamId& start) {
  const IntervalEnd end(ctx.args[arg]);
  if (!ParseStreamId(end.text, {.ends = !end.excluded}, start)) {
    ctx.reply.Error(kInvalidStreamId);
    return false;
  }
  if (!end.excluded || start.Increment()) return true;
  ctx.reply.Error(kBadStart);
  return false;
}

bool ReadIntervalEnd(CommandContext& ctx, size_t arg, StreamId& id) {
  const IntervalEnd end(ctx.args[arg]);
  if (!ParseStreamId(end.text, {.missing_seq = UINT64_MAX, .ends = !end.excluded}, id)) {
    ctx.reply.Error(kInvalidStreamId);
    return false;
  }
  if (!end.excluded || id.Decrement()) return true;
  ctx.reply.Error(kBadEnd);
  return false;
}

void ReplyStreamId(ReplyWriter& reply, const StreamId& id) {
  char text[kMaxStreamIdChars];
  reply.Bulk(FormatStreamId(id, text));
}

void ReplyEntry(ReplyWriter& reply, const StreamEntry& entry) {
  reply.Array(2);
  ReplyStreamId(reply, entry.id);
  reply.Array(2 * entry.fields);
  entry.ForEachPair([&reply](std::string_view field, std::string_view value) {
    reply.Bulk(field);
    reply.Bulk(value);
  });
}

void ReplyEntries(ReplyWriter& reply, StreamRange range, size_t count) {
  const size_t mark = reply.BeginArray();
  size_t replied = 0;
  StreamEntry entry;
  while ((count == 0 || replied < count) && range.Next(entry)) {
    ReplyEntry(reply, entry);
    ++replied;
  }
  reply.EndArray(mark, replied);
}

void ReplySubcommandError(CommandContext& ctx) {
  ctx.reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                  ctx.args[1].substr(0, 128), absl::AsciiStrToUpper(std::string(ctx.args[0]))));
}

void ReplyNoKeyOrGroup(CommandContext& ctx) {
  ctx.reply.Error(
      fmt::format("NOGROUP No such key '{}' or consumer group '{}'", ctx.args[1], ctx.args[2]));
}

StreamConsumer* ObtainConsumer(StreamGroup& group, std::string_view name, int64_t now_ms,
                               Event& event) {
  StreamConsumer* const found = group.FindConsumer(name);
  if (found != nullptr) {
    found->set_seen_ms(now_ms);
    return found;
  }
  event = kConsumerCreatedEvent;
  return group.AddConsumer(name, now_ms);
}

}  // namespace lapse
