// One user of the ACL: what it may run, on which keys and channels, and how it is recognised.
//
// A user has a root selector and any number of further ones; a request is allowed when one of them
// allows all of it. The rules, their words and their order are Redis 7.2's: ACL LIST gives them
// back as they were given, less those that later ones have overridden.
//
// Thread: read inside the gate; changed in its exclusive form.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "server/core/hooks.h"
#include "server/core/registry.h"

namespace lapse {

// All commands and subcommands, numbered.
class AclCommands {
 public:
  struct Command {
    const CommandRow* row;
    const CommandRow* container;  // of a subcommand
    std::string name;             // "config|get"
  };

  explicit AclCommands(const CommandRegistry& registry);

  size_t size() const { return commands_.size(); }
  const Command& at(size_t id) const { return commands_[id]; }
  size_t IdOf(const CommandRow& row) const { return ids_.at(&row); }
  // "get" or "config|get", letter case aside; size() when there is none.
  size_t Find(std::string_view name) const;

 private:
  std::vector<Command> commands_;
  absl::flat_hash_map<const CommandRow*, size_t> ids_;
};

// Why a request is not allowed; ordered by how far it got.
enum class AclDenial : uint8_t { kNone, kCommand, kKey, kChannel };

struct AclVerdict {
  AclDenial denial = AclDenial::kNone;
  std::string object;  // the command's full name, the key or the channel
};

class AclSelector {
 public:
  explicit AclSelector(const AclCommands& commands) : allowed_(commands.size(), false) {}

  // Applies one rule; the status says in Redis's words what is wrong with it.
  absl::Status Apply(const AclCommands& commands, std::string_view rule);
  AclVerdict Check(const AclCommands& commands, const Request& request) const;
  bool unrestricted() const;
  // Whether any key may be read, whatever its name.
  bool ReadsAllKeys() const;
  // Whether every channel that the names or patterns stand for may be subscribed to.
  bool MaySubscribe(std::string_view channel, bool is_pattern) const;

  std::string DescribeCommands() const;
  std::string DescribeKeys() const;      // "~a* %R~b*"
  std::string DescribeChannels() const;  // "&a*"
  // As in ACL LIST: keys, channels, commands.
  std::string Describe() const;

 private:
  struct KeyPattern {
    std::string pattern;
    bool read;
    bool write;
  };

  absl::Status ApplyCommand(const AclCommands& commands, bool allow, std::string_view name);
  absl::Status ApplyKeys(std::string_view rule);
  void ApplyAll(bool allow);
  void Set(const AclCommands& commands, size_t id, bool allow);
  void Remember(bool allow, std::string_view rule);
  AclVerdict CheckCommand(const AclCommands& commands, const Request& request) const;
  AclVerdict CheckKeys(const Request& request) const;
  AclVerdict CheckChannels(const Request& request) const;

  std::vector<bool> allowed_;                                        // by command's number
  std::map<size_t, std::set<std::string, std::less<>>> first_args_;  // "+select|0"
  bool all_commands_ = false;  // also those that may come: the base of the rules' text
  std::vector<std::string> rules_;
  bool all_keys_ = false;
  std::vector<KeyPattern> keys_;
  bool all_channels_ = false;
  std::vector<std::string> channels_;
};

class AclUser {
 public:
  AclUser(std::string name, const AclCommands& commands);

  const std::string& name() const { return name_; }
  // Applies one word of ACL SETUSER (a selector in parentheses is one word).
  absl::Status Apply(const AclCommands& commands, std::string_view rule);
  AclVerdict Check(const AclCommands& commands, const Request& request) const;
  bool unrestricted() const { return root_.unrestricted(); }
  // Whether one selector that allows the request lets it read any key: for commands that find out
  // only from the data what they look at.
  bool MayReadAllKeys(const AclCommands& commands, const Request& request) const;
  // Whether the subscription is still allowed, after a change of the rules.
  bool MaySubscribe(std::string_view channel, bool is_pattern) const;

  bool enabled() const { return enabled_; }
  bool no_password() const { return no_password_; }
  // Takes equally long wherever the passwords differ.
  bool HasPassword(std::string_view password) const;

  std::vector<std::string> flags() const;
  const std::vector<std::string>& password_hashes() const { return passwords_; }
  const AclSelector& root() const { return root_; }
  std::span<const AclSelector> selectors() const { return selectors_; }
  // "user alice on #... ~* &* +@all".
  std::string Describe() const;

 private:
  absl::Status ApplyPassword(const AclCommands& commands, std::string_view rule);
  bool ApplyWord(const AclCommands& commands, std::string_view rule);
  void Reset(const AclCommands& commands);

  std::string name_;
  bool enabled_ = false;
  bool no_password_ = false;
  bool skip_sanitize_ = false;
  std::vector<std::string> passwords_;  // SHA-256, 64 hexadecimal digits
  AclSelector root_;
  std::vector<AclSelector> selectors_;
};

// Joins the words of selectors that a client gave in pieces: {"(+get", "~a)"} is one. False, with
// `unmatched` set, when a parenthesis does not close.
bool MergeSelectors(std::span<const std::string_view> words, std::vector<std::string>& merged,
                    std::string& unmatched);

// SHA-256 in 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

}  // namespace lapse
