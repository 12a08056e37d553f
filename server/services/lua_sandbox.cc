#include "server/services/lua_sandbox.h"

#include <cstdlib>
#include <string>

namespace lapse {
namespace {

constexpr const char* kReadOnly = "Attempt to modify a readonly table";
constexpr char kFirstByteOfCompiledCode = '\x1b';

// Its address is the key under which a stand-in's metatable has the real table.
constexpr char kReal = 0;
void* RealKey() { return const_cast<char*>(&kReal); }

// Pushes the real table of the stand-in at the index; or nothing, and returns false.
bool PushReal(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) return false;
  lua_pushlightuserdata(lua, RealKey());
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (lua_istable(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

bool IsStandIn(lua_State* lua, int index) {
  if (!PushReal(lua, index)) return false;
  lua_pop(lua, 1);
  return true;
}

// Without the place in the script, as an error within a C function has none.
int RaiseReadOnly(lua_State* lua) {
  lua_pushstring(lua, kReadOnly);
  return lua_error(lua);
}

int RefuseWrite(lua_State* lua) { return luaL_error(lua, "%s", kReadOnly); }

int RefuseUnknown(lua_State* lua) {
  const char* name = lua_isstring(lua, 2) != 0 ? lua_tostring(lua, 2) : luaL_typename(lua, 2);
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

// --- Functions of the base library that know of stand-ins. ---

int Next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (PushReal(lua, 1)) lua_replace(lua, 1);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

int Pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int RawGet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  if (PushReal(lua, 1)) lua_replace(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int RawSet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  if (IsStandIn(lua, 1)) return RaiseReadOnly(lua);
  lua_settop(lua, 3);
  lua_rawset(lua, 1);
  return 1;
}

// Of a string, or of the globals: something that can be looked at, with nothing in it.
int GetMetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  const bool is_globals = lua_rawequal(lua, 1, LUA_GLOBALSINDEX) != 0;
  if (lua_type(lua, 1) == LUA_TSTRING || is_globals) {
    lua_newtable(lua);
    LuaSandbox::PushStandIn(lua);
    return 1;
  }
  if (IsStandIn(lua, 1) || lua_getmetatable(lua, 1) == 0) {
    lua_pushnil(lua);
    return 1;
  }
  luaL_getmetafield(lua, 1, "__metatable");
  return 1;
}

int SetMetatable(lua_State* lua) {
  const int type = lua_type(lua, 2);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  if (IsStandIn(lua, 1)) return RaiseReadOnly(lua);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0) {
    return luaL_error(lua, "cannot change a protected metatable");
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

int TableInsert(lua_State* lua) {
  if (IsStandIn(lua, 1)) return RaiseReadOnly(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 0);
  return 0;
}

// As the library's, but that a raised table with an error text in it becomes that text, as scripts
// older than such tables expect it.
int ProtectedCall(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0) {
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    return lua_gettop(lua);
  }
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (lua_isstring(lua, -1) != 0) {
      lua_replace(lua, -2);
    } else {
      lua_pop(lua, 1);
    }
  }
  lua_pushboolean(lua, 0);
  lua_insert(lua, -2);
  return 2;
}

// --- Compiling. ---

int LoadFailed(lua_State* lua) {
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int LoadString(lua_State* lua) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  const char* name = luaL_optstring(lua, 2, text);
  return LoadText(lua, {text, size}, name) ? 1 : LoadFailed(lua);
}

// Gathers the pieces first, so that what they amount to can be looked at.
int Load(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  std::string text;
  for (;;) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    if (lua_isstring(lua, -1) == 0) return luaL_error(lua, "reader function must return a string");
    size_t size;
    const char* piece = lua_tolstring(lua, -1, &size);
    if (size == 0) break;
    text.append(piece, size);
    lua_pop(lua, 1);
  }
  return LoadText(lua, text, name) ? 1 : LoadFailed(lua);
}

struct Replacement {
  const char* name;
  lua_CFunction function;
};

constexpr Replacement kReplacements[] = {
    {"next", Next},
    {"rawget", RawGet},
    {"rawset", RawSet},
    {"getmetatable", GetMetatable},
    {"setmetatable", SetMetatable},
    {"pcall", ProtectedCall},
    {"loadstring", LoadString},
    {"load", Load},
};

constexpr const char* kRemoved[] = {"dofile",  "loadfile", "print",    "require",
                                    "module",  "package",  "newproxy", "getfenv",
                                    "setfenv", "os",       "io",       "debug"};

constexpr const char* kLibraries[] = {LUA_TABLIBNAME, LUA_STRLIBNAME, LUA_MATHLIBNAME,
                                      LUA_COLIBNAME,  "cjson",        "cmsgpack",
                                      "struct",       "bit"};

// Opens what is opened by a C function that registers its global itself.
void OpenStandard(lua_State* lua, lua_CFunction open, const char* name) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

void OpenOwn(lua_State* lua, lua_CFunction open, const char* name) {
  lua_pushcfunction(lua, open);
  lua_call(lua, 0, 1);
  lua_setglobal(lua, name);
}

}  // namespace

LuaSandbox::LuaSandbox(void* owner) : head_{owner}, lua_(lua_newstate(Allocate, &head_)) {
  OpenStandard(lua_, luaopen_base, "");
  OpenStandard(lua_, luaopen_table, LUA_TABLIBNAME);
  OpenStandard(lua_, luaopen_string, LUA_STRLIBNAME);
  OpenStandard(lua_, luaopen_math, LUA_MATHLIBNAME);
  OpenOwn(lua_, OpenJson, "cjson");
  OpenOwn(lua_, OpenMessagePack, "cmsgpack");
  OpenOwn(lua_, OpenStruct, "struct");
  OpenOwn(lua_, OpenBit, "bit");
  RemoveGlobals();
  ProtectGlobals();
}

LuaSandbox::~LuaSandbox() { lua_close(lua_); }

void* LuaSandbox::Allocate(void* head, void* block, size_t old_bytes, size_t new_bytes) {
  static_cast<Head*>(head)->bytes += new_bytes - old_bytes;
  if (new_bytes != 0) return std::realloc(block, new_bytes);
  std::free(block);
  return nullptr;
}

void LuaSandbox::RemoveGlobals() {
  for (const char* name : kRemoved) {
    lua_pushnil(lua_);
    lua_setglobal(lua_, name);
  }
  for (const Replacement& replacement : kReplacements) {
    lua_pushcfunction(lua_, replacement.function);
    lua_setglobal(lua_, replacement.name);
  }
  lua_pushcfunction(lua_, Next);
  lua_pushcclosure(lua_, Pairs, 1);
  lua_setglobal(lua_, "pairs");

  lua_getglobal(lua_, LUA_TABLIBNAME);
  lua_getfield(lua_, -1, "insert");
  lua_pushcclosure(lua_, TableInsert, 1);
  lua_setfield(lua_, -2, "insert");
  lua_pop(lua_, 1);

  lua_getglobal(lua_, LUA_MATHLIBNAME);
  AddRandom(lua_);
  lua_pop(lua_, 1);
}

void LuaSandbox::RefuseUnknownNames(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, RefuseUnknown);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

void LuaSandbox::PushStandIn(lua_State* lua) {
  lua_newtable(lua);
  lua_createtable(lua, 0, 3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, RefuseWrite);
  lua_setfield(lua, -2, "__newindex");
  lua_pushlightuserdata(lua, RealKey());
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

void LuaSandbox::ProtectGlobals() {
  for (const char* name : kLibraries) {
    lua_getglobal(lua_, name);
    PushStandIn(lua_);
    lua_setglobal(lua_, name);
  }
  // Methods of strings are found in the stand-in, too.
  lua_pushliteral(lua_, "");
  lua_getmetatable(lua_, -1);
  lua_getglobal(lua_, LUA_STRLIBNAME);
  lua_setfield(lua_, -2, "__index");
  lua_pop(lua_, 2);

  lua_pushvalue(lua_, LUA_GLOBALSINDEX);
  lua_createtable(lua_, 0, 1);
  lua_pushcfunction(lua_, RefuseUnknown);
  lua_setfield(lua_, -2, "__index");
  lua_setmetatable(lua_, -2);
  lua_pushvalue(lua_, -1);
  globals_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
  PushStandIn(lua_);
  lua_getmetatable(lua_, -1);
  environment_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
  lua_pushvalue(lua_, -1);
  SetGlobal("_G");
  lua_replace(lua_, LUA_GLOBALSINDEX);
}

void LuaSandbox::SetGlobal(const char* name) {
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, globals_);
  lua_pushstring(lua_, name);
  lua_pushvalue(lua_, -3);
  lua_rawset(lua_, -3);
  lua_pop(lua_, 2);
}

void LuaSandbox::AddLibrary(const char* name) {
  PushStandIn(lua_);
  SetGlobal(name);
}

void LuaSandbox::BeginRestricted() {
  lua_createtable(lua_, 0, 1);
  lua_pushcfunction(lua_, RefuseUnknown);
  lua_setfield(lua_, -2, "__index");
  lua_setmetatable(lua_, -2);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, environment_);
  lua_insert(lua_, -2);
  lua_setfield(lua_, -2, "__index");
  lua_pop(lua_, 1);
}

void LuaSandbox::EndRestricted() {
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, environment_);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, globals_);
  lua_setfield(lua_, -2, "__index");
  lua_pop(lua_, 1);
}

bool LoadText(lua_State* lua, std::string_view text, const char* chunk_name) {
  if (!text.empty() && text.front() == kFirstByteOfCompiledCode) {
    lua_pushliteral(lua, "compiled code is not accepted");
    return false;
  }
  return luaL_loadbuffer(lua, text.data(), text.size(), chunk_name) == 0;
}

int DescribeError(lua_State* lua) {
  lua_Debug place = {};
  bool known = lua_getstack(lua, 1, &place) != 0 && lua_getinfo(lua, "Sl", &place) != 0;
  if (known && *place.what == 'C') {
    known = lua_getstack(lua, 2, &place) != 0 && lua_getinfo(lua, "Sl", &place) != 0;
  }
  if (!lua_istable(lua, 1)) {
    const char* text = lua_tostring(lua, 1);
    const char* shown = text != nullptr ? text : luaL_typename(lua, 1);
    lua_createtable(lua, 0, 3);
    lua_pushfstring(lua, "ERR %s", shown);
    lua_setfield(lua, -2, "err");
    lua_replace(lua, 1);
  }
  lua_settop(lua, 1);
  if (!known) return 1;
  lua_pushliteral(lua, "source");
  lua_pushstring(lua, place.source);
  lua_rawset(lua, 1);
  lua_pushliteral(lua, "line");
  lua_pushinteger(lua, place.currentline);
  lua_rawset(lua, 1);
  return 1;
}

}  // namespace lapse
