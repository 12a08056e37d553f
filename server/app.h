// The server program: from the words of its command line to its exit status.
//
// Start-up either succeeds as a whole or prints one line on standard error that names what was
// wrong and exits with 1. The log is one line an event, on standard output or in the log file.
//
//   words -> Config -> log, limits, directory -> Instance -> NetServer -> "ready" -> wait -> stop
//
// The main thread does nothing but wait for the order to stop: SIGTERM, SIGINT or SHUTDOWN.
// Stopping waits for the batch that each io thread is at and not for any client; a second signal
// ends the process at once.
//
// Thread: the main thread, once.
#pragma once

#include <span>
#include <string>

namespace lapse {

// `words` are the command line's after the program's name. Returns the exit status; does not return
// after a clean stop, for a process that ends need not take its keyspace apart.
int RunServer(std::span<const std::string> words);

}  // namespace lapse
