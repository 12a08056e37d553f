// A Lua 5.1 state as scripts get it: the standard libraries less what reaches outside (files,
// modules, debug, function environments), the libraries cjson, cmsgpack, struct and bit, and tables
// that cannot be changed.
//
// Stock Lua has no tables that refuse to be written, so the global table and every library's are
// replaced by a stand-in: an empty table whose metatable reads from the real one and raises an
// error when written. What would see through the stand-in (next, rawget, rawset, getmetatable,
// setmetatable, table.insert) is replaced by versions that know about them. Scripts can therefore
// leave nothing behind in the state for the next one. Chunks of compiled code are refused, for the
// virtual machine trusts them.
//
//   script -> stand-in of _G -> the real globals -> an error: no such variable
//                                 redis: stand-in -> the real table {call, pcall, ...}
//
// The library is the one compiled as C++, so that an error that is raised within one of our
// functions destroys what the function holds.
//
// Thread: one at a time.
#pragma once

#include <lua5.1/lua.hpp>

#include <cstddef>
#include <string_view>

namespace lapse {

class LuaSandbox {
 public:
  // Everything but `redis`, which the owner adds. Functions find the owner by OwnerOf.
  explicit LuaSandbox(void* owner);
  ~LuaSandbox();
  LuaSandbox(const LuaSandbox&) = delete;
  LuaSandbox& operator=(const LuaSandbox&) = delete;

  lua_State* lua() const { return lua_; }
  size_t allocated_bytes() const { return head_.bytes; }

  static void* OwnerOf(lua_State* lua) {
    void* head = nullptr;
    lua_getallocf(lua, &head);
    return static_cast<Head*>(head)->owner;
  }

  // Pops a table and makes it a global that scripts read and do not change.
  void AddLibrary(const char* name);
  // Pops a value and makes it a global.
  void SetGlobal(const char* name);
  // Pops a table, which takes the globals' place until EndRestricted: what a library's code sees
  // while it is loaded.
  void BeginRestricted();
  void EndRestricted();
  // Makes it an error to read what the table on top of the stack does not have.
  static void RefuseUnknownNames(lua_State* lua);
  // Replaces the table on top of the stack by a stand-in for it.
  static void PushStandIn(lua_State* lua);

 private:
  struct Head {
    void* owner = nullptr;
    size_t bytes = 0;
  };
  static void* Allocate(void* head, void* block, size_t old_bytes, size_t new_bytes);
  void RemoveGlobals();
  void ProtectGlobals();

  Head head_;
  lua_State* lua_ = nullptr;
  int globals_ = LUA_NOREF;      // the real ones
  int environment_ = LUA_NOREF;  // the metatable of their stand-in
};

// Compiles a text (never compiled code) and pushes the function, or the error's text; returns
// whether it went well. `chunk_name` as luaL_loadbuffer takes it.
bool LoadText(lua_State* lua, std::string_view text, const char* chunk_name);

// A message handler for lua_pcall: makes a table of whatever was raised, {err = "ERR text", source
// = "@user_script", line = 1}.
int DescribeError(lua_State* lua);

// The libraries written for Lapse, in the manner of those that Redis has: each pushes its table.
int OpenJson(lua_State* lua);
int OpenMessagePack(lua_State* lua);
int OpenStruct(lua_State* lua);
int OpenBit(lua_State* lua);
// Replaces random and randomseed in the table on top of the stack.
void AddRandom(lua_State* lua);

}  // namespace lapse
