// Glob patterns: what KEYS, SCAN MATCH, CONFIG GET and COMMAND LIST take.
//
//   *        any run of bytes        [a-z]  one byte of a set: ranges (in either direction), single
//   ?        any one byte                   bytes, escapes; unterminated, it runs to the end
//   \x       the byte x itself       [^a-z] one byte outside of the set
//
// Since every element but the star takes exactly one byte, a mismatch need only be retried from the
// last star: giving an earlier one more bytes cannot help a later one. So no pattern costs more
// than pattern length times text length, where the recursive matcher that this language usually
// gets explodes on `a*a*a*a*b`, and nothing recurses.
//
// Details are Redis's, odd ones included: a lone backslash at the end is a backslash, `[a-]` starts
// a range that ends at the bracket, bytes are ordered as signed, escapes within a set heed letter
// case even when the rest does not, and no pattern but the empty one matches the empty text
// (whoever takes "*" for everything asks for that pattern first).
//
// Thread: pure functions.
#pragma once

#include <string_view>

namespace lapse {

bool GlobMatch(std::string_view pattern, std::string_view text);
// Letter case of ASCII letters aside.
bool GlobMatchIgnoreCase(std::string_view pattern, std::string_view text);

}  // namespace lapse
