#include "protocol/number.h"

#include <locale.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

namespace lapse {
namespace {

// Two digits at a time halve the divisions.
constexpr char kDigitPairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

// Up to here a whole number has at most 17 digits, so %.17g prints it without an exponent.
constexpr double kMaxPlainInteger = 1e17;

// Digits after the point in FormatLongDoubleHuman: enough that what a user typed comes back.
constexpr int kHumanPrecision = 17;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

size_t CountDigits(uint64_t value) {
  size_t digits = 1;
  for (; value >= 10000; value /= 10000) digits += 4;
  if (value >= 1000) return digits + 3;
  if (value >= 100) return digits + 2;
  if (value >= 10) return digits + 1;
  return digits;
}

// True if a mantissa has a digit other than zero: a result of zero then is an underflow.
bool HasNonZeroDigit(std::string_view text, bool is_hex) {
  for (const char c : text) {
    if (is_hex ? (c == 'p' || c == 'P') : (c == 'e' || c == 'E')) return false;
    if (c != '0' && c != '.') return true;
  }
  return false;
}

// Never freed: a locale that every thread may use until the process ends.
locale_t PlainLocale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

}  // namespace

bool ParseInt64(std::string_view text, int64_t& value) {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p == end || text.size() > kMaxInt64Chars) return false;
  if (*p == '0') {
    if (text.size() != 1) return false;
    value = 0;
    return true;
  }
  const bool is_negative = *p == '-';
  if (is_negative && ++p == end) return false;
  if (*p < '1' || *p > '9') return false;

  // Nineteen digits always fit in 64 unsigned bits, and twenty never in 63.
  if (end - p > 19) return false;
  uint64_t magnitude = 0;
  for (; p != end; ++p) {
    const unsigned digit = static_cast<unsigned char>(*p) - unsigned{'0'};
    if (digit > 9) return false;
    magnitude = magnitude * 10 + digit;
  }
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (magnitude > kMax + (is_negative ? 1 : 0)) return false;
  value = static_cast<int64_t>(is_negative ? 0 - magnitude : magnitude);
  return true;
}

bool ParseDouble(std::string_view text, double& value) {
  // from_chars knows neither a plus nor "0x"; strtod, whose rules these are, takes both.
  bool is_negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    is_negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const bool is_hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (is_hex) text.remove_prefix(2);
  if (text.empty() || text[0] == '-') return false;
  const bool is_infinity = !is_hex && (text[0] == 'i' || text[0] == 'I');

  double magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude,
                      is_hex ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (std::isnan(magnitude) || (std::isinf(magnitude) && !is_infinity)) return false;
  if (magnitude == 0 && HasNonZeroDigit(text, is_hex)) return false;
  value = is_negative ? -magnitude : magnitude;
  return true;
}

bool ParseDoubleLoosely(std::string_view text, double& value) {
  if (ParseDouble(text, value)) return true;
  const std::string terminated(text.substr(0, text.find('\0')));
  char* end = nullptr;
  const double parsed = strtod_l(terminated.c_str(), &end, PlainLocale());
  // Nothing that could be read leaves the end at the start, which for an empty text is the end.
  if (*end != '\0' || std::isnan(parsed)) return false;
  value = parsed;
  return true;
}

bool ParseLongDouble(std::string_view text, long double& value) {
  if (text.empty() || text.size() >= kMaxLongDoubleChars || IsSpace(text[0])) return false;
  char terminated[kMaxLongDoubleChars];
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';

  char* end = nullptr;
  errno = 0;
  const long double parsed = strtold_l(terminated, &end, PlainLocale());
  if (end != terminated + text.size() || std::isnan(parsed)) return false;
  if (errno == ERANGE && (std::isinf(parsed) || parsed == 0)) return false;
  value = parsed;
  return true;
}

size_t FormatInt64(int64_t value, char* out) {
  uint64_t magnitude = static_cast<uint64_t>(value);
  size_t sign = 0;
  if (value < 0) {
    magnitude = 0 - magnitude;
    *out++ = '-';
    sign = 1;
  }
  const size_t digits = CountDigits(magnitude);
  char* p = out + digits;
  while (magnitude >= 100) {
    p -= 2;
    std::memcpy(p, &kDigitPairs[(magnitude % 100) * 2], 2);
    magnitude /= 100;
  }
  if (magnitude >= 10) {
    std::memcpy(out, &kDigitPairs[magnitude * 2], 2);
  } else {
    *out = static_cast<char>('0' + magnitude);
  }
  return sign + digits;
}

size_t FormatDouble(double value, char* out) {
  if (std::isnan(value)) {
    std::memcpy(out, "nan", 3);
    return 3;
  }
  // Scores are mostly whole numbers, for which the general algorithm is ten times slower. A
  // negative zero keeps its sign there, so it is not one of them.
  if (std::fabs(value) < kMaxPlainInteger) {
    const int64_t whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value))) {
      return FormatInt64(whole, out);
    }
  }
  const std::to_chars_result result =
      std::to_chars(out, out + kMaxDoubleChars, value, std::chars_format::general,
                    std::numeric_limits<double>::max_digits10);
  return static_cast<size_t>(result.ptr - out);
}

std::string FormatInt64(int64_t value) {
  char digits[kMaxInt64Chars];
  return std::string(digits, FormatInt64(value, digits));
}

std::string FormatDouble(double value) {
  char digits[kMaxDoubleChars];
  return std::string(digits, FormatDouble(value, digits));
}

std::string FormatLongDoubleHuman(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "nan";
  char digits[kMaxLongDoubleChars];
  const std::to_chars_result result = std::to_chars(digits, digits + sizeof(digits), value,
                                                    std::chars_format::fixed, kHumanPrecision);
  std::string_view text(digits, static_cast<size_t>(result.ptr - digits));
  text.remove_suffix(text.size() - 1 - text.find_last_not_of('0'));
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::string(text == "-0" ? "0" : text);
}

}  // namespace lapse
