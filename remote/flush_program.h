// The program lapse-flush: arguments, the password, signals and the terminal around FlushRemotes.
//
// Ctrl-C and SIGTERM are waited for by a thread of their own, which asks the flush to stop; a
// second one ends the program at once.
//
// Thread: the main thread, before any other is started.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lapse {

// Returns the exit status.
int RunFlushProgram(std::span<const std::string> words, std::string_view version);

}  // namespace lapse
