#include "server/core/registry.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr CommandRow kNone[] = {{.name = "unused"}};
constexpr CommandRow kSubs[] = {{.name = "get"}, {.name = "set"}};
// One name for each length from 1 to 20, and pairs that differ in one place only.
constexpr CommandRow kFirst[] = {
    {.name = "a"},
    {.name = "ab"},
    {.name = "get"},
    {.name = "set"},
    {.name = "mget"},
    {.name = "setex"},
    {.name = "expire"},
    {.name = "pexpire"},
    {.name = "sadd-abc"},
    {.name = "sadd-abd"},
    {.name = "expiretime"},
    {.name = "pexpiretime"},
    {.name = "abcdefghijkl"},
    {.name = "abcdefghijklm"},
    {.name = "abcdefghijklmn"},
};
constexpr CommandRow kSecond[] = {
    {.name = "abcdefghijklmno"},           {.name = "abcdefghijklmnop"},
    {.name = "abcdefghijklmnopq"},         {.name = "abcdefghijklmnopr"},
    {.name = "zremrangebyscore-and-more"}, {.name = "config", .subcommands = kSubs},
};
constexpr std::array<std::span<const CommandRow>, 2> kFamilies = {kFirst, kSecond};

std::string Shouted(std::string_view name) {
  std::string upper(name);
  for (size_t i = 0; i < upper.size(); i += 2) {
    if (upper[i] >= 'a' && upper[i] <= 'z') upper[i] = static_cast<char>(upper[i] - 32);
  }
  return upper;
}

TEST(CommandRegistry, FindsEveryNameInAnyCase) {
  const CommandRegistry registry(kFamilies);
  for (const auto family : kFamilies) {
    for (const CommandRow& row : family) {
      EXPECT_EQ(registry.Find(row.name), &row) << row.name;
      EXPECT_EQ(registry.Find(Shouted(row.name)), &row) << row.name;
    }
  }
}

TEST(CommandRegistry, RowsAreSortedByName) {
  const CommandRegistry registry(kFamilies);
  EXPECT_EQ(registry.rows().size(), std::size(kFirst) + std::size(kSecond));
  for (size_t i = 1; i < registry.rows().size(); ++i) {
    EXPECT_LT(registry.rows()[i - 1]->name, registry.rows()[i]->name);
  }
}

TEST(CommandRegistry, NearMissesAreNotFound) {
  using namespace std::literals;
  const CommandRegistry registry(kFamilies);
  for (const std::string_view name :
       {""sv, "g"sv, "ge"sv, "gett"sv, "get\0"sv, "\0get"sv, "get "sv, "gex"sv, "sadd\rabc"sv,
        "SADD\rABC"sv, "sadd-ab"sv, "abcdefghijklmnops"sv, "abcdefghijklmnop\0"sv,
        "abcdefghijklmnopq "sv, "zremrangebyscore-and-morf"sv, "zremrangebyscore"sv,
        "\xE7"
        "et"sv}) {
    EXPECT_EQ(registry.Find(name), nullptr) << name;
  }
}

// Against a plain comparison of names, over words made from the bytes that folding might confuse.
TEST(CommandRegistry, AgreesWithAPlainSearch) {
  const CommandRegistry registry(kFamilies);
  std::mt19937 random(7);
  constexpr std::string_view kAlphabet = "abcdABCDGETSgets-\r@`[{\x01 ";
  for (int i = 0; i < 200'000; ++i) {
    std::string name;
    for (size_t n = random() % 6; n > 0; --n) name += kAlphabet[random() % kAlphabet.size()];
    const CommandRow* expected = nullptr;
    for (const CommandRow* row : registry.rows()) {
      if (EqualsIgnoreCase(row->name, name)) expected = row;
    }
    ASSERT_EQ(registry.Find(name), expected) << name;
  }
}

TEST(CommandRegistry, Subcommands) {
  const CommandRegistry registry(kFamilies);
  const CommandRow* const config = registry.Find("config");
  ASSERT_NE(config, nullptr);
  EXPECT_EQ(CommandRegistry::FindSubcommand(*config, "GET"), &kSubs[0]);
  EXPECT_EQ(CommandRegistry::FindSubcommand(*config, "set"), &kSubs[1]);
  EXPECT_EQ(CommandRegistry::FindSubcommand(*config, "se"), nullptr);
  EXPECT_EQ(CommandRegistry::FindSubcommand(*registry.Find("get"), "get"), nullptr);
}

TEST(CommandRegistry, MayBeEmpty) {
  const CommandRegistry registry({});
  EXPECT_EQ(registry.Find(kNone[0].name), nullptr);
  EXPECT_TRUE(registry.rows().empty());
}

}  // namespace
}  // namespace lapse
