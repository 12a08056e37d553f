#include "server/services/script_reply.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "protocol/number.h"

namespace lapse {
namespace {

constexpr int kSlotsALevel = 6;

void SetText(lua_State* lua, const char* name, std::string_view text) {
  lua_pushstring(lua, name);
  lua_pushlstring(lua, text.data(), text.size());
  lua_rawset(lua, -3);
}

void PushTextTable(lua_State* lua, const char* name, std::string_view text) {
  lua_createtable(lua, 0, 1);
  SetText(lua, name, text);
}

int64_t HeaderNumber(std::string_view line) {
  int64_t number = 0;
  size_t i = !line.empty() && line.front() == '-' ? 1 : 0;
  for (; i < line.size(); ++i) number = number * 10 + (line[i] - '0');
  return !line.empty() && line.front() == '-' ? -number : number;
}

class ReplyReader {
 public:
  ReplyReader(lua_State* lua, std::string_view bytes) : lua_(lua), left_(bytes) {}

  std::string_view left() const { return left_; }

  // Recursion is bounded by Lua's stack.
  void Push() {
    luaL_checkstack(lua_, kSlotsALevel, "lua stack limit reach when parsing redis.call reply");
    const char type = left_.front();
    const std::string_view line = TakeLine().substr(1);
    switch (type) {
      case '+':
        return PushTextTable(lua_, "ok", line);
      case '-':
        return PushTextTable(lua_, "err", line);
      case ':':
        return lua_pushnumber(lua_, static_cast<double>(HeaderNumber(line)));
      case '$':
        return PushBulk(HeaderNumber(line));
      case '*':
      case '>':
        return PushArray(HeaderNumber(line));
      default:
        PushTyped(type, line);
    }
  }

 private:
  std::string_view TakeLine() {
    const size_t end = left_.find('\r');
    const std::string_view line = left_.substr(0, end);
    left_.remove_prefix(end + 2);
    return line;
  }

  std::string_view TakeBytes(size_t size) {
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size + 2);
    return bytes;
  }

  void PushBulk(int64_t size) {
    if (size < 0) return lua_pushboolean(lua_, 0);
    const std::string_view bytes = TakeBytes(static_cast<size_t>(size));
    lua_pushlstring(lua_, bytes.data(), bytes.size());
  }

  void PushArray(int64_t count) {
    if (count < 0) return lua_pushboolean(lua_, 0);
    lua_createtable(lua_, static_cast<int>(count), 0);
    for (int i = 1; i <= count; ++i) {
      Push();
      lua_rawseti(lua_, -2, i);
    }
  }

  // What only RESP3 has.
  void PushTyped(char type, std::string_view line) {
    switch (type) {
      case '%':
        return PushKeyed("map", HeaderNumber(line), false);
      case '~':
        return PushKeyed("set", HeaderNumber(line), true);
      case ',':
        lua_createtable(lua_, 0, 1);
        lua_pushliteral(lua_, "double");
        lua_pushnumber(lua_, std::strtod(std::string(line).c_str(), nullptr));
        return lua_rawset(lua_, -3);
      case '#':
        return lua_pushboolean(lua_, line == "t" ? 1 : 0);
      case '(':
        return PushTextTable(lua_, "big_number", line);
      case '=':
        return PushVerbatim(TakeBytes(static_cast<size_t>(HeaderNumber(line))));
      default:
        lua_pushnil(lua_);
    }
  }

  void PushKeyed(const char* name, int64_t count, bool is_set) {
    lua_createtable(lua_, 0, 1);
    lua_pushstring(lua_, name);
    lua_createtable(lua_, 0, static_cast<int>(count));
    for (int64_t i = 0; i < count; ++i) {
      Push();
      if (is_set) {
        lua_pushboolean(lua_, 1);
      } else {
        Push();
      }
      lua_rawset(lua_, -3);
    }
    lua_rawset(lua_, -3);
  }

  void PushVerbatim(std::string_view bytes) {
    constexpr size_t kFormatChars = 3;
    lua_createtable(lua_, 0, 1);
    lua_pushliteral(lua_, "verbatim_string");
    lua_createtable(lua_, 0, 2);
    SetText(lua_, "string", bytes.substr(kFormatChars + 1));
    SetText(lua_, "format", bytes.substr(0, kFormatChars));
    lua_rawset(lua_, -3);
  }

  lua_State* lua_;
  std::string_view left_;
};

class ValueWriter {
 public:
  ValueWriter(lua_State* lua, ReplyWriter& reply, int script_resp)
      : lua_(lua), reply_(reply), script_resp_(script_resp) {}

  // Pops a value and writes it. Recursion is bounded by Lua's stack.
  void Write() {
    if (lua_checkstack(lua_, kSlotsALevel) == 0) {
      reply_.Error("ERR reached lua stack limit");
      lua_pop(lua_, 1);
      return;
    }
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        reply_.Bulk(Text());
        break;
      case LUA_TNUMBER:
        reply_.Integer(Truncated(lua_tonumber(lua_, -1)));
        break;
      case LUA_TBOOLEAN:
        WriteBoolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TTABLE:
        WriteTable();
        break;
      default:
        reply_.Null();
    }
    lua_pop(lua_, 1);
  }

 private:
  // As the processor cuts it off: what no integer can hold becomes the least.
  static int64_t Truncated(double number) {
    if (number > -0x1p63 && number < 0x1p63) return static_cast<int64_t>(number);
    return INT64_MIN;
  }

  std::string_view Text() {
    size_t size;
    const char* text = lua_tolstring(lua_, -1, &size);
    return {text, size};
  }

  void WriteBoolean(bool value) {
    if (script_resp_ >= 3) return reply_.Boolean(value);
    value ? reply_.Integer(1) : reply_.Null();
  }

  // Pushes the table's field if that is of the type; else nothing.
  bool PushField(const char* name, int type) {
    lua_pushstring(lua_, name);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  void WriteTable() {
    if (PushField("err", LUA_TSTRING)) {
      reply_.Error(Text());
    } else if (PushField("ok", LUA_TSTRING)) {
      reply_.Simple(Text());
    } else if (PushField("double", LUA_TNUMBER)) {
      reply_.Double(lua_tonumber(lua_, -1));
    } else if (PushField("map", LUA_TTABLE)) {
      WriteKeyed(false);
    } else if (PushField("set", LUA_TTABLE)) {
      WriteKeyed(true);
    } else if (PushField("big_number", LUA_TSTRING)) {
      // A line of the protocol, which must stay one.
      std::string digits(Text());
      std::replace_if(
          digits.begin(), digits.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
      reply_.BigNumber(digits);
    } else if (PushField("verbatim_string", LUA_TTABLE)) {
      if (!WriteVerbatim()) {
        lua_pop(lua_, 1);
        return WriteArray();
      }
    } else {
      return WriteArray();
    }
    lua_pop(lua_, 1);
  }

  void WriteArray() {
    const size_t mark = reply_.BeginArray();
    int count = 0;
    for (;; ++count) {
      lua_rawgeti(lua_, -1, count + 1);
      if (lua_isnil(lua_, -1)) break;
      Write();
    }
    lua_pop(lua_, 1);
    reply_.EndArray(mark, static_cast<size_t>(count));
  }

  void WriteKeyed(bool is_set) {
    const size_t mark = reply_.BeginMap();
    size_t count = 0;
    lua_pushnil(lua_);
    for (; lua_next(lua_, -2) != 0; ++count) {
      if (is_set) {
        lua_pop(lua_, 1);
        lua_pushvalue(lua_, -1);
        Write();
      } else {
        lua_pushvalue(lua_, -2);
        Write();
        Write();
      }
    }
    is_set ? reply_.EndSet(mark, count) : reply_.EndMap(mark, count);
  }

  bool WriteVerbatim() {
    constexpr size_t kFormatChars = 3;
    if (!PushField("string", LUA_TSTRING)) return false;
    const std::string_view text = Text();
    lua_pop(lua_, 1);  // the table still holds it
    if (!PushField("format", LUA_TSTRING)) return false;
    reply_.Verbatim(Text().substr(0, kFormatChars), text);
    lua_pop(lua_, 1);
    return true;
  }

  lua_State* lua_;
  ReplyWriter& reply_;
  const int script_resp_;
};

}  // namespace

std::string_view PushReply(lua_State* lua, std::string_view bytes) {
  ReplyReader reader(lua, bytes);
  reader.Push();
  return reader.left();
}

void WriteValue(lua_State* lua, ReplyWriter& reply, int script_resp) {
  ValueWriter(lua, reply, script_resp).Write();
}

}  // namespace lapse
