#include "server/services/acl_user.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr size_t kHashDigits = 64;

absl::Status Bad(const char* reason) { return absl::InvalidArgumentError(reason); }

bool IsHash(std::string_view text) {
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string Sha256Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), size});
}

AclUser::AclUser(std::string name, const AclCommands& commands)
    : name_(std::move(name)), root_(commands) {}

void AclUser::Reset(const AclCommands& commands) { *this = AclUser(name_, commands); }

absl::Status AclUser::Apply(const AclCommands& commands, std::string_view rule) {
  if (ApplyWord(commands, rule)) return absl::OkStatus();
  if (rule.starts_with('>') || rule.starts_with('<') || rule.starts_with('#') ||
      rule.starts_with('!')) {
    return ApplyPassword(commands, rule);
  }
  if (rule.starts_with('(') && rule.ends_with(')')) {
    AclSelector selector(commands);
    for (std::string_view rest = rule.substr(1, rule.size() - 2); !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      if (end > 0) {
        if (absl::Status status = selector.Apply(commands, rest.substr(0, end)); !status.ok()) {
          return status;
        }
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    selectors_.push_back(std::move(selector));
    return absl::OkStatus();
  }
  return root_.Apply(commands, rule);
}

// The rules that are one word and concern the user as such. False: it is none of them.
bool AclUser::ApplyWord(const AclCommands& commands, std::string_view rule) {
  if (EqualsIgnoreCase(rule, "on")) {
    enabled_ = true;
  } else if (EqualsIgnoreCase(rule, "off")) {
    enabled_ = false;
  } else if (EqualsIgnoreCase(rule, "nopass")) {
    no_password_ = true;
    passwords_.clear();
  } else if (EqualsIgnoreCase(rule, "resetpass")) {
    no_password_ = false;
    passwords_.clear();
  } else if (EqualsIgnoreCase(rule, "sanitize-payload")) {
    skip_sanitize_ = false;
  } else if (EqualsIgnoreCase(rule, "skip-sanitize-payload")) {
    skip_sanitize_ = true;
  } else if (EqualsIgnoreCase(rule, "clearselectors")) {
    selectors_.clear();
  } else if (EqualsIgnoreCase(rule, "reset")) {
    Reset(commands);
  } else {
    return false;
  }
  return true;
}

absl::Status AclUser::ApplyPassword(const AclCommands&, std::string_view rule) {
  const bool hashed = rule[0] == '#' || rule[0] == '!';
  if (hashed && !IsHash(rule.substr(1))) {
    return Bad(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
        "characters");
  }
  const std::string hash = hashed ? std::string(rule.substr(1)) : Sha256Hex(rule.substr(1));
  const auto known = std::find(passwords_.begin(), passwords_.end(), hash);
  if (rule[0] == '>' || rule[0] == '#') {
    if (known == passwords_.end()) passwords_.push_back(hash);
    no_password_ = false;
    return absl::OkStatus();
  }
  if (known == passwords_.end()) {
    return Bad("The password you are trying to remove from the user does not exist");
  }
  passwords_.erase(known);
  return absl::OkStatus();
}

AclVerdict AclUser::Check(const AclCommands& commands, const Request& request) const {
  AclVerdict verdict = root_.Check(commands, request);
  for (const AclSelector& selector : selectors_) {
    if (verdict.denial == AclDenial::kNone) break;
    AclVerdict other = selector.Check(commands, request);
    // What got furthest is what the client is told.
    if (other.denial == AclDenial::kNone || other.denial >= verdict.denial) {
      verdict = std::move(other);
    }
  }
  return verdict;
}

bool AclUser::MayReadAllKeys(const AclCommands& commands, const Request& request) const {
  const auto may = [&](const AclSelector& selector) {
    return selector.ReadsAllKeys() && selector.Check(commands, request).denial == AclDenial::kNone;
  };
  return may(root_) || std::any_of(selectors_.begin(), selectors_.end(), may);
}

bool AclUser::MaySubscribe(std::string_view channel, bool is_pattern) const {
  return root_.MaySubscribe(channel, is_pattern) ||
         std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& selector) {
           return selector.MaySubscribe(channel, is_pattern);
         });
}

bool AclUser::HasPassword(std::string_view password) const {
  const std::string given = Sha256Hex(password);
  bool found = false;
  for (const std::string& hash : passwords_) {
    unsigned different = 0;
    for (size_t i = 0; i < kHashDigits; ++i) {
      different |= static_cast<unsigned char>(given[i] ^ hash[i]);
    }
    found |= different == 0;
  }
  return found;
}

std::vector<std::string> AclUser::flags() const {
  std::vector<std::string> flags = {enabled_ ? "on" : "off"};
  if (no_password_) flags.emplace_back("nopass");
  if (skip_sanitize_) flags.emplace_back("skip-sanitize-payload");
  return flags;
}

std::string AclUser::Describe() const {
  std::string text = absl::StrCat("user ", name_);
  for (const std::string& flag : flags()) absl::StrAppend(&text, " ", flag);
  for (const std::string& hash : passwords_) absl::StrAppend(&text, " #", hash);
  absl::StrAppend(&text, " ", root_.Describe());
  for (const AclSelector& selector : selectors_) {
    absl::StrAppend(&text, " (", selector.Describe(), ")");
  }
  return text;
}

bool MergeSelectors(std::span<const std::string_view> words, std::vector<std::string>& merged,
                    std::string& unmatched) {
  bool open = false;
  for (const std::string_view word : words) {
    if (open) {
      (merged.back() += ' ') += word;
    } else {
      merged.emplace_back(word);
      open = word.starts_with('(');
    }
    if (open && word.ends_with(')')) open = false;
  }
  if (open) unmatched = merged.back();
  return !open;
}

}  // namespace lapse
