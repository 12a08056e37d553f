// What `lapse-server --help` prints: how to call the program, then every directive that does
// something, with its default and its meaning, taken from the table of directives, so that a new
// one is in it by itself. packaging/lapse-server.1 says the first part at greater length.
//
// Thread: a pure function.
#pragma once

#include <string>

namespace lapse {

std::string HelpText();

}  // namespace lapse
