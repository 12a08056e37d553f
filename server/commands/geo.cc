// Places as members of a sorted set: GEOADD and what is asked of single members. Searches are in
// geo_search.cc.

#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/geo_arguments.h"
#include "server/commands/geo_hash.h"
#include "server/commands/rows.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

void GeoAdd(CommandContext& ctx) {
  AddOptions options;
  ArgumentReader in(ctx.args, 2);
  for (;;) {
    if (in.Match("NX")) {
      options.nx = true;
    } else if (in.Match("XX")) {
      options.xx = true;
    } else if (in.Match("CH")) {
      options.ch = true;
    } else {
      break;
    }
  }
  if (in.left() % 3 != 0 || in.left() == 0 || (options.nx && options.xx)) {
    return ctx.reply.Error(errors::kSyntax);
  }
  std::vector<ScoredMember> members;
  members.reserve(in.left() / 3);
  while (in.More()) {
    const GeoPoint point = ReadGeoPoint(in);
    if (in.ok()) members.push_back({static_cast<double>(GeoScore(point)), in.Next()});
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  AddMembers(ctx, options, members);
}

// Replies with an array of what `show` replies for the place of each member that is named.
template <typename Show>
void ReplyForMembers(CommandContext& ctx, void (*show_none)(ReplyWriter&), Show show) {
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view member : ctx.args.subspan(2)) {
    const auto score = set ? set->Score(member) : std::nullopt;
    score ? show(GeoPointOf(*score)) : show_none(ctx.reply);
  }
}

void GeoHash(CommandContext& ctx) {
  ReplyForMembers(
      ctx, [](ReplyWriter& reply) { reply.Null(); },
      [&](const GeoPoint& point) { ctx.reply.Bulk(GeoHashText(point)); });
}

void GeoPos(CommandContext& ctx) {
  ReplyForMembers(
      ctx, [](ReplyWriter& reply) { reply.NullArray(); },
      [&](const GeoPoint& point) { ReplyGeoPoint(ctx.reply, point); });
}

void GeoDist(CommandContext& ctx) {
  if (ctx.args.size() > 5) return ctx.reply.Error(errors::kSyntax);
  ArgumentReader in(ctx.args, 4);
  const double unit_meters = in.More() ? ReadGeoUnit(in) : 1;
  if (!in.ok()) return ctx.reply.Error(in.error());
  const auto set = ReadAs<SortedSet>(ctx);
  if (set.wrong()) return;
  const auto from = set ? set->Score(ctx.args[2]) : std::nullopt;
  const auto to = set ? set->Score(ctx.args[3]) : std::nullopt;
  if (!from || !to) return ctx.reply.Null();
  ReplyGeoDistance(ctx.reply, DistanceInMeters(GeoPointOf(*from), GeoPointOf(*to)) / unit_meters);
}

constexpr CommandRow kRows[] = {
    {"geoadd", -5, kWrite | kDenyOom, kOneKey, KeyAccess::kUpdate, "geo", "geo", "3.2.0",
     "O(log N) per member, N members in the set",
     "Add places to a sorted set by longitude and latitude",
     "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]", GeoAdd},
    {"geohash", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "3.2.0",
     "O(1) per member", "The geohashes of places, as texts", "key [member [member ...]]", GeoHash},
    {"geopos", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "3.2.0",
     "O(1) per member", "Longitude and latitude of places", "key [member [member ...]]", GeoPos},
    {"geodist", -4, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "3.2.0", "O(1)",
     "How far two places are apart", "key member1 member2 [M | KM | FT | MI]", GeoDist},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> GeoCommands() { return kRows; }

}  // namespace lapse
