#include "server/services/acl.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fmt/format.h"
#include "server/core/files.h"
#include "server/services/client_info.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr int64_t kSameEventMs = 60'000;  // denials that are counted together

std::string_view ReasonOf(AclDenial denial) {
  constexpr std::string_view kReasons[] = {"", "command", "key", "channel"};
  return kReasons[static_cast<size_t>(denial)];
}

std::string_view NameOf(AclContext context) {
  constexpr std::string_view kNames[] = {"toplevel", "multi", "lua"};
  return kNames[static_cast<size_t>(context)];
}

bool NameIsValid(std::string_view name) {
  return name.find(' ') == name.npos && name.find('\0') == name.npos;
}

}  // namespace

Acl::Acl(Instance& instance) : instance_(instance), commands_(instance.registry) {
  AclUser everyone{std::string(kDefaultUser), commands_};
  for (const std::string_view rule : {"on", "nopass", "~*", "&*", "+@all"}) {
    everyone.Apply(commands_, rule).IgnoreError();
  }
  users_.emplace(kDefaultUser, std::move(everyone));
}

absl::Status Acl::Start() {
  OnConfigChanged();
  if (!instance_.config.aclfile.empty()) {
    if (!instance_.config.users.empty()) {
      return absl::InvalidArgumentError(
          "Configuring Redis with users defined in redis.conf and at the same setting an ACL file "
          "path is invalid. This setup is very likely to lead to configuration errors and security "
          "holes, please define either an ACL file or declare users directly in your redis.conf, "
          "but not both.");
    }
    return Load();
  }
  for (const std::string& line : instance_.config.users) {
    if (absl::Status status = ApplyLine(line, users_); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void Acl::OnConfigChanged() {
  if (requirepass_ == instance_.config.requirepass) return;
  requirepass_ = instance_.config.requirepass;
  AclUser& everyone = users_.find(kDefaultUser)->second;
  everyone.Apply(commands_, requirepass_.empty() ? "nopass" : "resetpass").IgnoreError();
  if (!requirepass_.empty()) everyone.Apply(commands_, ">" + requirepass_).IgnoreError();
}

// --- sessions ---

void Acl::Restrict(Session& session) const {
  const AclUser* user = Find(session.user);
  session.modes &= ~kRestricted;
  if (user == nullptr || !user->unrestricted()) session.modes |= kRestricted;
}

void Acl::BeginSession(Session& session) const {
  const AclUser& everyone = users_.find(kDefaultUser)->second;
  session.user = kDefaultUser;
  session.authenticated = everyone.enabled() && everyone.no_password();
  Restrict(session);
}

bool Acl::BeginSessionOf(Session& session, std::string_view name) const {
  const AclUser* user = Find(name);
  if (user == nullptr || !user->enabled()) return false;
  session.authenticated = true;
  session.user = name;
  Restrict(session);
  return true;
}

bool Acl::Authenticate(Session& session, std::string_view name, std::string_view password,
                       int64_t now_ms) {
  const AclUser* user = Find(name);
  const bool welcome =
      user != nullptr && user->enabled() && (user->no_password() || user->HasPassword(password));
  if (!welcome) {
    Note(session, "auth", NameOf(AclContext::kTopLevel), "auth", name, now_ms);
    return false;
  }
  session.authenticated = true;
  session.user = name;
  Restrict(session);
  return true;
}

std::string Acl::DenialText(const AclVerdict& verdict) {
  switch (verdict.denial) {
    case AclDenial::kCommand:
      return fmt::format("NOPERM this user has no permissions to run the '{}' command",
                         verdict.object);
    case AclDenial::kKey:
      return "NOPERM this user has no permissions to access one of the keys used as arguments";
    case AclDenial::kChannel:
      return "NOPERM this user has no permissions to access one of the channels used as arguments";
    case AclDenial::kNone:
      break;
  }
  return "";
}

bool Acl::Allow(Session& session, const Request& request, AclContext context, ReplyWriter& reply) {
  const AclUser* user = Find(session.user);
  AclVerdict verdict{AclDenial::kCommand, std::string(request.row->name)};
  if (user != nullptr) verdict = user->Check(commands_, request);
  if (verdict.denial == AclDenial::kNone) return true;
  reply.Error(DenialText(verdict));
  Note(session, ReasonOf(verdict.denial), NameOf(context), verdict.object, session.user,
       request.now_ms);
  return false;
}

bool Acl::MayReadAllKeys(const Session& session, const Request& request) const {
  if ((session.modes & kRestricted) == 0) return true;
  const AclUser* user = Find(session.user);
  return user != nullptr && user->MayReadAllKeys(commands_, request);
}

void Acl::Refresh() {
  const auto is_gone = [this](const Session& session) {
    return !session.trusted && Find(session.user) == nullptr;
  };
  Services::Of(instance_).Kill(is_gone);
  instance_.clients.ForEach([&](Session& session) {
    if (!session.trusted && !is_gone(session)) Restrict(session);
  });
}

// --- users ---

const AclUser* Acl::Find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

absl::Status Acl::ApplyRules(AclUser& user, std::span<const std::string> rules) const {
  for (const std::string& rule : rules) {
    if (absl::Status status = user.Apply(commands_, rule); !status.ok()) {
      return absl::InvalidArgumentError(fmt::format(
          "'{}': {}", rule, std::string_view(status.message().data(), status.message().size())));
    }
  }
  return absl::OkStatus();
}

absl::Status Acl::SetUser(std::string_view name, std::span<const std::string> rules) {
  const auto found = users_.find(name);
  AclUser changed = found != users_.end() ? found->second : AclUser(std::string(name), commands_);
  if (absl::Status status = ApplyRules(changed, rules); !status.ok()) return status;
  users_.insert_or_assign(std::string(name), std::move(changed));
  Refresh();
  return absl::OkStatus();
}

bool Acl::RemoveUser(std::string_view name) {
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  users_.erase(found);
  Refresh();
  return true;
}

// "user name rule rule ..."
absl::Status Acl::ApplyLine(std::string_view line,
                            std::map<std::string, AclUser, std::less<>>& users) {
  std::vector<std::string_view> words;
  for (const auto& word : absl::StrSplit(absl::string_view(line.data(), line.size()),
                                         absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    words.emplace_back(word.data(), word.size());
  }
  if (words.size() < 2 || words[0] != "user") {
    return absl::InvalidArgumentError("should start with user keyword followed by the username");
  }
  if (!NameIsValid(words[1])) {
    return absl::InvalidArgumentError("Usernames can't contain spaces or null characters");
  }
  std::vector<std::string> rules;
  std::string unmatched;
  if (!MergeSelectors(std::span(words).subspan(2), rules, unmatched)) {
    return absl::InvalidArgumentError(
        fmt::format("Unmatched parenthesis in selector definition '{}'", unmatched));
  }
  AclUser user(std::string(words[1]), commands_);
  if (absl::Status status = ApplyRules(user, rules); !status.ok()) return status;
  users.insert_or_assign(std::string(words[1]), std::move(user));
  return absl::OkStatus();
}

// All of the file or nothing: a mistake leaves the users as they were.
absl::Status Acl::Load() {
  std::ifstream file(instance_.config.aclfile);
  if (!file) {
    return absl::NotFoundError(
        fmt::format("Error loading ACLs, opening file '{}'", instance_.config.aclfile));
  }
  std::map<std::string, AclUser, std::less<>> users;
  std::string errors;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    const absl::Status status = ApplyLine({text.data(), text.size()}, users);
    if (status.ok()) continue;
    absl::StrAppend(&errors, instance_.config.aclfile, ":", number, ": ", status.message(), ". ");
  }
  if (!errors.empty()) {
    return absl::InvalidArgumentError(
        errors +
        "WARNING: ACL errors detected, no change to the previously active ACL rules was "
        "performed");
  }
  if (!users.contains(kDefaultUser)) {
    users.emplace(kDefaultUser, std::move(users_.find(kDefaultUser)->second));
  }
  users_ = std::move(users);
  Refresh();
  return absl::OkStatus();
}

absl::Status Acl::Save() const {
  std::string text;
  for (const auto& [name, user] : users_) absl::StrAppend(&text, user.Describe(), "\n");
  return ReplaceFile(instance_.config.aclfile, text);
}

std::vector<std::string> Acl::ConfigLines() const {
  std::vector<std::string> lines;
  if (!instance_.config.aclfile.empty()) return lines;
  for (const auto& [name, user] : users_) lines.push_back(user.Describe());
  return lines;
}

// --- the log ---

void Acl::Note(const Session& session, std::string_view reason, std::string_view context,
               std::string_view object, std::string_view username, int64_t now_ms) {
  MutexGuard guard(log_mu_);
  const auto same = std::find_if(log_.begin(), log_.end(), [&](const LogEntry& entry) {
    return entry.reason == reason && entry.context == context && entry.object == object &&
           entry.username == username && now_ms - entry.updated_ms <= kSameEventMs;
  });
  LogEntry entry;
  if (same != log_.end()) {
    entry = std::move(*same);
    log_.erase(same);
    ++entry.count;
  } else {
    entry.reason = reason;
    entry.context = context;
    entry.object = object;
    entry.username = username;
    entry.created_ms = now_ms;
    entry.id = next_log_id_++;
  }
  entry.updated_ms = now_ms;
  entry.client = DescribeClient(session, now_ms);
  log_.push_front(std::move(entry));
  while (log_.size() > static_cast<size_t>(instance_.config.acllog_max_len)) log_.pop_back();
}

std::vector<Acl::LogEntry> Acl::Log(size_t count) {
  MutexGuard guard(log_mu_);
  return {log_.begin(), log_.begin() + static_cast<int64_t>(std::min(count, log_.size()))};
}

void Acl::ClearLog() {
  MutexGuard guard(log_mu_);
  log_.clear();
}

}  // namespace lapse
