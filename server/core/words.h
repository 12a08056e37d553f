// Splits a line into words by the rules of an inline request: blanks separate, "..." holds escapes
// (\n, \x41), '...' does not. Lines of a configuration file obey them, too, as in Redis.
//
// It asks the request parser, so that the rules have one home.
//
// Thread: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

// nullopt when quotes are unbalanced, or when the line holds a line end or is longer than an inline
// request may be (64 KiB).
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

// The word as SplitWords reads it back: itself, or in quotes where it is empty or has bytes that
// would be misread.
std::string QuoteWord(std::string_view word);

}  // namespace lapse
