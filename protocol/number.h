// Numbers as the protocol and the commands write them.
//
// Redis accepts and prints numbers by rules of its own, and its clients rely on the bytes: an
// integer has one spelling only (so that a value that looks like one can be stored as one and
// printed back), a score prints with 17 significant digits, INCRBYFLOAT prints plain decimals.
// These functions hold those rules in one place. None depends on the locale, for a host program
// that embeds Lapse may have set any.
//
// Thread: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lapse {

// Room that the formatting functions below may need in `out`.
inline constexpr size_t kMaxInt64Chars = 20;   // -9223372036854775808
inline constexpr size_t kMaxDoubleChars = 32;  // -1.7976931348623157e+308 takes 24

// The longest text that ParseLongDouble looks at, as in Redis.
inline constexpr size_t kMaxLongDoubleChars = 5 * 1024;

// Strict: an optional minus, no plus, no leading zero, no space, no "-0", and within int64.
// Returns false and leaves `value` alone otherwise.
[[nodiscard]] bool ParseInt64(std::string_view text, int64_t& value);

// The whole text as strtod in the C locale reads it: decimal, hexadecimal ("0x1p3"), "inf",
// "+infinity". Refused: the empty text, leading or trailing space, nan, a number too large for a
// double, and a non-zero one so small that it would read as zero.
[[nodiscard]] bool ParseDouble(std::string_view text, double& value);

// As strtod in the C locale reads a C string, which is how Redis takes the bounds of score ranges:
// leading blanks are skipped, nothing at all is zero, a zero byte ends the text, and what is too
// large is infinite. Refused: what strtod would not read to its end, and nan.
[[nodiscard]] bool ParseDoubleLoosely(std::string_view text, double& value);

// The same rules as ParseDouble's for the 80-bit numbers of INCRBYFLOAT and HINCRBYFLOAT.
[[nodiscard]] bool ParseLongDouble(std::string_view text, long double& value);

// Writes decimal digits to `out`; returns how many characters. Requires: kMaxInt64Chars of room.
size_t FormatInt64(int64_t value, char* out);

// As Redis 7.0 replies scores: printf's %.17g, with "inf", "-inf" and "nan". Hence 3 is "3" and
// 3.1 is "3.1000000000000001". Requires: kMaxDoubleChars of room. Returns the character count.
size_t FormatDouble(double value, char* out);

std::string FormatInt64(int64_t value);
std::string FormatDouble(double value);

// Plain decimals, at most 17 after the point, without trailing zeroes: 3.1 is "3.1", 1e20 is
// "100000000000000000000". Up to 4,952 characters, so it returns a string.
std::string FormatLongDoubleHuman(long double value);

}  // namespace lapse
