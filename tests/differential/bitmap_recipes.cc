// Bits and HyperLogLogs, both on strings.

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

std::string BitOffset(Dice& dice) {
  if (dice.Chance(10)) return dice.Offset();
  return std::to_string(dice.Below(dice.Chance(80) ? 100 : 4000));
}

std::string FieldType(Dice& dice) {
  if (dice.Chance(5)) return dice.OneOf({"u64", "i65", "u0", "i", "U8", "8", "u-1", "i08"});
  return (dice.Chance(50) ? "u" : "i") + std::to_string(1 + dice.Below(63));
}

std::string Member(Dice& dice) { return "m" + std::to_string(dice.Below(400)); }

Shot SetBit(Dice& dice) {
  const std::string bit = dice.Chance(95) ? std::to_string(dice.Below(2)) : dice.Integer();
  return {{"SETBIT", dice.Key(), BitOffset(dice), bit}};
}

Shot GetBit(Dice& dice) { return {{"GETBIT", dice.Key(), BitOffset(dice)}}; }

Shot BitCount(Dice& dice) {
  Shot shot{{"BITCOUNT", dice.Key()}};
  if (dice.Chance(30)) return shot;
  shot.request.insert(shot.request.end(), {dice.Offset(), dice.Offset()});
  if (dice.Chance(50)) shot.request.push_back(dice.AnyCase(dice.OneOf({"BIT", "BYTE"})));
  return shot;
}

Shot BitPos(Dice& dice) {
  Shot shot{{"BITPOS", dice.Key(), dice.OneOf({"0", "1", "0", "1", "0", "1", "2", "x"})}};
  for (size_t i = dice.Below(3); i > 0; --i) shot.request.push_back(dice.Offset());
  if (shot.request.size() == 5 && dice.Chance(60)) {
    shot.request.push_back(dice.AnyCase(dice.OneOf({"BIT", "BYTE"})));
  }
  return shot;
}

Shot BitOp(Dice& dice) {
  const std::string operation = dice.AnyCase(dice.OneOf({"AND", "OR", "XOR", "NOT"}));
  Shot shot{{"BITOP", operation, dice.Key(), dice.Key()}};
  if (operation != "NOT" || dice.Chance(5)) {
    for (size_t i = dice.Below(3); i > 0; --i) shot.request.push_back(dice.Key());
  }
  return shot;
}

Shot BitField(Dice& dice) {
  const bool ro = dice.Chance(20);
  Shot shot{{ro ? "BITFIELD_RO" : "BITFIELD", dice.Key()}};
  Request& request = shot.request;
  for (size_t i = dice.Below(5); i > 0; --i) {
    if (!ro && dice.Chance(40)) {
      request.push_back(dice.AnyCase("OVERFLOW"));
      request.push_back(dice.AnyCase(dice.OneOf({"WRAP", "SAT", "FAIL"})));
    }
    const std::string action =
        ro && dice.Chance(97) ? "GET" : dice.OneOf({"GET", "SET", "SET", "INCRBY", "INCRBY"});
    const std::string offset = dice.Chance(70) ? BitOffset(dice) : "#" + BitOffset(dice);
    request.insert(request.end(), {dice.AnyCase(action), FieldType(dice), offset});
    if (action != "GET") request.push_back(dice.Integer());
  }
  shot.spoiling = Spoiling::kLastWord;
  return shot;
}

Shot PfAdd(Dice& dice) {
  Shot shot{{"PFADD", dice.Key()}};
  for (size_t i = dice.Below(dice.Chance(90) ? 6 : 300); i > 0; --i) {
    shot.request.push_back(dice.Chance(95) ? Member(dice) : dice.Value());
  }
  return shot;
}

Shot PfCount(Dice& dice) {
  Shot shot{{dice.Chance(70) ? "PFCOUNT" : "PFMERGE", dice.Key()}};
  for (size_t i = dice.Below(3); i > 0; --i) shot.request.push_back(dice.Key());
  return shot;
}

Shot PfDebug(Dice& dice) {
  return {{"PFDEBUG", dice.OneOf({"ENCODING", "DECODE", "GETREG", "TODENSE", "x"}), dice.Key()}};
}

// A key of few, so that HyperLogLogs meet each other, and a look at their bytes.
Shot Sketch(Dice& dice) {
  const std::string key = dice.OneOf({"h1", "h2", "h3", "h4"});
  Shot shot = dice.OneOf({"a", "c"}) == "a" ? PfAdd(dice) : PfCount(dice);
  for (size_t i = 1; i < shot.request.size(); ++i) {
    if (i == 1 || shot.request[0] != "PFADD") {
      shot.request[i] = "h" + std::to_string(1 + dice.Below(4));
    }
  }
  if (dice.Chance(10)) return {{"GET", key}};
  if (dice.Chance(4)) return {{"DEL", key}};
  shot.spoiling = Spoiling::kNothing;
  return shot;
}

constexpr Recipe kRecipes[] = {
    {5, SetBit},   {3, GetBit}, {3, BitCount}, {4, BitPos},  {3, BitOp},
    {7, BitField}, {2, PfAdd},  {2, PfCount},  {1, PfDebug}, {12, Sketch},
};

}  // namespace

std::span<const Recipe> BitmapRecipes() { return kRecipes; }

}  // namespace lapse
