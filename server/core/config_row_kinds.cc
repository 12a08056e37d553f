#include "server/core/config_row_kinds.h"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "protocol/number.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

absl::Status NotYesNo() { return BadValue("argument must be 'yes' or 'no'"); }

// The struct that a field's owner type names, within the config.
template <typename Owner>
auto& PartOf(auto& config) {
  if constexpr (std::is_same_v<Owner, ExpirySettings>) {
    return config.expiry;
  } else {
    return config;
  }
}

bool ParseYesNo(const std::string& word, bool& value) {
  if (EqualsIgnoreCase(word, "yes")) return value = true, true;
  if (EqualsIgnoreCase(word, "no")) return value = false, true;
  return false;
}

absl::Status CheckRange(int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return BadValue(fmt::format("argument must be between {} and {} inclusive", least, most));
}

template <typename Owner>
ConfigRow AnyNumberRow(std::string_view name, ConfigTime when, int64_t Owner::*field,
                       ConfigRange range, std::string_view doc) {
  std::string values = range.most == kAnyInteger ? fmt::format("{} or more", range.least)
                                                 : fmt::format("{} to {}", range.least, range.most);
  if (!range.unit.empty()) values += fmt::format(" {}", range.unit);
  return {
      .name = name,
      .type = ConfigType::kInteger,
      .at_run_time = when == ConfigTime::kAnyTime,
      .values = std::move(values),
      .doc = doc,
      .get = [field](const Config& config) { return FormatInt64(PartOf<Owner>(config).*field); },
      .set =
          [field, range](Config& config, ConfigWordSpan words) {
            if (words.size() != 1) return WrongCount();
            int64_t value = 0;
            if (!ParseInt64(words[0], value)) {
              return BadValue("argument couldn't be parsed into an integer");
            }
            absl::Status status = CheckRange(value, range.least, range.most);
            if (status.ok()) PartOf<Owner>(config).*field = value;
            return status;
          }};
}

}  // namespace

absl::Status BadValue(std::string reason) { return absl::InvalidArgumentError(reason); }

absl::Status WrongCount() { return BadValue("wrong number of arguments"); }

absl::Status CheckOneOf(std::string_view word, const ConfigValues& values) {
  for (const std::string& value : values) {
    if (EqualsIgnoreCase(word, value)) return absl::OkStatus();
  }
  return BadValue("argument(s) must be one of the following: " + absl::StrJoin(values, ", "));
}

ConfigRow FlagRow(std::string_view name, ConfigTime when, bool Config::*field,
                  std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kBool,
          .at_run_time = when == ConfigTime::kAnyTime,
          .values = "yes, no",
          .doc = doc,
          .get = [field](const Config& config) { return config.*field ? "yes" : "no"; },
          .set =
              [field](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                if (ParseYesNo(words[0], config.*field)) return absl::OkStatus();
                return NotYesNo();
              }};
}

ConfigRow NumberRow(std::string_view name, ConfigTime when, int64_t Config::*field,
                    ConfigRange range, std::string_view doc) {
  return AnyNumberRow(name, when, field, range, doc);
}

ConfigRow NumberRow(std::string_view name, ConfigTime when, int64_t ExpirySettings::*field,
                    ConfigRange range, std::string_view doc) {
  return AnyNumberRow(name, when, field, range, doc);
}

ConfigRow MemoryRow(std::string_view name, ConfigTime when, int64_t Config::*field, int64_t least,
                    std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kMemory,
          .at_run_time = when == ConfigTime::kAnyTime,
          .values = fmt::format("{} bytes or more; 1mb is 1048576", least),
          .doc = doc,
          .get = [field](const Config& config) { return FormatInt64(config.*field); },
          .set =
              [field, least](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                const absl::StatusOr<int64_t> value = ParseMemory(words[0]);
                if (!value.ok()) return value.status();
                absl::Status status = CheckRange(*value, least, kAnyInteger);
                if (status.ok()) config.*field = *value;
                return status;
              }};
}

ConfigRow TextRow(std::string_view name, ConfigTime when, std::string Config::*field,
                  std::string values, std::string_view doc) {
  return {.name = name,
          .type = ConfigType::kString,
          .at_run_time = when == ConfigTime::kAnyTime,
          .values = std::move(values),
          .doc = doc,
          .get = [field](const Config& config) { return config.*field; },
          .set =
              [field](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                config.*field = words[0];
                return absl::OkStatus();
              }};
}

ConfigRow ChoiceRow(std::string_view name, ConfigTime when, std::string Config::*field,
                    ConfigValues values, std::string_view doc) {
  ConfigRow row = TextRow(name, when, field, absl::StrJoin(values, ", "), doc);
  row.type = ConfigType::kEnum;
  row.set = [field, values](Config& config, ConfigWordSpan words) {
    if (words.size() != 1) return WrongCount();
    absl::Status status = CheckOneOf(words[0], values);
    if (status.ok()) config.*field = absl::AsciiStrToLower(words[0]);
    return status;
  };
  return row;
}

ConfigRow OneValueRow(std::string_view name, std::string_view value, std::string_view why) {
  return {.name = name,
          .type = ConfigType::kSpecial,
          .at_run_time = true,
          .values = value.empty() ? "\"\"" : std::string(value),
          .doc = why,
          .get = [value](const Config&) { return std::string(value); },
          .set =
              [value, why](Config&, ConfigWordSpan words) {
                if (EqualsIgnoreCase(absl::StrJoin(words, " "), value)) return absl::OkStatus();
                return BadValue(
                    fmt::format("{}: the only value is {}", why, value.empty() ? "\"\"" : value));
              },
          .effect = ConfigEffect::kOneValue};
}

ConfigRow InertRow(std::string_view name, ConfigValues values, std::string_view otherwise,
                   std::string_view doc) {
  return {.name = name,
          .type = values.empty() ? ConfigType::kString : ConfigType::kEnum,
          .at_run_time = true,
          .values = values.empty() ? "text" : absl::StrJoin(values, ", "),
          .doc = doc,
          .get =
              [name, otherwise](const Config& config) {
                const auto found = config.inert.find(name);
                return found == config.inert.end() ? std::string(otherwise) : found->second;
              },
          .set =
              [name, values](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                absl::Status status =
                    values.empty() ? absl::OkStatus() : CheckOneOf(words[0], values);
                if (status.ok()) {
                  config.inert[std::string(name)] =
                      values.empty() ? words[0] : absl::AsciiStrToLower(words[0]);
                }
                return status;
              },
          .effect = ConfigEffect::kNone};
}

ConfigRow InertFlagRow(std::string_view name, std::string_view otherwise, std::string_view doc) {
  ConfigRow row = InertRow(name, {"yes", "no"}, otherwise, doc);
  row.set = [set = row.set](Config& config, ConfigWordSpan words) {
    absl::Status status = set(config, words);
    return status.ok() || words.size() != 1 ? status : NotYesNo();
  };
  return row;
}

}  // namespace lapse
