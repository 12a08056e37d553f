// What the files of the list family share.
//
// Thread: the session's.
#pragma once

#include <optional>
#include <string_view>

#include "server/core/context.h"
#include "storage/effect.h"
#include "storage/values/list.h"

namespace lapse {

inline Event PushEvent(List::End end) { return {end == List::End::kHead ? "lpush" : "rpush", 'l'}; }

inline Event PopEvent(List::End end) { return {end == List::End::kHead ? "lpop" : "rpop", 'l'}; }

// LEFT or RIGHT; nullopt for any other word.
std::optional<List::End> ParseEnd(std::string_view word);

// What a new list is made with.
int64_t ListNodeSize(const CommandContext& ctx);

void ReplyElement(ReplyWriter& reply, const PackedElement& element);

// Replies with an array of `count` elements from one end, the outermost first, and removes them.
// Requires: there are as many.
void ReplyAndPop(ReplyWriter& reply, List& list, List::End end, size_t count);

// False: an element is longer than a list can hold, and the error has been replied.
bool ElementsFit(CommandContext& ctx, std::span<const std::string_view> elements);

}  // namespace lapse
