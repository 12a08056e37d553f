// What the library `cjson` is told about encoding and decoding, by its functions' settings. Kept
// for as long as the sandbox, as Redis does it.
//
// Thread: the sandbox's.
#pragma once

#include "server/services/lua_sandbox.h"

namespace lapse {

enum class InvalidNumbers : int { kRefuse, kAllow, kNull };

struct JsonSettings {
  int sparse_convert = 0;  // excessively sparse arrays become objects
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_max_depth = 1000;
  int decode_max_depth = 1000;
  int precision = 14;
  int keep_buffer = 1;  // taken for compatibility: buffers belong to the call
  int encode_invalid = 0;
  int decode_invalid = 1;
};

// The functions `encode` and `decode`; the settings are their first upvalue, a userdata.
int EncodeJson(lua_State* lua);
int DecodeJson(lua_State* lua);

inline JsonSettings& JsonSettingsOf(lua_State* lua) {
  return *static_cast<JsonSettings*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

}  // namespace lapse
