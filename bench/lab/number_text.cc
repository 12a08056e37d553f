#include "bench/lab/number_text.h"

#include <cmath>

#include "fmt/format.h"

namespace lapse {

std::string NumberText(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < 0.001) return "<0.001";
  if (size < 999.5) {
    const int digits = 2 - static_cast<int>(std::floor(std::log10(size)));
    std::string text = fmt::format("{:.{}f}", value, digits > 0 ? digits : 0);
    // Whole numbers are counts more often than not.
    if (value == std::floor(value)) text = fmt::format("{:.0f}", value);
    return text;
  }
  const std::string digits = fmt::format("{:.0f}", size);
  std::string text = value < 0 ? "-" : "";
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string TickText(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return fmt::format("{:g} G", value / 1e9);
  if (size >= 1e6) return fmt::format("{:g} M", value / 1e6);
  if (size >= 1e3) return fmt::format("{:g} k", value / 1e3);
  return fmt::format("{:g}", value);
}

}  // namespace lapse
