#include "server/core/arguments.h"

#include "protocol/number.h"

namespace lapse {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

std::string_view ArgumentReader::Next() {
  if (!More()) {
    Fail(errors::kSyntax);
    return {};
  }
  return args_[at_++];
}

bool ArgumentReader::Match(std::string_view word) {
  if (!More() || !EqualsIgnoreCase(args_[at_], word)) return false;
  ++at_;
  return true;
}

int64_t ArgumentReader::Integer(std::string_view error) {
  const std::string_view text = Next();
  int64_t value = 0;
  if (ok() && !ParseInt64(text, value)) Fail(error);
  return ok() ? value : 0;
}

int64_t ArgumentReader::IntegerIn(int64_t least, int64_t most, std::string_view error) {
  const int64_t value = Integer(error);
  if (ok() && (value < least || value > most)) Fail(error);
  return ok() ? value : 0;
}

double ArgumentReader::Float(std::string_view error) {
  const std::string_view text = Next();
  double value = 0;
  if (ok() && !ParseDouble(text, value)) Fail(error);
  return ok() ? value : 0;
}

}  // namespace lapse
