// What holds for every command there is, generated from the rows: a new one is covered by being in
// its family's table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>
#include <string>

#include "server/commands/command_syntax.h"
#include "server/commands/families.h"
#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::Each;
using ::testing::StartsWith;

// A row that runs, and the words that name it in a request.
struct Runnable {
  const CommandRow* row;
  std::string name;  // "config|get"
  std::vector<std::string> words;
};

std::vector<Runnable> AllRunnable() {
  std::vector<Runnable> found;
  for (const auto family : AllCommandFamilies()) {
    for (const CommandRow& row : family) {
      const std::string name(row.name);
      if (row.handler != nullptr) found.push_back({&row, name, {name}});
      for (const CommandRow& sub : row.subcommands) {
        const std::string sub_name(sub.name);
        found.push_back({&sub, name + '|' + sub_name, {name, sub_name}});
      }
    }
  }
  return found;
}

std::string WrongNumber(const std::string& name) {
  return "ERR wrong number of arguments for '" + name + "' command";
}

TEST(EveryCommand, HasANameOfItsOwn) {
  std::set<std::string> names;
  for (const Runnable& command : AllRunnable()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    for (const char c : command.name) {
      EXPECT_TRUE(std::islower(c) || std::isdigit(c) || c == '-' || c == '_' || c == '|')
          << command.name;
    }
  }
}

TEST(EveryCommand, IsFoundUnderItsName) {
  Db db;
  for (const Runnable& command : AllRunnable()) {
    const CommandRow* row = db.instance().registry.Find(command.words[0]);
    ASSERT_NE(row, nullptr) << command.name;
    if (command.words.size() == 2) row = CommandRegistry::FindSubcommand(*row, command.words[1]);
    EXPECT_EQ(row, command.row) << command.name;
  }
}

// What a refused command answers. EXEC ends the transaction with it, whether there was one or not.
std::string Refusal(const Runnable& command, std::string why) {
  if (command.name != "exec") return why;
  if (why.starts_with("ERR ")) why.erase(0, 4);
  return "EXECABORT Transaction discarded because of: " + why;
}

TEST(EveryCommand, RefusesTooFewArguments) {
  Db db;
  for (const Runnable& command : AllRunnable()) {
    const auto least = static_cast<size_t>(std::abs(command.row->arity));
    for (size_t n = command.words.size(); n < least; ++n) {
      std::vector<std::string> words = command.words;
      words.resize(n, "x");
      EXPECT_EQ(db.Call(words), WrongNumber(command.name)) << n;
    }
  }
}

TEST(EveryCommand, OfAFixedArityRefusesTooMany) {
  Db db;
  for (const Runnable& command : AllRunnable()) {
    if (command.row->arity < 0) continue;
    std::vector<std::string> words = command.words;
    words.resize(static_cast<size_t>(command.row->arity) + 1, "x");
    EXPECT_EQ(db.Call(words), Refusal(command, WrongNumber(command.name)));
  }
}

TEST(EveryCommand, NeedsAuthenticationUnlessItGivesIt) {
  Config config;
  config.requirepass = "secret";
  Db db(config);
  for (const Runnable& command : AllRunnable()) {
    if ((command.row->flags & kNoAuth) != 0) continue;
    std::vector<std::string> words = command.words;
    words.resize(static_cast<size_t>(std::abs(command.row->arity)), "x");
    EXPECT_EQ(db.Call(words), Refusal(command, "NOAUTH Authentication required.")) << command.name;
  }
}

TEST(EveryContainer, RefusesUnknownSubcommands) {
  Db db;
  for (const CommandRow* row : db.instance().registry.rows()) {
    if (row->subcommands.empty()) continue;
    std::string upper(row->name);
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    const std::string name(row->name);
    EXPECT_EQ(db.Call({name, "NoSuch"}),
              "ERR unknown subcommand 'NoSuch'. Try " + upper + " HELP.");
    // CLUSTER helps nobody who is not part of one, as in Redis.
    if (name != "cluster") {
      EXPECT_THAT(Texts(db.Call({name, "help"}))[0], StartsWith(upper + " <subcommand>"));
    }
    if (row->handler != nullptr) continue;
    EXPECT_EQ(db.Call({name}), WrongNumber(name));
  }
}

// The groups of COMMAND DOCS.
bool IsGroup(std::string_view group) {
  constexpr std::string_view kGroups[] = {"bitmap",     "connection",  "generic", "geo",
                                          "hash",       "hyperloglog", "list",    "pubsub",
                                          "cluster",    "scripting",   "server",  "set",
                                          "sorted-set", "stream",      "string",  "transactions"};
  return std::find(std::begin(kGroups), std::end(kGroups), group) != std::end(kGroups);
}

TEST(EveryCommand, HasConsistentFlags) {
  for (const Runnable& command : AllRunnable()) {
    const CommandRow& row = *command.row;
    const auto has = [&row](uint32_t flag) { return (row.flags & flag) != 0; };
    EXPECT_FALSE(has(kWrite) && has(kReadOnly)) << command.name;
    EXPECT_FALSE(has(kDenyOom) && !has(kWrite)) << command.name << ": only a write can need memory";
    EXPECT_EQ(row.keys.first > 0, row.access != KeyAccess::kNone) << command.name;
    EXPECT_FALSE(WritesData(row.access) && !has(kWrite)) << command.name;
    EXPECT_FALSE(has(kExclusive) && row.keys.first > 0)
        << command.name << ": what has keys locks their shards";
    EXPECT_FALSE(row.since.empty() || row.summary.empty() || row.complexity.empty())
        << command.name;
    EXPECT_NE(row.summary.back(), '.') << command.name << ": HELP adds it";
    EXPECT_TRUE(IsGroup(row.group)) << command.name << ": " << row.group;
  }
}

// The fewest words that the argument may be written with.
size_t LeastWords(const SyntaxArgument& argument) {
  if (argument.optional) return 0;
  if (argument.type == SyntaxType::kPureToken) return 1;
  size_t least = argument.token.empty() ? 0 : 1;
  if (argument.type == SyntaxType::kOneOf) {
    size_t shortest = SIZE_MAX;
    for (const SyntaxArgument& choice : argument.arguments) {
      shortest = std::min(shortest, LeastWords(choice));
    }
    return least + shortest;
  }
  if (argument.type != SyntaxType::kBlock) return least + 1;
  for (const SyntaxArgument& part : argument.arguments) least += LeastWords(part);
  return least;
}

// Syntax and arity agree on how many words there must be at least. Where the arity asks for more,
// the handler need not check that there are.
TEST(EveryCommand, HasASyntaxThatFitsItsArity) {
  for (const Runnable& command : AllRunnable()) {
    size_t needed = command.words.size();
    bool open = false;
    for (const SyntaxArgument& argument : ParseSyntax(command.row->syntax)) {
      needed += LeastWords(argument);
      open |= argument.optional || argument.multiple;
    }
    const auto arity = static_cast<size_t>(std::abs(command.row->arity));
    // As in Redis: they take a key alone, which no syntax of theirs says.
    if (command.name == "geohash" || command.name == "geopos") continue;
    EXPECT_LE(needed, arity) << command.name;
    if (command.row->arity < 0) continue;
    EXPECT_EQ(needed, arity) << command.name;
    EXPECT_FALSE(open) << command.name << " takes a fixed number of words";
  }
}

void ExpectInfoShape(const Reply& info, const std::string& name, int resp) {
  ASSERT_EQ(info.size(), 10u) << name;
  EXPECT_EQ(info[0], name);
  const ReplyType set = resp == 3 ? ReplyType::kSet : ReplyType::kArray;
  for (const size_t i : {2u, 6u, 7u, 8u, 9u}) EXPECT_EQ(info[i].type, set) << name << ' ' << i;
  for (const size_t i : {1u, 3u, 4u, 5u}) {
    EXPECT_EQ(info[i].type, ReplyType::kInteger) << name << ' ' << i;
  }
  EXPECT_THAT(Texts(info[6]), Each(StartsWith("@"))) << name;
  EXPECT_LE(info[3].integer > 0 ? 1u : 0u, info[8].size())
      << name << ": a key spec for those with keys";
}

TEST(EveryCommand, HasInfoInRedisShape) {
  for (const int resp : {2, 3}) {
    Db db;
    db.Resp(resp);
    for (const Runnable& command : AllRunnable()) {
      const Reply info = db.Call({"COMMAND", "INFO", command.name});
      ASSERT_EQ(info.size(), 1u) << command.name;
      ExpectInfoShape(info[0], command.name, resp);
    }
  }
}

TEST(EveryCommand, HasDocsInRedisShape) {
  for (const int resp : {2, 3}) {
    Db db;
    db.Resp(resp);
    const ReplyType map = resp == 3 ? ReplyType::kMap : ReplyType::kArray;
    for (const Runnable& command : AllRunnable()) {
      const Reply docs = db.Call({"COMMAND", "DOCS", command.name});
      ASSERT_EQ(docs.type, map) << command.name;
      ASSERT_EQ(docs.size(), 2u) << command.name;
      EXPECT_EQ(docs[0], command.name);
      EXPECT_EQ(docs[1].type, map) << command.name;
      EXPECT_EQ(docs[1][0], "summary") << command.name;
      EXPECT_EQ(docs[1][2], "since") << command.name;
      EXPECT_EQ(docs[1][4], "group") << command.name;
    }
  }
}

}  // namespace
}  // namespace lapse
