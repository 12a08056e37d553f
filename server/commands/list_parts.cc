#include "server/commands/list_parts.h"

#include <algorithm>

#include "server/core/arguments.h"
#include "server/core/errors.h"
#include "server/core/instance.h"

namespace lapse {

std::optional<List::End> ParseEnd(std::string_view word) {
  if (EqualsIgnoreCase(word, "left")) return List::End::kHead;
  if (EqualsIgnoreCase(word, "right")) return List::End::kTail;
  return std::nullopt;
}

int64_t ListNodeSize(const CommandContext& ctx) {
  return ctx.instance.config.list_max_listpack_size;
}

void ReplyElement(ReplyWriter& reply, const PackedElement& element) {
  element.is_number ? reply.BulkInteger(element.number) : reply.Bulk(element.text);
}

void ReplyAndPop(ReplyWriter& reply, List& list, List::End end, size_t count) {
  reply.Array(count);
  if (end == List::End::kHead) {
    list.ForEach(0, count, [&](const PackedElement& element) { ReplyElement(reply, element); });
    return list.Erase(0, count);
  }
  for (size_t i = 0; i < count; ++i) {
    ReplyElement(reply, list.Peek(end));
    list.Pop(end);
  }
}

bool ElementsFit(CommandContext& ctx, std::span<const std::string_view> elements) {
  const bool fit = std::all_of(elements.begin(), elements.end(), [](std::string_view element) {
    return element.size() <= List::kMaxElement;
  });
  if (!fit) ctx.reply.Error(errors::kStringTooLong);
  return fit;
}

}  // namespace lapse
