#include "server/commands/sorted_set_parts.h"

#include <cmath>

#include "server/commands/typed.h"
#include "server/core/instance.h"
#include "storage/effect.h"

namespace lapse {
namespace {

constexpr Event kZAddEvent{"zadd", 'z'};
constexpr Event kZIncrEvent{"zincr", 'z'};

constexpr std::string_view kNotANumber = "ERR resulting score is not a number (NaN)";

bool ParseScoreBound(std::string_view text, double& bound, bool& open) {
  open = text.starts_with('(');
  if (open) text.remove_prefix(1);
  return ParseDoubleLoosely(text, bound);
}

bool ParseLexBound(std::string_view text, SortedSet::LexBound& bound) {
  using enum SortedSet::LexBound::Kind;
  if (text.empty()) return false;
  const char kind = text[0];
  text.remove_prefix(1);
  if (kind == '-' || kind == '+') {
    bound.kind = kind == '-' ? kLowest : kHighest;
    return text.empty() || text[0] == '\0';  // to Redis, a zero byte ends the word
  }
  bound.kind = kText;
  bound.open = kind == '(';
  bound.text = text;
  return kind == '(' || kind == '[';
}

}  // namespace

SortedSet::Limits SortedSetLimits(const CommandContext& ctx) {
  const Config& config = ctx.instance.config;
  return {.entries = static_cast<size_t>(config.zset_max_listpack_entries),
          .value_bytes = static_cast<size_t>(config.zset_max_listpack_value)};
}

std::optional<SortedSet::ScoreRange> ParseScoreRange(std::string_view min, std::string_view max) {
  SortedSet::ScoreRange range;
  if (!ParseScoreBound(min, range.min, range.min_open)) return std::nullopt;
  if (!ParseScoreBound(max, range.max, range.max_open)) return std::nullopt;
  return range;
}

std::optional<SortedSet::LexRange> ParseLexRange(std::string_view min, std::string_view max) {
  SortedSet::LexRange range;
  if (!ParseLexBound(min, range.min) || !ParseLexBound(max, range.max)) return std::nullopt;
  return range;
}

void ReplyMembers(CommandContext& ctx, const SortedSet& set, SortedSet::RankRange range,
                  MemberReply form) {
  ReplyWriter& reply = ctx.reply;
  if (!form.with_scores) {
    reply.Array(range.size());
    set.Walk(range, form.backward, [&](std::string_view member, double) { reply.Bulk(member); });
    return;
  }
  const bool in_pairs = reply.resp() > 2;
  reply.Array(in_pairs ? range.size() : 2 * range.size());
  set.Walk(range, form.backward, [&](std::string_view member, double score) {
    if (in_pairs) reply.Array(2);
    reply.Bulk(member);
    reply.Double(score);
  });
}

void AddMembers(CommandContext& ctx, const AddOptions& options,
                std::span<const ScoredMember> members) {
  const auto found = FindAs<SortedSet>(ctx);
  if (found.wrong()) return;
  if (!found && options.xx) return options.incr ? ctx.reply.Null() : ctx.reply.Integer(0);

  Edit<SortedSet> edit(ctx, 0, found);
  const SortedSet::Limits limits = SortedSetLimits(ctx);
  int64_t added = 0;
  int64_t moved = 0;
  bool left = false;
  bool not_a_number = false;
  double result = 0;
  for (const ScoredMember& given : members) {
    const auto decide = [&](const double* current) -> std::optional<double> {
      result = given.score;
      if (current == nullptr) return options.xx ? std::nullopt : std::optional(result);
      if (options.nx) return std::nullopt;
      if (options.incr) result += *current;
      not_a_number = std::isnan(result);
      if (not_a_number) return std::nullopt;
      if ((options.lt && result >= *current) || (options.gt && result <= *current)) {
        return std::nullopt;
      }
      return result;
    };
    const SortedSet::Outcome outcome = edit->Update(given.member, limits, decide);
    added += outcome == SortedSet::Outcome::kAdded ? 1 : 0;
    moved += outcome == SortedSet::Outcome::kMoved ? 1 : 0;
    left = outcome == SortedSet::Outcome::kLeft;
  }
  const Event event = options.incr ? kZIncrEvent : kZAddEvent;
  edit.Commit(added + moved > 0 ? event : Event{});

  if (not_a_number) return ctx.reply.Error(kNotANumber);
  if (!options.incr) return ctx.reply.Integer(options.ch ? added + moved : added);
  left ? ctx.reply.Null() : ctx.reply.Double(result);
}

}  // namespace lapse
