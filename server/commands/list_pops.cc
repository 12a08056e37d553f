// Lists: what takes elements out, at once or as soon as there are any.

#include <algorithm>
#include <limits>
#include <optional>

#include "protocol/number.h"
#include "server/commands/block_timeout.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/list_parts.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/services/services.h"

namespace lapse {
namespace {

using End = List::End;

std::string_view EndName(End end) { return end == End::kHead ? "LEFT" : "RIGHT"; }

// Has the client wait for the row's keys; `retry` makes the request that takes from one of them.
template <typename MakeRetry>
void Await(CommandContext& ctx, int64_t timeout_ms, MakeRetry retry) {
  Blocking::Wait wait{.type = ValueType::kList, .timeout_ms = timeout_ms};
  for (const Key& key : ctx.keys) {
    std::string name(key.name);
    std::vector<std::string> request = retry(name);
    wait.keys.push_back({std::move(name), std::move(request)});
  }
  if (!Services::Of(ctx.instance).blocking().Block(ctx, std::move(wait))) ctx.reply.NullArray();
}

// The list of the row's i-th key, for taking from it. In a retry another type is nothing.
Typed<List> FindToPop(CommandContext& ctx, size_t i) {
  const Item item = ctx.shard(i).Find(ctx.key(i));
  const bool wrong = item && item.entry()->type() != ValueType::kList;
  if (wrong && Blocking::IsRetry(ctx)) return {};
  return Typed<List>(ctx, item);
}

// --- LPOP, RPOP ---

void Pop(CommandContext& ctx, End end) {
  if (ctx.args.size() > 3) {
    return ctx.reply.Error(
        fmt::format("ERR wrong number of arguments for '{}' command", ctx.row.name));
  }
  const bool many = ctx.args.size() == 3;
  ArgumentReader in(ctx.args, 2);
  const int64_t most =
      many ? in.IntegerIn(0, std::numeric_limits<int64_t>::max(), errors::kNotPositive) : 1;
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto list = FindAs<List>(ctx);
  if (list.wrong()) return;
  if (!list) return many ? ctx.reply.NullArray() : ctx.reply.Null();
  if (most == 0) return ctx.reply.EmptyArray();
  Edit<List> edit(ctx, 0, list);
  if (many) {
    ReplyAndPop(ctx.reply, *edit, end, std::min(edit->size(), static_cast<size_t>(most)));
  } else {
    ReplyElement(ctx.reply, edit->Peek(end));
    edit->Pop(end);
  }
  edit.Commit(PopEvent(end));
}

void LPop(CommandContext& ctx) { Pop(ctx, End::kHead); }
void RPop(CommandContext& ctx) { Pop(ctx, End::kTail); }

// --- BLPOP, BRPOP ---

void BlockingPop(CommandContext& ctx, End end) {
  const auto timeout_ms = ParseTimeoutSeconds(ctx, ctx.args.back());
  if (!timeout_ms) return;
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const auto list = FindToPop(ctx, i);
    if (list.wrong()) return;
    if (!list) continue;
    Edit<List> edit(ctx, i, list);
    ctx.reply.Array(2);
    ctx.reply.Bulk(ctx.key(i).name);
    ReplyElement(ctx.reply, edit->Peek(end));
    edit->Pop(end);
    edit.Commit(PopEvent(end));
    return;
  }
  Await(ctx, *timeout_ms, [&](const std::string& key) {
    return std::vector<std::string>{std::string(ctx.row.name), key, "0"};
  });
}

void BLPop(CommandContext& ctx) { BlockingPop(ctx, End::kHead); }
void BRPop(CommandContext& ctx) { BlockingPop(ctx, End::kTail); }

// --- LMPOP, BLMPOP ---

constexpr size_t kCountAt = 1;          // LMPOP numkeys ...
constexpr size_t kBlockingCountAt = 2;  // BLMPOP timeout numkeys ...

// The keys after "numkeys" at args[at]; none where that is not right.
template <size_t kAt>
void FindCountedKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  int64_t count = 0;
  if (args.size() <= kAt || !ParseInt64(args[kAt], count)) return;
  const size_t behind = args.size() - kAt - 1;
  if (count < 1 || static_cast<uint64_t>(count) > behind) return;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    keys.push_back({static_cast<uint32_t>(kAt + 1 + i), KeyAccess::kReadDelete});
  }
}

struct MultiPop {
  End end = End::kHead;
  size_t count = 1;
};

// Reads from "numkeys" on. nullopt: an error has been replied.
std::optional<MultiPop> ParseMultiPop(CommandContext& ctx, size_t at) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  MultiPop pop;
  ArgumentReader in(ctx.args, at);
  const int64_t keys = in.IntegerIn(1, kMost, "ERR numkeys should be greater than 0");
  if (in.ok() && static_cast<uint64_t>(keys) >= in.left()) in.Fail(errors::kSyntax);
  for (int64_t i = 0; in.ok() && i < keys; ++i) in.Next();
  const std::optional<End> end = ParseEnd(in.Next());
  if (!end) in.Fail(errors::kSyntax);
  if (in.More()) {
    if (in.left() < 2 || !in.Match("COUNT")) in.Fail(errors::kSyntax);
    pop.count = static_cast<size_t>(in.IntegerIn(1, kMost, "ERR count should be greater than 0"));
    if (in.More()) in.Fail(errors::kSyntax);
  }
  if (!in.ok()) {
    ctx.reply.Error(in.error());
    return std::nullopt;
  }
  pop.end = *end;
  return pop;
}

// Takes from the first list that there is. Returns whether a reply was written.
bool PopFromFirst(CommandContext& ctx, const MultiPop& pop) {
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const auto list = FindToPop(ctx, i);
    if (list.wrong()) return true;
    if (!list) continue;
    Edit<List> edit(ctx, i, list);
    ctx.reply.Array(2);
    ctx.reply.Bulk(ctx.key(i).name);
    ReplyAndPop(ctx.reply, *edit, pop.end, std::min(edit->size(), pop.count));
    edit.Commit(PopEvent(pop.end));
    return true;
  }
  return false;
}

void LMPop(CommandContext& ctx) {
  const auto pop = ParseMultiPop(ctx, kCountAt);
  if (pop && !PopFromFirst(ctx, *pop)) ctx.reply.NullArray();
}

void BLMPop(CommandContext& ctx) {
  const auto timeout_ms = ParseTimeoutSeconds(ctx, ctx.args[1]);
  if (!timeout_ms) return;
  const auto pop = ParseMultiPop(ctx, kBlockingCountAt);
  if (!pop || PopFromFirst(ctx, *pop)) return;
  Await(ctx, *timeout_ms, [&](const std::string& key) {
    return std::vector<std::string>{"BLMPOP",
                                    "0",
                                    "1",
                                    key,
                                    std::string(EndName(pop->end)),
                                    "COUNT",
                                    std::to_string(pop->count)};
  });
}

constexpr KeySpec kKeysBeforeLast{1, -2, 1};
constexpr std::string_view kPopComplexity = "O(1) per element";
constexpr std::string_view kBlockingComplexity = "O(1) per key";
constexpr std::string_view kMultiPopComplexity = "O(K + M), K keys, M elements taken";

constexpr CommandRow kRows[] = {
    {"lpop", -2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "list", "list", "1.0.0",
     kPopComplexity, "Take elements from the head of a list", "key [count]", LPop},
    {"rpop", -2, kWrite | kFast, kOneKey, KeyAccess::kReadDelete, "list", "list", "1.0.0",
     kPopComplexity, "Take elements from the tail of a list", "key [count]", RPop},
    {"blpop", -3, kWrite | kNoScript | kBlocking, kKeysBeforeLast, KeyAccess::kReadDelete, "list",
     "list", "2.0.0", kBlockingComplexity,
     "Take the first element of a list, waiting for one if need be", "key [key ...] timeout",
     BLPop},
    {"brpop", -3, kWrite | kNoScript | kBlocking, kKeysBeforeLast, KeyAccess::kReadDelete, "list",
     "list", "2.0.0", kBlockingComplexity,
     "Take the last element of a list, waiting for one if need be", "key [key ...] timeout", BRPop},
    WithSpecs(WithKeys({"lmpop", -4, kWrite, kNoKeys, KeyAccess::kNone, "list", "list", "7.0.0",
                        kMultiPopComplexity, "Take elements from the first list that has some",
                        "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", LMPop},
                       FindCountedKeys<kCountAt>),
              kCountedPops<1>),
    WithSpecs(WithKeys({"blmpop", -5, kWrite | kBlocking, kNoKeys, KeyAccess::kNone, "list", "list",
                        "7.0.0", kMultiPopComplexity,
                        "Take elements from the first list that has some, waiting if need be",
                        "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", BLMPop},
                       FindCountedKeys<kBlockingCountAt>),
              kCountedPops<2>),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ListPopCommands() { return kRows; }

}  // namespace lapse
