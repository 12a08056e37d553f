// The library `cmsgpack`: MessagePack's old specification (no binary or extension types), each
// number in the fewest bytes that keep it.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "server/services/lua_sandbox.h"

namespace lapse {
namespace {

constexpr int kMaxNesting = 16;  // tables within tables; deeper ones are packed as nil

// --- Packing. ---

class Packer {
 public:
  explicit Packer(lua_State* lua) : lua_(lua) {}

  // Appends the value on top of the stack, and pops it.
  void Append(int depth) {
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        AppendString();
        break;
      case LUA_TBOOLEAN:
        out_ += lua_toboolean(lua_, -1) != 0 ? '\xc3' : '\xc2';
        break;
      case LUA_TNUMBER:
        AppendNumber(lua_tonumber(lua_, -1));
        break;
      case LUA_TTABLE:
        if (depth == kMaxNesting) {
          out_ += '\xc0';
        } else {
          AppendTable(depth);
        }
        break;
      default:
        out_ += '\xc0';
    }
    lua_pop(lua_, 1);
  }

  const std::string& bytes() const { return out_; }

 private:
  template <typename T>
  void BigEndian(char tag, T value) {
    out_ += tag;
    for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8) {
      out_ += static_cast<char>(static_cast<uint64_t>(value) >> shift);
    }
  }

  void AppendString() {
    size_t size;
    const char* text = lua_tolstring(lua_, -1, &size);
    if (size < 32) {
      out_ += static_cast<char>(0xa0 | size);
    } else if (size <= 0xff) {
      BigEndian('\xd9', static_cast<uint8_t>(size));
    } else if (size <= 0xffff) {
      BigEndian('\xda', static_cast<uint16_t>(size));
    } else {
      BigEndian('\xdb', static_cast<uint32_t>(size));
    }
    out_.append(text, size);
  }

  void AppendNumber(double number) {
    // 2^63 itself is out of range; below it every integral double is an int64.
    if (std::floor(number) == number && number >= -0x1p63 && number < 0x1p63) {
      AppendInteger(static_cast<int64_t>(number));
    } else if (static_cast<double>(static_cast<float>(number)) == number) {
      BigEndian('\xca', std::bit_cast<uint32_t>(static_cast<float>(number)));
    } else {
      BigEndian('\xcb', std::bit_cast<uint64_t>(number));
    }
  }

  void AppendInteger(int64_t value) {
    if (value >= 0) {
      const auto number = static_cast<uint64_t>(value);
      if (number <= 127) {
        out_ += static_cast<char>(number);
      } else if (number <= 0xff) {
        BigEndian('\xcc', static_cast<uint8_t>(number));
      } else if (number <= 0xffff) {
        BigEndian('\xcd', static_cast<uint16_t>(number));
      } else if (number <= 0xffffffff) {
        BigEndian('\xce', static_cast<uint32_t>(number));
      } else {
        BigEndian('\xcf', number);
      }
    } else if (value >= -32) {
      out_ += static_cast<char>(value);
    } else if (value >= std::numeric_limits<int8_t>::min()) {
      BigEndian('\xd0', static_cast<uint8_t>(value));
    } else if (value >= std::numeric_limits<int16_t>::min()) {
      BigEndian('\xd1', static_cast<uint16_t>(value));
    } else if (value >= std::numeric_limits<int32_t>::min()) {
      BigEndian('\xd2', static_cast<uint32_t>(value));
    } else {
      BigEndian('\xd3', static_cast<uint64_t>(value));
    }
  }

  void AppendCount(size_t count, uint8_t small, char tag16, char tag32) {
    if (count <= 15) {
      out_ += static_cast<char>(small | count);
    } else if (count <= 0xffff) {
      BigEndian(tag16, static_cast<uint16_t>(count));
    } else {
      BigEndian(tag32, static_cast<uint32_t>(count));
    }
  }

  // Counts the keys; `is_array` tells whether they are 1 to their number.
  size_t Count(bool& is_array) {
    size_t count = 0;
    double most = 0;
    is_array = true;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pop(lua_, 1);
      const double key = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
      if (!(key >= 1) || std::floor(key) != key) is_array = false;
      if (key > most) most = key;
      ++count;
    }
    if (most != static_cast<double>(count)) is_array = false;
    return count;
  }

  // Recursion is bounded by kMaxNesting.
  void AppendTable(int depth) {
    luaL_checkstack(lua_, 5, "in function pack");
    bool is_array = false;
    const size_t count = Count(is_array);
    if (is_array) {
      AppendCount(count, 0x90, '\xdc', '\xdd');
      for (size_t i = 1; i <= count; ++i) {
        lua_rawgeti(lua_, -1, static_cast<int>(i));
        Append(depth + 1);
      }
      return;
    }
    AppendCount(count, 0x80, '\xde', '\xdf');
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pushvalue(lua_, -2);
      Append(depth + 1);
      Append(depth + 1);
    }
  }

  lua_State* lua_;
  std::string out_;
};

int Pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, 1, "too many arguments for MessagePack pack.");
  Packer packer(lua);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(lua, i);
    packer.Append(0);
  }
  lua_pushlstring(lua, packer.bytes().data(), packer.bytes().size());
  return 1;
}

// --- Unpacking. ---

class Unpacker {
 public:
  Unpacker(lua_State* lua, std::string_view bytes) : lua_(lua), left_(bytes) {}

  size_t left() const { return left_.size(); }

  // Pushes the next value. Recursion is bounded by Lua's stack, which refuses to grow for ever.
  void Push() {
    luaL_checkstack(lua_, 3,
                    "too many return values at once; use unpack_one or unpack_limit instead.");
    const auto tag = Take<uint8_t>();
    if (tag < 0x80) return lua_pushnumber(lua_, tag);
    if (tag >= 0xe0) return lua_pushnumber(lua_, static_cast<int8_t>(tag));
    if (tag < 0x90) return PushMap(tag & 15);
    if (tag < 0xa0) return PushArray(tag & 15);
    if (tag < 0xc0) return PushString(tag & 31);
    PushTagged(tag);
  }

 private:
  void PushTagged(uint8_t tag) {
    switch (tag) {
      case 0xc0:
        return lua_pushnil(lua_);
      case 0xc2:
        return lua_pushboolean(lua_, 0);
      case 0xc3:
        return lua_pushboolean(lua_, 1);
      case 0xca:
        return lua_pushnumber(lua_, std::bit_cast<float>(Take<uint32_t>()));
      case 0xcb:
        return lua_pushnumber(lua_, std::bit_cast<double>(Take<uint64_t>()));
      case 0xcc:
        return PushInteger(Take<uint8_t>());
      case 0xcd:
        return PushInteger(Take<uint16_t>());
      case 0xce:
        return PushInteger(Take<uint32_t>());
      case 0xcf:
        return lua_pushnumber(lua_, static_cast<double>(Take<uint64_t>()));
      case 0xd0:
        return PushInteger(static_cast<int8_t>(Take<uint8_t>()));
      case 0xd1:
        return PushInteger(static_cast<int16_t>(Take<uint16_t>()));
      case 0xd2:
        return PushInteger(static_cast<int32_t>(Take<uint32_t>()));
      case 0xd3:
        return PushInteger(static_cast<int64_t>(Take<uint64_t>()));
      case 0xd9:
        return PushString(Take<uint8_t>());
      case 0xda:
        return PushString(Take<uint16_t>());
      case 0xdb:
        return PushString(Take<uint32_t>());
      case 0xdc:
        return PushArray(Take<uint16_t>());
      case 0xdd:
        return PushArray(Take<uint32_t>());
      case 0xde:
        return PushMap(Take<uint16_t>());
      case 0xdf:
        return PushMap(Take<uint32_t>());
      default:
        luaL_error(lua_, "Bad data format in input.");
    }
  }

  void PushInteger(int64_t value) { lua_pushnumber(lua_, static_cast<double>(value)); }

  void Require(size_t size) {
    if (left_.size() < size) luaL_error(lua_, "Missing bytes in input.");
  }

  template <typename T>
  T Take() {
    Require(sizeof(T));
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value = value << 8 | static_cast<unsigned char>(left_[i]);
    }
    left_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }

  void PushString(size_t size) {
    Require(size);
    lua_pushlstring(lua_, left_.data(), size);
    left_.remove_prefix(size);
  }

  // What a count announces is not believed: tables grow as elements are found.
  void PushArray(size_t count) {
    lua_newtable(lua_);
    for (size_t i = 1; i <= count; ++i) {
      Push();
      lua_rawseti(lua_, -2, static_cast<int>(i));
    }
  }

  void PushMap(size_t count) {
    lua_newtable(lua_);
    for (size_t i = 0; i < count; ++i) {
      Push();
      Push();
      if (lua_isnil(lua_, -2) ||
          (lua_type(lua_, -2) == LUA_TNUMBER && std::isnan(lua_tonumber(lua_, -2)))) {
        luaL_error(lua_, "Bad data format in input.");
      }
      lua_rawset(lua_, -3);
    }
  }

  lua_State* lua_;
  std::string_view left_;
};

// Values from `offset` on, at most `limit` of them (0: all). With a limit the first result is where
// the next value is, or -1.
int UnpackFrom(lua_State* lua, int64_t limit, int64_t offset) {
  size_t size;
  const char* bytes = luaL_checklstring(lua, 1, &size);
  const auto whole = static_cast<int>(size);
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(offset), whole);
  }
  if (offset > static_cast<int64_t>(size)) {
    return luaL_error(lua, "Start offset %d greater than input length %d.",
                      static_cast<int>(offset), whole);
  }
  const int before = lua_gettop(lua);
  const bool all = limit == 0;
  Unpacker unpacker(lua, {bytes + offset, size - static_cast<size_t>(offset)});
  int count = 0;
  for (; unpacker.left() > 0 && (all || count < limit); ++count) unpacker.Push();
  if (all) return count;
  luaL_checkstack(lua, 1, "in function unpack");
  const bool done = unpacker.left() == 0;
  lua_pushinteger(lua, done ? -1 : static_cast<lua_Integer>(size - unpacker.left()));
  lua_insert(lua, before + 1);
  return count + 1;
}

int Unpack(lua_State* lua) { return UnpackFrom(lua, 0, 0); }

int UnpackOne(lua_State* lua) {
  const auto offset = luaL_optinteger(lua, 2, 0);
  lua_settop(lua, 1);
  return UnpackFrom(lua, 1, offset);
}

int UnpackLimit(lua_State* lua) {
  const auto limit = luaL_checkinteger(lua, 2);
  const auto offset = luaL_optinteger(lua, 3, 0);
  lua_settop(lua, 1);
  return UnpackFrom(lua, limit, offset);
}

constexpr luaL_Reg kFunctions[] = {
    {"pack", Pack},
    {"unpack", Unpack},
    {"unpack_one", UnpackOne},
    {"unpack_limit", UnpackLimit},
    {nullptr, nullptr},
};

void SetText(lua_State* lua, const char* name, const char* text) {
  lua_pushstring(lua, text);
  lua_setfield(lua, -2, name);
}

}  // namespace

int OpenMessagePack(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  SetText(lua, "_NAME", "cmsgpack");
  SetText(lua, "_VERSION", "lua-cmsgpack 0.4.0");
  SetText(lua, "_DESCRIPTION", "MessagePack C implementation for Lua");
  return 1;
}

}  // namespace lapse
