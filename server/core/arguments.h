// Reads a command's arguments in order and remembers the first thing that is wrong, so that a
// handler parses without a check at each step and asks once, at the end:
//
//   ArgumentReader in(ctx.args, 2);
//   while (in.More()) {
//     if (in.Match("EX")) ttl = in.Integer();
//     else if (in.Match("NX")) nx = true;
//     else in.Fail(errors::kSyntax);
//   }
//   if (!in.ok()) return ctx.reply.Error(in.error());
//
// After a failure every further read gives an empty or zero value and More() is false.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "server/core/errors.h"

namespace lapse {

class ArgumentReader {
 public:
  ArgumentReader(std::span<const std::string_view> args, size_t from) : args_(args), at_(from) {}

  bool More() const { return ok() && at_ < args_.size(); }
  size_t left() const { return args_.size() - at_; }
  // The next argument; a missing one is a syntax error.
  std::string_view Next();
  // Takes the next argument if it is this word, letter case aside. `word` is in capitals.
  bool Match(std::string_view word);
  int64_t Integer(std::string_view error = errors::kNotInteger);
  // An integer within [least, most].
  int64_t IntegerIn(int64_t least, int64_t most, std::string_view error = errors::kNotInteger);
  double Float(std::string_view error = errors::kNotFloat);

  void Fail(std::string_view error) {
    if (error_.empty()) error_ = error;
  }
  bool ok() const { return error_.empty(); }
  std::string_view error() const { return error_; }

 private:
  std::span<const std::string_view> args_;
  size_t at_;
  std::string error_;
};

// Whether two words are equal, ASCII letter case aside.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace lapse
