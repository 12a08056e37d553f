// The bodies of requests as words of commands: what a task is to be, what a run is to do.
//
// A member of the JSON object becomes an option's word with its value behind it. A member that is
// not known is an error, since a misspelt limit that is ignored would be none. Each value is one
// word, and the command reads as many words after an option as it takes, so a value cannot pass for
// another option; the words that may be several (DB, ON) are checked for their form.
//
// Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/object.hpp"
#include "server/http/text_view.h"

namespace lapse {

// A text or a whole number as a word; nullopt for anything else.
std::optional<std::string> WordOf(const boost::json::value& value);

// Appends the words after FLUSHTASK CREATE's or UPDATE's name. Returns what is wrong, or "".
std::string AddTaskWords(const boost::json::object& body, std::vector<std::string>& words);

// Appends FLUSHEXPIREKEYS's options. Returns what is wrong, or "".
std::string AddFlushWords(const boost::json::object& body, std::vector<std::string>& words);

}  // namespace lapse
