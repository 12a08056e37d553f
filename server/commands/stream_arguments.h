// What the stream commands share: ids and intervals as arguments, ids and entries as replies.
//
// The functions that read an argument reply with what is wrong about it, and return false.
//
// Thread: as the context's.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/commands/typed.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/stream.h"

namespace lapse {

inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";

// Event classes and names are Redis's.
inline constexpr char kStreamClass = 't';
inline constexpr Event kConsumerCreatedEvent{"xgroup-createconsumer", kStreamClass};

// How an id may be spelt. "5" is 5 and a sequence number that is the caller's choice.
struct StreamIdForm {
  uint64_t missing_seq = 0;
  bool ends = false;         // "-" and "+" are the least and the greatest id
  bool* auto_seq = nullptr;  // where set, "5-*" is an id, too, and noted here
};

bool ParseStreamId(std::string_view text, const StreamIdForm& form, StreamId& id);

bool ReadStreamId(CommandContext& ctx, size_t arg, StreamId& id);
bool ReadInteger(CommandContext& ctx, size_t arg, int64_t& value,
                 std::string_view error = errors::kNotInteger);

// An interval's ends: as an id, "-", "+", or, where it is not itself included, "(id".
bool ReadIntervalStart(CommandContext& ctx, size_t arg, StreamId& start);
bool ReadIntervalEnd(CommandContext& ctx, size_t arg, StreamId& end);

void ReplyStreamId(ReplyWriter& reply, const StreamId& id);
// The id, and an array of fields and values.
void ReplyEntry(ReplyWriter& reply, const StreamEntry& entry);
// An array of at most `count` entries; 0 for all.
void ReplyEntries(ReplyWriter& reply, StreamRange range, size_t count);

// The subcommand's name is fine, but not what follows it.
void ReplySubcommandError(CommandContext& ctx);
// Neither key nor group, as the commands about what is pending say it.
void ReplyNoKeyOrGroup(CommandContext& ctx);

// The group of that name, or nullptr.
inline StreamGroup* GroupOf(const Typed<Stream>& stream, std::string_view name) {
  return stream ? stream->FindGroup(name) : nullptr;
}

// The group's consumer of that name, who is noted as seen now; made when there is none, which sets
// `event`.
StreamConsumer* ObtainConsumer(StreamGroup& group, std::string_view name, int64_t now_ms,
                               Event& event);

}  // namespace lapse
