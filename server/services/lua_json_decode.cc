// Decoding of the library `cjson`: a tokenizer, and a descent over its tokens. The texts of errors
// name tokens by the names that cjson gives them, since scripts show them to people.

#include <strings.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "server/services/lua_json.h"

namespace lapse {
namespace {

enum class Token : uint8_t {
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kString,
  kNumber,
  kBoolean,
  kNull,
  kColon,
  kComma,
  kEnd,
  kError,
};

constexpr const char* kTokenNames[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END",
                                       "T_STRING",    "T_NUMBER",  "T_BOOLEAN",   "T_NULL",
                                       "T_COLON",     "T_COMMA",   "T_END",       "T_ERROR"};

// A text that a zero byte follows, as Lua's strings have it; a zero byte within ends it, too.
class Decoder {
 public:
  Decoder(lua_State* lua, const JsonSettings& settings, std::string_view text)
      : lua_(lua), settings_(settings), begin_(text.data()), at_(text.data()) {}

  // Pushes the value that the whole text is.
  void Decode() {
    Advance();
    PushValue();
    Advance();
    if (token_ != Token::kEnd) Fail("the end");
  }

 private:
  // --- Tokens. ---

  void Advance() {
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r') ++at_;
    token_at_ = at_;
    switch (*at_) {
      case '{':
        return Take(Token::kObjectBegin, 1);
      case '}':
        return Take(Token::kObjectEnd, 1);
      case '[':
        return Take(Token::kArrayBegin, 1);
      case ']':
        return Take(Token::kArrayEnd, 1);
      case ':':
        return Take(Token::kColon, 1);
      case ',':
        return Take(Token::kComma, 1);
      case '\0':
        return Take(Token::kEnd, 0);
      case '"':
        return TakeString();
      default:
        return TakeWord();
    }
  }

  void Take(Token token, size_t size) {
    token_ = token;
    at_ += size;
  }

  void TakeError(const char* what) {
    token_ = Token::kError;
    error_ = what;
    token_at_ = at_;
  }

  void TakeWord() {
    const bool allowed = settings_.decode_invalid != 0;
    if (*at_ == '-' || (*at_ >= '0' && *at_ <= '9')) {
      if (!allowed && IsOdd(at_)) return TakeError("invalid number");
      return TakeNumber();
    }
    if (std::strncmp(at_, "true", 4) == 0) {
      boolean_ = true;
      return Take(Token::kBoolean, 4);
    }
    if (std::strncmp(at_, "false", 5) == 0) {
      boolean_ = false;
      return Take(Token::kBoolean, 5);
    }
    if (std::strncmp(at_, "null", 4) == 0) return Take(Token::kNull, 4);
    if (allowed && IsOdd(at_)) return TakeNumber();
    TakeError("invalid token");
  }

  // A number that strtod takes and JSON does not: hexadecimal, signed, infinite, with zeros before.
  static bool IsOdd(const char* at) {
    if (*at == '+') return true;
    if (*at == '-') ++at;
    if (*at == '0') return (at[1] | 0x20) == 'x' || (at[1] >= '0' && at[1] <= '9');
    if (*at <= '9') return false;
    return strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0;
  }

  void TakeNumber() {
    char* end;
    number_ = std::strtod(at_, &end);
    if (end == at_) return TakeError("invalid number");
    token_ = Token::kNumber;
    at_ = end;
  }

  void TakeString() {
    string_.clear();
    ++at_;
    while (*at_ != '"') {
      const char* const plain = at_;
      while (*at_ != '"' && *at_ != '\\' && *at_ != '\0') ++at_;
      string_.append(plain, at_);
      if (*at_ == '\0') return TakeError("unexpected end of string");
      if (*at_ == '\\' && !TakeEscape()) return;
    }
    ++at_;
    token_ = Token::kString;
  }

  bool TakeEscape() {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_[1] == 'u') {
      if (TakeCodePoint()) return true;
      TakeError("invalid unicode escape code");
      return false;
    }
    const size_t letter = at_[1] == '\0' ? kLetters.npos : kLetters.find(at_[1]);
    if (letter == kLetters.npos) {
      TakeError("invalid escape code");
      return false;
    }
    string_ += kMeanings[letter];
    at_ += 2;
    return true;
  }

  // The four digits after "\u", or -1.
  static int HexAt(const char* at) {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at[i];
      int digit = 0;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        digit = (c | 0x20) - 'a' + 10;
      } else {
        return -1;
      }
      value = value << 4 | digit;
    }
    return value;
  }

  bool TakeCodePoint() {
    constexpr int kEscapeChars = 6;
    int code = HexAt(at_ + 2);
    if (code < 0) return false;
    int chars = kEscapeChars;
    if ((code & 0xF800) == 0xD800) {  // half of a pair
      if ((code & 0x400) != 0 || at_[6] != '\\' || at_[7] != 'u') return false;
      const int second = HexAt(at_ + kEscapeChars + 2);
      if (second < 0 || (second & 0xFC00) != 0xDC00) return false;
      code = ((code & 0x3FF) << 10 | (second & 0x3FF)) + 0x10000;
      chars += kEscapeChars;
    }
    AppendUtf8(code);
    at_ += chars;
    return true;
  }

  void AppendUtf8(int code) {
    const auto tail = [&](int shift) {
      string_ += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
    };
    if (code < 0x80) {
      string_ += static_cast<char>(code);
    } else if (code < 0x800) {
      string_ += static_cast<char>(0xC0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      string_ += static_cast<char>(0xE0 | code >> 12);
      tail(6);
      tail(0);
    } else {
      string_ += static_cast<char>(0xF0 | code >> 18);
      tail(12);
      tail(6);
      tail(0);
    }
  }

  // --- Values. ---

  void Fail(const char* expected) {
    const char* const found =
        token_ == Token::kError ? error_ : kTokenNames[static_cast<size_t>(token_)];
    luaL_error(lua_, "Expected %s but found %s at character %d", expected, found,
               static_cast<int>(token_at_ - begin_) + 1);
  }

  void PushValue() {
    switch (token_) {
      case Token::kString:
        lua_pushlstring(lua_, string_.data(), string_.size());
        break;
      case Token::kNumber:
        lua_pushnumber(lua_, number_);
        break;
      case Token::kBoolean:
        lua_pushboolean(lua_, boolean_ ? 1 : 0);
        break;
      case Token::kNull:
        lua_pushlightuserdata(lua_, nullptr);
        break;
      case Token::kObjectBegin:
        PushObject();
        break;
      case Token::kArrayBegin:
        PushArray();
        break;
      default:
        Fail("value");
    }
  }

  // Recursion is bounded by the settings' depth and by Lua's stack.
  void Descend(int slots) {
    ++depth_;
    if (depth_ <= settings_.decode_max_depth && lua_checkstack(lua_, slots) != 0) return;
    luaL_error(lua_, "Found too many nested data structures (%d) at character %d", depth_,
               static_cast<int>(at_ - begin_));
  }

  void PushObject() {
    Descend(3);
    lua_newtable(lua_);
    Advance();
    while (token_ != Token::kObjectEnd) {
      if (token_ != Token::kString) Fail("object key string");
      lua_pushlstring(lua_, string_.data(), string_.size());
      Advance();
      if (token_ != Token::kColon) Fail("colon");
      Advance();
      PushValue();
      lua_rawset(lua_, -3);
      Advance();
      if (token_ == Token::kObjectEnd) break;
      if (token_ != Token::kComma) Fail("comma or object end");
      Advance();
      if (token_ == Token::kObjectEnd) Fail("object key string");
    }
    --depth_;
  }

  void PushArray() {
    Descend(2);
    lua_newtable(lua_);
    Advance();
    for (int i = 1; token_ != Token::kArrayEnd; ++i) {
      PushValue();
      lua_rawseti(lua_, -2, i);
      Advance();
      if (token_ == Token::kArrayEnd) break;
      if (token_ != Token::kComma) Fail("comma or array end");
      Advance();
      if (token_ == Token::kArrayEnd) Fail("value");
    }
    --depth_;
  }

  lua_State* lua_;
  const JsonSettings& settings_;
  const char* begin_;
  const char* at_;
  Token token_ = Token::kEnd;
  const char* token_at_ = nullptr;
  const char* error_ = nullptr;
  std::string string_;
  double number_ = 0;
  bool boolean_ = false;
  int depth_ = 0;
};

}  // namespace

int DecodeJson(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (size >= 2 && (text[0] == '\0' || text[1] == '\0')) {
    return luaL_error(lua, "JSON parser does not support UTF-16 or UTF-32");
  }
  Decoder(lua, JsonSettingsOf(lua), {text, size}).Decode();
  return 1;
}

}  // namespace lapse
