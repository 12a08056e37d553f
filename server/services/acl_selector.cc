#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "server/core/arguments.h"
#include "server/core/categories.h"
#include "server/core/command_name.h"
#include "server/core/glob.h"
#include "server/services/acl_user.h"

namespace lapse {
namespace {

absl::Status Bad(const char* reason) { return absl::InvalidArgumentError(reason); }

absl::Status SyntaxError() { return Bad("Syntax error"); }

absl::Status UnknownCommand() { return Bad("Unknown command or category name in ACL"); }

// Whether a rule of this text is overridden by a later one for `name`: the same, or a subcommand
// of it.
bool IsWithin(std::string_view rule, std::string_view name) {
  return rule.starts_with(name) && (rule.size() == name.size() || rule[name.size()] == '|');
}

// The channels that a request names: [first, last), and whether they are patterns.
struct Channels {
  size_t first = 0;
  size_t last = 0;
  bool patterns = false;
};

Channels ChannelsOf(const Request& request) {
  if ((request.row->flags & kPubSub) == 0 || request.parent != nullptr) return {};
  const std::string_view name = request.row->name;
  const size_t count = request.args.size();
  if (name == "publish" || name == "spublish") return {1, std::min<size_t>(2, count), false};
  if (name == "subscribe" || name == "ssubscribe") return {1, count, false};
  if (name == "psubscribe") return {1, count, true};
  return {};
}

}  // namespace

AclCommands::AclCommands(const CommandRegistry& registry) {
  const auto add = [&](const CommandRow* row, const CommandRow* container, std::string name) {
    ids_[row] = commands_.size();
    commands_.push_back({row, container, std::move(name)});
  };
  for (const CommandRow* row : registry.rows()) {
    add(row, nullptr, FullName(nullptr, *row));
    for (const CommandRow& subcommand : row->subcommands) {
      add(&subcommand, row, FullName(row, subcommand));
    }
  }
}

size_t AclCommands::Find(std::string_view name) const {
  for (size_t id = 0; id < commands_.size(); ++id) {
    if (EqualsIgnoreCase(commands_[id].name, name)) return id;
  }
  return commands_.size();
}

// --- rules ---

absl::Status AclSelector::Apply(const AclCommands& commands, std::string_view rule) {
  if (EqualsIgnoreCase(rule, "allcommands") || EqualsIgnoreCase(rule, "+@all")) {
    return ApplyAll(true), absl::OkStatus();
  }
  if (EqualsIgnoreCase(rule, "nocommands") || EqualsIgnoreCase(rule, "-@all")) {
    return ApplyAll(false), absl::OkStatus();
  }
  if (EqualsIgnoreCase(rule, "allkeys")) rule = "~*";
  if (EqualsIgnoreCase(rule, "allchannels")) rule = "&*";
  if (EqualsIgnoreCase(rule, "resetkeys")) {
    all_keys_ = false;
    keys_.clear();
    return absl::OkStatus();
  }
  if (EqualsIgnoreCase(rule, "resetchannels")) {
    all_channels_ = false;
    channels_.clear();
    return absl::OkStatus();
  }
  if (rule.empty()) return SyntaxError();
  if (rule[0] == '~' || rule[0] == '%') return ApplyKeys(rule);
  if (rule[0] == '&') {
    const std::string_view pattern = rule.substr(1);
    if (pattern == "*") {
      all_channels_ = true;
      channels_.clear();
      return absl::OkStatus();
    }
    if (all_channels_) {
      return Bad(
          "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does "
          "not have any effect. Try 'resetchannels' to start with an empty list of channels");
    }
    if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
      channels_.emplace_back(pattern);
    }
    return absl::OkStatus();
  }
  if (rule[0] == '+' || rule[0] == '-') {
    return ApplyCommand(commands, rule[0] == '+', rule.substr(1));
  }
  return SyntaxError();
}

void AclSelector::ApplyAll(bool allow) {
  allowed_.assign(allowed_.size(), allow);
  first_args_.clear();
  rules_.clear();
  all_commands_ = allow;
}

void AclSelector::Set(const AclCommands& commands, size_t id, bool allow) {
  allowed_[id] = allow;
  first_args_.erase(id);
  for (const CommandRow& subcommand : commands.at(id).row->subcommands) {
    allowed_[commands.IdOf(subcommand)] = allow;
  }
}

void AclSelector::Remember(bool allow, std::string_view rule) {
  std::erase_if(rules_, [&](const std::string& old) {
    return IsWithin(std::string_view(old).substr(1), rule);
  });
  rules_.push_back(fmt::format("{}{}", allow ? "+" : "-", rule));
}

absl::Status AclSelector::ApplyCommand(const AclCommands& commands, bool allow,
                                       std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  if (lower.starts_with('@')) {
    const CommandCategory* category = FindCategory(std::string_view(lower).substr(1));
    if (category == nullptr) return UnknownCommand();
    for (size_t id = 0; id < commands.size(); ++id) {
      if (!InCategory(*commands.at(id).row, *category)) continue;
      allowed_[id] = allow;
      first_args_.erase(id);
    }
    Remember(allow, lower);
    return absl::OkStatus();
  }
  if (const size_t id = commands.Find(lower); id < commands.size()) {
    Set(commands, id, allow);
    Remember(allow, lower);
    return absl::OkStatus();
  }
  // Not a subcommand: of a command without any, the first argument that is allowed.
  const size_t bar = lower.find('|');
  if (bar == lower.npos) return UnknownCommand();
  const size_t id = commands.Find(lower.substr(0, bar));
  const std::string first_arg = lower.substr(bar + 1);
  if (id == commands.size() || first_arg.find('|') != first_arg.npos) return UnknownCommand();
  if (!commands.at(id).row->subcommands.empty()) return UnknownCommand();
  if (!allow) return Bad("Allowing first-arg of a subcommand is not supported");
  if (first_arg.empty()) return SyntaxError();
  if (!allowed_[id]) first_args_[id].insert(first_arg);
  Remember(allow, lower);
  return absl::OkStatus();
}

absl::Status AclSelector::ApplyKeys(std::string_view rule) {
  // Said again, this changes nothing, whereas a pattern after it is taken for a mistake.
  if (rule == "~*") {
    all_keys_ = true;
    keys_.clear();
    return absl::OkStatus();
  }
  bool read = rule[0] == '~';
  bool write = read;
  size_t at = 1;
  for (; rule[0] == '%' && at <= rule.size(); ++at) {
    const char c = at < rule.size() ? absl::ascii_toupper(rule[at]) : '\0';
    if (c == 'R' && !read) {
      read = true;
    } else if (c == 'W' && !write) {
      write = true;
    } else if (c == '~' && (read || write)) {
      ++at;
      break;
    } else {
      return SyntaxError();
    }
  }
  if (all_keys_) {
    return Bad(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not "
        "have any effect. Try 'resetkeys' to start with an empty list of patterns");
  }
  const std::string_view pattern = rule.substr(at);
  if (pattern.find(' ') != pattern.npos || pattern.find('\0') != pattern.npos) {
    return SyntaxError();
  }
  if (pattern == "*" && read && write) {
    all_keys_ = true;
    keys_.clear();
    return absl::OkStatus();
  }
  const auto known = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const KeyPattern& k) { return k.pattern == pattern; });
  if (known == keys_.end()) {
    keys_.push_back({std::string(pattern), read, write});
  } else {
    known->read |= read;
    known->write |= write;
  }
  return absl::OkStatus();
}

// --- checks ---

bool AclSelector::unrestricted() const {
  return all_commands_ && rules_.empty() && all_keys_ && all_channels_;
}

bool AclSelector::ReadsAllKeys() const {
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(),
                                  [](const KeyPattern& k) { return k.read && k.pattern == "*"; });
}

AclVerdict AclSelector::Check(const AclCommands& commands, const Request& request) const {
  AclVerdict verdict = CheckCommand(commands, request);
  if (verdict.denial == AclDenial::kNone) verdict = CheckKeys(request);
  if (verdict.denial == AclDenial::kNone) verdict = CheckChannels(request);
  return verdict;
}

AclVerdict AclSelector::CheckCommand(const AclCommands& commands, const Request& request) const {
  const size_t id = commands.IdOf(*request.row);
  if (allowed_[id] || (request.row->flags & kNoAuth) != 0) return {};
  const auto first_args = first_args_.find(id);
  if (first_args != first_args_.end() && request.args.size() > 1) {
    const std::string first = absl::AsciiStrToLower(std::string(request.args[1]));
    if (first_args->second.contains(first)) return {};
  }
  return {AclDenial::kCommand, commands.at(id).name};
}

AclVerdict AclSelector::CheckKeys(const Request& request) const {
  if (all_keys_ || !request.row->has_keys()) return {};
  KeyRefs refs;
  FindKeys(*request.row, request.args, refs);
  for (const KeyRef& ref : refs) {
    if (ref.access == KeyAccess::kNotKey) continue;
    const std::string_view key = request.args[ref.index];
    const bool allowed = std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& k) {
      return (k.read || !ReadsData(ref.access)) && (k.write || !WritesData(ref.access)) &&
             GlobMatch(k.pattern, key);
    });
    if (!allowed) return {AclDenial::kKey, std::string(key)};
  }
  return {};
}

AclVerdict AclSelector::CheckChannels(const Request& request) const {
  if (all_channels_) return {};
  const Channels channels = ChannelsOf(request);
  for (size_t i = channels.first; i < channels.last; ++i) {
    if (!MaySubscribe(request.args[i], channels.patterns)) {
      return {AclDenial::kChannel, std::string(request.args[i])};
    }
  }
  return {};
}

// A pattern must be allowed as it stands: whether one pattern covers another is not asked.
bool AclSelector::MaySubscribe(std::string_view channel, bool is_pattern) const {
  return all_channels_ ||
         std::any_of(channels_.begin(), channels_.end(), [&](const std::string& allowed) {
           return is_pattern ? allowed == channel : GlobMatch(allowed, channel);
         });
}

// --- descriptions ---

std::string AclSelector::DescribeCommands() const {
  std::string text = all_commands_ ? "+@all" : "-@all";
  for (const std::string& rule : rules_) text += ' ' + rule;
  return text;
}

std::string AclSelector::DescribeKeys() const {
  if (all_keys_) return "~*";
  return absl::StrJoin(keys_, " ", [](std::string* out, const KeyPattern& k) {
    const std::string_view prefix = k.read && k.write ? "~" : k.read ? "%R~" : "%W~";
    *out += prefix;
    *out += k.pattern;
  });
}

std::string AclSelector::DescribeChannels() const {
  if (all_channels_) return "&*";
  return absl::StrJoin(channels_, " ",
                       [](std::string* out, const std::string& c) { *out += '&' + c; });
}

std::string AclSelector::Describe() const {
  std::string text = DescribeKeys();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  const std::string channels = DescribeChannels();
  if (!channels.empty()) text += channels + ' ';
  return text + DescribeCommands();
}

}  // namespace lapse
