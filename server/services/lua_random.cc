// math.random and math.randomseed, with a generator of the sandbox's own, so that a seed gives the
// same numbers on every machine and in every server that speaks this dialect: the 48-bit linear
// congruential generator of POSIX's lrand48.

#include <cmath>
#include <cstdint>

#include "server/services/lua_sandbox.h"

namespace lapse {
namespace {

constexpr uint64_t kFactor = 0x5DEECE66D;
constexpr uint64_t kAddend = 0xB;
constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
constexpr uint64_t kSeedLow = 0x330E;
constexpr double kRange = 2147483647;

// The functions share one generator, a userdata that both have as an upvalue.
uint64_t& StateOf(lua_State* lua) {
  return *static_cast<uint64_t*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

void Seed(uint64_t& state, uint32_t seed) { state = uint64_t{seed} << 16 | kSeedLow; }

// 31 bits.
int32_t NextNumber(uint64_t& state) {
  state = (state * kFactor + kAddend) & kMask;
  return static_cast<int32_t>(state >> 17);
}

int Random(lua_State* lua) {
  const auto number = NextNumber(StateOf(lua)) % static_cast<int32_t>(kRange);
  const double share = number / kRange;
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, share);
      return 1;
    case 1: {
      const int most = luaL_checkint(lua, 1);
      luaL_argcheck(lua, 1 <= most, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(share * most) + 1);
      return 1;
    }
    case 2: {
      const int least = luaL_checkint(lua, 1);
      const int most = luaL_checkint(lua, 2);
      luaL_argcheck(lua, least <= most, 2, "interval is empty");
      const double width = static_cast<double>(most) - least + 1;
      lua_pushnumber(lua, std::floor(share * width) + least);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

int RandomSeed(lua_State* lua) {
  Seed(StateOf(lua), static_cast<uint32_t>(luaL_checkint(lua, 1)));
  return 0;
}

}  // namespace

void AddRandom(lua_State* lua) {
  Seed(*static_cast<uint64_t*>(lua_newuserdata(lua, sizeof(uint64_t))), 0);
  lua_pushvalue(lua, -1);
  lua_pushcclosure(lua, Random, 1);
  lua_setfield(lua, -3, "random");
  lua_pushcclosure(lua, RandomSeed, 1);
  lua_setfield(lua, -2, "randomseed");
}

}  // namespace lapse
