#include "tests/differential/recipes.h"

namespace lapse {
namespace {

Shot OneKey(Dice& dice, std::string_view name) { return {{std::string(name), dice.Key()}}; }

// From a small set, so that searches find something.
std::string Element(Dice& dice) {
  if (dice.Chance(70)) return dice.OneOf({"a", "b", "c", "1", "-5", "70000", "", "a longer one"});
  return dice.Value();
}

std::string Index(Dice& dice) {
  return dice.Chance(95) ? std::to_string(dice.Between(-8, 8)) : dice.Integer();
}

std::string End(Dice& dice) { return dice.AnyCase(dice.Chance(50) ? "LEFT" : "RIGHT"); }

Shot Push(Dice& dice) {
  Shot shot{{dice.OneOf({"LPUSH", "RPUSH", "LPUSHX", "RPUSHX"}), dice.Key()}};
  for (size_t i = 1 + dice.Below(5); i > 0; --i) shot.request.push_back(Element(dice));
  return shot;
}

Shot PushMany(Dice& dice) {
  Shot shot{{dice.OneOf({"LPUSH", "RPUSH"}), dice.Key()}};
  for (size_t i = 100 + dice.Below(2000); i > 0; --i) shot.request.push_back(Element(dice));
  return shot;
}

Shot Pop(Dice& dice) {
  Shot shot = OneKey(dice, dice.Chance(50) ? "LPOP" : "RPOP");
  if (dice.Chance(30)) {
    shot.request.push_back(dice.Chance(90) ? std::to_string(dice.Below(400)) : dice.Integer());
  }
  return shot;
}

Shot Length(Dice& dice) { return OneKey(dice, "LLEN"); }

Shot Range(Dice& dice) {
  return {{dice.Chance(75) ? "LRANGE" : "LTRIM", dice.Key(), Index(dice), Index(dice)}};
}

Shot LIndex(Dice& dice) { return {{"LINDEX", dice.Key(), Index(dice)}}; }

Shot LSet(Dice& dice) { return {{"LSET", dice.Key(), Index(dice), Element(dice)}}; }

Shot Insert(Dice& dice) {
  return {{"LINSERT", dice.Key(), dice.AnyCase(dice.OneOf({"BEFORE", "AFTER"})), Element(dice),
           Element(dice)}};
}

Shot Remove(Dice& dice) {
  return {{"LREM", dice.Key(), std::to_string(dice.Between(-3, 3)), Element(dice)}};
}

Shot Pos(Dice& dice) {
  Shot shot{{"LPOS", dice.Key(), Element(dice)}};
  while (dice.Chance(40)) {
    shot.request.push_back(dice.AnyCase(dice.OneOf({"RANK", "COUNT", "MAXLEN"})));
    shot.request.push_back(dice.Chance(90) ? std::to_string(dice.Between(-2, 3)) : dice.Integer());
  }
  return shot;
}

Shot Move(Dice& dice) {
  if (dice.Chance(30)) return {{"RPOPLPUSH", dice.Key(), dice.Key()}};
  return {{"LMOVE", dice.Key(), dice.Key(), End(dice), End(dice)}};
}

Shot MPop(Dice& dice) {
  const size_t keys = 1 + dice.Below(3);
  Shot shot{{"LMPOP", dice.Chance(95) ? std::to_string(keys) : dice.Integer()}};
  for (size_t i = 0; i < keys; ++i) shot.request.push_back(dice.Key());
  shot.request.push_back(End(dice));
  if (dice.Chance(40)) {
    shot.request.push_back(dice.AnyCase("COUNT"));
    shot.request.push_back(dice.Chance(90) ? std::to_string(dice.Below(4)) : dice.Integer());
  }
  return shot;
}

// Blocking commands that have no time to block, or whose time is wrong.
Shot Blocking(Dice& dice) {
  const std::string timeout = dice.OneOf({"0.001", "1e-3", "-1", "x", "nan", "inf", "", "1e400"});
  switch (dice.Below(4)) {
    case 0:
      return {{dice.OneOf({"BLPOP", "BRPOP"}), dice.Key(), dice.Key(), timeout},
              Agreement::kExact,
              Spoiling::kNothing};
    case 1:
      return {{"BLMOVE", dice.Key(), dice.Key(), End(dice), End(dice), timeout},
              Agreement::kExact,
              Spoiling::kNothing};
    case 2:
      return {
          {"BRPOPLPUSH", dice.Key(), dice.Key(), timeout}, Agreement::kExact, Spoiling::kNothing};
    default:
      return {{"BLMPOP", timeout, "2", dice.Key(), dice.Key(), End(dice)},
              Agreement::kExact,
              Spoiling::kNothing};
  }
}

constexpr Recipe kRecipes[] = {
    {12, Push},  {1, PushMany}, {6, Pop}, {3, Length}, {6, Range}, {4, LIndex},   {4, LSet},
    {4, Insert}, {4, Remove},   {5, Pos}, {4, Move},   {3, MPop},  {3, Blocking},
};

}  // namespace

std::span<const Recipe> ListRecipes() { return kRecipes; }

}  // namespace lapse
