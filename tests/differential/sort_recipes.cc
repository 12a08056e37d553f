// SORT, with patterns that lead to the other recipes' keys.

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

Shot Sort(Dice& dice) {
  const bool read_only = dice.Chance(30);
  Shot shot{{read_only ? "SORT_RO" : "SORT", dice.Key()}};
  Request& request = shot.request;
  if (dice.Chance(60)) {
    request.push_back(dice.AnyCase("ALPHA"));
    // Redis compares texts up to a zero byte: others are equal, and come in no certain order.
    shot.agreement = Agreement::kAnyOrder;
  }
  if (dice.Chance(30)) {
    request.insert(request.end(), {"BY", dice.OneOf({"k*", "*", "k*->f1", "w*", "k1*"})});
    // Elements without a weight, or of equal ones, come in no order that means anything.
    shot.agreement = Agreement::kAnyOrder;
  }
  if (dice.Chance(40)) request.push_back(dice.AnyCase(dice.OneOf({"ASC", "DESC"})));
  for (size_t i = dice.Chance(40) ? 1 + dice.Below(2) : 0; i > 0; --i) {
    request.insert(request.end(),
                   {"GET", dice.OneOf({"#", "k*", "*", "k*->f1", "k*->", "k", "k*->*"})});
  }
  if (shot.agreement == Agreement::kExact && dice.Chance(40)) {
    request.insert(request.end(), {dice.AnyCase("LIMIT"), dice.Offset(), dice.Offset()});
  }
  if (!read_only && shot.agreement == Agreement::kExact && dice.Chance(20)) {
    request.insert(request.end(), {dice.AnyCase("STORE"), dice.Key()});
  }
  shot.spoiling = Spoiling::kNothing;
  return shot;
}

constexpr Recipe kRecipes[] = {{8, Sort}};

}  // namespace

std::span<const Recipe> SortRecipes() { return kRecipes; }

}  // namespace lapse
