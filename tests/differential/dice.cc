#include "tests/differential/dice.h"

#include <array>

namespace lapse {
namespace {

using std::string_literals::operator""s;  // for words with zero bytes

constexpr size_t kPlainKeys = 20;
constexpr int64_t kMaxOffset = 3000;
constexpr int64_t kLeastTtlSeconds = 4'000;
constexpr int64_t kMostTtlSeconds = 2'000'000;

}  // namespace

int64_t Dice::Between(int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(random_);
}

std::string Dice::OneOf(std::initializer_list<std::string_view> words) {
  return std::string(words.begin()[Below(words.size())]);
}

std::string Dice::Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random_());
  return bytes;
}

std::string Dice::Key() {
  static const std::array kOddKeys = {
      ""s,  "\0"s, "\xff\x00\x80"s,       "a key"s,   "k\r\n"s,    "{tag}a"s,
      "*"s, "k?"s, std::string(300, 'K'), "[a-c]\\"s, "\"quoted'"s};
  if (Chance(12)) return kOddKeys[Below(kOddKeys.size())];
  return "k" + std::to_string(Below(kPlainKeys));
}

std::string Dice::Pattern() {
  if (Chance(20)) return Key();
  return OneOf({"*",      "k*",     "k?",      "k??",      "k[0-9]", "k[^1]", "k[13579]",
                "k[9-0]", "[",      "k[",      "k[0-",     "k[\\1]", "\\",    "\\k1",
                "k\\",    "*1",     "*1*",     "**k**1**", "?",      "",      "K*",
                "[^k]*",  "k[]",    "k[^]",    "*\xff*",   "k1[",    "k*[0",  "[a-",
                "k[1-3]", "[kK]*?", "k*\\",    "???",      "k1\\*",  "[]k]1", "k[a-z0-5]",
                "k[--9]", "*[!0]",  "*[0-9]9", "k[^^]"});
}

std::string Dice::Value() {
  switch (Below(10)) {
    case 0:
      return OneOf({"", " ", "\r\n", "a b", "\"", "value"});
    case 1:
    case 2:
      return Integer();
    case 3:
      return Float();
    case 4:
      return Bytes(Below(64));
    case 5:
      // On both sides of the limit of a short string's encoding, and of an integer's.
      return std::string(OneOf({"x", "7"})[0] == 'x' ? 43 + Below(4) : 18 + Below(5), '8');
    case 6:
      return std::string(Below(1200), 'v');
    default: {
      // Few letters, so that LCS finds something.
      std::string text(Below(40), 'a');
      for (char& c : text) c = static_cast<char>('a' + Below(3));
      return text;
    }
  }
}

std::string Dice::Integer() {
  switch (Below(8)) {
    case 0:
    case 1:
    case 2:
      return std::to_string(Between(-20, 20));
    case 3:
      return std::to_string(Between(-99'999, 99'999));
    case 4:
      return OneOf({"9223372036854775807", "-9223372036854775808", "9223372036854775806",
                    "-9223372036854775807", "4611686018427387904", "-4611686018427387905",
                    "4294967296", "2147483648", "-2147483649"});
    case 5:
      return OneOf({"9223372036854775808", "-9223372036854775809", "18446744073709551615",
                    "99999999999999999999999"});
    case 6:
      return OneOf({"", " 1", "1 ", "+1", "-0", "007", "-", "+", "0x10", "1.0", "1e3", "abc", "--1",
                    "1\n", "00", "-01", "1a"});
    default:
      return std::to_string(Between(4'000'000'000, 4'000'000'000'000'000));
  }
}

std::string Dice::Float() {
  switch (Below(7)) {
    case 0:
      return std::to_string(Between(-1000, 1000));
    case 1:
      return std::to_string(Between(-1'000'000, 1'000'000)) + "." +
             std::to_string(Below(1'000'000'000));
    case 2:
      return OneOf({"0.1", "-0.1", "3.0e3", "1e-10", ".5", "5.", "-.5", "1E2",
                    "0.30000000000000004", "-0.0", "1e17", "1e18", "123456789012345678901234567890",
                    "0x1p3", "0X1F"});
    case 3:
      return OneOf({"inf", "-inf", "+inf", "infinity", "nan", "NaN", "-nan", "INF", "nan(1)"});
    case 4:
      return OneOf({"1e400", "-1e400", "1.7976931348623157e308", "5e-324", "1e4932", "1e4933",
                    "1e5000", "1e-5000", "1e-4950", "1e-18", "1e-17", "9e99"});
    case 5:
      return OneOf({" 3", "3 ", "1.5.2", "1e", "e1", "abc", "", "1_0", "++1", "1,5", "\t1", "1\n",
                    ".", "-", "0x", "1e+"});
    default:
      return Integer();
  }
}

std::string Dice::Offset() {
  switch (Below(8)) {
    case 0:
      return OneOf({"536870912", "536870913", "4294967296", "9223372036854775807",
                    "9223372036854775808", "-9223372036854775808", "-9223372036854775809"});
    case 1:
      return OneOf({"", "abc", "1.0", " 1", "+1", "-0", "00"});
    case 2:
      return std::to_string(Between(-kMaxOffset, kMaxOffset));
    default:
      return std::to_string(Between(-50, 50));
  }
}

std::string Dice::Database() {
  if (Chance(80)) return std::to_string(Below(kDatabasesInPlay));
  return OneOf({"16", "-1", "17", "2147483647", "2147483648", "-2147483648", "-2147483649",
                "9223372036854775807", "9223372036854775808", "abc", "", "1.0", " 1", "+1", "01",
                "-0"});
}

std::string Dice::Junk() {
  switch (Below(4)) {
    case 0:
      return OneOf({"", "abc", "1.5", " 1", "\r\n", "\xff", "*", "[", "\\", "'", "\""});
    case 1:
      return OneOf({"9223372036854775808", "-9223372036854775809", "0x1", "nan", "-"});
    case 2:
      return Chance(50) ? "\0"s : std::string(100 + Below(100), 'J');
    default:
      return OneOf({"NX", "XX", "GT", "LT", "GET", "KEEPTTL", "PERSIST", "EX", "PXAT", "REPLACE",
                    "MATCH", "COUNT", "IDX", "LEN", "ASYNC"});
  }
}

std::string Dice::AnyCase(std::string_view word) {
  std::string any(word);
  if (Chance(70)) return any;
  for (char& c : any) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && Chance(50)) c = static_cast<char>(c ^ 0x20);
  }
  return any;
}

std::string Dice::BadTtl() {
  if (Chance(50)) {
    return OneOf({"", "abc", "1.5", " 4000", "4000 ", "+4000", "04000", "1e4", "0x1000", "-",
                  "9223372036854775808", "-9223372036854775809"});
  }
  return OneOf({"0", "-1", "-100", "-9223372036854775808", "-9223372036854775807",
                "9223372036854775807", "9223372036854775806", "9223372036854775",
                "9223372036854776", "-9223372036854775", "-9223372036854776", "9223370000000000"});
}

std::string Dice::RelativeTtl(bool in_ms) {
  if (Chance(25)) return BadTtl();
  int64_t seconds = Between(kLeastTtlSeconds, kMostTtlSeconds);
  if (Chance(5)) {
    // Just this side or the other side of what 64 bits hold.
    const int64_t most = INT64_MAX / 1000 - now_ms_ / 1000;
    seconds = most + (Chance(50) ? 1000 : -1000);
    if (in_ms && seconds > INT64_MAX / 1000) seconds = INT64_MAX / 1000;
  }
  return std::to_string(in_ms ? seconds * 1000 + Between(0, 999) * (seconds < INT64_MAX / 2000)
                              : seconds);
}

std::string Dice::AbsoluteTtl(bool in_ms) {
  if (Chance(15)) return BadTtl();
  int64_t seconds = now_ms_ / 1000;
  switch (Below(5)) {
    case 0:
      seconds -= Between(10, 100'000);
      break;
    case 1:
      seconds = Between(1, 1'000'000);
      break;
    default:
      seconds += Between(kLeastTtlSeconds, kMostTtlSeconds);
  }
  return std::to_string(in_ms ? seconds * 1000 + Between(0, 999) : seconds);
}

}  // namespace lapse
