// SHA-1, by which scripts are named: EVALSHA, SCRIPT LOAD, redis.sha1hex.
//
// Written here because OpenSSL looks an algorithm up by its name at each call, which takes longer
// than a script's digest. It is a name, not a protection: whoever may load scripts may run them.
//
// Source: FIPS 180-4. Thread: pure functions.
#pragma once

#include <array>
#include <string_view>

namespace lapse {

// 40 hexadecimal digits, in lower case.
struct Sha1Hex {
  std::array<char, 40> digits;

  std::string_view view() const { return {digits.data(), digits.size()}; }
};

Sha1Hex Sha1(std::string_view bytes);

}  // namespace lapse
