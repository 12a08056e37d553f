// Sets. Where a member is drawn at random, both servers must go on with the same members: so that
// SPOP takes all there are, or none.

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

std::string Member(Dice& dice) {
  if (dice.Chance(60)) return std::to_string(dice.Below(30));
  if (dice.Chance(80)) return "m" + std::to_string(dice.Below(30));
  return dice.Value();
}

Shot OneKey(Dice& dice, std::string_view name, Agreement agreement = Agreement::kExact) {
  return {{std::string(name), dice.Key()}, agreement};
}

void AddMembers(Dice& dice, Shot& shot, size_t most) {
  for (size_t i = 1 + dice.Below(most); i > 0; --i) shot.request.push_back(Member(dice));
}

Shot SAdd(Dice& dice) {
  Shot shot = OneKey(dice, "SADD");
  AddMembers(dice, shot, dice.Chance(97) ? 6 : 900);
  return shot;
}

Shot SRem(Dice& dice) {
  Shot shot = OneKey(dice, "SREM");
  AddMembers(dice, shot, 8);
  return shot;
}

Shot IsMember(Dice& dice) {
  Shot shot = OneKey(dice, dice.Chance(50) ? "SISMEMBER" : "SMISMEMBER");
  AddMembers(dice, shot, shot.request[0] == "SISMEMBER" ? 1 : 5);
  return shot;
}

Shot SCard(Dice& dice) { return OneKey(dice, "SCARD"); }
Shot SMembers(Dice& dice) { return OneKey(dice, "SMEMBERS", Agreement::kAnyOrder); }
Shot SMove(Dice& dice) { return {{"SMOVE", dice.Key(), dice.Key(), Member(dice)}}; }

Shot SPop(Dice& dice) {
  Shot shot = OneKey(dice, "SPOP", Agreement::kAnyOrder);
  shot.request.push_back(dice.OneOf({"100000", "9223372036854775807", "0", "-1", "x", "1.0", ""}));
  shot.spoiling = Spoiling::kNothing;
  return shot;
}

Shot SRandMember(Dice& dice) {
  Shot shot = OneKey(dice, "SRANDMEMBER", Agreement::kKind);
  if (dice.Chance(30)) return shot;
  shot.request.push_back(dice.Chance(80) ? std::to_string(dice.Between(-20, 20))
                                         : dice.OneOf({"x", "", "-9223372036854775808"}));
  shot.spoiling = Spoiling::kNothing;
  return shot;
}

Shot Combine(Dice& dice) {
  Shot shot{{dice.OneOf({"SINTER", "SUNION", "SDIFF"})}, Agreement::kAnyOrder};
  for (size_t i = 1 + dice.Below(3); i > 0; --i) shot.request.push_back(dice.Key());
  return shot;
}

Shot Store(Dice& dice) {
  Shot shot{{dice.OneOf({"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"}), dice.Key()}};
  for (size_t i = 1 + dice.Below(3); i > 0; --i) shot.request.push_back(dice.Key());
  return shot;
}

Shot SInterCard(Dice& dice) {
  const size_t keys = 1 + dice.Below(3);
  Shot shot{{"SINTERCARD", dice.Chance(95) ? std::to_string(keys) : dice.Integer()}};
  for (size_t i = keys; i > 0; --i) shot.request.push_back(dice.Key());
  if (dice.Chance(40)) {
    shot.request.push_back(dice.AnyCase("LIMIT"));
    shot.request.push_back(dice.Chance(80) ? std::to_string(dice.Below(6)) : dice.Integer());
  }
  return shot;
}

Shot SScan(Dice& dice) {
  Shot shot{{"SSCAN", dice.Key(), dice.Chance(90) ? "0" : dice.Integer()}, Agreement::kErrors};
  if (dice.Chance(50)) shot.request.insert(shot.request.end(), {"MATCH", dice.Pattern()});
  if (dice.Chance(50)) {
    shot.request.insert(shot.request.end(), {dice.AnyCase("COUNT"), dice.Integer()});
  }
  return shot;
}

constexpr Recipe kRecipes[] = {
    {14, SAdd}, {5, SRem},        {5, IsMember}, {3, SCard}, {4, SMembers},   {4, SMove},
    {2, SPop},  {3, SRandMember}, {7, Combine},  {4, Store}, {3, SInterCard}, {3, SScan},
};

}  // namespace

std::span<const Recipe> SetRecipes() { return kRecipes; }

}  // namespace lapse
