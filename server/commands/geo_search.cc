// GEOSEARCH and what came before it: the members around a place.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/geo_arguments.h"
#include "server/commands/geo_hash.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/sorted_set_parts.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/values/sorted_set.h"

namespace lapse {
namespace {

constexpr Event kGeoSearchStoreEvent{"geosearchstore", 'z'};
constexpr Event kGeoRadiusStoreEvent{"georadiusstore", 'z'};

constexpr std::string_view kNoSuchMember = "ERR could not decode requested zset member";

enum class Order : uint8_t { kNone, kNearestFirst, kFarthestFirst };

// The commands of this file, by what they take.
struct Grammar {
  enum class Center : uint8_t { kPoint, kMember, kByOption };
  Center center = Center::kByOption;
  bool store_options = false;  // STORE key, STOREDIST key
  bool is_store = false;       // GEOSEARCHSTORE

  bool is_search() const { return center == Center::kByOption; }
};

struct Query {
  GeoShape shape;
  bool from_member = false;
  bool from_point = false;
  bool by_radius = false;
  bool by_box = false;
  Order order = Order::kNone;
  bool with_distance = false;
  bool with_hash = false;
  bool with_point = false;
  int64_t count = 0;  // 0: all
  bool any = false;   // the first that are found will do
  bool stores = false;
  bool stores_distance = false;
};

struct Found {
  std::string member;
  double score = 0;
  double distance = 0;  // in the query's unit
  GeoPoint point;
};

// --- The query. ---

class QueryReader {
 public:
  // `set`: what is searched; nullptr when there is none.
  QueryReader(CommandContext& ctx, const SortedSet* set, Grammar grammar)
      : ctx_(ctx), set_(set), grammar_(grammar), in_(ctx.args, grammar.is_store ? 3 : 2) {}

  // nullopt: an error has been replied.
  std::optional<Query> Read() {
    ReadCenter();
    while (in_.More()) {
      if (!ReadFlag() && !ReadOption()) in_.Fail(errors::kSyntax);
    }
    Check();
    if (in_.ok()) return query_;
    ctx_.reply.Error(in_.error());
    return std::nullopt;
  }

 private:
  void ReadCenter() {
    if (grammar_.is_search()) return;
    if (grammar_.center == Grammar::Center::kPoint) {
      query_.shape.center = ReadGeoPoint(in_);
    } else {
      TakeMember();
      // As in Redis, nothing is wrong with a radius that there is nothing to search by.
      if (set_ == nullptr) return in_.Next(), static_cast<void>(in_.Next());
    }
    ReadGeoCircle(in_, query_.shape);
  }

  void TakeMember() {
    const std::string_view member = in_.Next();
    if (set_ == nullptr) return;
    const auto score = set_->Score(member);
    if (!score) return in_.Fail(kNoSuchMember);
    query_.shape.center = GeoPointOf(*score);
  }

  bool ReadFlag() {
    const auto set = [&](std::string_view word, auto& field, auto value) {
      if (!in_.Match(word)) return false;
      field = value;
      return true;
    };
    return set("WITHDIST", query_.with_distance, true) || set("WITHHASH", query_.with_hash, true) ||
           set("WITHCOORD", query_.with_point, true) || set("ANY", query_.any, true) ||
           set("ASC", query_.order, Order::kNearestFirst) ||
           set("DESC", query_.order, Order::kFarthestFirst) ||
           (grammar_.is_store && set("STOREDIST", query_.stores_distance, true));
  }

  // The options with operands, of which each is none when these are missing.
  bool ReadOption() {
    const size_t operands = in_.left() - 1;
    if (operands >= 1 && in_.Match("COUNT")) {
      query_.count = in_.Integer();
      if (in_.ok() && query_.count <= 0) in_.Fail("ERR COUNT must be > 0");
      return true;
    }
    if (grammar_.store_options && operands >= 1) {
      const bool distance = in_.Match("STOREDIST");
      if (distance || in_.Match("STORE")) {
        in_.Next();
        query_.stores = true;
        query_.stores_distance = distance;
        return true;
      }
    }
    return grammar_.is_search() && ReadArea(operands);
  }

  bool ReadArea(size_t operands) {
    if (operands >= 1 && !query_.from_point && in_.Match("FROMMEMBER")) {
      query_.from_member = true;
      TakeMember();
    } else if (operands >= 2 && !query_.from_member && in_.Match("FROMLONLAT")) {
      query_.from_point = true;
      query_.shape.center = ReadGeoPoint(in_);
    } else if (operands >= 2 && !query_.by_box && in_.Match("BYRADIUS")) {
      query_.by_radius = true;
      ReadGeoCircle(in_, query_.shape);
    } else if (operands >= 3 && !query_.by_radius && in_.Match("BYBOX")) {
      query_.by_box = true;
      ReadGeoBox(in_, query_.shape);
    } else {
      return false;
    }
    return true;
  }

  void Check() {
    if (grammar_.is_store) query_.stores = true;
    if (query_.stores && (query_.with_distance || query_.with_hash || query_.with_point)) {
      in_.Fail(fmt::format("ERR {} is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                           grammar_.is_store ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS"));
    }
    if (grammar_.is_search() && !query_.from_member && !query_.from_point) {
      in_.Fail(fmt::format("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                           ctx_.args[0]));
    }
    if (grammar_.is_search() && !query_.by_radius && !query_.by_box) {
      in_.Fail(fmt::format("ERR exactly one of BYRADIUS and BYBOX can be specified for {}",
                           ctx_.args[0]));
    }
    if (query_.any && query_.count == 0) in_.Fail("ERR the ANY argument requires COUNT argument");
    // The nearest ones are wanted, unless any will do.
    if (query_.count != 0 && query_.order == Order::kNone && !query_.any) {
      query_.order = Order::kNearestFirst;
    }
  }

  CommandContext& ctx_;
  const SortedSet* const set_;
  const Grammar grammar_;
  ArgumentReader in_;
  Query query_;
};

// --- The search. ---

std::vector<Found> Search(const SortedSet& set, const Query& query) {
  std::vector<Found> found;
  const size_t most = query.any ? static_cast<size_t>(query.count) : SIZE_MAX;
  const auto look_through = [&](const GeoScores& scores) {
    const auto range = set.ByScore({.min = static_cast<double>(scores.first),
                                    .max = static_cast<double>(scores.end),
                                    .max_open = true});
    set.Walk(range, false, [&](std::string_view member, double score) {
      const GeoPoint point = GeoPointOf(score);
      if (const auto meters = query.shape.DistanceWithin(point)) {
        found.push_back({std::string(member), score, *meters / query.shape.unit_meters, point});
      }
      return found.size() < most;
    });
  };
  // A wide search may come round the globe to a cell again, which is left out where that was the
  // one before. (The one in the middle counts as none before, as in Redis.)
  const auto cells = CellsAround(query.shape);
  std::optional<GeoScores> before;
  for (size_t i = 0; i < cells.size() && found.size() < most; ++i) {
    if (!cells[i] || cells[i] == before) continue;
    look_through(*cells[i]);
    if (i > 0) before = cells[i];
  }
  return found;
}

void SortAndCut(std::vector<Found>& found, const Query& query) {
  if (query.order == Order::kNearestFirst) {
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.distance < b.distance; });
  } else if (query.order == Order::kFarthestFirst) {
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.distance > b.distance; });
  }
  const auto count = static_cast<size_t>(query.count);
  if (count != 0 && found.size() > count) found.resize(count);
}

void ReplyFound(ReplyWriter& reply, const std::vector<Found>& found, const Query& query) {
  const size_t details =
      (query.with_distance ? 1u : 0u) + (query.with_hash ? 1u : 0u) + (query.with_point ? 1u : 0u);
  reply.Array(found.size());
  for (const Found& place : found) {
    if (details > 0) reply.Array(1 + details);
    reply.Bulk(place.member);
    if (query.with_distance) ReplyGeoDistance(reply, place.distance);
    if (query.with_hash) reply.Integer(static_cast<int64_t>(place.score));
    if (query.with_point) ReplyGeoPoint(reply, place.point);
  }
}

void SearchWith(CommandContext& ctx, Grammar grammar) {
  const size_t source = grammar.is_store ? 1 : 0;
  const auto set = ReadAs<SortedSet>(ctx, source);
  if (set.wrong()) return;
  const auto query = QueryReader(ctx, set ? &*set : nullptr, grammar).Read();
  if (!query) return;
  std::vector<Found> found;
  if (set) found = Search(*set, *query);
  SortAndCut(found, *query);
  if (!query->stores) return ReplyFound(ctx.reply, found, *query);

  auto result = std::make_unique<SortedSet>();
  const SortedSet::Limits limits = SortedSetLimits(ctx);
  for (const Found& place : found) {
    result->Set(place.member, query->stores_distance ? place.distance : place.score, limits);
  }
  StoreResult(ctx, 1 - source, std::move(result),
              grammar.is_store ? kGeoSearchStoreEvent : kGeoRadiusStoreEvent);
  ctx.reply.Integer(static_cast<int64_t>(found.size()));
}

using Center = Grammar::Center;

void GeoRadius(CommandContext& ctx) {
  SearchWith(ctx, {.center = Center::kPoint, .store_options = true});
}

void GeoRadiusReadOnly(CommandContext& ctx) { SearchWith(ctx, {.center = Center::kPoint}); }

void GeoRadiusByMember(CommandContext& ctx) {
  SearchWith(ctx, {.center = Center::kMember, .store_options = true});
}

void GeoRadiusByMemberReadOnly(CommandContext& ctx) {
  SearchWith(ctx, {.center = Center::kMember});
}

void GeoSearch(CommandContext& ctx) { SearchWith(ctx, {}); }

void GeoSearchStore(CommandContext& ctx) { SearchWith(ctx, {.is_store = true}); }

// The source, then what the last STORE or STOREDIST names.
void FindRadiusKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  if (args.size() < 2) return;
  keys.push_back({1, KeyAccess::kReadOnly});
  constexpr size_t kFirstOption = 5;
  uint32_t target = 0;
  for (size_t i = kFirstOption; i + 1 < args.size(); ++i) {
    if (!EqualsIgnoreCase(args[i], "STORE") && !EqualsIgnoreCase(args[i], "STOREDIST")) continue;
    target = static_cast<uint32_t>(++i);
  }
  if (target != 0) keys.push_back({target, KeyAccess::kOverwrite});
}

constexpr std::string_view kCost =
    "O(log N + M log M), N members in the set, M in the cells that cover the area";

constexpr CommandRow kRows[] = {
    WithSpecs(
        WithKeys(
            {"georadius", -6, kWrite | kDenyOom, kOneKey, KeyAccess::kReadOnly, "geo", "geo",
             "3.2.0", kCost, "Places within a distance from a point",
             "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
             "[COUNT count [ANY]] [ASC | DESC] [STORE key] [STOREDIST key]",
             GeoRadius},
            FindRadiusKeys),
        kRadiusSpecs<6>),
    WithSpecs(WithKeys({"georadiusbymember", -5, kWrite | kDenyOom, kOneKey, KeyAccess::kReadOnly,
                        "geo", "geo", "3.2.0", kCost, "Places within a distance from another place",
                        "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
                        "[COUNT count [ANY]] [ASC | DESC] [STORE key] [STOREDIST key]",
                        GeoRadiusByMember},
                       FindRadiusKeys),
              kRadiusSpecs<5>),
    {"georadius_ro", -6, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "3.2.10", kCost,
     "Places within a distance from a point, without storing them",
     "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
     "[COUNT count [ANY]] [ASC | DESC]",
     GeoRadiusReadOnly},
    {"georadiusbymember_ro", -5, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "3.2.10",
     kCost, "Places within a distance from another place, without storing them",
     "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
     "[COUNT count [ANY]] [ASC | DESC]",
     GeoRadiusByMemberReadOnly},
    {"geosearch", -7, kReadOnly, kOneKey, KeyAccess::kReadOnly, "geo", "geo", "6.2.0", kCost,
     "Places within a circle or a rectangle",
     "key <FROMMEMBER member | FROMLONLAT longitude latitude> "
     "<BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] "
     "[COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
     GeoSearch},
    WithSpecs({"geosearchstore", -8, kWrite | kDenyOom, kTwoKeys, KeyAccess::kOverwrite, "geo",
               "geo", "6.2.0", kCost, "Store the places within a circle or a rectangle",
               "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> "
               "<BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC "
               "| DESC] "
               "[COUNT count [ANY]] [STOREDIST]",
               GeoSearchStore},
              kTargetThenSource),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> GeoSearchCommands() { return kRows; }

}  // namespace lapse
