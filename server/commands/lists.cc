// Lists: what puts elements in, and what looks at and changes those that are there.

#include <algorithm>
#include <limits>

#include "server/commands/families.h"
#include "server/commands/list_parts.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"

namespace lapse {
namespace {

using End = List::End;

constexpr Event kSetElementEvent{"lset", 'l'};
constexpr Event kInsertEvent{"linsert", 'l'};
constexpr Event kRemoveEvent{"lrem", 'l'};
constexpr Event kTrimEvent{"ltrim", 'l'};

constexpr std::string_view kIndexOutOfRange = "ERR index out of range";

int64_t SizeOf(const Typed<List>& list) { return list ? static_cast<int64_t>(list->size()) : 0; }

// --- pushes ---

void PushAll(CommandContext& ctx, End end, bool if_exists) {
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (if_exists && !list) return ctx.reply.Integer(0);
  if (!ElementsFit(ctx, ctx.args.subspan(2))) return;
  Edit<List> edit(ctx, 0, list, ListNodeSize(ctx));
  for (const std::string_view element : ctx.args.subspan(2)) edit->Push(end, element);
  const size_t size = edit->size();
  edit.Commit(PushEvent(end));
  ctx.reply.Integer(static_cast<int64_t>(size));
}

void LPush(CommandContext& ctx) { PushAll(ctx, End::kHead, false); }
void RPush(CommandContext& ctx) { PushAll(ctx, End::kTail, false); }
void LPushX(CommandContext& ctx) { PushAll(ctx, End::kHead, true); }
void RPushX(CommandContext& ctx) { PushAll(ctx, End::kTail, true); }

// --- looks ---

void LLen(CommandContext& ctx) {
  const auto list = ReadAs<List>(ctx);
  if (!list.wrong()) ctx.reply.Integer(SizeOf(list));
}

// The elements from index `first` to `last`, both included, as far as there are such; negative
// indices count from the tail.
struct Range {
  size_t first = 0;
  size_t count = 0;
};

Range ClampRange(int64_t first, int64_t last, int64_t size) {
  if (first < 0) first = std::max<int64_t>(first + size, 0);
  if (last < 0) last += size;
  last = std::min(last, size - 1);
  if (first > last) return {};
  return {static_cast<size_t>(first), static_cast<size_t>(last - first + 1)};
}

void LRange(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t first = in.Integer();
  const int64_t last = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto list = ReadAs<List>(ctx);
  if (list.wrong()) return;
  const Range range = ClampRange(first, last, SizeOf(list));
  ctx.reply.Array(range.count);
  if (range.count == 0) return;
  list->ForEach(range.first, range.count,
                [&](const PackedElement& element) { ReplyElement(ctx.reply, element); });
}

// The place of an index that may be negative; nullopt when there is none.
std::optional<size_t> PlaceOf(int64_t index, int64_t size) {
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return static_cast<size_t>(index);
}

void LIndex(CommandContext& ctx) {
  const auto list = ReadAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return ctx.reply.Null();
  ArgumentReader in(ctx.args, 2);
  const int64_t index = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto place = PlaceOf(index, SizeOf(list));
  if (!place) return ctx.reply.Null();
  ReplyElement(ctx.reply, list->Get(list->Seek(*place)));
}

// --- LPOS ---

struct Search {
  int64_t rank = 1;  // of the first match that counts; negative: from the tail
  bool many = false;
  int64_t count = 1;       // 0: all
  int64_t max_length = 0;  // elements to look at; 0: all
};

Search ParseSearch(ArgumentReader& in) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  Search search;
  while (in.More()) {
    if (in.left() < 2) {
      in.Fail(errors::kSyntax);
    } else if (in.Match("RANK")) {
      search.rank = in.Integer();
      if (search.rank == 0) {
        in.Fail(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list");
      }
    } else if (in.Match("COUNT")) {
      search.count = in.IntegerIn(0, kMost, "ERR COUNT can't be negative");
      search.many = true;
    } else if (in.Match("MAXLEN")) {
      search.max_length = in.IntegerIn(0, kMost, "ERR MAXLEN can't be negative");
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  return search;
}

// Calls found(index) for each match that counts.
template <typename Found>
void FindMatches(const List& list, std::string_view element, const Search& search, Found found) {
  const packed::Needle needle(element);
  const bool backwards = search.rank < 0;
  const size_t size = list.size();
  size_t left = size;
  if (search.max_length > 0) left = std::min(left, static_cast<size_t>(search.max_length));
  // The least integer has no opposite, and is taken for -1 by Redis 7.0.
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const int64_t rank = search.rank == kLeast ? -1 : search.rank;
  int64_t skip = (backwards ? -rank : rank) - 1;
  int64_t wanted = search.count == 0 ? std::numeric_limits<int64_t>::max() : search.count;
  size_t index = backwards ? size - 1 : 0;
  List::Cursor at = list.Seek(index);
  for (;; at = backwards ? list.Prev(at) : list.Next(at), backwards ? --index : ++index) {
    if (list.Is(at, needle) && skip-- <= 0) {
      found(index);
      if (--wanted == 0) return;
    }
    if (--left == 0) return;
  }
}

void LPos(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 3);
  const Search search = ParseSearch(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto list = ReadAs<List>(ctx);
  if (list.wrong()) return;
  if (search.many) {
    size_t count = 0;
    const size_t mark = ctx.reply.BeginArray();
    if (list) {
      FindMatches(*list, ctx.args[2], search, [&](size_t index) {
        ctx.reply.Integer(static_cast<int64_t>(index));
        ++count;
      });
    }
    return ctx.reply.EndArray(mark, count);
  }
  std::optional<size_t> match;
  if (list) FindMatches(*list, ctx.args[2], search, [&](size_t index) { match = index; });
  match ? ctx.reply.Integer(static_cast<int64_t>(*match)) : ctx.reply.Null();
}

// --- changes in place ---

void LSet(CommandContext& ctx) {
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return ctx.reply.Error(errors::kNoSuchKey);
  ArgumentReader in(ctx.args, 2);
  const int64_t index = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto place = PlaceOf(index, SizeOf(list));
  if (!place) return ctx.reply.Error(kIndexOutOfRange);
  if (!ElementsFit(ctx, ctx.args.subspan(3))) return;
  Edit<List> edit(ctx, 0, list);
  edit->Set(*place, ctx.args[3]);
  edit.Commit(kSetElementEvent);
  ctx.reply.Ok();
}

void LInsert(CommandContext& ctx) {
  const bool after = EqualsIgnoreCase(ctx.args[2], "after");
  if (!after && !EqualsIgnoreCase(ctx.args[2], "before")) {
    return ctx.reply.Error(errors::kSyntax);
  }
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return ctx.reply.Integer(0);
  if (!ElementsFit(ctx, ctx.args.subspan(4))) return;
  std::optional<size_t> pivot;
  FindMatches(*list, ctx.args[3], {}, [&](size_t index) { pivot = index; });
  if (!pivot) return ctx.reply.Integer(-1);
  Edit<List> edit(ctx, 0, list);
  const List::Cursor at = edit->Seek(*pivot);
  after ? edit->InsertAfter(at, ctx.args[4]) : edit->InsertBefore(at, ctx.args[4]);
  const size_t size = edit->size();
  edit.Commit(kInsertEvent);
  ctx.reply.Integer(static_cast<int64_t>(size));
}

void LRem(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t count = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return ctx.reply.Integer(0);
  // As unsigned, the least integer has an opposite.
  const auto magnitude = static_cast<uint64_t>(count);
  const size_t most = count == 0 ? list->size() : count < 0 ? 0 - magnitude : magnitude;
  Edit<List> edit(ctx, 0, list);
  const size_t removed = edit->Remove(ctx.args[3], most, count < 0);
  edit.Commit(removed > 0 ? kRemoveEvent : Event{});
  ctx.reply.Integer(static_cast<int64_t>(removed));
}

void LTrim(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t first = in.Integer();
  const int64_t last = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return ctx.reply.Ok();
  const Range kept = ClampRange(first, last, SizeOf(list));
  Edit<List> edit(ctx, 0, list);
  const size_t behind = kept.first + kept.count;
  edit->Erase(behind, edit->size() - behind);
  edit->Erase(0, kept.first);
  edit.Commit(kTrimEvent);
  ctx.reply.Ok();
}

constexpr std::string_view kPushComplexity = "O(1) per element";

constexpr CommandRow kRows[] = {
    {"lpush", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "list", "list", "1.0.0",
     kPushComplexity, "Put elements at the head of a list", "key element [element ...]", LPush},
    {"rpush", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "list", "list", "1.0.0",
     kPushComplexity, "Put elements at the tail of a list", "key element [element ...]", RPush},
    {"lpushx", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "list", "list", "2.2.0",
     kPushComplexity, "Put elements at the head of a list that exists", "key element [element ...]",
     LPushX},
    {"rpushx", -3, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "list", "list", "2.2.0",
     kPushComplexity, "Put elements at the tail of a list that exists", "key element [element ...]",
     RPushX},
    {"llen", 2, kReadOnly | kFast, kOneKey, KeyAccess::kInspect, "list", "list", "1.0.0", "O(1)",
     "How many elements a list has", "key", LLen},
    {"lrange", 4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "list", "list", "1.0.0",
     "O(N + M), N nodes between the start and the nearer end, M elements returned",
     "The elements between two places of a list", "key start stop", LRange},
    {"lindex", 3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "list", "list", "1.0.0",
     "O(N), N nodes between the element and the nearer end", "An element of a list, by its place",
     "key index", LIndex},
    {"lpos", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "list", "list", "6.0.6",
     "O(N), N elements looked at", "Where in a list an element is",
     "key element [RANK rank] [COUNT num-matches] [MAXLEN len]", LPos},
    {"lset", 4, kWrite | kDenyOom, kOneKey, KeyAccess::kUpdate, "list", "list", "1.0.0",
     "O(N), N nodes between the element and the nearer end",
     "Replace the element at a place of a list", "key index element", LSet},
    {"linsert", 5, kWrite | kDenyOom, kOneKey, KeyAccess::kInsert, "list", "list", "2.2.0",
     "O(N), N elements before the pivot", "Put an element before or after another one",
     "key <BEFORE | AFTER> pivot element", LInsert},
    {"lrem", 4, kWrite, kOneKey, KeyAccess::kDelete, "list", "list", "1.0.0",
     "O(N), N elements in the list", "Remove elements that equal a value", "key count element",
     LRem},
    {"ltrim", 4, kWrite, kOneKey, KeyAccess::kDelete, "list", "list", "1.0.0",
     "O(N), N nodes of the list", "Keep the elements between two places, and no others",
     "key start stop", LTrim},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ListCommands() { return kRows; }

}  // namespace lapse
