// Sorted sets live under keys of their own, so that they meet each other; now and then another key.

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

std::string SetKey(Dice& dice) {
  if (dice.Chance(3)) return dice.Key();
  return dice.OneOf({"z0", "z1", "z2", "z3", "z4"});
}

// Members of one score alone: for other sets, the answers to ranges by bytes mean nothing.
std::string LexKey(Dice& dice) { return dice.OneOf({"lex0", "lex1"}); }

std::string Member(Dice& dice) {
  switch (dice.Below(8)) {
    case 0:
      return std::to_string(dice.Between(-20, 20));
    case 1:
      return dice.OneOf({"", " ", "\xff", "\r\n", "a b", "007", "-0", "1e3"});
    case 2:
      return dice.Chance(95) ? "n" : std::string(63 + dice.Below(3), 'x');
    default:
      return "m" + std::to_string(dice.Below(40));
  }
}

std::string Score(Dice& dice) {
  if (dice.Chance(70)) return std::to_string(dice.Between(-10, 10));
  return dice.Chance(80) ? dice.OneOf({"inf", "-inf", "0.1", "1.5", "-2.25", "1e17", "3e300", "0"})
                         : dice.Float();
}

std::string ScoreBound(Dice& dice) { return (dice.Chance(30) ? "(" : "") + Score(dice); }

std::string LexBound(Dice& dice) {
  if (dice.Chance(25)) return dice.OneOf({"-", "+"});
  if (dice.Chance(5)) return dice.Junk();
  return dice.OneOf({"[", "("}) + Member(dice);
}

std::string Rank(Dice& dice) {
  return dice.Chance(95) ? std::to_string(dice.Between(-15, 40)) : dice.Offset();
}

void AddLimit(Dice& dice, Request& request) {
  if (!dice.Chance(35)) return;
  request.insert(request.end(), {dice.AnyCase("LIMIT"), Rank(dice), Rank(dice)});
}

void AddScores(Dice& dice, Request& request) {
  if (dice.Chance(40)) request.push_back(dice.AnyCase("WITHSCORES"));
}

Shot Add(Dice& dice) {
  Shot shot{{"ZADD", SetKey(dice)}};
  while (dice.Chance(25)) {
    shot.request.push_back(dice.AnyCase(dice.OneOf({"NX", "XX", "GT", "LT", "CH", "INCR"})));
  }
  for (size_t i = 1 + dice.Below(8); i > 0; --i) {
    shot.request.push_back(Score(dice));
    shot.request.push_back(Member(dice));
  }
  return shot;
}

Shot AddLex(Dice& dice) {
  Shot shot{{"ZADD", LexKey(dice)}, Agreement::kExact, Spoiling::kNothing};
  for (size_t i = 1 + dice.Below(8); i > 0; --i) {
    shot.request.push_back("0");
    shot.request.push_back(Member(dice));
  }
  return shot;
}

Shot IncrBy(Dice& dice) { return {{"ZINCRBY", SetKey(dice), Score(dice), Member(dice)}}; }

Shot OfMembers(Dice& dice) {
  Shot shot{
      {dice.OneOf({"ZREM", "ZSCORE", "ZMSCORE", "ZRANK", "ZREVRANK"}), SetKey(dice), Member(dice)},
      Agreement::kExact,
      Spoiling::kNothing};
  const char kind = shot.request[0][1];
  while ((kind == 'M' || shot.request[0] == "ZREM") && dice.Chance(50)) {
    shot.request.push_back(Member(dice));
  }
  return shot;
}

Shot Card(Dice& dice) { return {{"ZCARD", SetKey(dice)}}; }

Shot RangeByRank(Dice& dice) {
  Shot shot{{dice.OneOf({"ZRANGE", "ZREVRANGE"}), SetKey(dice), Rank(dice), Rank(dice)}};
  AddScores(dice, shot.request);
  if (dice.Chance(10)) shot.request.push_back("REV");
  if (dice.Chance(5)) AddLimit(dice, shot.request);
  return shot;
}

Shot RangeByScore(Dice& dice) {
  Shot shot{{dice.OneOf({"ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZRANGE"}), SetKey(dice),
             ScoreBound(dice), ScoreBound(dice)}};
  if (shot.request[0] == "ZRANGE") {
    shot.request.push_back(dice.AnyCase("BYSCORE"));
    if (dice.Chance(40)) shot.request.push_back(dice.AnyCase("REV"));
  }
  AddScores(dice, shot.request);
  AddLimit(dice, shot.request);
  return shot;
}

Shot RangeByLex(Dice& dice) {
  Shot shot{{dice.OneOf({"ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZRANGE", "ZLEXCOUNT"}), LexKey(dice),
             LexBound(dice), LexBound(dice)},
            Agreement::kExact,
            Spoiling::kLastWord};
  if (shot.request[0] == "ZRANGE") {
    shot.request.push_back(dice.AnyCase("BYLEX"));
    if (dice.Chance(40)) shot.request.push_back(dice.AnyCase("REV"));
  }
  if (shot.request[0] != "ZLEXCOUNT") AddLimit(dice, shot.request);
  return shot;
}

Shot Count(Dice& dice) { return {{"ZCOUNT", SetKey(dice), ScoreBound(dice), ScoreBound(dice)}}; }

Shot StoreRange(Dice& dice) {
  Shot shot{{"ZRANGESTORE", SetKey(dice), SetKey(dice), Rank(dice), Rank(dice)}};
  if (dice.Chance(40)) {
    shot.request[3] = ScoreBound(dice);
    shot.request[4] = ScoreBound(dice);
    shot.request.push_back("BYSCORE");
    AddLimit(dice, shot.request);
  }
  if (dice.Chance(30)) shot.request.push_back("REV");
  return shot;
}

Shot RemoveRange(Dice& dice) {
  switch (dice.Below(3)) {
    case 0:
      return {{"ZREMRANGEBYRANK", SetKey(dice), std::to_string(dice.Between(-5, 20)), Rank(dice)}};
    case 1:
      return {{"ZREMRANGEBYSCORE", SetKey(dice), ScoreBound(dice), ScoreBound(dice)}};
    default:
      return {{"ZREMRANGEBYLEX", LexKey(dice), LexBound(dice), LexBound(dice)},
              Agreement::kExact,
              Spoiling::kLastWord};
  }
}

Shot Pop(Dice& dice) {
  Shot shot{{dice.OneOf({"ZPOPMIN", "ZPOPMAX"}), SetKey(dice)}};
  if (dice.Chance(50)) shot.request.push_back(std::to_string(dice.Between(-1, 5)));
  return shot;
}

void AddKeys(Dice& dice, Request& request, size_t count) {
  request.push_back(std::to_string(count));
  for (size_t i = count; i > 0; --i) request.push_back(SetKey(dice));
}

Shot MultiPop(Dice& dice) {
  Shot shot{{"ZMPOP"}};
  AddKeys(dice, shot.request, 1 + dice.Below(3));
  shot.request.push_back(dice.AnyCase(dice.OneOf({"MIN", "MAX"})));
  if (dice.Chance(40)) {
    shot.request.insert(shot.request.end(),
                        {dice.AnyCase("COUNT"), std::to_string(dice.Between(0, 5))});
  }
  return shot;
}

Shot Combine(Dice& dice) {
  Shot shot{{dice.OneOf(
      {"ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"})}};
  const bool stores = shot.request[0].ends_with("STORE");
  const size_t keys = 1 + dice.Below(3);
  if (stores) shot.request.push_back(SetKey(dice));
  AddKeys(dice, shot.request, keys);
  if (shot.request[0] == "ZINTERCARD") {
    if (dice.Chance(40)) shot.request.insert(shot.request.end(), {"LIMIT", Rank(dice)});
    return shot;
  }
  if (dice.Chance(30)) {
    shot.request.push_back(dice.AnyCase("WEIGHTS"));
    for (size_t i = 0; i < keys; ++i) shot.request.push_back(Score(dice));
  }
  if (dice.Chance(30)) {
    shot.request.insert(shot.request.end(),
                        {dice.AnyCase("AGGREGATE"), dice.OneOf({"SUM", "MIN", "max"})});
  }
  if (!stores) AddScores(dice, shot.request);
  return shot;
}

Shot RandMember(Dice& dice) {
  Shot shot{{"ZRANDMEMBER", SetKey(dice)}, Agreement::kErrors, Spoiling::kNothing};
  if (dice.Chance(70)) shot.request.push_back(std::to_string(dice.Between(-9, 9)));
  return shot;
}

constexpr Recipe kRecipes[] = {
    {20, Add},        {6, AddLex},       {5, IncrBy},     {12, OfMembers}, {2, Card},
    {8, RangeByRank}, {8, RangeByScore}, {6, RangeByLex}, {3, Count},      {3, StoreRange},
    {3, RemoveRange}, {4, Pop},          {3, MultiPop},   {10, Combine},   {2, RandMember},
};

// --- Places. ---

// Never a set of other members: where many are equally far away, the order of some is open.
std::string GeoKey(Dice& dice) { return dice.OneOf({"g0", "g0", "g1", "g1", "g1", "g none"}); }

std::string Place(Dice& dice) { return "p" + std::to_string(dice.Below(40)); }

std::string Degrees(Dice& dice, int64_t least, int64_t most) {
  if (dice.Chance(3)) return dice.Float();
  return std::to_string(dice.Between(least, most - 1)) + "." +
         std::to_string(100'000 + dice.Below(900'000));
}

// Mostly in one region, so that searches find something.
void AddPoint(Dice& dice, Request& request) {
  const bool far = dice.Chance(25);
  request.push_back(far ? Degrees(dice, -179, 180) : Degrees(dice, 10, 20));
  request.push_back(far ? Degrees(dice, -85, 85) : Degrees(dice, 30, 40));
}

std::string Unit(Dice& dice) { return dice.AnyCase(dice.OneOf({"M", "KM", "FT", "MI"})); }

std::string Distance(Dice& dice) {
  return dice.OneOf(
      {"0", "1", "10.5", "300", "5000", "123456.7", "1000000", "9000000", "30000000"});
}

Shot GeoAdd(Dice& dice) {
  Shot shot{{"GEOADD", GeoKey(dice)}};
  while (dice.Chance(15)) shot.request.push_back(dice.AnyCase(dice.OneOf({"NX", "XX", "CH"})));
  for (size_t i = 1 + dice.Below(5); i > 0; --i) {
    AddPoint(dice, shot.request);
    shot.request.push_back(Place(dice));
  }
  return shot;
}

Shot OfPlaces(Dice& dice) {
  return {{dice.OneOf({"GEOPOS", "GEOHASH", "GEODIST"}), GeoKey(dice), Place(dice), Place(dice)}};
}

void AddGeoOptions(Dice& dice, Request& request) {
  while (dice.Chance(50)) {
    request.push_back(
        dice.AnyCase(dice.OneOf({"WITHDIST", "WITHHASH", "WITHCOORD", "ASC", "DESC", "ANY"})));
  }
  if (dice.Chance(40)) {
    request.insert(request.end(), {dice.AnyCase("COUNT"), std::to_string(dice.Between(0, 6))});
  }
}

Shot Radius(Dice& dice) {
  const bool by_member = dice.Chance(50);
  Shot shot{{by_member ? "GEORADIUSBYMEMBER" : "GEORADIUS", GeoKey(dice)}};
  if (by_member) shot.request.push_back(Place(dice));
  if (!by_member) AddPoint(dice, shot.request);
  shot.request.insert(shot.request.end(), {Distance(dice), Unit(dice)});
  const bool stores = dice.Chance(20);
  if (stores) shot.request.insert(shot.request.end(), {dice.OneOf({"STORE", "STOREDIST"}), "g2"});
  if (!stores && dice.Chance(30)) shot.request[0] += "_RO";
  if (!stores || dice.Chance(20)) AddGeoOptions(dice, shot.request);
  return shot;
}

Shot GeoSearch(Dice& dice) {
  const bool stores = dice.Chance(25);
  Shot shot{{stores ? "GEOSEARCHSTORE" : "GEOSEARCH"}};
  if (stores) shot.request.push_back("g2");
  shot.request.push_back(GeoKey(dice));
  if (dice.Chance(50)) {
    shot.request.insert(shot.request.end(), {dice.AnyCase("FROMMEMBER"), Place(dice)});
  } else {
    shot.request.push_back(dice.AnyCase("FROMLONLAT"));
    AddPoint(dice, shot.request);
  }
  if (dice.Chance(50)) {
    shot.request.insert(shot.request.end(), {dice.AnyCase("BYRADIUS"), Distance(dice), Unit(dice)});
  } else {
    shot.request.insert(shot.request.end(),
                        {dice.AnyCase("BYBOX"), Distance(dice), Distance(dice), Unit(dice)});
  }
  if (stores && dice.Chance(50)) shot.request.push_back("STOREDIST");
  if (!stores || dice.Chance(20)) AddGeoOptions(dice, shot.request);
  return shot;
}

constexpr Recipe kGeoRecipes[] = {{8, GeoAdd}, {5, OfPlaces}, {6, Radius}, {8, GeoSearch}};

}  // namespace

std::span<const Recipe> SortedSetRecipes() { return kRecipes; }

std::span<const Recipe> GeoRecipes() { return kGeoRecipes; }

}  // namespace lapse
