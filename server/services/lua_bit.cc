// The library `bit`: operations on 32-bit integers, with numbers reduced modulo 2^32 and results
// that are signed.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "server/services/lua_sandbox.h"

namespace lapse {
namespace {

constexpr int kHexDigits = 8;

// Adding 1.5 * 2^52 leaves the integer part, rounded to even, in the mantissa's low bits.
uint32_t BitsAt(lua_State* lua, int index) {
  constexpr double kBias = 6755399441055744.0;
  return static_cast<uint32_t>(std::bit_cast<uint64_t>(luaL_checknumber(lua, index) + kBias));
}

int PushBits(lua_State* lua, uint32_t bits) {
  lua_pushnumber(lua, static_cast<int32_t>(bits));
  return 1;
}

int ToBit(lua_State* lua) { return PushBits(lua, BitsAt(lua, 1)); }
int Not(lua_State* lua) { return PushBits(lua, ~BitsAt(lua, 1)); }

template <typename Combine>
int Fold(lua_State* lua, Combine combine) {
  uint32_t bits = BitsAt(lua, 1);
  for (int i = lua_gettop(lua); i > 1; --i) bits = combine(bits, BitsAt(lua, i));
  return PushBits(lua, bits);
}

int And(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a & b; });
}
int Or(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a | b; });
}
int Xor(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a ^ b; });
}

template <typename Move>
int Shift(lua_State* lua, Move move) {
  const uint32_t bits = BitsAt(lua, 1);
  return PushBits(lua, move(bits, BitsAt(lua, 2) & 31));
}

int ShiftLeft(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, uint32_t by) { return bits << by; });
}
int ShiftRight(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, uint32_t by) { return bits >> by; });
}
int ShiftSigned(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, uint32_t by) {
    return static_cast<uint32_t>(static_cast<int32_t>(bits) >> by);
  });
}
int RotateLeft(lua_State* lua) {
  return Shift(lua,
               [](uint32_t bits, uint32_t by) { return std::rotl(bits, static_cast<int>(by)); });
}
int RotateRight(lua_State* lua) {
  return Shift(lua,
               [](uint32_t bits, uint32_t by) { return std::rotr(bits, static_cast<int>(by)); });
}

int SwapBytes(lua_State* lua) { return PushBits(lua, __builtin_bswap32(BitsAt(lua, 1))); }

// So many digits; in capitals where the number is negative.
int ToHex(lua_State* lua) {
  uint32_t bits = BitsAt(lua, 1);
  int count = lua_isnone(lua, 2) ? kHexDigits : static_cast<int32_t>(BitsAt(lua, 2));
  const char* digits = "0123456789abcdef";
  if (count < 0) {
    count = count < -kHexDigits ? kHexDigits : -count;
    digits = "0123456789ABCDEF";
  }
  count = std::min(count, kHexDigits);
  char text[kHexDigits];
  for (int i = count; i-- > 0; bits >>= 4) text[i] = digits[bits & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(count));
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"tobit", ToBit},    {"bnot", Not},         {"band", And},          {"bor", Or},
    {"bxor", Xor},       {"lshift", ShiftLeft}, {"rshift", ShiftRight}, {"arshift", ShiftSigned},
    {"rol", RotateLeft}, {"ror", RotateRight},  {"bswap", SwapBytes},   {"tohex", ToHex},
    {nullptr, nullptr},
};

}  // namespace

int OpenBit(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  return 1;
}

}  // namespace lapse
