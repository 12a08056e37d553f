// What the servers say of themselves: COMMAND INFO of every command, and the directives that both
// have. Each difference that is meant stands in a table, with its reason.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/families.h"
#include "server/core/config.h"
#include "tests/differential/duel.h"

namespace lapse {
namespace {

struct Exception {
  std::string_view what;   // a command, "client|list", or a directive
  std::string_view field;  // "" any
  std::string_view reason;
};

bool Excepted(std::span<const Exception> exceptions, std::string_view what,
              std::string_view field) {
  return std::any_of(exceptions.begin(), exceptions.end(), [&](const Exception& exception) {
    return exception.what == what && (exception.field == field || exception.field.empty());
  });
}

// Sets and maps in an order of their own, without the notes of key specifications, which are prose.
std::string Canonical(const Reply& reply) {
  if (!reply.IsCollection()) return reply.ToString();
  std::vector<std::string> parts;
  const size_t step = reply.type == ReplyType::kMap ? 2 : 1;
  for (size_t i = 0; i < reply.size(); i += step) {
    if (step == 2 && reply[i] == "notes") continue;
    parts.push_back(Canonical(reply[i]));
    if (step == 2) parts.back() += " => " + Canonical(reply[i + 1]);
  }
  if (reply.type != ReplyType::kArray) std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return "[" + text + "]";
}

Reply Ask(ByteClient& server, const Request& request) {
  server.Send(Encode(request));
  const auto answer = server.Receive();
  EXPECT_TRUE(answer.has_value()) << ToCommandLine(request) << ": " << server.error();
  return answer ? answer->reply : Reply{};
}

// --- Commands. ---

constexpr std::string_view kInfoFields[] = {"name",           "arity",    "flags",
                                            "first key",      "last key", "step",
                                            "ACL categories", "tips",     "key specifications"};

constexpr Exception kCommandExceptions[] = {
    {"flushexpirekeys", "", "Lapse's own"},
    {"metrics", "", "Lapse's own"},
    {"flushtask", "", "Lapse's own"},
    {"describehistorytasks", "", "Lapse's own"},
    {"describeinstances", "", "Lapse's own"},
    {"modifyinstancemaintaintime", "", "Lapse's own"},
    {"client|setinfo", "", "since Redis 7.2"},
    {"client|no-touch", "", "since Redis 7.2"},
    {"hexpire", "", "since Redis 7.4"},
    {"hpexpire", "", "since Redis 7.4"},
    {"hexpireat", "", "since Redis 7.4"},
    {"hpexpireat", "", "since Redis 7.4"},
    {"httl", "", "since Redis 7.4"},
    {"hpttl", "", "since Redis 7.4"},
    {"hexpiretime", "", "since Redis 7.4"},
    {"hpexpiretime", "", "since Redis 7.4"},
    {"hpersist", "", "since Redis 7.4"},
    {"hgetdel", "", "since Redis 8.0"},
    {"hgetex", "", "since Redis 8.0"},
    {"hsetex", "", "since Redis 8.0"},
    {"zrank", "", "takes WITHSCORE, since Redis 7.2"},
    {"zrevrank", "", "takes WITHSCORE, since Redis 7.2"},
    {"restore-asking", "flags", "keys do not move here, so no command is let in on account of it"},
};

void CompareCommand(const std::string& name, const Reply& reference, const Reply& ours) {
  if (reference.size() != 1 || reference[0].IsNull()) {
    EXPECT_TRUE(Excepted(kCommandExceptions, name, "")) << name << " is unknown to redis";
    return;
  }
  ASSERT_EQ(ours.size(), 1u) << name;
  ASSERT_EQ(ours[0].size(), reference[0].size()) << name;
  for (size_t i = 0; i < std::size(kInfoFields); ++i) {
    if (Excepted(kCommandExceptions, name, kInfoFields[i])) continue;
    EXPECT_EQ(Canonical(reference[0][i]), Canonical(ours[0][i])) << name << ": " << kInfoFields[i];
  }
}

TEST(Differential, CommandInfo) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  ByteClient reference(rivals->reference->port());
  ByteClient ours(rivals->ours->port());
  Ask(reference, {"HELLO", "3"});
  Ask(ours, {"HELLO", "3"});
  const auto compare = [&](const std::string& name) {
    const Request request = {"COMMAND", "INFO", name};
    CompareCommand(name, Ask(reference, request), Ask(ours, request));
  };
  for (const auto family : AllCommandFamilies()) {
    for (const CommandRow& row : family) {
      compare(std::string(row.name));
      if (Excepted(kCommandExceptions, row.name, "")) continue;  // its subcommands, too
      for (const CommandRow& subcommand : row.subcommands) {
        compare(fmt::format("{}|{}", row.name, subcommand.name));
      }
    }
  }
}

// The arguments that are keys, and by which specification, in their order.
void CollectKeyArguments(const Reply& arguments, std::string& out) {
  for (const Reply& argument : arguments.elements) {
    std::string name, spec;
    const Reply* inner = nullptr;
    for (size_t i = 0; i + 1 < argument.size(); i += 2) {
      if (argument[i] == "name") name = argument[i + 1].text;
      if (argument[i] == "key_spec_index") spec = argument[i + 1].ToString();
      if (argument[i] == "arguments") inner = &argument[i + 1];
    }
    if (!spec.empty()) out += name + " " + spec + ", ";
    if (inner != nullptr) CollectKeyArguments(*inner, out);
  }
}

std::string KeyArguments(const Reply& docs) {
  std::string found;
  if (docs.size() < 2) return found;
  for (size_t i = 0; i + 1 < docs[1].size(); i += 2) {
    if (docs[1][i] == "arguments") CollectKeyArguments(docs[1][i + 1], found);
  }
  return found;
}

TEST(Differential, KeysInCommandDocs) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  ByteClient reference(rivals->reference->port());
  ByteClient ours(rivals->ours->port());
  Ask(reference, {"HELLO", "3"});
  Ask(ours, {"HELLO", "3"});
  for (const auto family : AllCommandFamilies()) {
    for (const CommandRow& row : family) {
      const std::string name(row.name);
      const Request request = {"COMMAND", "DOCS", name};
      const Reply expected = Ask(reference, request);
      if (expected.size() == 0) continue;
      EXPECT_EQ(KeyArguments(expected), KeyArguments(Ask(ours, request))) << name;
    }
  }
}

// --- Directives. ---

constexpr std::string_view kTheTests = "the test chooses it";
constexpr std::string_view kInertHere =
    "taken and kept, but without effect here, and so changeable";
constexpr std::string_view kAnotherName = "in Redis another name of the directive about replicas";

constexpr Exception kDirectiveExceptions[] = {
    {"port", "GET", kTheTests},
    {"dir", "GET", kTheTests},
    {"bind", "GET", "only this machine may connect unless told otherwise"},
    {"io-threads", "GET", "threads run commands here: as many as there are cores"},
    {"io-threads-do-reads", "GET", "each thread reads"},
    {"dynamic-hz", "GET", "effort follows what is late, not the number of clients"},
    {"set-proc-title", "GET", "the process keeps its name"},
    {"proc-title-template", "GET", "the process keeps its name"},
    {"disable-thp", "GET", "huge pages are wanted here"},
    {"auto-aof-rewrite-min-size", "GET", "without effect here, and so kept as it is written"},
    {"always-show-logo", "SET", kInertHere},
    {"rdbchecksum", "SET", kInertHere},
    {"slave-read-only", "GET", kAnotherName},
    {"slave-serve-stale-data", "GET", kAnotherName},
    {"slave-lazy-flush", "GET", kAnotherName},
};

// Tried on every directive that can be changed at run time and has a rule for its values.
constexpr std::string_view kValues[] = {"yes", "NO",  "maybe",    "0",      "1",      "-1",
                                        "7",   "abc", "1.5",      " 1",     "1mb",    "1048576",
                                        "2GB", "1e3", "everysec", "notice", "WARNING"};

// False: they differ, and nothing more is to be learnt from this directive.
bool CompareDirective(ByteClient& reference, ByteClient& ours, const Request& request) {
  const Reply expected = Ask(reference, request);
  const Reply got = Ask(ours, request);
  if (expected == got) return true;
  EXPECT_TRUE(Excepted(kDirectiveExceptions, request[2], request[1]))
      << ToCommandLine(request) << "\n  redis: " << expected.ToString()
      << "\n  lapse: " << got.ToString();
  return false;
}

TEST(Differential, Directives) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  ByteClient reference(rivals->reference->port());
  ByteClient ours(rivals->ours->port());
  for (const ConfigRow& row : ConfigTable()) {
    const std::string name(row.name);
    const Request get = {"CONFIG", "GET", name};
    if (Ask(reference, get).size() == 0) continue;  // Lapse's own
    if (!CompareDirective(reference, ours, get)) continue;
    const bool ruled = row.type != ConfigType::kString && row.type != ConfigType::kPassword &&
                       row.type != ConfigType::kSpecial;
    if (!ruled || !row.at_run_time || name == "maxclients") continue;
    for (const std::string_view value : kValues) {
      if (!CompareDirective(reference, ours, {"CONFIG", "SET", name, std::string(value)})) break;
      if (!CompareDirective(reference, ours, get)) break;
    }
  }
}

}  // namespace
}  // namespace lapse
