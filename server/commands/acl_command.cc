// ACL: the users, what they may do, and what was denied.

#include <openssl/rand.h>

#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/categories.h"
#include "server/core/context.h"
#include "server/core/dispatcher.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr std::string_view kNoAclFile =
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration.";
constexpr int64_t kMostPasswordBits = 4096;
constexpr int64_t kPasswordBits = 256;
constexpr int64_t kShownLogEntries = 10;

Acl& AclOf(CommandContext& ctx) { return Services::Of(ctx.instance).acl(); }

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

void WhoAmI(CommandContext& ctx) { ctx.reply.Bulk(ctx.session.user); }

void Users(CommandContext& ctx) {
  const auto& users = AclOf(ctx).users();
  ctx.reply.Array(users.size());
  for (const auto& [name, user] : users) ctx.reply.Bulk(name);
}

void List(CommandContext& ctx) {
  const auto& users = AclOf(ctx).users();
  ctx.reply.Array(users.size());
  for (const auto& [name, user] : users) ctx.reply.Bulk(user.Describe());
}

void ReplySelector(ReplyWriter& reply, const AclSelector& selector) {
  reply.Bulk("commands");
  reply.Bulk(selector.DescribeCommands());
  reply.Bulk("keys");
  reply.Bulk(selector.DescribeKeys());
  reply.Bulk("channels");
  reply.Bulk(selector.DescribeChannels());
}

void GetUser(CommandContext& ctx) {
  const AclUser* user = AclOf(ctx).Find(ctx.args[2]);
  if (user == nullptr) return ctx.reply.Null();
  ReplyWriter& reply = ctx.reply;
  reply.Map(6);
  reply.Bulk("flags");
  const std::vector<std::string> flags = user->flags();
  reply.Set(flags.size());
  for (const std::string& flag : flags) reply.Bulk(flag);
  reply.Bulk("passwords");
  reply.Array(user->password_hashes().size());
  for (const std::string& hash : user->password_hashes()) reply.Bulk(hash);
  ReplySelector(reply, user->root());
  reply.Bulk("selectors");
  reply.Array(user->selectors().size());
  for (const AclSelector& selector : user->selectors()) {
    reply.Map(3);
    ReplySelector(reply, selector);
  }
}

void SetUser(CommandContext& ctx) {
  const std::string_view name = ctx.args[2];
  if (name.find(' ') != name.npos || name.find('\0') != name.npos) {
    return ctx.reply.Error("ERR Usernames can't contain spaces or null characters");
  }
  std::vector<std::string> rules;
  std::string unmatched;
  if (!MergeSelectors(ctx.args.subspan(3), rules, unmatched)) {
    return ctx.reply.Error(
        fmt::format("ERR Unmatched parenthesis in acl selector starting at '{}'.", unmatched));
  }
  const absl::Status status = AclOf(ctx).SetUser(name, rules);
  if (status.ok()) return ctx.reply.Ok();
  ctx.reply.Error(fmt::format("ERR Error in ACL SETUSER modifier {}", MessageOf(status)));
}

void DelUser(CommandContext& ctx) {
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    if (ctx.args[i] == Acl::kDefaultUser) {
      return ctx.reply.Error("ERR The 'default' user cannot be removed");
    }
  }
  int64_t removed = 0;
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    const bool own = ctx.args[i] == ctx.session.user;
    if (!AclOf(ctx).RemoveUser(ctx.args[i])) continue;
    ++removed;
    // Whoever removes himself still gets the answer.
    if (own) ctx.session.close_after_reply = true;
  }
  ctx.reply.Integer(removed);
}

void Cat(CommandContext& ctx) {
  if (ctx.args.size() > 3) {
    return ctx.reply.Error(
        "ERR unknown subcommand or wrong number of arguments for 'cat'. Try ACL HELP.");
  }
  if (ctx.args.size() == 2) {
    ctx.reply.Array(CommandCategories().size());
    for (const CommandCategory& category : CommandCategories()) ctx.reply.Bulk(category.name);
    return;
  }
  const CommandCategory* category = FindCategory(ctx.args[2]);
  if (category == nullptr) {
    return ctx.reply.Error(fmt::format("ERR Unknown category '{}'", ctx.args[2]));
  }
  const AclCommands& commands = AclOf(ctx).commands();
  const size_t mark = ctx.reply.BeginArray();
  size_t found = 0;
  for (size_t id = 0; id < commands.size(); ++id) {
    // A container runs nothing by itself.
    if (!commands.at(id).row->subcommands.empty()) continue;
    if (!InCategory(*commands.at(id).row, *category)) continue;
    ctx.reply.Bulk(commands.at(id).name);
    ++found;
  }
  ctx.reply.EndArray(mark, found);
}

void GenPass(CommandContext& ctx) {
  int64_t bits = kPasswordBits;
  if (ctx.args.size() > 3) {
    return ctx.reply.Error("ERR wrong number of arguments for 'acl|genpass' command");
  }
  if (ctx.args.size() == 3) {
    ArgumentReader in(ctx.args, 2);
    bits = in.Integer();
    if (in.ok() && (bits <= 0 || bits > kMostPasswordBits)) {
      in.Fail(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
          "number up to 4096");
    }
    if (!in.ok()) return ctx.reply.Error(in.error());
  }
  constexpr int64_t kBitsPerDigit = 4;
  const auto digits = static_cast<size_t>((bits + kBitsPerDigit - 1) / kBitsPerDigit);
  std::string bytes((digits + 1) / 2, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) !=
      1) {
    return ctx.reply.Error("ERR the system's random source failed");
  }
  ctx.reply.Bulk(absl::BytesToHexString(bytes).substr(0, digits));
}

void DryRun(CommandContext& ctx) {
  const AclUser* user = AclOf(ctx).Find(ctx.args[2]);
  if (user == nullptr) {
    return ctx.reply.Error(fmt::format("ERR User '{}' not found", ctx.args[2]));
  }
  const auto words = ctx.args.subspan(3);
  const CommandRow* parent = nullptr;
  if (ctx.instance.registry.Find(words[0]) == nullptr) {
    return ctx.reply.Error(fmt::format("ERR Command '{}' not found", words[0]));
  }
  const CommandRow* row = ctx.dispatcher.Lookup(words, &parent, &ctx.reply);
  if (row == nullptr) return;
  const AclVerdict verdict = user->Check(AclOf(ctx).commands(), {words, parent, row, ctx.now_ms});
  switch (verdict.denial) {
    case AclDenial::kNone:
      return ctx.reply.Ok();
    case AclDenial::kCommand:
      return ctx.reply.Bulk(
          fmt::format("This user has no permissions to run the '{}' command", verdict.object));
    case AclDenial::kKey:
      return ctx.reply.Bulk(
          fmt::format("This user has no permissions to access the '{}' key", verdict.object));
    case AclDenial::kChannel:
      return ctx.reply.Bulk(
          fmt::format("This user has no permissions to access the '{}' channel", verdict.object));
  }
}

void ReplyLogEntry(CommandContext& ctx, const Acl::LogEntry& entry) {
  constexpr double kMsPerSecond = 1000;
  ReplyWriter& reply = ctx.reply;
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.Bulk(name);
    reply.Bulk(value);
  };
  const auto number = [&](std::string_view name, int64_t value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  reply.Map(10);
  number("count", entry.count);
  text("reason", entry.reason);
  text("context", entry.context);
  text("object", entry.object);
  text("username", entry.username);
  reply.Bulk("age-seconds");
  reply.Double(static_cast<double>(ctx.now_ms - entry.created_ms) / kMsPerSecond);
  text("client-info", entry.client);
  number("entry-id", entry.id);
  number("timestamp-created", entry.created_ms);
  number("timestamp-last-updated", entry.updated_ms);
}

void Log(CommandContext& ctx) {
  int64_t count = kShownLogEntries;
  if (ctx.args.size() > 3) {
    return ctx.reply.Error("ERR wrong number of arguments for 'acl|log' command");
  }
  if (ctx.args.size() == 3) {
    ArgumentReader in(ctx.args, 2);
    if (in.Match("RESET")) {
      AclOf(ctx).ClearLog();
      return ctx.reply.Ok();
    }
    count = in.Integer();
    if (!in.ok()) return ctx.reply.Error(in.error());
  }
  const size_t wanted = count < 0 ? 0 : static_cast<size_t>(count);
  const std::vector<Acl::LogEntry> entries = AclOf(ctx).Log(wanted);
  ctx.reply.Array(entries.size());
  for (const Acl::LogEntry& entry : entries) ReplyLogEntry(ctx, entry);
}

void Load(CommandContext& ctx) {
  if (ctx.instance.config.aclfile.empty()) return ctx.reply.Error(kNoAclFile);
  const absl::Status status = AclOf(ctx).Load();
  if (status.ok()) return ctx.reply.Ok();
  ctx.reply.Error(fmt::format("ERR {}", MessageOf(status)));
}

void Save(CommandContext& ctx) {
  if (ctx.instance.config.aclfile.empty()) return ctx.reply.Error(kNoAclFile);
  if (AclOf(ctx).Save().ok()) return ctx.reply.Ok();
  ctx.reply.Error(
      "ERR There was an error trying to save the ACLs. Please check the server logs "
      "for more information");
}

constexpr uint32_t kAnybody = kNoScript | kLoading | kStale;
constexpr uint32_t kOperator = kAdmin | kAnybody;

constexpr CommandRow kSubcommands[] = {
    {"cat", -2, kAnybody, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(N), N commands",
     "The categories of commands, or the commands of one", "[categoryname]", Cat},
    {"deluser", -3, kOperator | kExclusive, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0",
     "O(N + M), N users named, M connections", "Remove users and close their connections",
     "username [username ...]", DelUser},
    {"dryrun", -4, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "7.0.0",
     "O(N * M), N keys and channels of the command, M patterns of the user",
     "Whether a user may run a command, without running it", "username command [arg [arg ...]]",
     DryRun},
    {"genpass", -2, kAnybody, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(1)",
     "Make up a password that is hard to guess", "[bits]", GenPass},
    {"getuser", 3, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0",
     "O(N), N rules of the user", "What a user may do", "username", GetUser},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(1)",
     "List the subcommands", "", ReplySubcommandHelp},
    {"list", 2, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(N), N users",
     "The users, each as a line of an ACL file", "", List},
    {"load", 2, kOperator | kExclusive, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0",
     "O(N), N users", "Read the users from the ACL file", "", Load},
    {"log", -2, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0",
     "O(N), N entries shown", "What was denied lately, and to whom", "[count | RESET]", Log},
    {"save", 2, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(N), N users",
     "Write the users to the ACL file", "", Save},
    {"setuser", -3, kOperator | kExclusive, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0",
     "O(N + M), N rules given, M connections", "Make a user, or change what it may do",
     "username [rule [rule ...]]", SetUser},
    {"users", 2, kOperator, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(N), N users",
     "The names of the users", "", Users},
    {"whoami", 2, kAnybody, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "O(1)",
     "The name of the connection's user", "", WhoAmI},
};

constexpr CommandRow kRows[] = {
    {"acl", -2, 0, kNoKeys, KeyAccess::kNone, "", "server", "6.0.0", "That of the subcommand",
     "What there is to know and to do about users and their rights", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> AclUserCommands() { return kRows; }

}  // namespace lapse
