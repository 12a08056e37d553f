// COMMAND INFO, and what the other subcommands of COMMAND have in common with it: how a command is
// found by its full name and how the access to a key is put into words. The rows are in
// command_command.cc.
//
// Thread: as the context's.
#pragma once

#include <string_view>

#include "server/core/context.h"
#include "server/core/registry.h"

namespace lapse {

// COMMAND and COMMAND INFO: those that are named, or all.
void CommandInfo(CommandContext& ctx);

// "get" or "config|get"; nullptr when there is no such command.
const CommandRegistry::Numbered* FindByFullName(const CommandRegistry& registry,
                                                std::string_view name);

// A set of words: RO, access, delete and the like.
void ReplyKeyAccess(ReplyWriter& reply, const KeySpecification& spec);

}  // namespace lapse
