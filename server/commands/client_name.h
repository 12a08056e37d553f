// What a client may call itself, by CLIENT SETNAME and by HELLO SETNAME.
//
// Thread: as the context's.
#pragma once

#include <string_view>

#include "server/core/context.h"

namespace lapse {

// Whether the text fits CLIENT LIST's format: printable and without blanks. The empty one does.
bool IsPlainText(std::string_view text);

// Names the session. False, and an error replied, when the name is not fit.
bool SetClientName(CommandContext& ctx, std::string_view name);

}  // namespace lapse
