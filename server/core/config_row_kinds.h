// The makers of rows for the table of directives: a yes or no, a number, an amount of memory, a
// text, a choice, and those that change nothing. Each gives the row its type, its bounds and
// Redis's wording for what is wrong with a value; the files of the parts (config_rows.h) say which
// directives there are.
//
// Thread: pure functions; called once, by ConfigTable().
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/core/config.h"

namespace lapse {

using ConfigWordSpan = std::span<const std::string>;
using ConfigValues = std::vector<std::string>;

inline constexpr int64_t kMegabyte = int64_t{1} << 20;
inline constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kMostInt = std::numeric_limits<int32_t>::max();

// When a directive may be set.
enum class ConfigTime : uint8_t { kAtStart, kAnyTime };

struct ConfigRange {
  int64_t least;
  int64_t most;
  std::string_view unit = {};
};

// --- What is wrong with a value. ---

absl::Status BadValue(std::string reason);
absl::Status WrongCount();
absl::Status CheckOneOf(std::string_view word, const ConfigValues& values);

// --- Rows. ---

ConfigRow FlagRow(std::string_view name, ConfigTime when, bool Config::*field,
                  std::string_view doc);
ConfigRow NumberRow(std::string_view name, ConfigTime when, int64_t Config::*field,
                    ConfigRange range, std::string_view doc);
ConfigRow NumberRow(std::string_view name, ConfigTime when, int64_t ExpirySettings::*field,
                    ConfigRange range, std::string_view doc);
ConfigRow MemoryRow(std::string_view name, ConfigTime when, int64_t Config::*field, int64_t least,
                    std::string_view doc);
ConfigRow TextRow(std::string_view name, ConfigTime when, std::string Config::*field,
                  std::string values, std::string_view doc);
ConfigRow ChoiceRow(std::string_view name, ConfigTime when, std::string Config::*field,
                    ConfigValues values, std::string_view doc);
// A directive with one value that is true of Lapse at this stage; `why` completes "... not
// available".
ConfigRow OneValueRow(std::string_view name, std::string_view value, std::string_view why);
// A directive that is taken, kept and given back, and changes nothing. No values: any text.
ConfigRow InertRow(std::string_view name, ConfigValues values, std::string_view otherwise,
                   std::string_view doc);
ConfigRow InertFlagRow(std::string_view name, std::string_view otherwise, std::string_view doc);

}  // namespace lapse
