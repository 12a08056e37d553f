// The library `cjson`: its table, its settings, and encoding. Decoding is in lua_json_decode.cc.

#include "server/services/lua_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>

namespace lapse {
namespace {

constexpr int kMaxPrecision = 14;

class Encoder {
 public:
  Encoder(lua_State* lua, const JsonSettings& settings) : lua_(lua), settings_(settings) {}

  // Appends the value on top of the stack.
  void Append(int depth) {
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        return AppendString();
      case LUA_TNUMBER:
        return AppendNumber();
      case LUA_TBOOLEAN:
        out_ += lua_toboolean(lua_, -1) != 0 ? "true" : "false";
        return;
      case LUA_TTABLE:
        return AppendTable(depth + 1);
      case LUA_TNIL:
        out_ += "null";
        return;
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(lua_, -1) == nullptr) {
          out_ += "null";
          return;
        }
        [[fallthrough]];
      default:
        Fail(-1, "type not supported");
    }
  }

  const std::string& text() const { return out_; }

 private:
  void Fail(int index, const char* why) {
    luaL_error(lua_, "Cannot serialise %s: %s", luaL_typename(lua_, index), why);
  }

  void AppendNumber() {
    const double number = lua_tonumber(lua_, -1);
    if (!std::isfinite(number)) {
      switch (static_cast<InvalidNumbers>(settings_.encode_invalid)) {
        case InvalidNumbers::kRefuse:
          return Fail(-1, "must not be NaN or Inf");
        case InvalidNumbers::kNull:
          out_ += "null";
          return;
        case InvalidNumbers::kAllow:
          break;
      }
    }
    char digits[32];
    const int size = std::snprintf(digits, sizeof(digits), "%.*g", settings_.precision, number);
    out_.append(digits, static_cast<size_t>(size));
  }

  static std::string_view Escape(char c) {
    switch (c) {
      case '"':
        return "\\\"";
      case '\\':
        return "\\\\";
      case '/':
        return "\\/";
      case '\b':
        return "\\b";
      case '\t':
        return "\\t";
      case '\n':
        return "\\n";
      case '\f':
        return "\\f";
      case '\r':
        return "\\r";
      default:
        return {};
    }
  }

  void AppendString() {
    size_t size;
    const char* text = lua_tolstring(lua_, -1, &size);
    out_ += '"';
    for (const char c : std::string_view(text, size)) {
      if (const std::string_view escape = Escape(c); !escape.empty()) {
        out_ += escape;
      } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
        fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  // The largest index when all keys are positive integers and not too far apart; 0 for none and -1
  // for others.
  int ArrayLength() {
    int most = 0;
    int items = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      const double key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
      if (!(key >= 1) || key > INT_MAX || std::floor(key) != key) {
        lua_pop(lua_, 2);
        return -1;
      }
      most = std::max(most, static_cast<int>(key));
      ++items;
      lua_pop(lua_, 1);
    }
    const bool sparse = settings_.sparse_ratio > 0 && most > settings_.sparse_safe &&
                        most > int64_t{items} * settings_.sparse_ratio;
    if (!sparse) return most;
    if (settings_.sparse_convert == 0) Fail(-1, "excessively sparse array");
    return -1;
  }

  // Recursion is bounded by the settings' depth and by Lua's stack.
  void AppendTable(int depth) {
    if (depth > settings_.encode_max_depth || lua_checkstack(lua_, 3) == 0) {
      luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", depth);
    }
    const int length = ArrayLength();
    if (length > 0) {
      AppendArray(depth, length);
    } else {
      AppendObject(depth);
    }
  }

  void AppendArray(int depth, int length) {
    out_ += '[';
    for (int i = 1; i <= length; ++i) {
      if (i > 1) out_ += ',';
      lua_rawgeti(lua_, -1, i);
      Append(depth);
      lua_pop(lua_, 1);
    }
    out_ += ']';
  }

  void AppendKey() {
    switch (lua_type(lua_, -1)) {
      case LUA_TNUMBER:
        out_ += '"';
        AppendNumber();
        out_ += '"';
        break;
      case LUA_TSTRING:
        AppendString();
        break;
      default:
        Fail(-1, "table key must be a number or string");
    }
  }

  void AppendObject(int depth) {
    out_ += '{';
    bool first = true;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      if (!first) out_ += ',';
      first = false;
      lua_pushvalue(lua_, -2);
      AppendKey();
      lua_pop(lua_, 1);
      out_ += ':';
      Append(depth);
      lua_pop(lua_, 1);
    }
    out_ += '}';
  }

  lua_State* lua_;
  const JsonSettings& settings_;
  std::string out_;
};

// --- Settings. ---

void TakeArguments(lua_State* lua, int count) {
  luaL_argcheck(lua, lua_gettop(lua) <= count, count + 1, "found too many arguments");
  lua_settop(lua, count);
}

int IntegerSetting(lua_State* lua, int index, int& setting, int least, int most) {
  if (!lua_isnil(lua, index)) {
    const auto value = luaL_checkinteger(lua, index);
    const char* const range =
        lua_pushfstring(lua, "expected integer between %d and %d", least, most);
    luaL_argcheck(lua, least <= value && value <= most, 1, range);
    setting = static_cast<int>(value);
  }
  lua_pushinteger(lua, setting);
  return 1;
}

constexpr const char* kOffOn[] = {"off", "on", nullptr};
constexpr const char* kOffOnNull[] = {"off", "on", "null", nullptr};

int WordSetting(lua_State* lua, int index, int& setting, const char* const* words) {
  if (lua_isboolean(lua, index)) {
    setting = lua_toboolean(lua, index);
  } else if (!lua_isnil(lua, index)) {
    setting = luaL_checkoption(lua, index, nullptr, words);
  }
  if (setting <= 1) {
    lua_pushboolean(lua, setting);
  } else {
    lua_pushstring(lua, words[setting]);
  }
  return 1;
}

int SetSparseArray(lua_State* lua) {
  TakeArguments(lua, 3);
  JsonSettings& settings = JsonSettingsOf(lua);
  WordSetting(lua, 1, settings.sparse_convert, kOffOn);
  IntegerSetting(lua, 2, settings.sparse_ratio, 0, INT_MAX);
  IntegerSetting(lua, 3, settings.sparse_safe, 0, INT_MAX);
  lua_pushboolean(lua, settings.sparse_convert);
  lua_pushinteger(lua, settings.sparse_ratio);
  lua_pushinteger(lua, settings.sparse_safe);
  return 3;
}

int SetEncodeDepth(lua_State* lua) {
  TakeArguments(lua, 1);
  return IntegerSetting(lua, 1, JsonSettingsOf(lua).encode_max_depth, 1, INT_MAX);
}

int SetDecodeDepth(lua_State* lua) {
  TakeArguments(lua, 1);
  return IntegerSetting(lua, 1, JsonSettingsOf(lua).decode_max_depth, 1, INT_MAX);
}

int SetPrecision(lua_State* lua) {
  TakeArguments(lua, 1);
  return IntegerSetting(lua, 1, JsonSettingsOf(lua).precision, 1, kMaxPrecision);
}

int SetKeepBuffer(lua_State* lua) {
  TakeArguments(lua, 1);
  return WordSetting(lua, 1, JsonSettingsOf(lua).keep_buffer, kOffOn);
}

int SetEncodeInvalid(lua_State* lua) {
  TakeArguments(lua, 1);
  return WordSetting(lua, 1, JsonSettingsOf(lua).encode_invalid, kOffOnNull);
}

int SetDecodeInvalid(lua_State* lua) {
  TakeArguments(lua, 1);
  return WordSetting(lua, 1, JsonSettingsOf(lua).decode_invalid, kOffOn);
}

int New(lua_State* lua) { return OpenJson(lua); }

constexpr luaL_Reg kFunctions[] = {
    {"encode", EncodeJson},
    {"decode", DecodeJson},
    {"encode_sparse_array", SetSparseArray},
    {"encode_max_depth", SetEncodeDepth},
    {"decode_max_depth", SetDecodeDepth},
    {"encode_number_precision", SetPrecision},
    {"encode_keep_buffer", SetKeepBuffer},
    {"encode_invalid_numbers", SetEncodeInvalid},
    {"decode_invalid_numbers", SetDecodeInvalid},
    {"new", New},
};

}  // namespace

int EncodeJson(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  Encoder encoder(lua, JsonSettingsOf(lua));
  encoder.Append(0);
  lua_pushlstring(lua, encoder.text().data(), encoder.text().size());
  return 1;
}

int OpenJson(lua_State* lua) {
  lua_newtable(lua);
  new (lua_newuserdata(lua, sizeof(JsonSettings))) JsonSettings;
  for (const luaL_Reg& entry : kFunctions) {
    lua_pushvalue(lua, -1);
    lua_pushcclosure(lua, entry.func, 1);
    lua_setfield(lua, -3, entry.name);
  }
  lua_pop(lua, 1);
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_pushliteral(lua, "cjson");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "2.1.0");
  lua_setfield(lua, -2, "_VERSION");
  return 1;
}

}  // namespace lapse
