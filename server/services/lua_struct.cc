// The library `struct`: numbers and strings to bytes and back, by a format of one letter each.
//
//   <  >  !n  blank    byte order, alignment to n, nothing
//   b B h H l L T in In    integers of 1, 2, 8, 8 and n bytes, signed where the letter is small
//   f d x cn c0 s          float, double, a zero, n bytes, as many as counted before, up to a zero

#include <bit>
#include <cctype>
#include <climits>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "server/services/lua_sandbox.h"

namespace lapse {
namespace {

constexpr int kMaxIntegerBytes = 32;
constexpr int kDefaultAlignment = 8;

class Format {
 public:
  Format(lua_State* lua, const char* text) : lua_(lua), at_(text) {}

  struct Option {
    char letter = 0;
    size_t size = 0;
    size_t padding = 0;  // before it
  };

  // Reads the next option for data at `position`; false at the end.
  bool Next(size_t position, Option& option) {
    if (*at_ == '\0') return false;
    option.letter = *at_++;
    option.size = SizeOf(option.letter);
    option.padding = Padding(position, option);
    return true;
  }

  // Takes an option that stands for no data, or says that there is no such option.
  void Control(char letter) {
    switch (letter) {
      case ' ':
        return;
      case '>':
        little_ = false;
        return;
      case '<':
        little_ = true;
        return;
      case '!': {
        const int alignment = Number(kDefaultAlignment);
        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
          luaL_error(lua_, "alignment %d is not a power of 2", alignment);
        }
        alignment_ = static_cast<size_t>(alignment);
        return;
      }
      default:
        luaL_argerror(lua_, 1, lua_pushfstring(lua_, "invalid format option '%c'", letter));
    }
  }

  bool little() const { return little_; }

 private:
  int Number(int otherwise) {
    if (std::isdigit(static_cast<unsigned char>(*at_)) == 0) return otherwise;
    int number = 0;
    while (std::isdigit(static_cast<unsigned char>(*at_)) != 0) {
      const int digit = *at_ - '0';
      if (number > (INT_MAX - digit) / 10) luaL_error(lua_, "integral size overflow");
      number = number * 10 + digit;
      ++at_;
    }
    return number;
  }

  size_t SizeOf(char letter) {
    switch (letter) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return 2;
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return static_cast<size_t>(Number(1));
      case 'i':
      case 'I': {
        const int size = Number(4);
        if (size > kMaxIntegerBytes) {
          luaL_error(lua_, "integral size %d is larger than limit of %d", size, kMaxIntegerBytes);
        }
        return static_cast<size_t>(size);
      }
      default:
        return 0;
    }
  }

  size_t Padding(size_t position, const Option& option) const {
    if (option.size == 0 || option.letter == 'c') return 0;
    const size_t unit = option.size > alignment_ ? alignment_ : option.size;
    return (unit - (position & (unit - 1))) & (unit - 1);
  }

  lua_State* lua_;
  const char* at_;
  bool little_ = true;
  size_t alignment_ = 1;
};

uint64_t BitsOf(double number) {
  if (number >= 0x1p64) return 0;
  if (number >= 0) return static_cast<uint64_t>(number);
  return number > -0x1p63 ? static_cast<uint64_t>(static_cast<int64_t>(number)) : uint64_t{1} << 63;
}

void AppendBytes(std::string& out, uint64_t bits, size_t size, bool little) {
  for (size_t i = 0; i < size; ++i) {
    const size_t byte = little ? i : size - 1 - i;
    out += byte < sizeof(bits) ? static_cast<char>(bits >> (8 * byte)) : '\0';
  }
}

uint64_t ReadBytes(const char* data, size_t size, bool little) {
  uint64_t bits = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = little ? size - 1 - i : i;
    bits = bits << 8 | static_cast<unsigned char>(data[at]);
  }
  return bits;
}

double ReadInteger(const char* data, const Format::Option& option, bool little) {
  const uint64_t bits = ReadBytes(data, option.size, little);
  if (std::islower(static_cast<unsigned char>(option.letter)) == 0)
    return static_cast<double>(bits);
  if (option.size == 0 || option.size > sizeof(bits)) {
    return static_cast<double>(static_cast<int64_t>(bits));
  }
  const int unused = static_cast<int>(8 * (sizeof(bits) - option.size));
  return static_cast<double>(static_cast<int64_t>(bits << unused) >> unused);
}

bool IsInteger(char letter) { return std::strchr("bBhHlLTiI", letter) != nullptr; }

int Pack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  lua_pushnil(lua);  // so that a missing argument is one
  int argument = 2;
  std::string out;
  Format::Option option;
  while (format.Next(out.size(), option)) {
    out.append(option.padding, '\0');
    if (IsInteger(option.letter)) {
      AppendBytes(out, BitsOf(luaL_checknumber(lua, argument++)), option.size, format.little());
      continue;
    }
    switch (option.letter) {
      case 'x':
        out += '\0';
        break;
      case 'f': {
        const auto value = static_cast<float>(luaL_checknumber(lua, argument++));
        AppendBytes(out, std::bit_cast<uint32_t>(value), option.size, format.little());
        break;
      }
      case 'd': {
        const double value = luaL_checknumber(lua, argument++);
        AppendBytes(out, std::bit_cast<uint64_t>(value), option.size, format.little());
        break;
      }
      case 'c':
      case 's': {
        size_t size;
        const char* text = luaL_checklstring(lua, argument++, &size);
        if (option.size == 0) option.size = size;
        luaL_argcheck(lua, size >= option.size, argument, "string too short");
        out.append(text, option.size);
        if (option.letter == 's') out += '\0';
        break;
      }
      default:
        format.Control(option.letter);
    }
  }
  lua_pushlstring(lua, out.data(), out.size());
  return 1;
}

// What Unpack has come to.
struct Unpacking {
  lua_State* lua;
  std::string_view data;
  size_t position;
  int results;
};

void Require(const Unpacking& in, size_t size) {
  const bool fits = size <= in.data.size() && in.position <= in.data.size() - size;
  luaL_argcheck(in.lua, fits, 2, "data string too short");
}

void PushCounted(Unpacking& in, size_t& size) {
  if (size == 0) {
    if (in.results == 0 || lua_isnumber(in.lua, -1) == 0) {
      luaL_error(in.lua, "format 'c0' needs a previous size");
    }
    const double counted = lua_tonumber(in.lua, -1);
    lua_pop(in.lua, 1);
    --in.results;
    size = counted >= 0 && counted < 0x1p63 ? static_cast<size_t>(counted) : SIZE_MAX;
    Require(in, size);
  }
  lua_pushlstring(in.lua, in.data.data() + in.position, size);
}

void PushTerminated(Unpacking& in, size_t& size) {
  const size_t end = in.data.find('\0', in.position);
  if (end == in.data.npos) luaL_error(in.lua, "unfinished string in data");
  lua_pushlstring(in.lua, in.data.data() + in.position, end - in.position);
  size = end - in.position + 1;
}

int Unpack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  size_t size;
  const char* data = luaL_checklstring(lua, 2, &size);
  const auto start = static_cast<size_t>(luaL_optinteger(lua, 3, 1));
  luaL_argcheck(lua, start > 0, 3, "offset must be 1 or greater");
  Unpacking in{lua, {data, size}, start - 1, 0};
  Format::Option option;
  while (format.Next(in.position, option)) {
    in.position += option.padding;
    Require(in, option.size);
    luaL_checkstack(lua, 2, "too many results");
    const char* const bytes = data + in.position;
    if (IsInteger(option.letter)) {
      lua_pushnumber(lua, ReadInteger(bytes, option, format.little()));
    } else if (option.letter == 'f') {
      const auto bits = static_cast<uint32_t>(ReadBytes(bytes, option.size, format.little()));
      lua_pushnumber(lua, std::bit_cast<float>(bits));
    } else if (option.letter == 'd') {
      lua_pushnumber(lua, std::bit_cast<double>(ReadBytes(bytes, option.size, format.little())));
    } else if (option.letter == 'c') {
      PushCounted(in, option.size);
    } else if (option.letter == 's') {
      PushTerminated(in, option.size);
    } else {
      if (option.letter != 'x') format.Control(option.letter);
      --in.results;
    }
    ++in.results;
    in.position += option.size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(in.position + 1));
  return in.results + 1;
}

int Size(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  size_t position = 0;
  Format::Option option;
  while (format.Next(position, option)) {
    position += option.padding;
    if (option.letter == 's') return luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (option.letter == 'c' && option.size == 0) {
      return luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    }
    if (std::isalnum(static_cast<unsigned char>(option.letter)) == 0) format.Control(option.letter);
    position += option.size;
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(position));
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"pack", Pack},
    {"unpack", Unpack},
    {"size", Size},
    {nullptr, nullptr},
};

}  // namespace

int OpenStruct(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
  return 1;
}

}  // namespace lapse
