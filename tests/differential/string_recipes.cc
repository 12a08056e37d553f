#include "tests/differential/recipes.h"

namespace lapse {
namespace {

Shot OneKey(Dice& dice, std::string_view name) { return {{std::string(name), dice.Key()}}; }

void AddTtl(Dice& dice, Request& request) {
  switch (dice.Below(4)) {
    case 0:
      request.insert(request.end(), {dice.AnyCase("EX"), dice.Seconds()});
      break;
    case 1:
      request.insert(request.end(), {dice.AnyCase("PX"), dice.Milliseconds()});
      break;
    case 2:
      request.insert(request.end(), {dice.AnyCase("EXAT"), dice.UnixSeconds()});
      break;
    default:
      request.insert(request.end(), {dice.AnyCase("PXAT"), dice.UnixMilliseconds()});
  }
}

Shot Get(Dice& dice) { return OneKey(dice, "GET"); }
Shot GetDel(Dice& dice) { return OneKey(dice, "GETDEL"); }
Shot StrLen(Dice& dice) { return OneKey(dice, "STRLEN"); }
Shot Incr(Dice& dice) { return OneKey(dice, dice.Chance(50) ? "INCR" : "DECR"); }

Shot Set(Dice& dice) {
  Shot shot{{"SET", dice.Key(), dice.Value()}};
  while (dice.Chance(40)) {
    if (dice.Chance(50)) {
      AddTtl(dice, shot.request);
      shot.spoiling = Spoiling::kLastWord;
    } else {
      shot.request.push_back(dice.AnyCase(dice.OneOf({"NX", "XX", "GET", "KEEPTTL"})));
    }
  }
  return shot;
}

Shot SetNx(Dice& dice) {
  return {{dice.OneOf({"SETNX", "GETSET", "APPEND"}), dice.Key(), dice.Value()}};
}

Shot SetEx(Dice& dice) {
  const bool ms = dice.Chance(50);
  return {{ms ? "PSETEX" : "SETEX", dice.Key(), ms ? dice.Milliseconds() : dice.Seconds(),
           dice.Value()},
          Agreement::kExact,
          Spoiling::kLastWord};
}

Shot GetEx(Dice& dice) {
  Shot shot = OneKey(dice, "GETEX");
  shot.spoiling = Spoiling::kLastWord;
  if (dice.Chance(60)) AddTtl(dice, shot.request);
  if (dice.Chance(20)) shot.request.push_back("PERSIST");
  if (dice.Chance(5)) AddTtl(dice, shot.request);
  if (dice.Chance(3)) shot.request.push_back(dice.OneOf({"KEEPTTL", "NX", "GET", "", "EX"}));
  return shot;
}

Shot MGet(Dice& dice) {
  Shot shot{{"MGET"}};
  for (size_t i = dice.Below(6); i > 0; --i) shot.request.push_back(dice.Key());
  return shot;
}

Shot MSet(Dice& dice) {
  Shot shot{{dice.Chance(60) ? "MSET" : "MSETNX"}};
  for (size_t i = dice.Below(4); i > 0; --i) {
    shot.request.push_back(dice.Key());
    shot.request.push_back(dice.Value());
  }
  if (dice.Chance(5)) shot.request.push_back(dice.Key());
  return shot;
}

Shot IncrBy(Dice& dice) { return {{dice.OneOf({"INCRBY", "DECRBY"}), dice.Key(), dice.Integer()}}; }

Shot IncrByFloat(Dice& dice) { return {{"INCRBYFLOAT", dice.Key(), dice.Float()}}; }

Shot SetRange(Dice& dice) { return {{"SETRANGE", dice.Key(), dice.Offset(), dice.Value()}}; }

Shot GetRange(Dice& dice) {
  return {{dice.OneOf({"GETRANGE", "SUBSTR"}), dice.Key(), dice.Offset(), dice.Offset()}};
}

Shot Lcs(Dice& dice) {
  Shot shot{{"LCS", dice.Key(), dice.Key()}};
  if (dice.Chance(50)) shot.request.push_back(dice.AnyCase("IDX"));
  if (dice.Chance(30)) shot.request.push_back(dice.AnyCase("WITHMATCHLEN"));
  if (dice.Chance(30)) {
    shot.request.push_back(dice.AnyCase("MINMATCHLEN"));
    shot.request.push_back(dice.Chance(80) ? std::to_string(dice.Below(6)) : dice.Integer());
  }
  if (dice.Chance(20)) shot.request.push_back(dice.AnyCase("LEN"));
  return shot;
}

constexpr Recipe kRecipes[] = {
    {10, Get},   {3, GetDel},      {3, StrLen},   {8, Incr},     {14, Set},
    {8, SetNx},  {6, SetEx},       {8, GetEx},    {4, MGet},     {4, MSet},
    {6, IncrBy}, {6, IncrByFloat}, {4, SetRange}, {5, GetRange}, {4, Lcs},
};

}  // namespace

std::span<const Recipe> StringRecipes() { return kRecipes; }

}  // namespace lapse
