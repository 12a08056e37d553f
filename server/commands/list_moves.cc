// Lists: elements that go from list to list, at once or as soon as there is one.

#include <optional>
#include <string>

#include "server/commands/block_timeout.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/list_parts.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/services/services.h"

namespace lapse {
namespace {

using End = List::End;

struct Ends {
  End from = End::kTail;
  End to = End::kHead;
};

// An element out of a list and into the same again: one change, two events.
void Rotate(CommandContext& ctx, const Typed<List>& list, const Ends& ends) {
  ReplyElement(ctx.reply, list->Peek(ends.from));
  Edit<List> edit(ctx, 0, list);
  char digits[24];
  const std::string element(edit->Peek(ends.from).Text(digits));
  edit->Pop(ends.from);
  edit->Push(ends.to, element);
  edit.Commit(PushEvent(ends.to));
  ctx.shard().Report(ctx.key().name, list.item().deadline(), PopEvent(ends.from));
}

// Moves an element from the list at the first key to that at the second. Requires: `source` has
// been found.
void MoveElement(CommandContext& ctx, const Typed<List>& source, const Ends& ends) {
  if (ctx.args[1] == ctx.args[2]) return Rotate(ctx, source, ends);
  const auto target = FindAs<List>(ctx, 1);
  if (target.wrong()) return;
  // Unlike the items, the lists stay where they are when others come and go.
  const PackedElement element = source->Peek(ends.from);
  ReplyElement(ctx.reply, element);
  char digits[24];
  Edit<List> into(ctx, 1, target, ListNodeSize(ctx));
  into->Push(ends.to, element.Text(digits));
  into.Commit(PushEvent(ends.to));
  Edit<List> out_of(ctx, 0, FindAs<List>(ctx, 0));
  out_of->Pop(ends.from);
  out_of.Commit(PopEvent(ends.from));
}

void Move(CommandContext& ctx, const Ends& ends) {
  const auto source = FindAs<List>(ctx);
  if (source.wrong()) return;
  if (!source) return ctx.reply.Null();
  MoveElement(ctx, source, ends);
}

void BlockingMove(CommandContext& ctx, const Ends& ends) {
  const auto timeout_ms = ParseTimeoutSeconds(ctx, ctx.args.back());
  if (!timeout_ms) return;
  const Item item = ctx.shard().Find(ctx.key());
  const bool is_list = item && item.entry()->type() == ValueType::kList;
  if (is_list || (item && !Blocking::IsRetry(ctx))) {
    const Typed<List> source(ctx, item);
    if (source) MoveElement(ctx, source, ends);
    return;
  }
  Blocking::Wait wait{.type = ValueType::kList, .timeout_ms = *timeout_ms};
  std::vector<std::string> retry(ctx.args.begin(), ctx.args.end() - 1);
  retry.emplace_back("0");
  wait.keys.push_back({std::string(ctx.key().name), std::move(retry)});
  if (!Services::Of(ctx.instance).blocking().Block(ctx, std::move(wait))) ctx.reply.Null();
}

// nullopt: an error has been replied.
std::optional<Ends> ParseEnds(CommandContext& ctx) {
  const auto from = ParseEnd(ctx.args[3]);
  const auto to = ParseEnd(ctx.args[4]);
  if (from && to) return Ends{*from, *to};
  ctx.reply.Error(errors::kSyntax);
  return std::nullopt;
}

void LMove(CommandContext& ctx) {
  if (const auto ends = ParseEnds(ctx)) Move(ctx, *ends);
}
void RPopLPush(CommandContext& ctx) { Move(ctx, {}); }
void BLMove(CommandContext& ctx) {
  if (const auto ends = ParseEnds(ctx)) BlockingMove(ctx, *ends);
}
void BRPopLPush(CommandContext& ctx) { BlockingMove(ctx, {}); }

constexpr uint32_t kMoveFlags = kWrite | kDenyOom;
constexpr std::string_view kSummary = "Move an element from one list to another";
constexpr std::string_view kBlockingSummary =
    "Move an element from one list to another, waiting for one if need be";

constexpr CommandRow kRows[] = {
    WithSpecs({"lmove", 5, kMoveFlags, kTwoKeys, KeyAccess::kReadDelete, "list", "list", "6.2.0",
               "O(1)", kSummary, "source destination <LEFT | RIGHT> <LEFT | RIGHT>", LMove},
              kMoveSpecs),
    WithSpecs({"rpoplpush", 3, kMoveFlags, kTwoKeys, KeyAccess::kReadDelete, "list", "list",
               "1.2.0", "O(1)", "Move the last element of a list to the head of another",
               "source destination", RPopLPush},
              kMoveSpecs),
    WithSpecs({"blmove", 6, kMoveFlags | kNoScript | kBlocking, kTwoKeys, KeyAccess::kReadDelete,
               "list", "list", "6.2.0", "O(1)", kBlockingSummary,
               "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout", BLMove},
              kMoveSpecs),
    WithSpecs({"brpoplpush", 4, kMoveFlags | kNoScript | kBlocking, kTwoKeys,
               KeyAccess::kReadDelete, "list", "list", "2.2.0", "O(1)", kBlockingSummary,
               "source destination timeout", BRPopLPush},
              kMoveSpecs),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> ListMoveCommands() { return kRows; }

}  // namespace lapse
