#include "tests/differential/recipes.h"

namespace lapse {
namespace {

std::string Field(Dice& dice) {
  if (dice.Chance(85)) return "f" + std::to_string(dice.Below(12));
  return dice.Chance(50) ? std::to_string(dice.Between(-3, 3)) : dice.Value();
}

Shot AddFields(Dice& dice) {
  Shot shot{{dice.OneOf({"HSET", "HSET", "HMSET"}), dice.Key()}};
  for (size_t i = 1 + dice.Below(4); i > 0; --i) {
    shot.request.push_back(Field(dice));
    shot.request.push_back(dice.Value());
  }
  if (dice.Chance(3)) shot.request.push_back(Field(dice));
  return shot;
}

Shot AddIfNew(Dice& dice) { return {{"HSETNX", dice.Key(), Field(dice), dice.Value()}}; }

Shot OneField(Dice& dice) {
  return {{dice.OneOf({"HGET", "HEXISTS", "HSTRLEN"}), dice.Key(), Field(dice)}};
}

Shot SomeFields(Dice& dice) {
  Shot shot{{dice.OneOf({"HMGET", "HDEL"}), dice.Key()}};
  for (size_t i = 1 + dice.Below(4); i > 0; --i) shot.request.push_back(Field(dice));
  return shot;
}

Shot All(Dice& dice) { return {{"HGETALL", dice.Key()}, Agreement::kAnyPairOrder}; }
Shot Half(Dice& dice) {
  return {{dice.OneOf({"HKEYS", "HVALS"}), dice.Key()}, Agreement::kAnyOrder};
}
Shot Length(Dice& dice) { return {{"HLEN", dice.Key()}}; }

Shot Count(Dice& dice) { return {{"HINCRBY", dice.Key(), Field(dice), dice.Integer()}}; }
Shot CountFloat(Dice& dice) { return {{"HINCRBYFLOAT", dice.Key(), Field(dice), dice.Float()}}; }

Shot Scan(Dice& dice) {
  Shot shot{{"HSCAN", dice.Key(), "0"}, Agreement::kKind};
  if (dice.Chance(30)) shot.request[2] = dice.OneOf({"1", "-1", "abc", "", "1.5", "99", " 1"});
  if (dice.Chance(40)) {
    shot.request.insert(shot.request.end(), {dice.AnyCase("MATCH"), dice.Pattern()});
  }
  if (dice.Chance(40)) {
    shot.request.insert(shot.request.end(), {dice.AnyCase("COUNT"), dice.Integer()});
  }
  return shot;
}

Shot Random(Dice& dice) {
  Shot shot{{"HRANDFIELD", dice.Key()}, Agreement::kKind};
  shot.spoiling = Spoiling::kNothing;  // a spoiled count may be a very large one
  if (dice.Chance(60)) shot.request.push_back(std::to_string(dice.Between(-5, 15)));
  if (shot.request.size() == 3 && dice.Chance(50)) {
    shot.request.push_back(dice.Chance(90) ? dice.AnyCase("WITHVALUES") : dice.Junk());
  }
  return shot;
}

constexpr Recipe kRecipes[] = {
    {12, AddFields}, {3, AddIfNew}, {8, OneField},   {6, SomeFields}, {5, All},    {4, Half},
    {2, Length},     {6, Count},    {5, CountFloat}, {3, Scan},       {3, Random},
};

}  // namespace

std::span<const Recipe> HashRecipes() { return kRecipes; }

}  // namespace lapse
