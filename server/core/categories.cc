#include "server/core/categories.h"

#include <algorithm>

#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr CommandCategory kCategories[] = {
    {"keyspace"},
    {"read", kReadOnly},
    {"write", kWrite},
    {"set"},
    {"sortedset"},
    {"list"},
    {"hash"},
    {"string"},
    {"bitmap"},
    {"hyperloglog"},
    {"geo"},
    {"stream"},
    {"pubsub", kPubSub},
    {"admin", kAdmin},
    {"fast", kFast},
    {"slow"},
    {"blocking", kBlocking},
    {"dangerous", kAdmin},
    {"connection"},
    {"transaction"},
    {"scripting"},
    // Lapse's own: FLUSHEXPIREKEYS and what belongs to it, and parts of that.
    {"expiry"},
    {"taskread"},
    {"taskwrite"},
    {"tasktrigger"},
    {"taskhistory"},
};

// Whether the word is one of those in the text, which blanks separate.
bool HasWord(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (text.substr(0, end) == word) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace

std::span<const CommandCategory> CommandCategories() { return kCategories; }

const CommandCategory* FindCategory(std::string_view name) {
  for (const CommandCategory& category : kCategories) {
    if (EqualsIgnoreCase(category.name, name)) return &category;
  }
  return nullptr;
}

bool InCategory(const CommandRow& row, const CommandCategory& category) {
  // Redis counts no script among what reads, not even one that may do nothing else.
  if (category.flag == kReadOnly && HasWord(row.categories, "scripting")) return false;
  if ((row.flags & category.flag) != 0) return true;
  if (category.name == "slow") return (row.flags & kFast) == 0;
  return HasWord(row.categories, category.name);
}

}  // namespace lapse
