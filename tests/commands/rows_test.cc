// What the check of command rows rejects, and what holds of all rows there are.

#include "server/commands/rows.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "server/commands/families.h"

namespace lapse {
namespace {

void Nothing(CommandContext&) {}

constexpr CommandRow Sound() {
  return {"get",  2,      kReadOnly, kOneKey, KeyAccess::kReadOnly, "string", "g", "1.0.0",
          "O(1)", "Gets", "key",     Nothing};
}
static_assert(RowIsSound(Sound()));

template <typename Change>
constexpr bool RejectedAfter(Change change) {
  CommandRow row = Sound();
  change(row);
  return !RowIsSound(row);
}

static_assert(RejectedAfter([](CommandRow& row) { row.name = "GET"; }));
static_assert(RejectedAfter([](CommandRow& row) { row.name = ""; }));
static_assert(RejectedAfter([](CommandRow& row) { row.name = "get it"; }));
static_assert(RejectedAfter([](CommandRow& row) { row.arity = 0; }));
static_assert(RejectedAfter([](CommandRow& row) { row.arity = 1; }));
static_assert(RejectedAfter([](CommandRow& row) { row.summary = ""; }));
static_assert(RejectedAfter([](CommandRow& row) { row.since = ""; }));
static_assert(RejectedAfter([](CommandRow& row) { row.group = ""; }));
static_assert(RejectedAfter([](CommandRow& row) { row.handler = nullptr; }));
static_assert(RejectedAfter([](CommandRow& row) { row.flags = 0; }));
static_assert(RejectedAfter([](CommandRow& row) { row.flags = kWrite; }));
static_assert(RejectedAfter([](CommandRow& row) { row.flags = kWrite | kReadOnly; }));
static_assert(RejectedAfter([](CommandRow& row) { row.access = KeyAccess::kNone; }));
static_assert(RejectedAfter([](CommandRow& row) { row.access = KeyAccess::kOverwrite; }));
static_assert(RejectedAfter([](CommandRow& row) { row.keys = kNoKeys; }));
static_assert(RejectedAfter([](CommandRow& row) { row.keys = {1, 2, 1}; }));
static_assert(RejectedAfter([](CommandRow& row) { row.keys = {2, 1, 1}; }));
static_assert(RejectedAfter([](CommandRow& row) { row.keys = {1, 1, 0}; }));

TEST(Rows, NamesAreUniqueAmongFamilies) {
  std::set<std::string> names;
  for (const auto family : AllCommandFamilies()) {
    for (const CommandRow& row : family) {
      EXPECT_TRUE(names.emplace(row.name).second) << row.name;
    }
  }
  EXPECT_GT(names.size(), 50u);
}

TEST(Rows, EveryFamilyIsSound) {
  for (const auto family : AllCommandFamilies()) EXPECT_TRUE(RowsAreSound(family));
}

}  // namespace
}  // namespace lapse
