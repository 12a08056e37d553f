// Several sets at once: SINTER, SUNION, SDIFF and their relatives.
//
// The shards of all keys are locked meanwhile, and no others.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/sets.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kNumkeysNotPositive = "ERR numkeys should be greater than 0";
constexpr std::string_view kMoreKeysThanArguments =
    "ERR Number of keys can't be greater than number of args";
constexpr std::string_view kNegativeLimit = "ERR LIMIT can't be negative";

// nullptr stands for an empty set.
using Sources = std::vector<const Set*>;

// Looks the keys up from the `from`-th on. The sets stay where they are while their shards are
// locked and nothing is stored. False: an error has been replied.
bool ReadSources(CommandContext& ctx, size_t from, Sources& sources) {
  for (size_t i = from; i < ctx.key_count(); ++i) {
    const auto set = ReadAs<Set>(ctx, i);
    if (set.wrong()) return false;
    sources.push_back(set ? &*set : nullptr);
  }
  return true;
}

bool Holds(const Set* set, std::string_view member) {
  return set != nullptr && set->Contains(member);
}

// Calls visit(member) for each member of all sources until it returns false.
template <typename Visit>
void VisitIntersection(Sources sources, Visit visit) {
  if (std::find(sources.begin(), sources.end(), nullptr) != sources.end()) return;
  // The smallest is walked, and the others are asked, the likeliest to know better first.
  std::sort(sources.begin(), sources.end(),
            [](const Set* a, const Set* b) { return a->size() < b->size(); });
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  sources[0]->VisitWhile([&](std::string_view member) {
    const bool everywhere = std::all_of(sources.begin() + 1, sources.end(),
                                        [&](const Set* set) { return set->Contains(member); });
    return !everywhere || visit(member);
  });
}

template <typename Visit>
void VisitDifference(const Sources& sources, Visit visit) {
  if (sources[0] == nullptr) return;
  sources[0]->ForEach([&](std::string_view member) {
    const bool elsewhere = std::any_of(sources.begin() + 1, sources.end(),
                                       [&](const Set* set) { return Holds(set, member); });
    if (!elsewhere) visit(member);
  });
}

// Each member once: in the first of the sources that holds it.
template <typename Visit>
void VisitUnion(const Sources& sources, Visit visit) {
  for (auto set = sources.begin(); set != sources.end(); ++set) {
    if (*set == nullptr) continue;
    (*set)->ForEach([&](std::string_view member) {
      const bool before =
          std::any_of(sources.begin(), set, [&](const Set* s) { return Holds(s, member); });
      if (!before) visit(member);
    });
  }
}

enum class Operation : uint8_t { kIntersection, kUnion, kDifference };

template <typename Visit>
void VisitResult(Operation operation, const Sources& sources, Visit visit) {
  switch (operation) {
    case Operation::kIntersection:
      return VisitIntersection(sources,
                               [&](std::string_view member) { return visit(member), true; });
    case Operation::kUnion:
      return VisitUnion(sources, visit);
    case Operation::kDifference:
      return VisitDifference(sources, visit);
  }
}

void ReplyResult(CommandContext& ctx, Operation operation) {
  Sources sources;
  if (!ReadSources(ctx, 0, sources)) return;
  const size_t mark = ctx.reply.BeginSet();
  size_t found = 0;
  VisitResult(operation, sources, [&](std::string_view member) {
    ctx.reply.Bulk(member);
    ++found;
  });
  ctx.reply.EndSet(mark, found);
}

void StoreSet(CommandContext& ctx, Operation operation, std::string_view event) {
  Sources sources;
  if (!ReadSources(ctx, 1, sources)) return;
  auto result = std::make_unique<Set>();
  const Set::Limits limits = SetLimits(ctx);
  // A union is added without asking who holds a member already: the result knows.
  if (operation == Operation::kUnion) {
    for (const Set* const set : sources) {
      if (set != nullptr) set->ForEach([&](std::string_view m) { result->Add(m, limits); });
    }
  } else {
    VisitResult(operation, sources, [&](std::string_view m) { result->Add(m, limits); });
  }
  const auto size = static_cast<int64_t>(result->size());
  StoreResult(ctx, 0, std::move(result), {event, 's'});
  ctx.reply.Integer(size);
}

void SInter(CommandContext& ctx) { ReplyResult(ctx, Operation::kIntersection); }

void SUnion(CommandContext& ctx) { ReplyResult(ctx, Operation::kUnion); }

void SDiff(CommandContext& ctx) { ReplyResult(ctx, Operation::kDifference); }

void SInterStore(CommandContext& ctx) { StoreSet(ctx, Operation::kIntersection, "sinterstore"); }

void SUnionStore(CommandContext& ctx) { StoreSet(ctx, Operation::kUnion, "sunionstore"); }

void SDiffStore(CommandContext& ctx) { StoreSet(ctx, Operation::kDifference, "sdiffstore"); }

// "numkeys key ...", from args[1] on.
void FindCountedKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  int64_t count = 0;
  if (args.size() < 3 || !ParseInt64(args[1], count) || count < 1) return;
  if (count > static_cast<int64_t>(args.size()) - 2) return;
  for (int64_t i = 0; i < count; ++i) {
    keys.push_back({static_cast<uint32_t>(2 + i), KeyAccess::kReadOnly});
  }
}

void SInterCard(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 1);
  const int64_t numkeys = in.IntegerIn(1, INT64_MAX, kNumkeysNotPositive);
  if (in.ok() && numkeys > static_cast<int64_t>(in.left())) in.Fail(kMoreKeysThanArguments);
  for (int64_t i = 0; i < numkeys && in.ok(); ++i) in.Next();
  int64_t limit = 0;
  while (in.More()) {
    if (in.left() > 1 && in.Match("LIMIT")) {
      limit = in.IntegerIn(0, INT64_MAX, kNegativeLimit);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  Sources sources;
  if (!ReadSources(ctx, 0, sources)) return;
  int64_t found = 0;
  VisitIntersection(sources, [&](std::string_view) { return ++found != limit; });
  ctx.reply.Integer(found);
}

constexpr std::string_view kIntersectionCost = "O(N * K), N members in the smallest of K sets";
constexpr std::string_view kDifferenceCost = "O(N * K), N members in the first of K sets";
// To reply with each member once, the sets before its own are asked; a set that is stored knows.
constexpr std::string_view kUnionCost = "O(N * K), N members in all of K sets";
constexpr std::string_view kUnionStoreCost = "O(N), N members in all sets";

constexpr CommandRow kRows[] = {
    {"sinter", -2, kReadOnly, kAllKeys, KeyAccess::kReadOnly, "set", "set", "1.0.0",
     kIntersectionCost, "The members that all sets have", "key [key ...]", SInter, kNoSubcommands,
     "nondeterministic_output_order"},
    WithSpecs(WithKeys({"sintercard", -3, kReadOnly, kNoKeys, KeyAccess::kNone, "set", "set",
                        "7.0.0", kIntersectionCost, "How many members all sets have",
                        "numkeys key [key ...] [LIMIT limit]", SInterCard},
                       FindCountedKeys),
              kCountedReads),
    WithSpecs({"sinterstore", -3, kWrite | kDenyOom, kAllKeys, KeyAccess::kUpdate, "set", "set",
               "1.0.0", kIntersectionCost, "Store the members that all sets have",
               "destination key [key ...]", SInterStore},
              kUpdateFromAll),
    {"sunion", -2, kReadOnly, kAllKeys, KeyAccess::kReadOnly, "set", "set", "1.0.0", kUnionCost,
     "The members that any of the sets has", "key [key ...]", SUnion, kNoSubcommands,
     "nondeterministic_output_order"},
    WithSpecs({"sunionstore", -3, kWrite | kDenyOom, kAllKeys, KeyAccess::kOverwrite, "set", "set",
               "1.0.0", kUnionStoreCost, "Store the members that any of the sets has",
               "destination key [key ...]", SUnionStore},
              kOverwriteFromAll),
    {"sdiff", -2, kReadOnly, kAllKeys, KeyAccess::kReadOnly, "set", "set", "1.0.0", kDifferenceCost,
     "The members of the first set that no other one has", "key [key ...]", SDiff, kNoSubcommands,
     "nondeterministic_output_order"},
    WithSpecs({"sdiffstore", -3, kWrite | kDenyOom, kAllKeys, KeyAccess::kOverwrite, "set", "set",
               "1.0.0", kDifferenceCost, "Store the members of the first set that no other one has",
               "destination key [key ...]", SDiffStore},
              kOverwriteFromAll),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SetOperationCommands() { return kRows; }

}  // namespace lapse
