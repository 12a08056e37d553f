// Unions, intersections and differences of sorted sets.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/set.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

constexpr Event kZUnionStoreEvent{"zunionstore", 'z'};
constexpr Event kZInterStoreEvent{"zinterstore", 'z'};
constexpr Event kZDiffStoreEvent{"zdiffstore", 'z'};

constexpr std::string_view kNotWeight = "ERR weight value is not a float";
constexpr std::string_view kBadLimit = "ERR LIMIT can't be negative";

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

// What is done with the result.
enum class Form : uint8_t { kReply, kStore, kCount };

// One of the sets that are combined: a sorted one, or a plain one, whose members all score 1. A key
// that is not there is an empty one.
struct Source {
  const SortedSet* ranked = nullptr;
  const Set* plain = nullptr;
  double weight = 1;

  size_t size() const {
    if (plain != nullptr) return plain->size();
    return ranked == nullptr ? 0 : ranked->size();
  }
  // Calls visit(member, score) until it returns false.
  template <typename Visit>
  void Walk(Visit visit) const {
    if (ranked != nullptr) ranked->Walk(visit);
    if (plain == nullptr) return;
    plain->VisitWhile([&](std::string_view member) { return visit(member, 1.0); });
  }
  std::optional<double> Score(std::string_view member) const {
    if (ranked != nullptr) return ranked->Score(member);
    if (plain != nullptr && plain->Contains(member)) return 1;
    return std::nullopt;
  }
};

using Sources = absl::InlinedVector<Source, 4>;

struct Request {
  Operation operation = Operation::kUnion;
  Form form = Form::kReply;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;  // of what is counted; 0: none
  Sources sources;
};

// Infinities of both signs, and infinity times nothing, are nothing.
double OrZero(double score) { return std::isnan(score) ? 0 : score; }

double Combined(Aggregate aggregate, double a, double b) {
  switch (aggregate) {
    case Aggregate::kSum:
      return OrZero(a + b);
    case Aggregate::kMin:
      return b < a ? b : a;
    case Aggregate::kMax:
      return b > a ? b : a;
  }
  return a;
}

// --- The request. ---

// Looks the keys up from key `first` on. False: an error has been replied.
bool FindSources(CommandContext& ctx, size_t first, Request& request) {
  for (size_t i = first; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Read(ctx.key(i));
    Source& source = request.sources.emplace_back();
    if (item && item.entry()->type() == Set::kType) {
      source.plain = static_cast<const Set*>(item.entry()->collection());
      continue;
    }
    const Typed<SortedSet> found(ctx, item);
    if (found.wrong()) return false;
    if (found) source.ranked = &*found;
  }
  return true;
}

void ParseWeights(ArgumentReader& in, Request& request) {
  for (Source& source : request.sources) source.weight = in.Float(kNotWeight);
}

void ParseAggregate(ArgumentReader& in, Request& request) {
  if (in.Match("SUM")) {
    request.aggregate = Aggregate::kSum;
  } else if (in.Match("MIN")) {
    request.aggregate = Aggregate::kMin;
  } else if (in.Match("MAX")) {
    request.aggregate = Aggregate::kMax;
  } else {
    in.Fail(errors::kSyntax);
  }
}

// Finds the sources and reads what comes after their keys; args[count_at] says how many they are.
// False: an error has been replied.
bool ParseRequest(CommandContext& ctx, size_t count_at, Request& request) {
  ArgumentReader in(ctx.args, count_at);
  const int64_t count = in.Integer();
  if (in.ok() && count < 1) {
    in.Fail(fmt::format("ERR at least 1 input key is needed for '{}' command", ctx.row.name));
  }
  if (in.ok() && static_cast<uint64_t>(count) > in.left()) in.Fail(errors::kSyntax);
  if (in.ok() && !FindSources(ctx, request.form == Form::kStore ? 1 : 0, request)) return false;
  for (size_t i = 0; i < request.sources.size(); ++i) in.Next();

  const bool weighs = request.operation != Operation::kDifference && request.form != Form::kCount;
  while (in.More()) {
    if (weighs && in.left() > request.sources.size() && in.Match("WEIGHTS")) {
      ParseWeights(in, request);
    } else if (weighs && in.left() > 1 && in.Match("AGGREGATE")) {
      ParseAggregate(in, request);
    } else if (request.form == Form::kReply && in.Match("WITHSCORES")) {
      request.with_scores = true;
    } else if (request.form == Form::kCount && in.left() > 1 && in.Match("LIMIT")) {
      request.limit = in.IntegerIn(0, std::numeric_limits<int64_t>::max(), kBadLimit);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (in.ok()) return true;
  ctx.reply.Error(in.error());
  return false;
}

// --- The result. ---

void SortBySize(Sources& sources) {
  std::stable_sort(sources.begin(), sources.end(),
                   [](const Source& a, const Source& b) { return a.size() < b.size(); });
}

void Unite(const Request& request, const SortedSet::Limits& limits, SortedSet& result) {
  for (const Source& source : request.sources) {
    source.Walk([&](std::string_view member, double score) {
      const double weighed = OrZero(source.weight * score);
      result.Update(member, limits, [&](const double* current) {
        return std::optional(current == nullptr ? weighed
                                                : Combined(request.aggregate, *current, weighed));
      });
      return true;
    });
  }
}

// Calls visit(member, score) for what is in all sources, the smallest of which comes first, until
// it returns false.
template <typename Visit>
void Intersect(const Request& request, Visit visit) {
  const Source& smallest = request.sources[0];
  smallest.Walk([&](std::string_view member, double first_score) {
    double score = OrZero(smallest.weight * first_score);
    for (size_t i = 1; i < request.sources.size(); ++i) {
      const Source& other = request.sources[i];
      const std::optional<double> theirs = other.Score(member);
      if (!theirs) return true;
      score = Combined(request.aggregate, score, *theirs * other.weight);
    }
    return visit(member, score);
  });
}

void Subtract(const Request& request, const SortedSet::Limits& limits, SortedSet& result) {
  const auto others = std::span(request.sources).subspan(1);
  request.sources[0].Walk([&](std::string_view member, double score) {
    const bool elsewhere = std::ranges::any_of(
        others, [&](const Source& other) { return other.Score(member).has_value(); });
    if (!elsewhere) result.Set(member, score, limits);
    return true;
  });
}

std::unique_ptr<SortedSet> Compute(CommandContext& ctx, Request& request) {
  const SortedSet::Limits limits = SortedSetLimits(ctx);
  auto result = std::make_unique<SortedSet>();
  const bool unites = request.operation == Operation::kUnion;
  if (request.operation != Operation::kDifference) SortBySize(request.sources);
  result->Reserve(unites ? request.sources.back().size() : 0);
  switch (request.operation) {
    case Operation::kUnion:
      Unite(request, limits, *result);
      break;
    case Operation::kIntersection:
      Intersect(request, [&](std::string_view member, double score) {
        result->Set(member, score, limits);
        return true;
      });
      break;
    case Operation::kDifference:
      Subtract(request, limits, *result);
      break;
  }
  return result;
}

void ReplyResult(CommandContext& ctx, Operation operation) {
  Request request{.operation = operation};
  if (!ParseRequest(ctx, 1, request)) return;
  const auto result = Compute(ctx, request);
  ReplyMembers(ctx, *result, {0, result->size()}, {.with_scores = request.with_scores});
}

void StoreResultOf(CommandContext& ctx, Operation operation, Event event) {
  Request request{.operation = operation, .form = Form::kStore};
  if (!ParseRequest(ctx, 2, request)) return;
  auto result = Compute(ctx, request);
  result->PackWithin(SortedSetLimits(ctx));
  const size_t size = result->size();
  StoreResult(ctx, 0, std::move(result), event);
  ctx.reply.Integer(static_cast<int64_t>(size));
}

void ZUnion(CommandContext& ctx) { ReplyResult(ctx, Operation::kUnion); }

void ZInter(CommandContext& ctx) { ReplyResult(ctx, Operation::kIntersection); }

void ZDiff(CommandContext& ctx) { ReplyResult(ctx, Operation::kDifference); }

void ZUnionStore(CommandContext& ctx) { StoreResultOf(ctx, Operation::kUnion, kZUnionStoreEvent); }

void ZInterStore(CommandContext& ctx) {
  StoreResultOf(ctx, Operation::kIntersection, kZInterStoreEvent);
}

void ZDiffStore(CommandContext& ctx) {
  StoreResultOf(ctx, Operation::kDifference, kZDiffStoreEvent);
}

void ZInterCard(CommandContext& ctx) {
  Request request{.operation = Operation::kIntersection, .form = Form::kCount};
  if (!ParseRequest(ctx, 1, request)) return;
  SortBySize(request.sources);
  int64_t count = 0;
  Intersect(request, [&](std::string_view, double) { return ++count != request.limit; });
  ctx.reply.Integer(count);
}

constexpr std::string_view kOfUnion = "O(N log M), N members in all sets, M in the result";
constexpr std::string_view kOfIntersection =
    "O(N * K + M log M), N members in the smallest of K sets, M in the result";
constexpr std::string_view kOfDifference =
    "O(N * K + M log M), N members in the first of K sets, M in the result";

constexpr KeyFinder kCountedKeys = FindCountedKeys<1, KeyAccess::kReadOnly>;

constexpr CommandRow kRows[] = {
    WithSpecs(
        WithKeys(
            {"zunion", -3, kReadOnly, kNoKeys, KeyAccess::kNone, "sortedset", "sorted-set", "6.2.0",
             kOfUnion, "The members that any of the sorted sets has",
             "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
             "[WITHSCORES]",
             ZUnion},
            kCountedKeys),
        kCountedReads),
    WithSpecs(
        WithKeys(
            {"zinter", -3, kReadOnly, kNoKeys, KeyAccess::kNone, "sortedset", "sorted-set", "6.2.0",
             kOfIntersection, "The members that all sorted sets have",
             "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
             "[WITHSCORES]",
             ZInter},
            kCountedKeys),
        kCountedReads),
    WithSpecs(WithKeys({"zdiff", -3, kReadOnly, kNoKeys, KeyAccess::kNone, "sortedset",
                        "sorted-set", "6.2.0", kOfDifference,
                        "The members of the first sorted set that no other one has",
                        "numkeys key [key ...] [WITHSCORES]", ZDiff},
                       kCountedKeys),
              kCountedReads),
    WithSpecs(WithKeys({"zintercard", -3, kReadOnly, kNoKeys, KeyAccess::kNone, "sortedset",
                        "sorted-set", "7.0.0", "O(N * K), N members in the smallest of K sets",
                        "How many members all sorted sets have",
                        "numkeys key [key ...] [LIMIT limit]", ZInterCard},
                       kCountedKeys),
              kCountedReads),
    WithSpecs(WithKeys({"zunionstore", -4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite,
                        "sortedset", "sorted-set", "2.0.0", kOfUnion,
                        "Store the members that any of the sorted sets has",
                        "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
                        "[AGGREGATE <SUM | MIN | MAX>]",
                        ZUnionStore},
                       FindStoreKeys),
              kOverwriteFromCounted),
    WithSpecs(WithKeys({"zinterstore", -4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite,
                        "sortedset", "sorted-set", "2.0.0", kOfIntersection,
                        "Store the members that all sorted sets have",
                        "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
                        "[AGGREGATE <SUM | MIN | MAX>]",
                        ZInterStore},
                       FindStoreKeys),
              kOverwriteFromCounted),
    WithSpecs(WithKeys({"zdiffstore", -4, kWrite | kDenyOom, kOneKey, KeyAccess::kOverwrite,
                        "sortedset", "sorted-set", "6.2.0", kOfDifference,
                        "Store the members of the first sorted set that no other one has",
                        "destination numkeys key [key ...]", ZDiffStore},
                       FindStoreKeys),
              kOverwriteFromCounted),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> SortedSetOperationCommands() { return kRows; }

}  // namespace lapse
