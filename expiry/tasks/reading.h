// What the readers of schedules, durations and times share: text cut up and numbers out of digits.
//
// protocol/number.h reads the protocol's integers, which are canonical; what people write into a
// schedule is not: "05" is five here. Everything takes and gives views of the caller's text.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lapse {

bool IsDigit(char c);
bool IsLetter(char c);
bool IsBlank(char c);

// Without regard to the case of ASCII letters.
bool SameWord(std::string_view a, std::string_view b);

std::string_view WithoutBlanks(std::string_view text);

// One to kMaxDigits digits and nothing else.
inline constexpr size_t kMaxDigits = 15;
std::optional<int64_t> ReadDigits(std::string_view text);

// The pieces between separators, empty ones included: one at least.
std::vector<std::string_view> SplitAt(std::string_view text, char separator);
// The pieces between runs of blanks.
std::vector<std::string_view> SplitAtBlanks(std::string_view text);

}  // namespace lapse
