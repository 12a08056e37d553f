// Between replies and Lua's values.
//
// A nested command's reply arrives as bytes and is read straight onto Lua's stack, without a tree
// of replies between. What a script returns is written as a reply for the client that called it.
//
//   reply            Lua                              Lua              reply
//   bulk, integer    string, number                   string, number   bulk, integer (cut off)
//   simple, error    {ok = ...}, {err = ...}          {ok=} {err=}     simple, error
//   array            table                            table            array up to the first nil
//   null             false (RESP2), nil (RESP3)       false, nil       null
//   boolean          boolean (RESP3)                  true             1, or true
//   map, set         {map = ...}, {set = {x = true}}  the same tables  map, set
//   double           {double = ...}                   {double=}        double
//   big number       {big_number = "..."}             {big_number=}    big number
//   verbatim         {verbatim_string = {string = ..., format = ...}}  and back
//
// Thread: the sandbox's.
#pragma once

#include <lua5.1/lua.hpp>

#include <string_view>

#include "protocol/reply_writer.h"

namespace lapse {

// Pushes the reply that the bytes begin with, and returns what follows it. The bytes are ours, so
// they are whole. Raises an error when the reply nests deeper than Lua's stack.
std::string_view PushReply(lua_State* lua, std::string_view bytes);

// Pops the value on top of the stack and writes it. `script_resp` is the version that the script
// chose: with 3 it distinguishes booleans.
void WriteValue(lua_State* lua, ReplyWriter& reply, int script_resp);

}  // namespace lapse
