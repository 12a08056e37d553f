#include "server/http/task_words.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "boost/json/array.hpp"
#include "fmt/format.h"
#include "protocol/number.h"
#include "server/http/reply_json.h"

namespace lapse {
namespace {

using boost::json::object;
using boost::json::value;
using Words = std::vector<std::string>;

constexpr size_t kMaxShownName = 64;
constexpr size_t kMaxElements = 1024;
constexpr std::string_view kKinds[] = {"cron", "every", "at", "memory"};
constexpr std::string_view kOfSchedule[] = {"kind", "when", "for", "offpeak_cpu", "offpeak_within"};

// Members that are an option and its value; null takes back what may be taken back.
struct Option {
  std::string_view name;
  std::string_view word;
};
constexpr Option kOptions[] = {
    {"silence", "SILENCE"},     {"timezone", "TZ"},
    {"start", "START"},         {"until", "UNTIL"},
    {"maxcpu", "MAXCPU"},       {"window", "WINDOW"},
    {"cooldown", "COOLDOWN"},   {"timeout", "TIMEOUT"},
    {"missed", "MISSED"},       {"concurrency", "CONCURRENCY"},
    {"maxerrors", "MAXERRORS"},
};

const value* Find(const object& body, std::string_view name) {
  const auto found = body.find(name);
  return found == body.end() ? nullptr : &found->value();
}

std::string Wants(std::string_view name, std::string_view what) {
  return fmt::format("{} has to be {}", name, what);
}

// "CRON <expression>", for a memory alert with its FOR.
std::string AddSchedule(const object& body, Words& words) {
  const value* const kind = Find(body, "kind");
  const value* const when = Find(body, "when");
  if ((kind == nullptr) != (when == nullptr)) return "kind and when come together";
  if (kind != nullptr) {
    const std::string name = kind->is_string() ? std::string(View(kind->get_string())) : "";
    if (std::ranges::find(kKinds, name) == std::end(kKinds)) {
      return Wants("kind", "cron, every, at or memory");
    }
    const std::optional<std::string> text = WordOf(*when);
    if (!text) return Wants("when", "a text or a number");
    words.insert(words.end(), {absl::AsciiStrToUpper(name), *text});
  }
  if (const value* const period = Find(body, "for")) {
    const std::optional<std::string> text = WordOf(*period);
    if (!text) return Wants("for", "a duration");
    words.insert(words.end(), {"FOR", *text});
  }
  return {};
}

std::string AddOffpeak(const object& body, Words& words) {
  const value* const cpu = Find(body, "offpeak_cpu");
  const value* const within = Find(body, "offpeak_within");
  if (cpu == nullptr) return within == nullptr ? "" : "offpeak_within needs offpeak_cpu";
  if (cpu->is_null() || (cpu->is_int64() && cpu->get_int64() == 0)) {
    words.insert(words.end(), {"OFFPEAK", "NONE"});
    return {};
  }
  const std::optional<std::string> percent = WordOf(*cpu);
  if (!percent) return Wants("offpeak_cpu", "a percentage");
  words.insert(words.end(), {"OFFPEAK", "CPU", *percent});
  if (within == nullptr) return {};
  const std::optional<std::string> period = WordOf(*within);
  if (!period) return Wants("offpeak_within", "a duration");
  words.insert(words.end(), {"WITHIN", *period});
  return {};
}

std::string AddDatabases(const value& databases, Words& words) {
  if (databases.is_null() || (databases.is_array() && databases.get_array().empty())) {
    words.insert(words.end(), {"DB", "ALL"});
    return {};
  }
  if (!databases.is_array() || databases.get_array().size() > kMaxElements) {
    return Wants("db", "an array of indexes");
  }
  words.emplace_back("DB");
  for (const value& index : databases.get_array()) {
    if (!index.is_int64()) return Wants("db", "an array of indexes");
    words.push_back(FormatInt64(index.get_int64()));
  }
  return {};
}

std::string AddTargets(const value& targets, Words& words) {
  constexpr std::string_view kWhat = "an array of URLs and \"local\"";
  if (!targets.is_array() || targets.get_array().empty() ||
      targets.get_array().size() > kMaxElements) {
    return Wants("targets", kWhat);
  }
  words.emplace_back("ON");
  for (const value& target : targets.get_array()) {
    if (!target.is_string()) return Wants("targets", kWhat);
    const std::string_view text = View(target.get_string());
    // Anything else might be taken for the next option.
    if (text != "local" && text.find("://") == text.npos) return Wants("targets", kWhat);
    words.emplace_back(text);
  }
  return {};
}

std::string AddOption(const Option& option, const value& given, Words& words) {
  const bool none = given.is_null() || (given.is_string() && given.get_string().empty());
  const std::optional<std::string> word = none ? "NONE" : WordOf(given);
  if (!word) return Wants(option.name, "a text or a number");
  words.insert(words.end(), {std::string(option.word), *word});
  return {};
}

}  // namespace

std::optional<std::string> WordOf(const value& given) {
  if (given.is_string()) return std::string(View(given.get_string()));
  if (given.is_int64()) return FormatInt64(given.get_int64());
  return std::nullopt;
}

std::string AddTaskWords(const object& body, Words& words) {
  if (std::string error = AddSchedule(body, words); !error.empty()) return error;
  if (std::string error = AddOffpeak(body, words); !error.empty()) return error;
  for (const auto& [key, given] : body) {
    const std::string_view name = View(key);
    std::string error;
    if (std::ranges::find(kOfSchedule, name) != std::end(kOfSchedule)) continue;
    if (name == "db") {
      error = AddDatabases(given, words);
    } else if (name == "targets") {
      error = AddTargets(given, words);
    } else {
      const auto option = std::ranges::find(kOptions, name, &Option::name);
      if (option == std::end(kOptions)) {
        return fmt::format("there is no member {}", ValidUtf8(name.substr(0, kMaxShownName)));
      }
      error = AddOption(*option, given, words);
    }
    if (!error.empty()) return error;
  }
  return {};
}

std::string AddFlushWords(const object& body, Words& words) {
  for (const auto& [key, given] : body) {
    const std::string_view name = View(key);
    if (name == "db" && given.is_int64()) {
      words.insert(words.end(), {"DB", FormatInt64(given.get_int64())});
    } else if (name == "maxcpu" && given.is_int64()) {
      words.insert(words.end(), {"MAXCPU", FormatInt64(given.get_int64())});
    } else if (name == "scan" && given.is_string() &&
               (given.get_string() == "exhaustive" || given.get_string() == "hinted")) {
      words.insert(words.end(), {"SCAN", std::string(View(given.get_string()))});
    } else if (name == "dry_run" && given.is_bool()) {
      if (given.get_bool()) words.emplace_back("DRYRUN");
    } else {
      return fmt::format("{} is not known, or not of its type",
                         ValidUtf8(name.substr(0, kMaxShownName)));
    }
  }
  return {};
}

}  // namespace lapse
